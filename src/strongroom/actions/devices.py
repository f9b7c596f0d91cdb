"""Letting a terminal in with a browser: it shows a short code, somebody signed in approves it, it gets a token.

Source: RFC 8628. The token is made when the terminal asks for it, and never stored.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from strongroom.actions import guessing, ledger, proving
from strongroom.actions.configuration import settings
from strongroom.actions.signin import TOKEN_DAYS
from strongroom.actions.tokens import NewToken, new_token
from strongroom.core.actor import Actor
from strongroom.core.credentials import digest, make_device_code, make_user_code, normalize_user_code
from strongroom.core.errors import Conflict, Forbidden, NotFound, TooMany, Unauthenticated
from strongroom.core.names import clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Scope, StaffRole, SystemFact
from strongroom.db.models import DeviceLogin, Person

MINUTES = 10
INTERVAL_SECONDS = 3
_BEGUN, _LOOKED_UP, _WINDOW = 30, 20, 15 * 60


@dataclass(frozen=True, slots=True)
class Begun:
    """What a terminal keeps (`device_code`), and what it shows to the person in front of it (`user_code`)."""

    device_code: str
    user_code: str
    expires_at: datetime
    interval_seconds: int

    def __repr__(self) -> str:
        return "Begun(device_code=***, user_code=***)"


def begin(*, name: str, address: str) -> Begun:
    """Two new codes, good for ten minutes. Raises: Invalid; TooMany after 30 of one address within 15 minutes."""
    called = clean_text("token_name", name or "sign-in", max_length=100)
    _limit(f"device-begin:{address}", _BEGUN)
    device_code, user_code = make_device_code(secrets.token_bytes), make_user_code(secrets.choice)
    now = timezone.now()
    until = now + timedelta(minutes=MINUTES)
    DeviceLogin.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    DeviceLogin.objects.create(
        device_code_sha256=digest(device_code),
        user_code_sha256=digest(user_code),
        name=called,
        address=address[:64],
        created_at=now,
        expires_at=until,
    )
    return Begun(device_code, user_code, until, INTERVAL_SECONDS)


def find(actor: Actor, user_code: str) -> DeviceLogin:
    """The terminal that shows this code, and still waits. Raises: NotFound; TooMany after 20 wrong ones."""
    slot = _limit(f"device-code:{actor.person_id}", _LOOKED_UP)
    waiting = DeviceLogin.objects.filter(expires_at__gt=timezone.now(), approved_at=None, denied_at=None)
    found = waiting.filter(user_code_sha256=digest(normalize_user_code(user_code))).first()
    if found is None:
        raise NotFound(
            say("No terminal that waits shows this code."), way_out=say("Run `strongroom login` again: codes pass.")
        )
    guessing.free(slot)
    return found


def approve(actor: Actor, device_id: UUID) -> DeviceLogin:
    """Let the terminal in as oneself. Raises: Forbidden outside of a browser, and `mfa-…`; NotFound."""
    if actor.session_id is None:
        raise Forbidden(say("This is done in a browser."), code="browser", way_out=say("Sign in with one."))
    proving.need(actor, timezone.now())
    return _decide(actor, device_id, SystemFact.PERSON_DEVICE_APPROVED, "approved_at")


def deny(actor: Actor, device_id: UUID) -> DeviceLogin:
    """Turn the terminal away. Raises: NotFound."""
    return _decide(actor, device_id, SystemFact.PERSON_DEVICE_DENIED, "denied_at")


def claim(device_code: str, *, address: str, request_id: str) -> NewToken:
    """The token of an approved terminal, once.

    Raises: Conflict `authorization-pending` until somebody decided; Forbidden `access-denied`; Unauthenticated when the
        code is unknown, used, or has passed.
    """
    with transaction.atomic():
        now = timezone.now()
        live = DeviceLogin.objects.select_for_update(no_key=True).filter(used_at=None, expires_at__gt=now)
        device = live.filter(device_code_sha256=digest(device_code)).first()
        if device is None:
            raise Unauthenticated(
                say("This terminal does not wait any more: its code was used, or has passed."),
                code="expired-code",
                way_out=say("Run `strongroom login` again."),
            )
        if device.denied_at is not None:
            raise Forbidden(
                say("The sign-in was turned down."), code="access-denied", way_out=say("Run `strongroom login` again.")
            )
        if device.approved_at is None or device.person_id is None:
            raise Conflict(
                say("Nobody has approved this yet."), code="authorization-pending", way_out=say("Ask again soon.")
            )
        return _let_in(device, device.person_id, now, address, request_id)


def _let_in(device: DeviceLogin, person_id: UUID, now: datetime, address: str, request_id: str) -> NewToken:
    person = Person.objects.select_for_update(no_key=True).get(id=person_id)
    days = min(TOKEN_DAYS, settings().token_max_days)
    new = new_token(person, name=device.name, scopes=frozenset(Scope), days=days, space_id=None, now=now)
    device.used_at = now
    device.save(update_fields=["used_at"])
    role = StaffRole(person.staff_role) if person.staff_role else None
    actor = Actor(person.id, person.email, role, address=address, request_id=request_id)
    facts = {"token_id": str(new.token.id), "by": "device", "device_id": str(device.id)}
    ledger.append(SystemFact.PERSON_SIGNED_IN, at=now, actor=actor, subject=person.email, after={**facts})
    return new


def _decide(actor: Actor, device_id: UUID, fact: SystemFact, column: str) -> DeviceLogin:
    with transaction.atomic():
        now = timezone.now()
        undecided = DeviceLogin.objects.filter(id=device_id, expires_at__gt=now, approved_at=None, denied_at=None)
        if not undecided.update(person_id=actor.person_id, **{column: now}):
            raise NotFound(say("This terminal does not wait any more."), way_out=say("Run `strongroom login` again."))
        device = DeviceLogin.objects.get(id=device_id)
        facts = {"device_id": str(device.id), "name": device.name, "from": device.address}
        ledger.append(fact, at=now, actor=actor, subject=device.name, after={**facts})
    return device


def _limit(subject: str, refusals: int) -> str:
    slot = guessing.take(subject, refusals=refusals, window_seconds=_WINDOW)
    if slot is None:
        raise TooMany(
            say("Too many sign-ins of terminals were asked for."),
            way_out=say("Wait 15 minutes, then try again."),
            retry_after_seconds=_WINDOW,
        )
    return slot
