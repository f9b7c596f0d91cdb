"""Transfers over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from strongroom.actions import transfers
from strongroom.actions.transfers import MOST_DIGESTS
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.operations import named
from strongroom.api.shapes import Listing, Paging, Shown, Written
from strongroom.api.signed_in import Request
from strongroom.core.digests import LARGEST_BYTES, Digest
from strongroom.core.vocabulary import Direction, TransferEnd, Verb

router = Router()
ALL = "/datasets/{dataset_id}/transfers"
ONE = "/transfers/{transfer_id}"
_SECRETS = ("secret", "session_token")
_SHA256 = "^[0-9a-f]{64}$"


class NewTransfer(Written):
    """Which way files go, and a word that tells this transfer from others."""

    direction: Direction = Direction.UPLOAD
    label: str = Field("", examples=["scanner-7, night run"])


class ReportedDigest(Written):
    """The SHA-256 of an object, with the size and the ETag (without quotes) that the store answered for it."""

    key: str
    size_bytes: int = Field(ge=0, le=LARGEST_BYTES)
    etag: str
    sha256: str = Field(pattern=_SHA256)


class ReportedDigests(Written):
    """Some of what a transfer moved; each key once."""

    items: list[ReportedDigest] = Field(min_length=1, max_length=MOST_DIGESTS)


class RecordedDigests(Shown):
    """How many were kept."""

    recorded: int


class Part(BaseModel):
    """Which keys."""

    after: str = Field("", max_length=1024, description="`next_after` of the part before")
    limit: int = Field(MOST_DIGESTS, ge=1, le=MOST_DIGESTS)


class RecordedDigest(Shown):
    """The SHA-256 that a transfer recorded for the object of this size and ETag."""

    key: str
    size_bytes: int
    etag: str
    sha256: str
    recorded_at: datetime


class Recorded(Shown):
    """Digests in key order. `next_after` is null when these are the last."""

    items: list[RecordedDigest]
    next_after: str | None


class TransferSummary(Written):
    """What the transfer did, as far as its mover knows. `manifest_sha256`: of the mover's own list, if it made one."""

    file_count: int | None = Field(None, ge=0, le=LARGEST_BYTES)
    size_bytes: int | None = Field(None, ge=0, le=LARGEST_BYTES)
    problem_count: int | None = Field(None, ge=0, le=LARGEST_BYTES)
    manifest_sha256: str = Field("", pattern="^([0-9a-f]{64})?$")


class Transfer(Shown):
    """A transfer, without its credentials. Sizes are bytes; `end` is null while it runs."""

    id: UUID
    dataset_id: UUID
    person: str
    direction: Direction
    label: str
    session: str
    opened_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    end: TransferEnd | None
    file_count: int | None
    size_bytes: int | None
    problem_count: int | None
    manifest_sha256: str


class TransferList(Listing[Transfer]):
    """A page of them."""


class OpenTransfer(Shown):
    """A running transfer with its credentials, good until `expires_at`; where the answer is repeated both are null.

    `seconds_left` says the same to a client whose clock may be wrong.
    """

    id: UUID
    dataset_id: UUID
    direction: Direction
    label: str
    session: str
    opened_at: datetime
    expires_at: datetime
    seconds_left: float
    repository: str
    endpoint: str
    region: str
    access_key_id: str
    secret: str | None
    session_token: str | None
    note: str | None = None


@router.post(ALL, response={201: OpenTransfer}, openapi_extra=IDEMPOTENT, **named(Verb.TRANSFER_OPEN))
def open_(request: Request, dataset_id: UUID, body: NewTransfer) -> HttpResponse:
    """Into a pending data set. The credentials work at once, for this data set alone; renew them before they expire."""
    return once(
        request, 201, lambda: _opened(transfers.open_(request.auth, dataset_id, **body.model_dump())), secrets=_SECRETS
    )


@router.post(f"{ONE}/renew", response=OpenTransfer, **named(Verb.TRANSFER_RENEW))
def renew(request: Request, transfer_id: UUID) -> OpenTransfer:
    """New credentials for whoever opened it. Those from before work until they expire."""
    return _opened(transfers.renew(request.auth, transfer_id))


@router.post(f"{ONE}/digests", response=RecordedDigests, **named(Verb.TRANSFER_RECORD))
def record(request: Request, transfer_id: UUID, body: ReportedDigests) -> RecordedDigests:
    """Digests of what was moved. Finalizing writes those into the manifest that fit what is there; repeat at will."""
    reported = [Digest(**each.model_dump()) for each in body.items]
    return RecordedDigests(recorded=transfers.record(request.auth, transfer_id, reported))


@router.post(f"{ONE}/close", response=Transfer, openapi_extra=IDEMPOTENT, **named(Verb.TRANSFER_CLOSE))
def close(request: Request, transfer_id: UUID, body: TransferSummary) -> HttpResponse:
    """From the answer on its credentials do not work."""
    return once(request, 200, lambda: _close(request, transfer_id, body))


@router.get(ALL, response=TransferList, **named(Verb.TRANSFER_LIST))
def list_(request: Request, dataset_id: UUID, paging: Query[Paging], is_live: bool | None = None) -> TransferList:
    """Newest first, ended ones too; never a credential."""
    page = transfers.list_(request.auth, dataset_id, is_live=is_live, **paging.model_dump())
    return TransferList(items=[_shown(row) for row in page.rows], next_cursor=page.next_cursor)


@router.get(ONE, response=Transfer, **named(Verb.TRANSFER_SHOW))
def show(request: Request, transfer_id: UUID) -> Transfer:
    """Running or ended; never its credentials."""
    return _shown(transfers.show(request.auth, transfer_id))


@router.get("/datasets/{dataset_id}/digests", response=Recorded, **named(Verb.TRANSFER_RECORDED))
def recorded(request: Request, dataset_id: UUID, part: Query[Part]) -> Recorded:
    """In key order, after the key `after`; each holds only for its size and ETag. 409 once they are forgotten."""
    return Recorded.model_validate(transfers.recorded(request.auth, dataset_id, **part.model_dump()))


def _close(request: Request, transfer_id: UUID, body: TransferSummary) -> Transfer:
    return _shown(transfers.close(request.auth, transfer_id, transfers.Summary(**body.model_dump())))


def _opened(opened: transfers.OpenTransfer) -> OpenTransfer:
    row, session = opened.transfer, opened.session
    return OpenTransfer(
        id=row.id,
        dataset_id=row.dataset_id,
        direction=Direction(row.direction),
        label=row.label,
        session=row.session,
        opened_at=row.opened_at,
        expires_at=session.expires_at,
        seconds_left=opened.seconds_left,
        repository=opened.repository,
        endpoint=opened.endpoint,
        region=opened.region,
        access_key_id=session.access_key_id,
        secret=session.secret,
        session_token=session.token,
    )


def _shown(row: Any) -> Transfer:  # a row, whose class the edges do not know
    plain = {name: getattr(row, name) for name in Transfer.model_fields if name not in ("person", "ended_by", "end")}
    ended_by = row.ended_by.email if row.ended_by else None
    return Transfer(**plain, person=row.person.email, ended_by=ended_by, end=row.end or None)
