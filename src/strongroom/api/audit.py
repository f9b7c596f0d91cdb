"""The ledger over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from strongroom.actions import audit
from strongroom.api.operations import named
from strongroom.api.records import JSON_LINES, json_lines
from strongroom.api.shapes import Listing, Moment, Paging, Shown
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Outcome, Verb

router = Router()


class Event(Shown):
    """A fact that happened. `hash` covers it and the hash before it."""

    sequence: int
    at: datetime
    verb: str
    outcome: Outcome
    actor_id: UUID | None
    actor_email: str
    address: str
    request_id: str
    space_id: UUID | None
    dataset_id: UUID | None
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str
    previous_hash: str
    hash: str


class EventList(Listing[Event]):
    """A page of them."""


class Head(Shown):
    """A place in the chain."""

    sequence: int
    hash: str


class Verification(Shown):
    """What was found. `notes` says what this check could not show; a partial one did not follow the whole chain."""

    is_intact: bool
    is_partial: bool
    count: int
    head: Head
    faults: list[str]
    notes: list[str]


class Wanted(BaseModel):
    """Which events. Of everything only for staff administrators."""

    space_id: UUID | None = None
    dataset_id: UUID | None = None
    verb: str | None = Field(None, description="such as dataset.finalize")
    actor: str | None = Field(None, description="a person's id or e-mail address")
    outcome: Outcome | None = None
    since: Moment | None = Field(None, description="from this time on")
    until: Moment | None = Field(None, description="before this time")


@router.get("/audit", response=EventList, **named(Verb.AUDIT_LIST))
def list_(request: Request, paging: Query[Paging], wanted: Query[Wanted]) -> EventList:
    """Newest first."""
    filters = wanted.model_dump(exclude={"actor"})
    page = audit.list_(request.auth, person=wanted.actor, **filters, **paging.model_dump())
    return EventList.model_validate({"items": page.rows, "next_cursor": page.next_cursor})


@router.get("/audit/export", response={200: None}, openapi_extra=JSON_LINES, **named(Verb.AUDIT_EXPORT))
def export(
    request: Request, space_id: UUID | None = None, since: Moment | None = None, until: Moment | None = None
) -> StreamingHttpResponse:
    """Oldest first. The first line says what the export reaches and, as `count`, how many follow. Itself an event."""
    lines = audit.export(request.auth, space_id=space_id, since=since, until=until)
    return json_lines(lines, "audit.jsonl")


@router.get("/audit/verify", response=Verification, **named(Verb.AUDIT_VERIFY))
def verify(request: Request, space_id: UUID | None = None) -> Verification:
    """The whole chain; or, of one space, each entry against its own hash. About a minute for a million entries."""
    report = audit.verify(request.auth, space_id=space_id)
    return Verification(
        is_intact=report.is_whole,
        is_partial=report.is_partial,
        count=report.count,
        head=Head(sequence=report.head[0], hash=report.head[1]),
        faults=report.faults,
        notes=report.notes,
    )
