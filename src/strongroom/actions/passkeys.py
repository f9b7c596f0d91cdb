"""One's own passkeys: added in a browser, listed, removed; refuses to know how they let somebody in."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from strongroom.actions import factors, ledger, mfa, proving, webauthn
from strongroom.actions.deeds import doing
from strongroom.actions.paging import Page, page
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, NotFound
from strongroom.core.ledger import Json
from strongroom.core.names import clean_text
from strongroom.core.sentences import say, say_many
from strongroom.core.vocabulary import RiskLevel, SystemFact, Verb
from strongroom.db.models import Membership, Passkey, Person

MOST = 20
"""How many one person may have."""


def list_(actor: Actor, *, cursor: str | None = None, limit: int = 100) -> Page[Passkey]:
    """One's own, newest first."""
    with doing(actor, Verb.PASSKEY_LIST) as deed:
        deed.platform()
        return page(_own(actor), by=["-created_at", "-id"], cursor=cursor, limit=limit)


def begin(actor: Actor) -> webauthn.Asked:
    """What the browser is asked for a new one.

    Raises: Forbidden `mfa-needed` where there is a factor already, which must be proved first; Conflict
        `passkeys-impossible`, `too-many-passkeys`.
    """
    person = Person.objects.get(id=actor.person_id)
    _check_may_add(actor, person)
    known = _own(actor).values_list("credential_id", flat=True)
    return webauthn.ask_to_register(_kind(actor), person.id, person.email, person.name, known)


def add(actor: Actor, *, name: str, ceremony: str, answer: str) -> tuple[Passkey, list[str]]:
    """Keep the passkey that the browser made; it counts from now on, and as proved in this browser.

    With it recovery codes, shown once, for who had no second factor before. Raises: as `begin`; Invalid for a name
        that is none, `passkey` for a wrong answer; Conflict `passkey-late`, `passkey-known`.
    """
    name = clean_text("name", name, max_length=100)
    state = webauthn.take(_kind(actor), ceremony)
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).get(id=actor.person_id)
        _check_may_add(actor, person)
        made = webauthn.registered(state, answer)
        if Passkey.objects.filter(credential_id=made.credential_id).exists():
            raise Conflict(
                say("This passkey was added before."),
                code="passkey-known",
                way_out=say("Use it, or add one of another device."),
            )
        now = timezone.now()
        kept = Passkey.objects.create(
            person=person,
            name=name,
            credential_id=made.credential_id,
            credential=made.credential,
            sign_count=made.sign_count,
            created_at=now,
        )
        codes = factors.make_recovery_codes(person, now)
        mfa.note_proof(actor, now)
        facts: dict[str, Json] = {"passkey_id": str(kept.id), "name": kept.name, "recovery_codes": len(codes)}
        ledger.append(SystemFact.PASSKEY_ADDED, at=now, actor=actor, subject=actor.email, after=facts)
    return kept, codes


def remove(actor: Actor, passkey_id: UUID, *, is_last: bool = False) -> Passkey:
    """Forget a passkey, at once. With the last factor its recovery codes go, and every proof ends.

    Raises: NotFound; Forbidden `mfa-needed`; Conflict `last-factor` for the last factor of somebody in a moderate or
        high risk space who does not say with `is_last` that they know what follows.
    """
    with doing(actor, Verb.PASSKEY_REMOVE, subject=str(passkey_id)) as deed:
        deed.platform()
        person = Person.objects.select_for_update(no_key=True).get(id=actor.person_id)
        found = _own(actor).select_for_update(no_key=True).filter(id=passkey_id).first()
        if found is None:
            raise NotFound(
                say("You have no passkey {passkey_id}.", passkey_id=passkey_id),
                way_out=say("See `strongroom passkey list`."),
            )
        deed.subject = actor.email
        proving.need(actor, deed.now)
        ends_all = factors.of(person) is None and not _own(actor).exclude(id=found.id).exists()
        if ends_all and not is_last:
            _refuse_last(actor)
        Passkey.objects.filter(id=found.id).delete()
        ended = mfa.end_proofs(person) if ends_all and factors.remove(person) else 0
        facts = {"passkey_id": str(found.id), "name": found.name}
        deed.record(before={**facts}, after={"is_last_factor": ends_all, "proofs_ended": ended})
        return found


def spaces_that_close(actor: Actor) -> int:
    """In how many moderate and high risk spaces they are, which nobody enters without a second factor."""
    held = Membership.objects.filter(person_id=actor.person_id)
    return int(held.exclude(space__risk_level=RiskLevel.LOW.value).count())


def _refuse_last(actor: Actor) -> None:
    closing = spaces_that_close(actor)
    if closing:
        raise Conflict(
            say_many(
                "This is your last second factor: without one, {count} moderate or high risk space is closed to you, "
                "and so are logins to servers; recovery codes end with it.",
                "This is your last second factor: without one, {count} moderate or high risk spaces are closed to you, "
                "and so are logins to servers; recovery codes end with it.",
                closing,
            ),
            code="last-factor",
            way_out=say(
                "Add another passkey or an authenticator app first; or remove it all the same: tick "
                "the box on the page, `--last` on the command line."
            ),
        )


def _check_may_add(actor: Actor, person: Person) -> None:
    if factors.has_any(person.id):
        proving.need(actor, timezone.now())
    if person.passkeys.count() >= MOST:
        raise Conflict(
            say("You have {most} passkeys already.", most=MOST),
            code="too-many-passkeys",
            way_out=say("Remove one that you do not use."),
        )


def _kind(actor: Actor) -> str:
    """An answer counts only in the session in which it was asked for."""
    return f"add:{actor.session_id}"


def _own(actor: Actor) -> QuerySet[Passkey]:
    return Passkey.objects.filter(person_id=actor.person_id)
