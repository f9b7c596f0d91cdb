"""Whether a data set still is what it was: manifest, digests, receipts, fixity checks, and how to check without us."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext

from strongroom.actions import crates, datasets, fixity, manifests, receipts
from strongroom.actions.views import DatasetView
from strongroom.console.datasets.frame import frame
from strongroom.console.datasets.sending import sent_from
from strongroom.console.pages import Request, done, page, refused, render, saved
from strongroom.core import crate, sshsig
from strongroom.core.errors import Invalid, NotFound, Refusal
from strongroom.core.sentences import say
from strongroom.core.vocabulary import CheckState, Kind, ManifestForm, State

TEMPLATE = "console/datasets/integrity.html"
LISTED = 50
PARTS = {
    "receipt": ("receipt", "receipt-{}.json", "application/json"),
    "signature": ("signature", "receipt-{}.json.sig", "text/plain"),
    "signers": ("allowed_signers", "allowed_signers", "text/plain"),
    "digests": ("digests.receipt", "digests-{}.json", "application/json"),
    "digests-signature": ("digests.signature", "digests-{}.json.sig", "text/plain"),
}


@page
def integrity(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """All that proves it, and when it was last looked after. While it is read the page asks how far that is."""
    view = datasets.show(request.actor, dataset_id)
    response = render(request, TEMPLATE, _context(request, view))
    if request.headers.get("HX-Request") and not _is_being_read(view):
        response.headers["HX-Refresh"] = "true"
    return response


@sent_from("/integrity")
def check(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """Have everything read again."""
    try:
        fixity.start(request.actor, dataset_id)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, datasets.show(request.actor, dataset_id)))
    return done(
        request, f"/datasets/{dataset_id}/integrity", gettext("The check goes on now; what it finds is shown here.")
    )


@saved
def manifest_file(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """One object a line, in one of the forms."""
    try:
        form = ManifestForm(request.GET.get("form") or ManifestForm.JSONL)
    except ValueError:
        raise Invalid(
            say("There is no such form of a manifest."), fields={"form": say("one of the page's links")}
        ) from None
    file = manifests.download(request.actor, dataset_id, form=form)
    headers = _saved_as(file.name)
    if file.size_bytes is not None:
        headers["Content-Length"] = str(file.size_bytes)
    return StreamingHttpResponse(file.chunks, content_type=file.content_type, headers=headers)


@page
def receipt_file(request: Request, dataset_id: UUID, part: str) -> HttpResponseBase:
    """A receipt, its signature, or who may sign, as `ssh-keygen -Y verify` takes them."""
    attribute, name, content_type = PARTS[part]
    found: Any = receipts.show(request.actor, dataset_id)
    for each in attribute.split("."):
        found = getattr(found, each, "")
    if not found:
        raise NotFound(say("There is no receipt of digests yet: not every digest is known."))
    return HttpResponse(found, content_type=content_type, headers=_saved_as(name.format(dataset_id)))


@page
def crate_file(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The description for other systems."""
    text = crates.show(request.actor, dataset_id)
    return HttpResponse(text, content_type="application/ld+json", headers=_saved_as(crate.FILE))


def _context(request: Request, view: DatasetView) -> dict[str, Any]:
    dataset_id, cursor = view.dataset.id, request.GET.get("cursor") or None
    receipt = late = damage = None
    with suppress(Refusal):  # a pending data set has none; the page says so
        receipt = receipts.show(request.actor, dataset_id)
    with suppress(Refusal):  # who may not read the manifest is told the numbers alone
        if view.last_check and view.last_check.difference_count:
            found = request.GET.get("found") or None
            damage = fixity.show(request.actor, dataset_id, view.last_check.id, cursor=found, limit=LISTED).differences
        if view.late_objects:
            late = manifests.differences(request.actor, dataset_id, cursor=cursor, limit=LISTED)
    return frame(
        view,
        "integrity",
        receipt=receipt,
        is_being_read=_is_being_read(view),
        digests_wait=_what_digests_wait_for(view),
        is_frozen=view.dataset.kind == Kind.ORIGINAL and view.dataset.state == State.FINALIZED,
        check_commands=_check_commands(dataset_id, has_digests=view.digests is not None),
        late=late,
        more=urlencode({"cursor": late.next_cursor}) if late and late.next_cursor else "",
        damage=damage,
        more_damage=urlencode({"found": damage.next_cursor}) if damage and damage.next_cursor else "",
    )


def _is_being_read(view: DatasetView) -> bool:
    check = view.last_check
    return check is not None and check.ended_at is None and not check.waits_for_damaged


def _what_digests_wait_for(view: DatasetView) -> str:
    """For as long as not all are known; empty while files are read for them."""
    check = view.completing
    if view.dataset.state in (State.DELETING, State.DELETED):
        return "nothing"
    if check is not None and check.waits_for_damaged:
        return "damaged"
    if check is None or (check.state == CheckState.WAITING and not check.last_error):
        return "turn"
    return "trouble" if check.last_error else ""


def _check_commands(dataset_id: UUID, *, has_digests: bool) -> str:
    """What checks the files of the receipts, and the manifests against them."""
    names = [("receipt", "manifest")] + ([("digests", "digests")] if has_digests else [])
    return "".join(
        f"ssh-keygen -Y verify -f allowed_signers -I {receipts.IDENTITY} -n {sshsig.NAMESPACE} "
        f"-s {receipt}-{dataset_id}.json.sig < {receipt}-{dataset_id}.json\n"
        f"sha256sum {listed}-{dataset_id}.jsonl\n"
        for receipt, listed in names
    )


def _saved_as(filename: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
