"""What is in a data set, where it came from, whether it still is what it was, and what was done with it."""

from contextlib import suppress
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from strongroom.actions import audit, datasets, folders, lineage, manifests, receipts
from strongroom.console.datasets import picture
from strongroom.console.datasets.frame import CLOSED, frame
from strongroom.console.pages import Request, page, refused, render
from strongroom.console.spaces import wording
from strongroom.console.wayout import at_a_browser
from strongroom.core import sshsig
from strongroom.core.errors import Forbidden, Invalid, Refusal
from strongroom.core.vocabulary import Kind, State

LISTED = 100
EVENTS = 50


@page
def contents(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """One folder, `LISTED` entries at a time."""
    view = datasets.show(request.actor, dataset_id)
    prefix, after = request.GET.get("prefix", ""), request.GET.get("after", "")
    try:
        listing = folders.show(request.actor, dataset_id, prefix=prefix, after=after, limit=LISTED)
    except Refusal as refusal:
        return refused(request, refusal, CLOSED, frame(view, "contents"))
    files = [(stored, stored.key[len(prefix) :]) for stored in listing.files]
    context = frame(view, "contents", listing=listing, files=files, trail=_trail(prefix), after=after)
    return render(request, "console/datasets/contents.html", context)


def _trail(prefix: str) -> list[tuple[str, str]]:
    """Each folder on the way, with its prefix."""
    names = prefix.split("/")[:-1]
    return [(name, "/".join(names[: at + 1]) + "/") for at, name in enumerate(names)]


@page
def origin(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The picture, and the same in words."""
    view = datasets.show(request.actor, dataset_id)
    told = lineage.show(request.actor, dataset_id)
    sources = [row for row in told.rows if told.levels[row.id] < 0]
    derivatives = [row for row in told.rows if told.levels[row.id] > 0]
    drawn = picture.draw(told)
    context = frame(view, "lineage", told=told, drawn=drawn, sources=sources, derivatives=derivatives)
    return render(request, "console/datasets/lineage.html", context)


@page
def integrity(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """Manifest and receipt, and when both were last looked after."""
    view = datasets.show(request.actor, dataset_id)
    is_frozen = view.dataset.kind == Kind.ORIGINAL and view.dataset.state == State.FINALIZED
    receipt = None
    with suppress(Refusal):  # a pending data set has none; the page says so
        receipt = receipts.show(request.actor, dataset_id)
    commands, late = _check_commands(dataset_id), None
    if view.late_objects:
        with suppress(Refusal):  # who may not read the manifest is told the number alone
            cursor = request.GET.get("cursor") or None
            late = manifests.differences(request.actor, dataset_id, cursor=cursor, limit=EVENTS)
    context = frame(view, "integrity", receipt=receipt, is_frozen=is_frozen, check_commands=commands)
    more = urlencode({"cursor": late.next_cursor}) if late and late.next_cursor else ""
    context |= {"late": late, "more": more}
    return render(request, "console/datasets/integrity.html", context)


def _check_commands(dataset_id: UUID) -> str:
    """What checks the three files of a receipt, and the manifest against it."""
    return (
        f"ssh-keygen -Y verify -f allowed_signers -I {receipts.IDENTITY} -n {sshsig.NAMESPACE} "
        f"-s receipt-{dataset_id}.json.sig < receipt-{dataset_id}.json\n"
        f"sha256sum manifest-{dataset_id}.jsonl\n"
    )


@page
def manifest_file(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """One object a line."""
    lines = manifests.download(request.actor, dataset_id)
    return StreamingHttpResponse(
        lines, content_type="application/jsonl", headers=_saved_as(f"manifest-{dataset_id}.jsonl")
    )


PARTS = {
    "receipt": ("receipt", "receipt-{}.json", "application/json"),
    "signature": ("signature", "receipt-{}.json.sig", "text/plain"),
    "signers": ("allowed_signers", "allowed_signers", "text/plain"),
}


@page
def receipt_file(request: Request, dataset_id: UUID, part: str) -> HttpResponseBase:
    """The receipt, its signature, or who may sign, as `ssh-keygen -Y verify` takes them."""
    attribute, name, content_type = PARTS[part]
    text = getattr(receipts.show(request.actor, dataset_id), attribute)
    return HttpResponse(text, content_type=content_type, headers=_saved_as(name.format(dataset_id)))


def _saved_as(filename: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}


@page
def activity(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The ledger's entries about it for those who may read them; how its record changed for everybody who sees it."""
    view = datasets.show(request.actor, dataset_id)
    events, closed = None, ""
    verb = request.GET.get("verb", "")
    try:
        events = audit.list_(
            request.actor,
            dataset_id=dataset_id,
            verb=verb or None,
            cursor=request.GET.get("cursor") or None,
            limit=EVENTS,
        )
    except Forbidden as refusal:
        closed = at_a_browser(f"{refusal} {refusal.way_out}")
    except Invalid as refusal:
        closed = str(refusal)
    context = frame(
        view,
        "activity",
        events=events,
        rows=[wording.told(event) for event in events.rows] if events else [],
        closed_because=closed,
        changes=datasets.history(request.actor, dataset_id)[:50],
        verb=verb,
        verbs=_verbs(),
    )
    return render(request, "console/datasets/activity.html", context)


def _verbs() -> list[tuple[str, str]]:
    """What one may filter by, in the words of the page."""
    nouns = ("dataset.", "key.", "attachment.", "grant.", "manifest.", "receipt.")
    return [(value, words) for value, words in wording.choices() if value.startswith(nouns)]
