"""Manifests and receipts over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Router
from pydantic import Field

from strongroom.actions import crates, manifests, receipts
from strongroom.api.operations import named
from strongroom.api.shapes import Shown
from strongroom.api.signed_in import Request
from strongroom.core import crate
from strongroom.core.vocabulary import ManifestForm, Verb

router = Router()
ONE = "/datasets/{dataset_id}"
JSON_LD: dict[str, Any] = {"responses": {200: {"content": {"application/ld+json": {"schema": {"type": "object"}}}}}}
JSON_LINES: dict[str, Any] = {"responses": {200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}}}}


class Manifest(Shown):
    """The list of what was in a data set: its SHA-256, and how much it names. Sizes are bytes."""

    root_sha256: str
    object_count: int
    size_bytes: int
    made_at: datetime
    revision: int
    digests: "Digests | None" = None


class Digests(Shown):
    """The list of all digests: the SHA-256 of its JSON lines, and of `manifest-sha256.txt` made from it.

    `file_count` leaves out objects that only mark a folder. `tag_files` make a folder with the files under `data/`
    and that manifest a bag (BagIt 1.0).
    """

    digests_sha256: str
    bagit_sha256: str
    file_count: int
    made_at: datetime
    tag_files: dict[str, str] = Field({})


class SignedDigests(Shown):
    """The text of the second receipt, and its armored SSH signature by the same key."""

    receipt: str
    signature: str


class SignedReceipt(Shown):
    """The receipt's text, its armored SSH signature, and the key to check it with by `ssh-keygen -Y verify`.

    `digests` is the second receipt, made when the SHA-256 of every object was known.
    """

    receipt: str
    signature: str
    public_key: str
    allowed_signers: str
    digests: SignedDigests | None


class ReceiptKey(Shown):
    """The public half of the key that signs receipts."""

    public_key: str
    allowed_signers: str


@router.get(f"{ONE}/manifest", response=Manifest, **named(Verb.MANIFEST_SHOW))
def show_manifest(request: Request, dataset_id: UUID) -> Manifest:
    """Of the newest manifest, and what is known of the digests of what it lists."""
    row = manifests.show(request.auth, dataset_id)
    digests = getattr(row, "digests", None)
    if digests is None:
        return Manifest.model_validate({**row.__dict__, "digests": None})
    shown = Digests.model_validate(digests)
    tags = manifests.bag(request.auth, dataset_id)
    return Manifest.model_validate({**row.__dict__, "digests": shown.model_copy(update={"tag_files": tags})})


@router.get(f"{ONE}/manifest/download", response={200: None}, openapi_extra=JSON_LINES, **named(Verb.MANIFEST_DOWNLOAD))
def download_manifest(
    request: Request, dataset_id: UUID, form: ManifestForm = ManifestForm.JSONL
) -> StreamingHttpResponse:
    """One object a line; `sha256sum` of the file gives the root. Whole when its `Content-Length` has come.

    `jsonl`: as it was when the data set was finalized. The others need all digests: `digests`, the same with the
    SHA-256 of every object; `bagit`, as `manifest-sha256.txt` of a bag; `sha256sum`, as `sha256sum -c` reads it.
    """
    file = manifests.download(request.auth, dataset_id, form=form)
    answer = _saved(file.chunks, file.name, file.content_type)
    if file.size_bytes is not None:
        answer.headers["Content-Length"] = str(file.size_bytes)
    return answer


@router.get(f"{ONE}/receipt", response=SignedReceipt, **named(Verb.RECEIPT_SHOW))
def show_receipt(request: Request, dataset_id: UUID) -> SignedReceipt:
    """To be kept elsewhere, and checked without Strongroom."""
    return SignedReceipt.model_validate(receipts.show(request.auth, dataset_id))


@router.get(f"{ONE}/crate", response={200: None}, openapi_extra=JSON_LD, **named(Verb.CRATE_SHOW))
def show_crate(request: Request, dataset_id: UUID) -> HttpResponse:
    """`ro-crate-metadata.json` (RO-Crate 1.1), with sources, agreements and where the proof can be fetched."""
    text = crates.show(request.auth, dataset_id)
    headers = {"Content-Disposition": f'attachment; filename="{crate.FILE}"'}
    return HttpResponse(text, content_type="application/ld+json", headers=headers)


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
    """JSON lines that a browser saves under this name."""
    return _saved(lines, filename, "application/jsonl")


def _saved(chunks: Any, filename: str, content_type: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingHttpResponse(chunks, content_type=content_type, headers=headers)
