"""The pages of the control panel: what each deed brings about, the name typed to confirm it, and the deed."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils.translation import gettext, gettext_noop

from strongroom.actions import datasets, transfers
from strongroom.actions.views import DatasetView
from strongroom.console.datasets import parsing
from strongroom.console.datasets.frame import frame
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.console.wayout import at_a_browser
from strongroom.console.words import translated
from strongroom.core.errors import Forbidden, Refusal, Unavailable
from strongroom.core.vocabulary import Kind, State, Verb

TEMPLATE = "console/datasets/control.html"


@dataclass(frozen=True, slots=True)
class Control:
    """One deed of the control panel. `consequences` are for an original, or for any where there is but one list."""

    verb: Verb
    title: str
    said: str
    do: Callable[[Request, UUID], object]
    consequences: tuple[str, ...]
    of_derivative: tuple[str, ...] = ()
    is_danger: bool = True
    needs_name: bool = True
    asks_reason: str = ""  # `optional` or `required`
    asks_empty: bool = False
    asks_lock: bool = False


_CLOSED = gettext_noop("Every access key and every transfer stops working at once. Nobody can upload to it again.")
_GONE = gettext_noop(
    "All files, attachments and the repository are removed. No copy is kept, and nobody can bring them back."
)


def _finalize(request: Request, dataset_id: UUID) -> object:
    return datasets.finalize(request.actor, dataset_id, **_closing(request))


def _promote(request: Request, dataset_id: UUID) -> object:
    return datasets.promote(request.actor, dataset_id, **_closing(request))


def _closing(request: Request) -> dict[str, Any]:
    form = request.POST
    return {
        "confirm_name": form.get("confirm_name", ""),
        "allow_empty": "allow_empty" in form,
        "locked_until": parsing.end_of("locked_until", form.get("locked_until", "")),
    }


def _delete(request: Request, dataset_id: UUID) -> object:
    form = request.POST
    return datasets.delete(
        request.actor, dataset_id, confirm_name=form.get("confirm_name", ""), reason=form.get("reason", "")
    )


def _request(request: Request, dataset_id: UUID) -> object:
    return datasets.request_deletion(request.actor, dataset_id, reason=request.POST.get("reason", ""))


def _withdraw(request: Request, dataset_id: UUID) -> object:
    return datasets.withdraw_deletion(request.actor, dataset_id)


def _confirm(request: Request, dataset_id: UUID) -> object:
    name = request.POST.get("confirm_name", "")
    return datasets.confirm_deletion(request.actor, dataset_id, confirm_name=name)


CONTROLS: Mapping[str, Control] = {
    "finalize": Control(
        Verb.DATASET_FINALIZE,
        gettext_noop("Finalize"),
        gettext_noop("It is being finalized: no upload succeeds any more."),
        _finalize,
        (
            _CLOSED,
            gettext_noop("No file can be added, changed or deleted any more, by anybody. This cannot be undone."),
            gettext_noop("A manifest of all files is written, and a receipt is signed."),
            gettext_noop("From then on only servers of this space that are given access can read it."),
        ),
        (
            _CLOSED,
            gettext_noop("From then on only servers of this space that are given access can read and change it."),
            gettext_noop("A manifest of the files there are now is written, and a receipt is signed."),
            gettext_noop("It stays a derivative, and can be promoted to an original later."),
        ),
        asks_empty=True,
        asks_lock=True,
    ),
    "promote": Control(
        Verb.DATASET_PROMOTE,
        gettext_noop("Promote to original"),
        gettext_noop("It is being promoted: no write succeeds any more."),
        _promote,
        (
            gettext_noop("It becomes an original, for good: there is no way back to a derivative."),
            gettext_noop(
                "No file can be added, changed or deleted any more, by anybody. Servers that have access can only read."
            ),
            _CLOSED,
            gettext_noop("A manifest of all files is written, and a receipt is signed."),
        ),
        asks_empty=True,
        asks_lock=True,
    ),
    "delete": Control(
        Verb.DATASET_DELETE,
        gettext_noop("Delete"),
        gettext_noop("It is being deleted."),
        _delete,
        (
            _GONE,
            gettext_noop("Its access key and its transfers stop working at once."),
            gettext_noop("A record remains that says what it was and who deleted it."),
        ),
        asks_reason="optional",
    ),
    "request-deletion": Control(
        Verb.DATASET_REQUEST_DELETION,
        gettext_noop("Request deletion"),
        gettext_noop("Its deletion is requested: a second person must confirm it."),
        _request,
        (
            gettext_noop("Nothing is deleted yet: an owner or a steward who is not you must confirm it."),
            gettext_noop("Until then you or others who keep the data set can withdraw the request."),
        ),
        is_danger=False,
        needs_name=False,
        asks_reason="required",
    ),
    "withdraw-deletion": Control(
        Verb.DATASET_WITHDRAW_DELETION,
        gettext_noop("Withdraw the request for deletion"),
        gettext_noop("The request was withdrawn: the data set stays."),
        _withdraw,
        (gettext_noop("The data set stays as it is."),),
        is_danger=False,
        needs_name=False,
    ),
    "confirm-deletion": Control(
        Verb.DATASET_CONFIRM_DELETION,
        gettext_noop("Confirm deletion"),
        gettext_noop("It is being deleted."),
        _confirm,
        (
            _GONE,
            gettext_noop("Every server loses its access at once."),
            gettext_noop("A record remains, with the hash of the manifest, the reason, and both persons."),
        ),
    ),
}


@page
def control(request: Request, dataset_id: UUID, deed: str) -> HttpResponseBase:
    """What it brings about, and the form; with POST the deed itself."""
    chosen = CONTROLS[deed]
    if request.method == "POST":
        return _do(request, dataset_id, deed, chosen)
    return render(request, TEMPLATE, _context(request, datasets.show(request.actor, dataset_id), deed, chosen))


def _do(request: Request, dataset_id: UUID, deed: str, chosen: Control) -> HttpResponseBase:
    try:
        chosen.do(request, dataset_id)
    except Unavailable as late:  # it stands in the rows, and goes on by itself
        return done(request, f"/datasets/{dataset_id}", translated(late.in_full))
    except Refusal as refusal:
        view = datasets.show(request.actor, dataset_id)
        return refused(request, refusal, TEMPLATE, _context(request, view, deed, chosen))
    return done(request, f"/datasets/{dataset_id}", gettext(chosen.said))


def _context(request: Request, view: DatasetView, deed: str, chosen: Control) -> dict[str, Any]:
    is_derivative = view.dataset.kind == Kind.DERIVATIVE
    closed = {each.verb: at_a_browser(each.reason) for each in view.blocked}
    consequences = chosen.of_derivative if is_derivative and chosen.of_derivative else chosen.consequences
    return frame(
        view,
        "",
        control=chosen,
        deed=gettext(chosen.title),
        action=f"/datasets/{view.dataset.id}/{deed}",
        consequences=[gettext(each) for each in consequences],
        asks_lock=chosen.asks_lock and (not is_derivative or chosen.verb is Verb.DATASET_PROMOTE),
        closed_because=closed.get(chosen.verb, ""),
        running=_running(request, view) if chosen.asks_empty else [],
        form=request.POST,
    )


def _running(request: Request, view: DatasetView) -> Sequence[Any]:
    """The transfers that the deed would end; only what is pending has some."""
    if view.dataset.state == State.PENDING:
        with suppress(Forbidden):
            return transfers.list_(request.actor, view.dataset.id, is_live=True).rows
    return []
