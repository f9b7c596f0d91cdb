"""Data sets over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, BeforeValidator, Field

from strongroom.actions import datasets
from strongroom.actions.paging import MAX_LIMIT
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.dataset_shapes import (
    Closing,
    Confirmation,
    DatasetChanges,
    DatasetInFull,
    DatasetList,
    DeletionReason,
    NewDataset,
    in_full,
    in_list,
)
from strongroom.api.operations import named
from strongroom.api.shapes import Paging, Shown
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Kind, State, Verb

router = Router()
ONE = "/datasets/{dataset_id}"


class Part(BaseModel):
    """Which keys."""

    prefix: str = Field("", max_length=1024)
    after: str = Field("", max_length=1024, description="`next_after` of the part before")
    limit: int = Field(100, ge=1, le=MAX_LIMIT)


class StoredObject(Shown):
    """One object in the bucket."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


class Contents(Shown):
    """What lies in the bucket, in key order. `next_after` is null when these are the last."""

    items: list[StoredObject]
    next_after: str | None


class Change(Shown):
    """One field of the record that was edited."""

    field: str
    before: Any
    after: Any
    changed_at: datetime
    changed_by: Annotated[str, BeforeValidator(lambda person: getattr(person, "email", person))]


class History(Shown):
    """Every edit of the record, newest first."""

    items: list[Change]


class Snippet(Shown):
    """Ready-made settings of one S3 client, without the secret."""

    client: str
    title: str
    filename: str | None
    text: str
    note: str


class Connection(Shown):
    """How S3 clients reach the bucket."""

    repository: str
    endpoint: str
    region: str
    snippets: list[Snippet]


@router.post("/datasets", response={201: DatasetInFull}, openapi_extra=IDEMPOTENT, **named(Verb.DATASET_CREATE))
def create(request: Request, body: NewDataset) -> HttpResponse:
    """Empty, with a bucket of its own. Nothing is copied from its sources."""
    return once(request, 201, lambda: in_full(datasets.create(request.auth, **body.model_dump())))


@router.get("/datasets", response=DatasetList, **named(Verb.DATASET_LIST))
def list_(
    request: Request,
    paging: Query[Paging],
    space_id: UUID | None = None,
    kind: Kind | None = None,
    state: State | None = None,
    search: str = "",
) -> DatasetList:
    """Those of one's spaces, by name. `search` is part of a name, a repository or a description."""
    page = datasets.list_(request.auth, space_id=space_id, kind=kind, state=state, search=search, **paging.model_dump())
    return DatasetList(items=[in_list(row) for row in page.rows], next_cursor=page.next_cursor)


@router.get(ONE, response=DatasetInFull, **named(Verb.DATASET_SHOW))
def show(request: Request, dataset_id: UUID) -> DatasetInFull:
    """With what one may do with it next, and what is closed and why."""
    return in_full(datasets.show(request.auth, dataset_id))


@router.patch(ONE, response=DatasetInFull, **named(Verb.DATASET_EDIT))
def edit(request: Request, dataset_id: UUID, body: DatasetChanges) -> DatasetInFull:
    """Every change is kept. Once finalized, description and owner contact only."""
    return in_full(datasets.edit(request.auth, dataset_id, changes=body.given()))


@router.post(f"{ONE}/finalize", response={202: DatasetInFull}, **named(Verb.DATASET_FINALIZE))
def finalize(request: Request, dataset_id: UUID, body: Closing) -> DatasetInFull:
    """From the answer on no upload succeeds; manifest and receipt follow: watch `state`, `step`, `progress_objects`."""
    return in_full(datasets.finalize(request.auth, dataset_id, **body.model_dump()))


@router.post(f"{ONE}/promote", response={202: DatasetInFull}, **named(Verb.DATASET_PROMOTE))
def promote(request: Request, dataset_id: UUID, body: Closing) -> DatasetInFull:
    """A derivative becomes an original, which nobody can change; otherwise as finalize."""
    return in_full(datasets.promote(request.auth, dataset_id, **body.model_dump()))


@router.delete(ONE, response={202: DatasetInFull}, **named(Verb.DATASET_DELETE))
def delete(request: Request, dataset_id: UUID, confirm_name: str, reason: str = "") -> DatasetInFull:
    """A pending data set goes, with everything in it; a record remains."""
    return in_full(datasets.delete(request.auth, dataset_id, confirm_name=confirm_name, reason=reason))


@router.post(f"{ONE}/request-deletion", response=DatasetInFull, **named(Verb.DATASET_REQUEST_DELETION))
def request_deletion(request: Request, dataset_id: UUID, body: DeletionReason) -> DatasetInFull:
    """Of a finalized data set; nothing happens until a second person confirms."""
    return in_full(datasets.request_deletion(request.auth, dataset_id, reason=body.reason))


@router.post(f"{ONE}/withdraw-deletion", response=DatasetInFull, **named(Verb.DATASET_WITHDRAW_DELETION))
def withdraw_deletion(request: Request, dataset_id: UUID) -> DatasetInFull:
    """The data set stays."""
    return in_full(datasets.withdraw_deletion(request.auth, dataset_id))


@router.post(f"{ONE}/confirm-deletion", response={202: DatasetInFull}, **named(Verb.DATASET_CONFIRM_DELETION))
def confirm_deletion(request: Request, dataset_id: UUID, body: Confirmation) -> DatasetInFull:
    """By somebody else than who asked. Objects and keys go; a record with the manifest's hash remains."""
    return in_full(datasets.confirm_deletion(request.auth, dataset_id, confirm_name=body.confirm_name))


@router.get(f"{ONE}/history", response=History, **named(Verb.DATASET_HISTORY))
def history(request: Request, dataset_id: UUID) -> History:
    """Field by field: what it was, what it became, when, and by whom."""
    return History.model_validate({"items": datasets.history(request.auth, dataset_id)})


@router.get(f"{ONE}/contents", response=Contents, **named(Verb.DATASET_CONTENTS))
def contents(request: Request, dataset_id: UUID, part: Query[Part]) -> Contents:
    """In key order, after the key `after`."""
    found = datasets.contents(request.auth, dataset_id, **part.model_dump())
    return Contents.model_validate(found)


@router.get(f"{ONE}/connect", response=Connection, **named(Verb.DATASET_CONNECT))
def connect(request: Request, dataset_id: UUID, profile: str = "") -> Connection:
    """Ready-made settings of S3 clients for exactly this bucket; never the secret. `profile`: as AWS tools call it."""
    return Connection.model_validate(datasets.connect(request.auth, dataset_id, profile=profile))
