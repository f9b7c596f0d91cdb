"""What every page of one data set carries: its head, its tabs, what may be done with it and what is closed, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop

from strongroom.actions.views import DatasetView
from strongroom.console.wayout import at_a_browser
from strongroom.console.words import translated
from strongroom.core.deeds import DEEDS
from strongroom.core.sentences import opening
from strongroom.core.vocabulary import Kind, State, Verb

CLOSED = "console/datasets/closed.html"
"""The template of a tab that is closed to somebody, or now: the head of the data set, and why."""
TABS = (
    ("", gettext_noop("Overview")),
    ("upload", gettext_noop("Upload")),
    ("access", gettext_noop("Dataset access")),
    ("connect", gettext_noop("How to connect")),
    ("attachments", gettext_noop("Attachments")),
    ("contents", gettext_noop("Contents")),
    ("lineage", gettext_noop("Lineage")),
    ("integrity", gettext_noop("Integrity")),
    ("activity", gettext_noop("Activity")),
)
STATES: Mapping[State, str] = {
    State.PENDING: gettext_noop("Pending"),
    State.FINALIZING: gettext_noop("Being finalized"),
    State.FINALIZED: gettext_noop("Finalized"),
    State.DELETING: gettext_noop("Being deleted"),
    State.DELETED: gettext_noop("Deleted"),
}
KINDS = {Kind.ORIGINAL: gettext_noop("Original"), Kind.DERIVATIVE: gettext_noop("Derivative")}
_SEEING = frozenset({Verb.DATASET_SHOW, Verb.DATASET_HISTORY, Verb.KEY_LIST, Verb.ATTACHMENT_LIST, Verb.GRANT_LIST})
_KEYS = frozenset({Verb.KEY_RESET, Verb.KEY_RENEW, Verb.KEY_REVOKE})


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of the data set."""

    path: str
    title: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """A deed that is closed, as people say it."""

    deed: str
    reason: str


def frame(view: DatasetView, tab: str, **more: object) -> dict[str, Any]:
    """The context of a page. In `may` and `why` a verb stands with an underscore, as `dataset_finalize`."""
    word = gettext(STATES[State(view.dataset.state)])
    why = {each.verb: at_a_browser(each.reason) for each in view.blocked}
    return {
        "view": view,
        "dataset": view.dataset,
        "root": f"/datasets/{view.dataset.id}",
        "kind": gettext(KINDS[Kind(view.dataset.kind)]),
        "state_word": word,
        "may": {_plain(verb): True for verb in view.may},
        "why": {_plain(verb): reason for verb, reason in why.items()},
        "closed": _closed(why),
        "tabs": [_tab(view, path, title, tab) for path, title in TABS if _is_open(view, path)],
        **more,
    }


def _closed(why: Mapping[Verb, str]) -> list[Closed]:
    """What is closed, without what only looks, and with keys told once: their deeds are closed for one reason."""
    left_out = _SEEING | (_KEYS if Verb.KEY_ISSUE in why else frozenset())
    return [Closed(_title(verb), reason) for verb, reason in why.items() if verb not in left_out]


def _is_open(view: DatasetView, path: str) -> bool:
    return path != "upload" or view.dataset.state == State.PENDING


def _tab(view: DatasetView, path: str, title: str, current: str) -> Tab:
    where = f"/datasets/{view.dataset.id}"
    return Tab(f"{where}/{path}" if path else where, gettext(title), path == current)


def _plain(verb: Verb) -> str:
    return verb.value.replace(".", "_")


def _title(verb: Verb) -> str:
    return translated(opening(DEEDS[verb]))
