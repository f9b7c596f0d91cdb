"""Attachments over HTTP."""

from datetime import datetime
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.http import HttpResponse
from ninja import File, Form, Router, UploadedFile
from pydantic import Field

from strongroom.actions import attachments
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.operations import named
from strongroom.api.shapes import Listing, Shown, Written
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import AttachmentKind, Verb

router = Router()
ALL = "/datasets/{dataset_id}/attachments"
ONE = ALL + "/{attachment_id}"


class About(Written):
    """What a document is."""

    title: str = Field(examples=["Data use agreement with the registry"])
    kind: AttachmentKind


class AboutNext(About):
    """What a document is that takes another one's place, and why it does."""

    reason: str = Field(examples=["Renewed until 2030"])


class Attachment(Shown):
    """A document. `superseded_by` is the one that took its place."""

    id: UUID
    kind: AttachmentKind
    title: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    added_at: datetime
    added_by: str
    superseded_by: UUID | None
    superseded_reason: str


class AttachmentList(Listing[Attachment]):
    """A page of them."""


class Link(Shown):
    """A URL that opens the document until then, for whoever has it."""

    url: str
    expires_at: datetime


@router.post(ALL, response={201: Attachment}, openapi_extra=IDEMPOTENT, **named(Verb.ATTACHMENT_ADD))
def add(request: Request, dataset_id: UUID, file: File[UploadedFile], about: Form[About]) -> HttpResponse:
    """Streamed; hashed on the way."""
    return once(request, 201, lambda: _shown(_add(request, dataset_id, file, about)))


@router.get(ALL, response=AttachmentList, **named(Verb.ATTACHMENT_LIST))
def list_(request: Request, dataset_id: UUID) -> AttachmentList:
    """Oldest first; superseded ones only for owners, stewards, auditors and who made the data set. Always one page."""
    rows = attachments.list_(request.auth, dataset_id)
    return AttachmentList(items=[_shown(row) for row in rows])


@router.post(f"{ONE}/link", response=Link, **named(Verb.ATTACHMENT_LINK))
def link(request: Request, dataset_id: UUID, attachment_id: UUID) -> Link:
    """Works for a few minutes. The ledger says who asked."""
    return Link.model_validate(attachments.link(request.auth, dataset_id, attachment_id))


@router.delete(ONE, response={204: None}, **named(Verb.ATTACHMENT_REMOVE))
def remove(request: Request, dataset_id: UUID, attachment_id: UUID, reason: str = "") -> None:
    """Of a pending data set; later a document can only be superseded."""
    attachments.remove(request.auth, dataset_id, attachment_id, reason=reason)


@router.post(
    f"{ONE}/supersede", response={201: Attachment}, openapi_extra=IDEMPOTENT, **named(Verb.ATTACHMENT_SUPERSEDE)
)
def supersede(
    request: Request, dataset_id: UUID, attachment_id: UUID, file: File[UploadedFile], about: Form[AboutNext]
) -> HttpResponse:
    """The old document stays readable to owners, stewards and auditors."""
    return once(request, 201, lambda: _shown(_supersede(request, dataset_id, attachment_id, file, about)))


def _add(request: Request, dataset_id: UUID, file: UploadedFile, about: About) -> object:
    return attachments.add(
        request.auth, dataset_id, filename=file.name or "", body=cast("BinaryIO", file), **about.model_dump()
    )


def _supersede(request: Request, dataset_id: UUID, attachment_id: UUID, file: UploadedFile, about: AboutNext) -> object:
    return attachments.supersede(
        request.auth,
        dataset_id,
        attachment_id,
        filename=file.name or "",
        body=cast("BinaryIO", file),
        **about.model_dump(),
    )


def _shown(row: Any) -> Attachment:  # a row, whose class the edges do not know
    names = {name: getattr(row, name) for name in Attachment.model_fields}
    return Attachment.model_validate({**names, "added_by": row.added_by.email, "superseded_by": row.superseded_by_id})
