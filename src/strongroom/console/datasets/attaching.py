"""The documents of a data set: upload them, open them by a link of a few minutes, remove or supersede them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponseBase
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from strongroom.actions import attachments, datasets
from strongroom.console.datasets.frame import CLOSED, frame
from strongroom.console.datasets.sending import sent_from
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.console.slicing import beginning, part
from strongroom.console.texts import refuse_unstorable
from strongroom.core.errors import Forbidden, Invalid, Refusal, sentence_of
from strongroom.core.sentences import say
from strongroom.core.vocabulary import AttachmentKind, Verb

PAGE_SIZE = 25
TEMPLATE = "console/datasets/attachments.html"
KINDS = {
    AttachmentKind.DATA_USE_AGREEMENT: gettext_noop("Data use agreement"),
    AttachmentKind.END_USER_AGREEMENT: gettext_noop("End user agreement"),
    AttachmentKind.APPROVAL: gettext_noop("Approval"),
    AttachmentKind.OTHER: gettext_noop("Other"),
}


# Uploads are exempt from the early check of the form's token, which would read the whole body before anybody asked who
# sends it; the check comes right after that.


@csrf_exempt
@page
def show(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The list, and the form that adds to it; with POST the upload."""
    if request.method != "POST":
        return _list(request, dataset_id)
    attachments.check(request.actor, Verb.ATTACHMENT_ADD, dataset_id)
    with _within_limit():
        return _add(request, dataset_id)


def _list(request: Request, dataset_id: UUID) -> HttpResponseBase:
    try:
        return render(request, TEMPLATE, _context(request, dataset_id))
    except Forbidden as refusal:
        view = datasets.show(request.actor, dataset_id)
        return refused(request, refusal, CLOSED, frame(view, "attachments"))


@csrf_exempt
@sent_from("/attachments")
def supersede(request: Request, dataset_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    """A new document in an old one's place."""
    attachments.check(request.actor, Verb.ATTACHMENT_SUPERSEDE, dataset_id)
    with _within_limit():
        return _supersede(request, dataset_id, attachment_id)


@sent_from("/attachments")
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


@sent_from("/attachments")
def remove(request: Request, dataset_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    """A document of a pending data set goes."""
    try:
        gone = attachments.remove(request.actor, dataset_id, attachment_id, reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return done(
        request, f"/datasets/{dataset_id}/attachments", gettext("“{gone}” was removed.").format(gone=gone.title)
    )


@contextmanager
def _within_limit() -> Iterator[None]:
    """Raises: Invalid for a file that is larger than an attachment may be; nothing of it is kept."""
    try:
        yield
    except RequestDataTooBig as too_big:
        raise Invalid(
            sentence_of(too_big), fields={"file": say("is too large")}, way_out=say("Attach a smaller file.")
        ) from too_big


@csrf_protect
def _add(request: Any, dataset_id: UUID) -> HttpResponseBase:
    refuse_unstorable(request.POST)
    try:
        added = attachments.add(request.actor, dataset_id, **_about(request))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return done(
        request, f"/datasets/{dataset_id}/attachments", gettext("“{added}” was attached.").format(added=added.title)
    )


@csrf_protect
def _supersede(request: Any, dataset_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    refuse_unstorable(request.POST)
    reason = request.POST.get("reason", "")
    try:
        added = attachments.supersede(request.actor, dataset_id, attachment_id, reason=reason, **_about(request))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, dataset_id))
    return done(
        request,
        f"/datasets/{dataset_id}/attachments",
        gettext("“{added}” took the old document's place.").format(added=added.title),
    )


def _about(request: Request) -> dict[str, Any]:
    file, kind = request.FILES.get("file"), request.POST.get("kind", "")
    if file is None:
        raise Invalid(say("Choose the file to attach."), fields={"file": say("choose a file")})
    if kind not in list(AttachmentKind):
        raise Invalid(say("What is the document?"), fields={"kind": say("choose one")})
    return {
        "filename": file.name or "",
        "title": request.POST.get("title", ""),
        "kind": AttachmentKind(kind),
        "body": cast("BinaryIO", file),
    }


def _context(request: Request, dataset_id: UUID, **more: Any) -> dict[str, Any]:
    view = datasets.show(request.actor, dataset_id)
    found = attachments.list_(request.actor, dataset_id)
    start = beginning(request.GET.get("cursor", ""))
    if "linked" in more:  # the part that it is in
        start = PAGE_SIZE * ([row.id for row in found].index(more["linked"]) // PAGE_SIZE)
    rows, next_part = part(found, start, PAGE_SIZE)
    words = {kind: gettext(each) for kind, each in KINDS.items()}
    listed = [(row, words[AttachmentKind(row.kind)]) for row in rows]
    return frame(view, "attachments", listed=listed, kinds=words.items(), form=request.POST, more=next_part, **more)
