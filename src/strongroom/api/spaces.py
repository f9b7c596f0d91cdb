"""Spaces and their members over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from strongroom.actions import members, spaces
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.operations import named
from strongroom.api.shapes import Listing, Paging, Shown, Written, unsent
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import RiskLevel, Role, Verb

router = Router()


class NewSpace(Written):
    """A space to be made; whoever asks becomes its owner."""

    name: str = Field(examples=["Cardiology study 2026"])
    risk_level: RiskLevel
    charge_code: str = Field("", examples=["CC-1043"])
    contact: str = Field("", examples=["data-office@example.org"])


class SpaceChanges(Written):
    """What is to be different."""

    name: str = unsent()
    risk_level: RiskLevel = unsent()
    charge_code: str = unsent()
    contact: str = unsent()


class Space(Shown):
    """A container people work in."""

    id: UUID
    name: str
    risk_level: RiskLevel
    charge_code: str
    contact: str
    created_at: datetime
    modified_at: datetime


class SpaceList(Listing[Space]):
    """A page of them."""


class SpaceInFull(Space):
    """A space with one's own role in it (null: staff), and how much is in it."""

    role: Role | None
    member_count: int
    dataset_count: int


class NewMember(Written):
    """Somebody known here, and what they are to be in the space."""

    email: str = Field(examples=["grace@example.org"])
    role: Role


class MemberChanges(Written):
    """The other role."""

    role: Role


class Member(Shown):
    """What somebody is in a space."""

    person_id: UUID
    email: str
    name: str
    is_active: bool
    role: Role
    group: str | None = Field(description="The group that gave the role, where a person did not.")
    added_at: datetime


class MemberList(Listing[Member]):
    """A page of them."""


@router.post("/spaces", response={201: SpaceInFull}, openapi_extra=IDEMPOTENT, **named(Verb.SPACE_CREATE))
def create(request: Request, body: NewSpace) -> HttpResponse:
    """Data sets exist only in spaces of moderate and high risk."""
    return once(request, 201, lambda: _in_full(spaces.create(request.auth, **body.model_dump())))


@router.get("/spaces", response=SpaceList, **named(Verb.SPACE_LIST))
def list_(request: Request, paging: Query[Paging], search: str = "") -> SpaceList:
    """Those one is a member of, by name; staff see all. `search` is part of a name or a charge code."""
    page = spaces.list_(request.auth, search=search, cursor=paging.cursor, limit=paging.limit)
    return SpaceList.model_validate({"items": page.rows, "next_cursor": page.next_cursor})


@router.get("/spaces/{space_id}", response=SpaceInFull, **named(Verb.SPACE_SHOW))
def show(request: Request, space_id: UUID) -> SpaceInFull:
    """With one's own role in it."""
    return _in_full(spaces.show(request.auth, space_id))


@router.patch("/spaces/{space_id}", response=SpaceInFull, **named(Verb.SPACE_EDIT))
def edit(request: Request, space_id: UUID, body: SpaceChanges) -> SpaceInFull:
    """The risk level cannot become low while there are data sets."""
    return _in_full(spaces.edit(request.auth, space_id, changes=body.given()))


@router.post("/spaces/{space_id}/members", response={201: Member}, openapi_extra=IDEMPOTENT, **named(Verb.MEMBER_ADD))
def add_member(request: Request, space_id: UUID, body: NewMember) -> HttpResponse:
    """The person must be known here already."""
    return once(request, 201, lambda: _member(members.add(request.auth, space_id, **body.model_dump())))


@router.get("/spaces/{space_id}/members", response=MemberList, **named(Verb.MEMBER_LIST))
def list_members(request: Request, space_id: UUID, paging: Query[Paging]) -> MemberList:
    """Whoever is a member longest comes first."""
    page = members.list_(request.auth, space_id, cursor=paging.cursor, limit=paging.limit)
    return MemberList(items=[_member(row) for row in page.rows], next_cursor=page.next_cursor)


@router.patch("/spaces/{space_id}/members/{person_id}", response=Member, **named(Verb.MEMBER_EDIT))
def edit_member(request: Request, space_id: UUID, person_id: UUID, body: MemberChanges) -> Member:
    """The last owner cannot become something else."""
    return _member(members.edit(request.auth, space_id, person_id, role=body.role))


@router.delete("/spaces/{space_id}/members/{person_id}", response={204: None}, **named(Verb.MEMBER_REMOVE))
def remove_member(request: Request, space_id: UUID, person_id: UUID) -> None:
    """The last owner cannot be removed."""
    members.remove(request.auth, space_id, person_id)


def _in_full(view: spaces.SpaceView) -> SpaceInFull:
    space = Space.model_validate(view.space)
    return SpaceInFull(
        **space.model_dump(), role=view.role, member_count=view.member_count, dataset_count=view.dataset_count
    )


def _member(membership: Any) -> Member:  # a row, whose class the edges do not know
    person = membership.person
    return Member(
        person_id=person.id,
        email=person.email,
        name=person.name,
        is_active=person.is_active,
        role=membership.role,
        group=membership.mapping.group if membership.mapping else None,
        added_at=membership.created_at,
    )
