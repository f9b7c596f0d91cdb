"""Signing in with a browser: password, invitation or identity provider, then the second factor; and what follows.

The row of a session is what counts: ending it, or disabling its person, works with the next request. Who has a second
factor is let in only after it was proved; until then the row is there, and is good for nothing else.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from strongroom.actions import factors, guessing, ledger, mfa, signin
from strongroom.actions.configuration import settings
from strongroom.core.actor import Actor
from strongroom.core.credentials import digest
from strongroom.core.errors import Invalid, Refusal, TooMany, Unauthenticated
from strongroom.core.sentences import quoted, say
from strongroom.core.vocabulary import Outcome, StaffRole, SystemFact
from strongroom.db.models import BrowserSession, Identity, Person

FACTOR_MINUTES = 10
"""How long after the password the second factor may be given."""

_NONE = UUID(int=0)
_NOTE_SEEN_EVERY = timedelta(minutes=1)
_PERSON_REFUSALS, _PERSON_WINDOW = 50, 3600  # of one account from anywhere, besides the limit of each address
_LONGEST_PASSWORD = 1000  # characters; a longer text would only make hashing slow


def sign_in(email: str, password: str, *, address: str, request_id: str, agent: str = "") -> BrowserSession:
    """Begin a session; where the person has a second factor it counts only after `enter`.

    Raises: Unauthenticated in the same words, and after as much work, whatever was wrong. TooMany after 10 refusals
        of one address (of one /64 network, for IPv6) within 15 minutes, or 50 of one account within an hour.
    """
    typed = email.strip().lower()[:254]
    slots = [guessing.slot("password", address, what=say("passwords")), _slot_of_account(typed)]
    try:
        with transaction.atomic():
            person = _of_password(typed, password)
            session = begin(person, address=address, request_id=request_id, agent=agent, by="password")
    except Unauthenticated as refusal:
        _record_refusal(refusal, typed, address, request_id)
        raise
    for slot in slots:
        guessing.free(slot)
    return session


def begin(
    person: Person,
    *,
    address: str,
    request_id: str,
    agent: str,
    by: str,
    identity: Identity | None = None,
    proved_at: datetime | None = None,
) -> BrowserSession:
    """A session of somebody who just proved who they are, in the transaction that is open.

    It counts at once where they have no second factor, or proved one (`proved_at`) where they come from (`identity`).
    """
    now = timezone.now()
    is_half = proved_at is None and factors.has_any(person.id)
    session = BrowserSession.objects.create(
        person=person,
        address=address[:64],
        agent=_printable(agent)[:200],
        created_at=now,
        entered_at=None if is_half else now,
        last_seen_at=now,
        expires_at=now + timedelta(minutes=FACTOR_MINUTES) if is_half else _end(now),
        mfa_proved_at=proved_at,
        identity=identity,
    )
    if not is_half:
        _record_entry(session, _actor(session, address, request_id), by=by)
    return session


def invited(code: str, *, address: str) -> str:
    """The e-mail address that an invitation was made for, which stays unused.

    Raises: Unauthenticated, TooMany as `strongroom.actions.signin.sign_in`.
    """
    slot = guessing.slot("sign-in", address, what=say("sign-in codes"))
    email = signin.person_of(code).email
    guessing.free(slot)
    return email


def accept(code: str, password: str, *, address: str, request_id: str, agent: str = "") -> BrowserSession:
    """Use an invitation: the password is the person's from now on, and every other session of theirs ends.

    A second factor that they have is still asked for. Raises: as `invited`; Invalid for a password that is too weak,
        with the invitation left unused.
    """
    slot = guessing.slot("sign-in", address, what=say("sign-in codes"))
    try:
        with transaction.atomic():
            now = timezone.now()
            person = signin.claim(code, now)
            _set_password(person, password, now)
            session = begin(person, address=address, request_id=request_id, agent=agent, by="invitation")
            _note_password(person, session, address, request_id)
    except Unauthenticated as refusal:
        _record_refusal(refusal, "", address, request_id)
        raise
    except Invalid:
        guessing.free(slot)
        raise
    guessing.free(slot)
    return session


def enter(session_id: str, code: str, *, address: str, request_id: str) -> Actor:
    """The second step: a code of the app or a recovery code. The actor of the session, which is proved.

    Raises: Unauthenticated when the password was given too long ago, or never; Invalid `mfa-code`; TooMany.
    """
    session = _half(session_id)
    mfa.prove(_actor(session, address, request_id), code=code)
    return let_in(session.id, address=address, request_id=request_id)


def let_in(session_id: UUID, *, address: str, request_id: str) -> Actor:
    """Have a session count whose second factor was just proved. Raises: Unauthenticated when it ended meanwhile."""
    with transaction.atomic():
        now = timezone.now()
        updated = BrowserSession.objects.filter(id=session_id, entered_at=None, ended_at=None)
        if not updated.exclude(mfa_proved_at=None).update(entered_at=now, last_seen_at=now, expires_at=_end(now)):
            raise _gone()
        session = BrowserSession.objects.select_related("person").get(id=session_id)
        actor = _actor(session, address, request_id)
        _record_entry(session, actor, by="second factor")
    return actor


def waiting(session_id: str, *, address: str, request_id: str) -> Actor:
    """Who gave the right password and has not proved the second factor yet. Raises: Unauthenticated."""
    return _actor(_half(session_id), address, request_id)


def authenticate(session_id: str, *, address: str, request_id: str) -> Actor:
    """Who comes with this session. Raises: Unauthenticated when there is none, or it has ended."""
    session = _found(session_id)
    now = timezone.now()
    idle = timedelta(minutes=settings().browser_idle_minutes)
    if session.entered_at is None or session.last_seen_at + idle <= now:
        raise _gone()
    if session.last_seen_at < now - _NOTE_SEEN_EVERY:
        BrowserSession.objects.filter(id=session.id).update(last_seen_at=now, address=address[:64])
    return _actor(session, address, request_id)


def sign_out(actor: Actor) -> None:
    """End the session of this browser."""
    with transaction.atomic():
        now = timezone.now()
        if BrowserSession.objects.filter(id=actor.session_id or _NONE, ended_at=None).update(ended_at=now):
            facts = {"session_id": str(actor.session_id)}
            ledger.append(SystemFact.PERSON_SIGNED_OUT, at=now, actor=actor, subject=actor.email, after={**facts})


def has_password(actor: Actor) -> bool:
    """Whether they can sign in with a password; whoever came by the command line alone has none."""
    return Person.objects.get(id=actor.person_id).has_usable_password()


def change_password(actor: Actor, *, current: str, new: str) -> int:
    """Another password; every other session of the person ends. How many did.

    Raises: Invalid for a wrong current one and for a new one that is too weak; TooMany.
    """
    slot = _slot_of_account(actor.email)
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).get(id=actor.person_id)
        if not person.check_password(current[:_LONGEST_PASSWORD]):
            raise Invalid(say("Your current password is another one."), fields={"current": say("is another one")})
        guessing.free(slot)
        ended = _set_password(person, new, timezone.now(), but=actor.session_id)
        ledger.append(
            SystemFact.PERSON_PASSWORD_SET,
            at=timezone.now(),
            actor=actor,
            subject=actor.email,
            after={"sessions_ended": ended},
        )
    return ended


def end_all(person: Person, now: datetime, *, but: UUID | None = None) -> int:
    """End every session of a person, except one; how many ended."""
    return BrowserSession.objects.filter(_live(now), person=person).exclude(id=but or _NONE).update(ended_at=now)


def _of_password(email: str, password: str) -> Person:
    person = Person.objects.select_for_update(no_key=True).filter(email=email).first()
    typed = password[:_LONGEST_PASSWORD]
    if person is None or not person.has_usable_password():
        make_password(typed)  # as long as checking one takes
    elif person.check_password(typed) and person.is_active:
        return person
    raise Unauthenticated(
        say("The e-mail address or the password is wrong."),
        code="sign-in-refused",
        way_out=say(
            "Try again. If you forgot the password, ask an administrator of the platform for a new invitation."
        ),
    )


def _record_entry(session: BrowserSession, actor: Actor, *, by: str) -> None:
    ledger.append(
        SystemFact.PERSON_SIGNED_IN,
        at=timezone.now(),
        actor=actor,
        subject=actor.email,
        after={"session_id": str(session.id), "by": by, "agent": session.agent},
    )


def _set_password(person: Person, password: str, now: datetime, *, but: UUID | None = None) -> int:
    if len(password) > _LONGEST_PASSWORD:
        raise Invalid(
            say("The password is too long."),
            fields={"password": say("at most {most} characters", most=_LONGEST_PASSWORD)},
        )
    try:
        validate_password(password, person)
    except ValidationError as wrong:
        said = quoted(" ".join(wrong.messages))
        raise Invalid(say("This password will not do. {said}", said=said), fields={"password": said}) from None
    person.set_password(password)
    person.save(update_fields=["password"])
    return end_all(person, now, but=but)


def _note_password(person: Person, session: BrowserSession, address: str, request_id: str) -> None:
    actor = _actor(session, address, request_id)
    ledger.append(
        SystemFact.PERSON_PASSWORD_SET,
        at=timezone.now(),
        actor=actor,
        subject=person.email,
        after={"by": "invitation"},
    )


def _half(session_id: str) -> BrowserSession:
    session = _found(session_id)
    if session.entered_at is not None:
        raise _gone()
    return session


def _found(session_id: str) -> BrowserSession:
    try:
        wanted = UUID(session_id)
    except ValueError:
        raise _gone() from None
    rows = BrowserSession.objects.select_related("person").filter(_live(timezone.now()), id=wanted)
    session = rows.filter(person__is_active=True).first()
    if session is None:
        raise _gone()
    return session


def _live(now: datetime) -> Q:
    return Q(ended_at=None, expires_at__gt=now)


def _end(now: datetime) -> datetime:
    return now + timedelta(days=settings().browser_days)


def _gone() -> Refusal:
    return Unauthenticated(say("You are not signed in, or your session has ended."), way_out=say("Sign in."))


def _actor(session: BrowserSession, address: str, request_id: str) -> Actor:
    person = session.person
    return Actor(
        person_id=person.id,
        email=person.email,
        staff_role=StaffRole(person.staff_role) if person.staff_role else None,
        session_id=session.id,
        mfa_proved_at=session.mfa_proved_at,
        address=address,
        request_id=request_id,
    )


def _slot_of_account(email: str) -> str:
    slot = guessing.take(f"password-of:{digest(email)[:32]}", refusals=_PERSON_REFUSALS, window_seconds=_PERSON_WINDOW)
    if slot is None:
        raise TooMany(
            say("Too many passwords for this account were refused."),
            way_out=say("Wait an hour, then try again."),
            retry_after_seconds=_PERSON_WINDOW,
        )
    return slot


def _printable(agent: str) -> str:
    return "".join(each for each in agent if each.isprintable())


def _record_refusal(refusal: Unauthenticated, email: str, address: str, request_id: str) -> None:
    # What was typed may be a password in the wrong field: only the address of somebody known is written down.
    known = email if Person.objects.filter(email=email).exists() else "somebody unknown"
    with transaction.atomic():
        ledger.append(
            SystemFact.PERSON_SIGNED_IN,
            at=timezone.now(),
            outcome=Outcome.REFUSED,
            subject=f"{known} from {address}"[:400],
            reason=f"{refusal.code}: {refusal} (request {request_id})",
        )
