"""The second factor: an app with recovery codes (`passkeys` knows the rest), and when a credential last proved it.

A proof belongs to the token it came with; whoever steals another token of the person has proved nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from strongroom.actions import factors, guessing, proving
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import Deed, doing
from strongroom.core import totp
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Invalid, NotFound, TooMany
from strongroom.core.ledger import Json
from strongroom.core.names import clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Verb
from strongroom.db.models import BrowserSession, Person, Token

# Of a million codes three are right at a time. Ten guesses a quarter of an hour leave room for a bad morning; a
# hundred a day keep the chance of somebody who goes on for a year below one in ten.
_LIMITS = (
    (10, 15 * 60, say("Wait 15 minutes, then try again.")),
    (100, 24 * 3600, say("Wait until tomorrow, then try again.")),
)


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What somebody has, and how long the proof of the credential they came with still counts. Times are UTC.

    They are enrolled with an authenticator app (`has_app`), one or more passkeys, or both.
    """

    is_enrolled: bool
    has_app: bool
    passkeys: int
    enrolled_at: datetime | None
    last_used_at: datetime | None
    recovery_codes_left: int
    proved_at: datetime | None
    proof_ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that an app is to learn, shown once; nothing until a code confirms it."""

    secret: str
    uri: str
    expires_at: datetime

    def __repr__(self) -> str:
        return "Enrolment(secret=***)"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The factor works now. Recovery codes are shown once; each works once in place of a code."""

    factor: SecondFactor
    recovery_codes: list[str]

    def __repr__(self) -> str:
        return "Confirmed(recovery_codes=***)"


def show(actor: Actor) -> SecondFactor:
    """One's own second factor."""
    with doing(actor, Verb.MFA_SHOW) as deed:
        deed.platform()
        return _view(Person.objects.get(id=actor.person_id), actor.mfa_proved_at)


def enrol(actor: Actor) -> Enrolment:
    """A new secret for one's authenticator app, to be confirmed within 15 minutes.

    Raises: Conflict `mfa-enrolled` when an app is enrolled already; Forbidden `mfa-needed` where a passkey is not
        proved.
    """
    with doing(actor, Verb.MFA_ENROL, subject=actor.email) as deed:
        deed.platform()
        person = _own(deed)
        _refuse_second(person)
        _need_other(deed, person)
        secret = factors.begin(person)
        expires_at = deed.now + timedelta(seconds=factors.ENROLMENT_SECONDS)
        deed.record(after={"kind": factors.APP, "expires_at": expires_at.isoformat()})
        return Enrolment(secret, totp.uri(secret, email=person.email, issuer=_issuer()), expires_at)


def under_way(actor: Actor) -> Enrolment | None:
    """The enrolment that was begun and not confirmed yet, to be shown once more beside a code that was wrong."""
    secret = factors.pending(Person(id=actor.person_id))
    if secret is None:
        return None
    expires_at = timezone.now() + timedelta(seconds=factors.ENROLMENT_SECONDS)
    return Enrolment(secret, totp.uri(secret, email=actor.email, issuer=_issuer()), expires_at)


def confirm(actor: Actor, *, code: str) -> Confirmed:
    """Show that the app knows the secret: it counts from now on, and as proved with this credential.

    Raises: Conflict `mfa-enrolled`, or `mfa-not-begun` without an enrolment of the last 15 minutes; Invalid
        `mfa-code` for a wrong code; TooMany after too many of them.
    """
    with _guessing(actor), doing(actor, Verb.MFA_CONFIRM, subject=actor.email) as deed:
        deed.platform()
        person = _own(deed)
        _refuse_second(person)
        _need_other(deed, person)
        secret = factors.pending(person)
        if secret is None:
            raise Conflict(
                say("No enrolment is under way, or it was begun more than 15 minutes ago."),
                code="mfa-not-begun",
                way_out=say("Begin with `strongroom mfa enrol`."),
            )
        step = totp.matching_step(secret, totp.normalize(code), at=deed.now)
        if step is None:
            raise _wrong()
        codes = factors.activate(person, secret, step)
        note_proof(actor, deed.now)
        deed.record(after={"kind": factors.APP, "recovery_codes": len(codes)})
        return Confirmed(_view(person, deed.now), codes)


def prove(actor: Actor, *, code: str) -> SecondFactor:
    """Prove the factor with a code of the app or a recovery code, each of which works once.

    Raises: Forbidden `mfa-missing`; Invalid `mfa-code`; TooMany.
    """
    with _guessing(actor), doing(actor, Verb.MFA_PROVE, subject=actor.email) as deed:
        deed.platform()
        person = _own(deed)
        accepted = _accept(person, code, deed.now)
        note_proof(actor, deed.now)
        deed.record(after=_facts(accepted))
        return _view(person, deed.now)


def remove(actor: Actor, *, code: str) -> SecondFactor:
    """Remove one's own app, with a last code; every proof ends. Passkeys stay, and the recovery codes with them.

    Raises: Forbidden `mfa-missing`; Invalid `mfa-code`; TooMany.
    """
    with _guessing(actor), doing(actor, Verb.MFA_REMOVE, subject=actor.email) as deed:
        deed.platform()
        person = _own(deed)
        accepted = _accept(person, code, deed.now)
        factors.remove_app(person)
        deed.record(before=_facts(accepted), after={"proofs_ended": end_proofs(person)})
        return _view(person, None)


def reset(actor: Actor, person_id: UUID, *, reason: str) -> Person:
    """Take away the factor of somebody who lost it; every proof of theirs ends, and they enrol anew.

    Raises: Forbidden; NotFound; Invalid without a reason; Conflict `own-factor` for one's own, `mfa-missing` where
        there is none.
    """
    with doing(actor, Verb.MFA_RESET, subject=str(person_id)) as deed:
        deed.platform()
        reason = clean_text("reason", reason, max_length=2000, is_multiline=True)
        person = Person.objects.select_for_update(no_key=True).filter(id=person_id).first()
        if person is None:
            raise NotFound(
                say("There is no person {person_id}.", person_id=person_id),
                way_out=say("See `strongroom person list`."),
            )
        deed.subject = person.email
        if person.id == actor.person_id:
            raise Conflict(
                say("Your own second factor is not yours to reset."),
                code="own-factor",
                way_out=say("Remove it with a code, `strongroom mfa remove`, or ask another administrator."),
            )
        if not factors.remove(person):
            raise Conflict(
                say("{person} has no second factor.", person=person.email),
                code="mfa-missing",
                way_out=say("Nothing is left to do: they can enrol one with `strongroom mfa enrol`."),
            )
        deed.record(after={"proofs_ended": end_proofs(person)}, reason=reason)
        return person


def need_proof(deed: Deed, person: Person) -> None:
    """Return when the credential of the actor, who is this person, proved their second factor recently enough.

    Raises: Forbidden `mfa-missing` when there is no factor, `mfa-needed` when the proof is missing or too old.
    """
    if not factors.has_any(person.id):
        raise proving.missing()
    proving.need(deed.actor, deed.now)


def note_proof(actor: Actor, now: datetime) -> None:
    """Count the second factor as proved with the credential that the actor came with."""
    if actor.token_id is not None:
        Token.objects.filter(id=actor.token_id).update(mfa_proved_at=now)
    if actor.session_id is not None:
        BrowserSession.objects.filter(id=actor.session_id).update(mfa_proved_at=now)


def end_proofs(person: Person) -> int:
    """End what they proved with every credential; how many proofs that were."""
    held: tuple[QuerySet[Any], ...] = (person.tokens.all(), person.browser_sessions.all())
    return sum(each.exclude(mfa_proved_at=None).update(mfa_proved_at=None) for each in held)


@contextmanager
def _guessing(actor: Actor) -> Iterator[None]:
    """Only a wrong code keeps the places that were taken for it."""
    taken: list[str] = []
    for refusals, window_seconds, way_out in _LIMITS:
        subject = f"mfa:{window_seconds}:{actor.person_id}"
        slot = guessing.take(subject, refusals=refusals, window_seconds=window_seconds)
        if slot is None:
            _give_back(taken)
            raise TooMany(
                say("Too many wrong codes of your second factor were tried."),
                way_out=way_out,
                retry_after_seconds=window_seconds,
            )
        taken.append(slot)
    try:
        yield
    except Invalid as wrong:
        if wrong.code != "mfa-code":
            _give_back(taken)
        raise
    except BaseException:
        _give_back(taken)
        raise
    _give_back(taken)


def _give_back(slots: list[str]) -> None:
    for slot in slots:
        guessing.free(slot)


def _accept(person: Person, code: str, now: datetime) -> factors.Accepted:
    if not factors.has_any(person.id):
        raise proving.missing()
    accepted = factors.accept(person, code, now)
    if accepted is None:
        raise _wrong()
    return accepted


def _own(deed: Deed) -> Person:
    return Person.objects.select_for_update(no_key=True).get(id=deed.actor.person_id)


def _view(person: Person, proved_at: datetime | None) -> SecondFactor:
    app, passkeys = factors.of(person), list(person.passkeys.all())
    held = [*([app] if app else []), *passkeys]
    if not held:
        return SecondFactor(False, False, 0, None, None, 0, None, None)
    return SecondFactor(
        is_enrolled=True,
        has_app=app is not None,
        passkeys=len(passkeys),
        enrolled_at=min(each.created_at for each in held),
        last_used_at=max((each.last_used_at for each in held if each.last_used_at), default=None),
        recovery_codes_left=factors.recovery_codes_left(person),
        proved_at=proved_at,
        proof_ends_at=proving.ends_at(proved_at),
    )


def _issuer() -> str:
    return f"Strongroom {urlsplit(settings().web_url).hostname}"


def _refuse_second(person: Person) -> None:
    if factors.of(person) is not None:
        raise Conflict(
            say("You have enrolled an authenticator app already."),
            code="mfa-enrolled",
            way_out=say("To change to another one, remove it with `strongroom mfa remove` first."),
        )


def _need_other(deed: Deed, person: Person) -> None:
    """Whoever has a passkey proves it before they get one factor more."""
    if factors.has_any(person.id):
        proving.need(deed.actor, deed.now)


def _wrong() -> Invalid:
    return Invalid(
        say("This code is wrong, has passed, or was used already."),
        code="mfa-code",
        fields={"code": say("wrong, passed or used already")},
        way_out=say("Wait for the next code of your app, or use a recovery code. Is the clock of your phone right?"),
    )


def _facts(accepted: factors.Accepted) -> dict[str, Json]:
    return {"kind": accepted.kind, "recovery_codes_left": accepted.recovery_codes_left}
