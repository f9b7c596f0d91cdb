"""What groups of an identity provider are mapped to, over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from strongroom.actions import mappings
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.operations import named
from strongroom.api.shapes import Listing, Paging, Shown, Written
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import IdentityKind, Role, StaffRole, Verb

router = Router()


class NewMapping(Written):
    """A group, and the one thing it is good for: `space_id` with `role`, or `staff_role`, or `outer`."""

    provider: IdentityKind = IdentityKind.OIDC
    group: str = Field(examples=["/hospital/genomics/stewards"])
    space_id: UUID | None = None
    role: Role | None = None
    staff_role: StaffRole | None = None
    outer: str = Field("", examples=["genomics"])


class Mapping(Shown):
    """What a group is good for. `outer`: the group that it lies within."""

    id: UUID
    provider: IdentityKind
    group: str
    space_id: UUID | None
    space_name: str | None
    role: Role | None
    staff_role: StaffRole | None
    outer: str | None
    created_at: datetime


class MappingList(Listing[Mapping]):
    """A page of them."""


@router.post("/mappings", response={201: Mapping}, openapi_extra=IDEMPOTENT, **named(Verb.MAPPING_ADD))
def add(request: Request, body: NewMapping) -> HttpResponse:
    """It gives at the next sign-in of whoever is in the group, or in a group within it."""
    return once(request, 201, lambda: _mapping(mappings.add(request.auth, **body.model_dump())))


@router.get("/mappings", response=MappingList, **named(Verb.MAPPING_LIST))
def list_(request: Request, paging: Query[Paging]) -> MappingList:
    """By group."""
    page = mappings.list_(request.auth, cursor=paging.cursor, limit=paging.limit)
    return MappingList(items=[_mapping(row) for row in page.rows], next_cursor=page.next_cursor)


@router.delete("/mappings/{mapping_id}", response={204: None}, **named(Verb.MAPPING_REMOVE))
def remove(request: Request, mapping_id: UUID) -> None:
    """What it alone gave ends before this answers."""
    mappings.remove(request.auth, mapping_id)


def _mapping(row: Any) -> Mapping:  # a row, whose class the edges do not know
    return Mapping(
        id=row.id,
        provider=row.kind,
        group=row.group,
        space_id=row.space_id,
        space_name=row.space.name if row.space else None,
        role=row.role,
        staff_role=row.staff_role,
        outer=row.outer or None,
        created_at=row.created_at,
    )
