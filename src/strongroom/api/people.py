"""People over HTTP."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from strongroom.actions import people
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.operations import named
from strongroom.api.shapes import Listing, Paging, Shown, Written, unsent
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import StaffRole, Verb

router = Router()


class NewPerson(Written):
    """Somebody to be known here."""

    email: str = Field(examples=["ada@example.org"])
    name: str = Field(examples=["Ada Lovelace"])
    staff_role: StaffRole | None = None


class PersonChanges(Written):
    """What is to be different. `staff_role: null` makes an ordinary person."""

    name: str = unsent()
    staff_role: StaffRole | None = None


class Reason(Written):
    """Why, for the ledger."""

    reason: str = Field(examples=["Left the university"])


class Person(Shown):
    """Somebody who can act."""

    id: UUID
    email: str
    name: str
    staff_role: StaffRole | None
    is_active: bool
    created_at: datetime


class PersonList(Listing[Person]):
    """A page of them."""


class Removed(Shown):
    """What was cut: the spaces they were a member of, by name, and how many of the rest."""

    person: Person
    spaces: list[str]
    tokens: int
    sessions: int
    keys: int
    transfers: int
    servers: int
    join_tokens: int
    had_second_factor: bool


class SignInCode(Shown):
    """What somebody signs in with once. `sign_in_code` is null where the answer is repeated.

    `is_mailed`: a mail server took the letter that holds it.
    """

    sign_in_code: str | None
    expires_at: datetime
    is_mailed: bool
    note: str | None = None


class Invited(Person, SignInCode):
    """A new person with the code they sign in with."""


@router.post("/people", response={201: Invited}, openapi_extra=IDEMPOTENT, **named(Verb.PERSON_CREATE))
def create(request: Request, body: NewPerson) -> HttpResponse:
    """The sign-in code is shown once: hand it to the person by a way you trust."""
    return once(request, 201, lambda: _invited(people.create(request.auth, **body.model_dump())), secrets=_SECRETS)


@router.get("/people", response=PersonList, **named(Verb.PERSON_LIST))
def list_(request: Request, paging: Query[Paging], search: str = "") -> PersonList:
    """By e-mail address. `search` is part of an address or a name."""
    page = people.list_(request.auth, search=search, cursor=paging.cursor, limit=paging.limit)
    return PersonList.model_validate({"items": page.rows, "next_cursor": page.next_cursor})


@router.get("/people/{person_id}", response=Person, **named(Verb.PERSON_SHOW))
def show(request: Request, person_id: Literal["me"] | UUID) -> Person:
    """`me` is whoever asks."""
    return Person.model_validate(people.show(request.auth, person_id))


@router.patch("/people/{person_id}", response=Person, **named(Verb.PERSON_EDIT))
def edit(request: Request, person_id: UUID, body: PersonChanges) -> Person:
    """The platform always keeps an active administrator."""
    return Person.model_validate(people.edit(request.auth, person_id, changes=body.given()))


@router.post(
    "/people/{person_id}/invite", response={201: SignInCode}, openapi_extra=IDEMPOTENT, **named(Verb.PERSON_INVITE)
)
def invite(request: Request, person_id: UUID) -> HttpResponse:
    """A new sign-in code, shown once; older unused ones stop working."""
    return once(request, 201, lambda: _code(people.invite(request.auth, person_id)), secrets=_SECRETS)


@router.post("/people/{person_id}/disable", response=Person, **named(Verb.PERSON_DISABLE))
def disable(request: Request, person_id: UUID, body: Reason) -> Person:
    """Ends sign-in, every token and every access key they hold, at once."""
    return Person.model_validate(people.disable(request.auth, person_id, reason=body.reason))


@router.post("/people/{person_id}/remove", response=Removed, **named(Verb.PERSON_REMOVE))
def remove(request: Request, person_id: UUID, body: Reason) -> Removed:
    """Disables them and takes them out of every space; answers what was cut."""
    return Removed.model_validate(people.remove(request.auth, person_id, reason=body.reason))


@router.post("/people/{person_id}/enable", response=Person, **named(Verb.PERSON_ENABLE))
def enable(request: Request, person_id: UUID) -> Person:
    """They need a new sign-in code; their memberships are as they were."""
    return Person.model_validate(people.enable(request.auth, person_id))


_SECRETS = ("sign_in_code",)


def _code(invitation: people.Invitation) -> SignInCode:
    return SignInCode(sign_in_code=invitation.code, expires_at=invitation.expires_at, is_mailed=invitation.is_mailed)


def _invited(invitation: people.Invitation) -> Invited:
    person = Person.model_validate(invitation.person)
    return Invited(**person.model_dump(), **_code(invitation).model_dump())
