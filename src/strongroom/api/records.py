"""Manifests and receipts over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router

from strongroom.actions import manifests, receipts
from strongroom.api.operations import named
from strongroom.api.shapes import Shown
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Verb

router = Router()
ONE = "/datasets/{dataset_id}"
JSON_LINES: dict[str, Any] = {"responses": {200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}}}}


class Manifest(Shown):
    """The list of what was in a data set: its SHA-256, and how much it names. Sizes are bytes."""

    root_sha256: str
    object_count: int
    size_bytes: int
    made_at: datetime
    revision: int


class SignedReceipt(Shown):
    """The receipt's text, its armored SSH signature, and the key to check it with by `ssh-keygen -Y verify`."""

    receipt: str
    signature: str
    public_key: str
    allowed_signers: str


class ReceiptKey(Shown):
    """The public half of the key that signs receipts."""

    public_key: str
    allowed_signers: str


@router.get(f"{ONE}/manifest", response=Manifest, **named(Verb.MANIFEST_SHOW))
def show_manifest(request: Request, dataset_id: UUID) -> Manifest:
    """Of the newest manifest."""
    return Manifest.model_validate(manifests.show(request.auth, dataset_id))


@router.get(f"{ONE}/manifest/download", response={200: None}, openapi_extra=JSON_LINES, **named(Verb.MANIFEST_DOWNLOAD))
def download_manifest(request: Request, dataset_id: UUID) -> StreamingHttpResponse:
    """One object a line; `sha256sum` of the file gives the root."""
    return json_lines(manifests.download(request.auth, dataset_id), f"manifest-{dataset_id}.jsonl")


@router.get(f"{ONE}/receipt", response=SignedReceipt, **named(Verb.RECEIPT_SHOW))
def show_receipt(request: Request, dataset_id: UUID) -> SignedReceipt:
    """To be kept elsewhere, and checked without Strongroom."""
    return SignedReceipt.model_validate(receipts.show(request.auth, dataset_id))


@router.get(
    "/receipt-key",
    response=ReceiptKey,
    auth=None,
    operation_id="receipt.key",
    tags=["receipt"],
    summary="Get the key that receipts are checked with",
)
def receipt_key(request: HttpRequest) -> ReceiptKey:
    """For everybody: a receipt must be checkable without asking for leave."""
    return ReceiptKey.model_validate(receipts.public_key())


def json_lines(lines: Any, filename: str) -> StreamingHttpResponse:
    """A stream that a browser saves under this name."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingHttpResponse(lines, content_type="application/jsonl", headers=headers)
