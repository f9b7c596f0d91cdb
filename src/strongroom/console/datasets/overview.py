"""The data set's own page: its state, what comes next, its details, the control panel, and how far long work is."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils.translation import gettext, gettext_noop, ngettext

from strongroom.actions import attachments, datasets, grants, hurrying
from strongroom.actions.views import DatasetView
from strongroom.console.datasets.closing import CONTROLS
from strongroom.console.datasets.frame import frame
from strongroom.console.datasets.sending import sent_from
from strongroom.console.pages import Request, done, page, render
from strongroom.core.errors import Forbidden
from strongroom.core.vocabulary import AttachmentKind, State, Verb

_AGREEMENTS = {AttachmentKind.DATA_USE_AGREEMENT, AttachmentKind.END_USER_AGREEMENT}
_BUSY = {State.FINALIZING, State.DELETING}
_FINALIZING = (
    ("closing", gettext_noop("Uploads are stopped, access keys are removed")),
    ("draining", gettext_noop("Requests under way come to an end")),
    ("aborting", gettext_noop("Unfinished uploads are removed")),
    ("locking", gettext_noop("Every object is locked until the date")),
    ("listing", gettext_noop("The manifest is written")),
    ("signing", gettext_noop("The receipt is signed")),
)
_DELETING = (
    ("closing", gettext_noop("All access is stopped")),
    ("draining", gettext_noop("Requests under way come to an end")),
    ("removing", gettext_noop("Files and repository are removed")),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, or being done. `mark` is `done`, `now` or `later`; `ways` are the buttons that lead to it."""

    text: str
    mark: str
    ways: tuple[tuple[str, str], ...] = ()


@page
def show(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """Everything at a glance."""
    view = datasets.show(request.actor, dataset_id)
    return render(request, "console/datasets/show.html", _context(request, view))


@page
def progress(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The fragment that the page asks for again and again; when the work is over, the whole page is loaded anew."""
    view = datasets.show(request.actor, dataset_id)
    if not request.headers.get("HX-Request"):
        return render(request, "console/datasets/show.html", _context(request, view))
    response = render(request, "console/datasets/progress.html", frame(view, "", **_progress(view)))
    if not is_busy(view):
        response.headers["HX-Refresh"] = "true"
    return response


@sent_from("")
def retry(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """What the engine did not obey is tried again at once."""
    hurrying.dataset(request.actor, dataset_id)
    return done(request, f"/datasets/{dataset_id}", gettext("It is being tried again."))


def is_busy(view: DatasetView) -> bool:
    """Whether something is being done to it, so that a look a moment later shows something else."""
    return view.dataset.state in _BUSY or not view.dataset.is_settled


def _context(request: Request, view: DatasetView) -> dict[str, Any]:
    documents, servers = _documents(request, view), _servers(request, view)
    return frame(
        view,
        "",
        documents=documents,
        servers=servers,
        steps=_steps(view, documents),
        has_controls=any(each.verb in view.may for each in CONTROLS.values()),
        is_closing_off=view.dataset.deletion_requested_at is not None and view.dataset.state == State.FINALIZED,
        **_progress(view),
    )


def _documents(request: Request, view: DatasetView) -> list[Any] | None:
    """The attachments; None where one may not see them."""
    with suppress(Forbidden):
        return attachments.list_(request.actor, view.dataset.id)
    return None


def _servers(request: Request, view: DatasetView) -> list[Any]:
    if not view.live_grants:
        return []
    return list(grants.list_(request.actor, dataset_id=view.dataset.id, is_live=True, limit=20).rows)


def _progress(view: DatasetView) -> dict[str, Any]:
    row = view.dataset
    steps = {State.FINALIZING: _FINALIZING, State.DELETING: _DELETING}.get(State(row.state), ())
    steps = tuple(each for each in steps if each[0] != "locking" or row.locked_until)
    names = [name for name, _ in steps]
    reached = names.index(row.step) if row.step in names else 0
    marks = ["done" if at < reached else "now" if at == reached else "later" for at in range(len(steps))]
    return {
        "is_busy": is_busy(view),
        "work": [Step(gettext(text), mark) for (_, text), mark in zip(steps, marks, strict=True)],
        "may_hurry": bool(row.last_error) and Verb.DATASET_EDIT in _held(view),
    }


def _held(view: DatasetView) -> set[Verb]:
    """What one's role allows, whatever the state says."""
    return set(view.may) | ({Verb.DATASET_EDIT} if view.dataset.state in _BUSY else set())


def _steps(view: DatasetView, documents: list[Any] | None) -> list[Step]:
    """What comes next in the life of the data set, in the order in which people do it."""
    if view.dataset.state == State.PENDING:
        has_agreement = any(each.kind in _AGREEMENTS for each in documents or [])
        other = ("connect", gettext("Another client"), Verb.DATASET_CONNECT)
        first = ("access", gettext("Get initial credentials"), Verb.KEY_ISSUE)
        return _marked(
            view,
            (
                has_agreement,
                gettext("Attach the agreements that apply"),
                ("attachments", gettext("Attach a document"), Verb.ATTACHMENT_ADD),
            ),
            (
                bool(view.dataset.measured_objects),
                _upload_step(view),
                ("upload", gettext("Choose files"), Verb.TRANSFER_OPEN),
                other if view.live_key else first,
            ),
            (
                False,
                gettext("Finalize: nothing can be uploaded afterwards"),
                ("finalize", gettext("Finalize"), Verb.DATASET_FINALIZE),
            ),
        )
    if view.dataset.state == State.FINALIZED:
        return _marked(
            view,
            (
                True,
                gettext("Finalized: the receipt says what is in it"),
                ("integrity", gettext("Get the receipt"), Verb.RECEIPT_SHOW),
            ),
            (
                view.live_grants > 0,
                gettext("Give servers of the space access"),
                ("access", gettext("Provision server access"), Verb.GRANT_CREATE),
            ),
            (
                False,
                gettext("Read or mount it from such a server"),
                ("connect", gettext("How to connect"), Verb.DATASET_CONNECT),
            ),
        )
    return []


def _upload_step(view: DatasetView) -> str:
    """With what is there, where that was counted: a minute after the first upload."""
    count = view.dataset.measured_objects
    if not count:
        return gettext("Upload the files: from this browser, or with an access key and any S3 client")
    said = ngettext("Upload the files: {count} is there", "Upload the files: {count} are there", count)
    return said.format(count=count)


def _marked(view: DatasetView, *steps: tuple[Any, ...]) -> list[Step]:
    """Of: whether it is done, its text, and its ways: tab, button, and the verb that makes it one for this person.

    The first that is not done is the one to do now.
    """
    here, first = f"/datasets/{view.dataset.id}", next((at for at, step in enumerate(steps) if not step[0]), len(steps))
    return [
        Step(
            text,
            "done" if is_done else "now" if at == first else "later",
            tuple((f"{here}/{tab}", button) for tab, button, verb in ways if verb in view.may),
        )
        for at, (is_done, text, *ways) in enumerate(steps)
    ]
