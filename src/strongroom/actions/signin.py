"""Signing in: a one-time code becomes a token."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from strongroom.actions import guessing, ledger
from strongroom.actions.configuration import settings
from strongroom.actions.tokens import NewToken, new_token
from strongroom.core.actor import Actor
from strongroom.core.credentials import digest, normalize_sign_in_code
from strongroom.core.errors import Invalid, Unauthenticated
from strongroom.core.names import clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Outcome, Scope, StaffRole, SystemFact
from strongroom.db.models import Person, SignInCode

TOKEN_DAYS = 30


def sign_in(code: str, *, token_name: str = "", address: str, request_id: str) -> NewToken:
    """Trade a one-time code for a token with every scope, good for 30 days (or less, if the settings say so).

    Raises: Unauthenticated, in the same words whether the code is unknown, used, expired or its person disabled.
        TooMany after 10 refusals of one address (of one /64 network, for IPv6) within 15 minutes.
    """
    name = clean_text("token_name", token_name or "sign-in", max_length=100)
    slot = guessing.slot("sign-in", address, what=say("sign-in codes"))
    try:
        with transaction.atomic():
            new = _trade(code, name, address, request_id)
    except Unauthenticated as refusal:
        _record_refusal(refusal, address, request_id)
        raise
    guessing.free(slot)
    return new


def _trade(code: str, name: str, address: str, request_id: str) -> NewToken:
    now = timezone.now()
    found = claim(code, now)
    actor = Actor(
        person_id=found.id,
        email=found.email,
        staff_role=StaffRole(found.staff_role) if found.staff_role else None,
        address=address,
        request_id=request_id,
    )
    days = min(TOKEN_DAYS, settings().token_max_days)
    new = new_token(found, name=name, scopes=frozenset(Scope), days=days, space_id=None, now=now)
    ledger.append(
        SystemFact.PERSON_SIGNED_IN, at=now, actor=actor, subject=found.email, after={"token_id": str(new.token.id)}
    )
    return new


def person_of(code: str) -> Person:
    """The person of an unused code, which stays unused. Raises: Unauthenticated."""
    found = SignInCode.objects.select_related("person").filter(code_sha256=_digest(code), used_at=None).first()
    if found is None or found.expires_at <= timezone.now() or not found.person.is_active:
        raise _refusal()
    return found.person


def claim(code: str, now: datetime) -> Person:
    """The person of an unused code, which is used from now on: the update decides who of two was first.

    Raises: Unauthenticated.
    """
    found = SignInCode.objects.filter(code_sha256=_digest(code)).first()
    # No join in this update: PostgreSQL would not look at the row again after waiting for the other one.
    if found and SignInCode.objects.filter(id=found.id, used_at=None, expires_at__gt=now).update(used_at=now):
        person = Person.objects.select_for_update(no_key=True).get(id=found.person_id)
        if person.is_active:
            return person
    raise _refusal()


def _refusal() -> Unauthenticated:
    return Unauthenticated(
        say("This sign-in code is not valid: it is unknown, was used already, or has expired."),
        code="sign-in-refused",
        way_out=say(
            "Ask an administrator of the platform for a new invitation. Are you the only one? "
            "Who owns the home makes one with `python -m strongroom.runtime sign-in-code E-MAIL`."
        ),
    )


def _digest(code: str) -> str:
    try:
        return digest(normalize_sign_in_code(code))
    except Invalid:  # what cannot be a code is answered like a wrong one
        return ""


def _record_refusal(refusal: Unauthenticated, address: str, request_id: str) -> None:
    # At most 10 in 15 minutes and address: who guesses cannot flood the ledger.
    with transaction.atomic():
        ledger.append(
            SystemFact.PERSON_SIGNED_IN,
            at=timezone.now(),
            outcome=Outcome.REFUSED,
            subject=f"from {address}"[:400],
            reason=f"{refusal.code}: {refusal} (request {request_id})",
        )
