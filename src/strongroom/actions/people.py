"""People: who there is, what they are on the platform, and the one-time codes by which they come in."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from strongroom.actions import browsing, factors, ledger, mailing, withdrawing
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import Deed, doing
from strongroom.actions.paging import Page, page
from strongroom.core.actor import Actor
from strongroom.core.credentials import digest, make_sign_in_code
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound
from strongroom.core.ledger import Json
from strongroom.core.names import clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Role, StaffRole, SystemFact, Verb
from strongroom.db.models import Person, SignInCode, Space, Token


@dataclass(frozen=True, slots=True)
class Invitation:
    """A person and the code by which they sign in once. The code exists here and at the person, nowhere else."""

    person: Person
    code: str
    expires_at: datetime
    is_mailed: bool = False  # a mail server took the letter that holds it

    def __repr__(self) -> str:
        return f"Invitation({self.person.email!r}, code=***)"


def create(actor: Actor, *, email: str, name: str, staff_role: StaffRole | None = None) -> Invitation:
    """Make a person known. Raises: Forbidden; Invalid; Conflict when the e-mail address is taken."""
    with doing(actor, Verb.PERSON_CREATE) as deed:
        deed.platform()
        person = register(email, name, staff_role, at=deed.now, created_by_id=actor.person_id)
        deed.subject = person.email
        deed.record(after=_facts(person))
        invitation = _invitation(person, deed.now)
    return _mailed(invitation)


def list_(actor: Actor, *, search: str = "", cursor: str | None = None, limit: int = 100) -> Page[Person]:
    """People by e-mail address; `search` is part of an address or a name."""
    with doing(actor, Verb.PERSON_LIST) as deed:
        deed.platform()
        people = Person.objects.all()
        if text := clean_text("search", search, max_length=200, required=False):
            people = people.filter(Q(email__icontains=text) | Q(name__icontains=text))
        return page(people, by=["email"], cursor=cursor, limit=limit)


def show(actor: Actor, person_id: UUID | Literal["me"]) -> Person:
    """One person; oneself always (`me`). Raises: NotFound, Forbidden."""
    with doing(actor, Verb.PERSON_SHOW) as deed:
        if person_id in ("me", actor.person_id):
            deed.need_scope()
            return Person.objects.get(id=actor.person_id)
        deed.platform()
        return _found(Person.objects.filter(id=person_id).first(), person_id)


def edit(actor: Actor, person_id: UUID, *, changes: Mapping[str, object]) -> Person:
    """Change a name or a staff role (None: an ordinary person again).

    Raises: Conflict when it would leave the platform without an administrator.
    """
    with doing(actor, Verb.PERSON_EDIT, subject=str(person_id)) as deed:
        deed.platform()
        person = _locked(deed, person_id)
        before = _facts(person)
        if "name" in changes:
            person.name = clean_text("name", str(changes["name"]), max_length=200)
        if "staff_role" in changes:
            _set_staff_role(person, changes["staff_role"])
        person.save(update_fields=["name", "staff_role", "staff_mapping"])
        deed.record(before=before, after=_facts(person))
        return person


def invite(actor: Actor, person_id: UUID) -> Invitation:
    """A new sign-in code; older unused ones stop working. Raises: Conflict for somebody disabled."""
    with doing(actor, Verb.PERSON_INVITE, subject=str(person_id)) as deed:
        deed.platform()
        person = _locked(deed, person_id)
        _refuse_climbing(actor, person)
        invitation = _invitation(person, deed.now)
        deed.record(after={"expires_at": invitation.expires_at.isoformat()})
        _tell_spaces(deed, person, invitation)
    return _mailed(invitation)


def _mailed(invitation: Invitation) -> Invitation:
    """The invitation after it was sent, if there is a mail server; after the commit, so that the code in it works."""
    person = invitation.person
    is_mailed = mailing.invite(
        email=person.email, name=person.name, code=invitation.code, expires_at=invitation.expires_at
    )
    return replace(invitation, is_mailed=is_mailed)


def _tell_spaces(deed: Deed, person: Person, invitation: "Invitation") -> None:
    """Whoever invites could sign in as that person: the auditors of their spaces must be able to see it."""
    for membership in person.memberships.order_by("space_id"):
        ledger.append(
            SystemFact.MEMBER_INVITED,
            at=deed.now,
            actor=deed.actor,
            space_id=membership.space_id,
            subject=person.email,
            after={"expires_at": invitation.expires_at.isoformat(), "role": membership.role},
        )


def disable(actor: Actor, person_id: UUID, *, reason: str) -> Person:
    """End a person's access: no sign-in, every token revoked, every unused code void,
    every access key they hold and every server they own cut.

    Raises: Conflict for the last active administrator; Unavailable when the engine has not obeyed yet.
    """
    with doing(actor, Verb.PERSON_DISABLE, subject=str(person_id)) as deed:
        deed.platform()
        reason = clean_text("reason", reason, max_length=2000, is_multiline=True)
        person = _locked(deed, person_id)
        before = _facts(person)
        _keep_an_administrator(person)
        person.is_active = False
        person.save(update_fields=["is_active"])
        tokens = Token.objects.filter(person=person, revoked_at=None).update(revoked_at=deed.now)
        _void_codes(person, deed.now)
        sessions = browsing.end_all(person, deed.now)
        withdrawn = withdrawing.withdraw(deed, person.id)
        ended: dict[str, Json] = {"tokens_revoked": tokens, "sessions_ended": sessions, **withdrawn.facts()}
        deed.record(before=before, after={**_facts(person), **ended}, reason=reason)
    withdrawing.cut(withdrawn)
    return person


@dataclass(frozen=True, slots=True)
class Removed:
    """What was cut when somebody was removed everywhere. `spaces` are those they were a member of."""

    person: Person
    spaces: list[str]
    tokens: int
    sessions: int
    keys: int
    transfers: int
    servers: int
    join_tokens: int
    had_second_factor: bool


def remove(actor: Actor, person_id: UUID, *, reason: str) -> Removed:
    """Disable somebody and take them out of every space, with their second factor; their name stays in the ledger.

    Raises: Conflict for the last active administrator and for the last owner of a space; Unavailable when the engine
        has not obeyed yet.
    """
    with doing(actor, Verb.PERSON_REMOVE, subject=str(person_id)) as deed:
        deed.platform()
        reason = clean_text("reason", reason, max_length=2000, is_multiline=True)
        person = _locked(deed, person_id)
        before = _facts(person)
        _keep_an_administrator(person)
        spaces = _leave_every_space(deed, person)
        person.is_active = False
        person.staff_role = None  # type: ignore[assignment]  # the column may be empty
        person.staff_mapping = None
        person.set_unusable_password()
        person.save(update_fields=["is_active", "staff_role", "staff_mapping", "password"])
        tokens = Token.objects.filter(person=person, revoked_at=None).update(revoked_at=deed.now)
        sessions = browsing.end_all(person, deed.now)
        had_factor = factors.remove(person)
        _void_codes(person, deed.now)
        withdrawn = withdrawing.withdraw(deed, person.id)
        removed = Removed(
            person,
            spaces,
            tokens,
            sessions,
            withdrawn.keys,
            withdrawn.transfers,
            withdrawn.servers,
            withdrawn.join_tokens,
            had_factor,
        )
        ended: dict[str, Json] = {
            "spaces_left": len(spaces),
            "tokens_revoked": tokens,
            "sessions_ended": sessions,
            "second_factor_removed": had_factor,
            **withdrawn.facts(),
        }
        deed.record(before=before, after={**_facts(person), **ended}, reason=reason)
    withdrawing.cut(withdrawn)
    return removed


def _leave_every_space(deed: Deed, person: Person) -> list[str]:
    """End every membership, each in the ledger of its space; the names of the spaces, which are locked."""
    ids = person.memberships.values_list("space_id", flat=True)
    left = []
    for space in Space.objects.select_for_update(no_key=True).filter(id__in=list(ids)).order_by("id"):
        membership = person.memberships.get(space=space)
        others = space.memberships.filter(role=Role.OWNER.value, person__is_active=True).exclude(person=person)
        if membership.role == Role.OWNER and not others.exists():
            raise Conflict(
                say("{person} is the last owner of “{space}”.", person=person.email, space=space.name),
                code="last-owner",
                way_out=say("Make another member owner first, or disable the person, which leaves the space as it is."),
            )
        membership.delete()
        ledger.append(
            SystemFact.MEMBER_LEFT,
            at=deed.now,
            actor=deed.actor,
            space_id=space.id,
            subject=person.email,
            before={"role": str(membership.role)},
            reason="removed everywhere",
        )
        left.append(space.name)
    return left


def enable(actor: Actor, person_id: UUID) -> Person:
    """Let a disabled person come back; they need a new sign-in code, and their memberships are as they were."""
    with doing(actor, Verb.PERSON_ENABLE, subject=str(person_id)) as deed:
        deed.platform()
        person = _locked(deed, person_id)
        before = _facts(person)
        person.is_active = True
        person.save(update_fields=["is_active"])
        deed.record(before=before, after=_facts(person))
        return person


def first_administrator(email: str, name: str = "Administrator") -> Invitation | None:
    """The administrator of a platform nobody is on yet, for its own operator; None when somebody is."""
    with transaction.atomic():
        if Person.objects.exists():
            return None
        now = timezone.now()
        person = register(email, name, StaffRole.ADMINISTRATOR, at=now, created_by_id=None)
        ledger.append(Verb.PERSON_CREATE, at=now, subject=person.email, after=_facts(person), reason="first start")
        return _invitation(person, now)


def register(
    email: str, name: str, staff_role: StaffRole | None, *, at: datetime, created_by_id: UUID | None
) -> Person:
    """The row of somebody new, in the transaction that is open. Raises: Invalid; Conflict when the address is taken."""
    address = _clean_email(email)
    person = Person(
        email=address,
        name=clean_text("name", name, max_length=200),
        staff_role=staff_role,  # type: ignore[misc]  # the column may be empty
        created_at=at,
        created_by_id=created_by_id,
    )
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            say("There is a person {address} already.", address=address), way_out=say("Invite that person anew.")
        ) from None
    return person


def issue_code_locally(email: str) -> Invitation:
    """A sign-in code for the operator, who holds the machine anyway. Raises: NotFound, Conflict."""
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).filter(email=email.strip().lower()).first()
        if person is None:
            raise NotFound(say("There is no person {email}.", email=email), way_out=say("Check the address."))
        invitation = _invitation(person, timezone.now())
        ledger.append(
            Verb.PERSON_INVITE,
            at=timezone.now(),
            subject=person.email,
            after={"expires_at": invitation.expires_at.isoformat()},
            reason="asked for in the operator's own shell",
        )
        return invitation


def _clean_email(email: str) -> str:
    address = clean_text("email", email, max_length=254).lower()
    try:
        validate_email(address)
    except ValidationError:
        problem = say("is not an e-mail address")
        raise Invalid(
            say("“{address}” {problem}.", address=address, problem=problem),
            fields={"email": say("{problem}, such as ada@example.org", problem=problem)},
        ) from None
    return address


def _found(person: Person | None, person_id: object) -> Person:
    if person is None:
        raise NotFound(
            say("There is no person {person_id}.", person_id=person_id), way_out=say("See `strongroom person list`.")
        )
    return person


def _locked(deed: Deed, person_id: UUID) -> Person:
    person = _found(locked(person_id), person_id)
    deed.subject = person.email
    return person


def locked(person_id: UUID) -> Person | None:
    """The row of a person, locked with those of all administrators."""
    # In one order, so that two who demote each other cannot both succeed or dead-lock.
    administrators = Q(staff_role=StaffRole.ADMINISTRATOR.value, is_active=True)
    rows = list(Person.objects.select_for_update(no_key=True).filter(administrators | Q(id=person_id)).order_by("id"))
    return next((row for row in rows if row.id == person_id), None)


def is_last_administrator(person: Person) -> bool:
    """Whether the platform would have no active administrator without this one, whose row is `locked`."""
    if person.staff_role != StaffRole.ADMINISTRATOR or not person.is_active:
        return False
    others = Person.objects.filter(staff_role=StaffRole.ADMINISTRATOR.value, is_active=True).exclude(id=person.id)
    return not others.exists()


def _set_staff_role(person: Person, staff_role: object) -> None:
    wanted = StaffRole(str(staff_role)) if staff_role else None
    if wanted is not StaffRole.ADMINISTRATOR:
        _keep_an_administrator(person)
    if wanted != person.staff_role:
        person.staff_mapping = None  # what a person decided, no group takes away
    person.staff_role = wanted  # type: ignore[assignment]  # the column may be empty


def _keep_an_administrator(person: Person) -> None:
    if is_last_administrator(person):
        raise Conflict(
            say("{person} is the last administrator of the platform.", person=person.email),
            code="last-administrator",
            way_out=say("Make another person administrator first."),
        )


def _refuse_climbing(actor: Actor, person: Person) -> None:
    """A code is as good as the person: support must not get one that signs in as an administrator."""
    if person.staff_role == StaffRole.ADMINISTRATOR and actor.staff_role is not StaffRole.ADMINISTRATOR:
        raise Forbidden(
            say("You may not invite {person}, who is an administrator.", person=person.email),
            code="role",
            way_out=say("An administrator of the platform can do it; ask one of them."),
        )


def _invitation(person: Person, now: datetime) -> Invitation:
    if not person.is_active:
        raise Conflict(
            say("{person} was disabled.", person=person.email),
            code="disabled",
            way_out=say("Create a person with a new address."),
        )
    _void_codes(person, now)
    code = make_sign_in_code(secrets.token_bytes)
    expires_at = now + timedelta(hours=settings().sign_in_code_hours)
    SignInCode.objects.create(person=person, code_sha256=digest(code), created_at=now, expires_at=expires_at)
    return Invitation(person, code, expires_at)


def _void_codes(person: Person, now: datetime) -> None:
    SignInCode.objects.filter(person=person, used_at=None, expires_at__gt=now).update(expires_at=now)


def _facts(person: Person) -> dict[str, Json]:
    return {
        "id": str(person.id),
        "email": person.email,
        "name": person.name,
        "staff_role": str(person.staff_role) if person.staff_role else None,
        "is_active": person.is_active,
    }
