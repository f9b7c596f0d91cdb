"""The documents of a data set: upload them, open them by a link of a few minutes, remove or supersede them."""

from collections.abc import Callable
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.http import HttpResponseBase
from django.views.decorators.http import require_POST

from strongroom.actions import attachments, datasets
from strongroom.console.datasets.frame import frame
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.core.errors import Invalid, Refusal
from strongroom.core.vocabulary import AttachmentKind, Verb

TEMPLATE = "console/datasets/attachments.html"
KINDS = {
    AttachmentKind.DATA_USE_AGREEMENT: "Data use agreement",
    AttachmentKind.END_USER_AGREEMENT: "End user agreement",
    AttachmentKind.APPROVAL: "Approval",
    AttachmentKind.OTHER: "Other",
}


@page
def show(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The list, and the form that adds to it; with POST the upload."""
    if request.method == "POST":
        return _upload(request, dataset_id, Verb.ATTACHMENT_ADD, _add, "was attached")
    return render(request, TEMPLATE, _context(request, dataset_id))


@page
@require_POST
def supersede(request: Request, dataset_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    """A new document in an old one's place."""

    def put(request: Request, dataset_id: UUID, **about: Any) -> Any:
        reason = request.POST.get("reason", "")
        return attachments.supersede(request.actor, dataset_id, attachment_id, reason=reason, **about)

    return _upload(request, dataset_id, Verb.ATTACHMENT_SUPERSEDE, put, "took the old document's place")


@page
@require_POST
def link(request: Request, dataset_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    """The list again, with a link in it that works for a few minutes."""
    try:
        made = attachments.link(request.actor, dataset_id, attachment_id)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    context = _context(request, dataset_id, link=made, linked=attachment_id)
    response = render(request, TEMPLATE, context)
    response.headers["Cache-Control"] = "no-store"
    return response


@page
@require_POST
def remove(request: Request, dataset_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    """A document of a pending data set goes."""
    try:
        gone = attachments.remove(request.actor, dataset_id, attachment_id, reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return done(request, f"/datasets/{dataset_id}/attachments", f"“{gone.title}” was removed.")


def _upload(request: Request, dataset_id: UUID, verb: Verb, put: Callable[..., Any], said: str) -> HttpResponseBase:
    try:
        attachments.check(request.actor, verb, dataset_id)
        added = put(request, dataset_id, **_about(request))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return done(request, f"/datasets/{dataset_id}/attachments", f"“{added.title}” {said}.")


def _add(request: Request, dataset_id: UUID, **about: Any) -> Any:
    return attachments.add(request.actor, dataset_id, **about)


def _about(request: Request) -> dict[str, Any]:
    file, kind = request.FILES.get("file"), request.POST.get("kind", "")
    if file is None:
        raise Invalid("Choose the file to attach.", fields={"file": "choose a file"})
    if kind not in list(AttachmentKind):
        raise Invalid("What is the document?", fields={"kind": "choose one"})
    return {
        "filename": file.name or "",
        "title": request.POST.get("title", ""),
        "kind": AttachmentKind(kind),
        "body": cast("BinaryIO", file),
    }


def _context(request: Request, dataset_id: UUID, **more: Any) -> dict[str, Any]:
    view = datasets.show(request.actor, dataset_id)
    rows = attachments.list_(request.actor, dataset_id)
    listed = [(row, KINDS[AttachmentKind(row.kind)]) for row in rows]
    return frame(view, "attachments", listed=listed, kinds=KINDS.items(), form=request.POST, **more)
