"""What a passkey is proved for: the second step of a sign-in, a deed that needs a proof, or a sign-in by itself.

A passkey verifies its holder (fingerprint, face, PIN) besides being held: by itself it counts as both factors.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from strongroom.actions import browsing, guessing, ledger, mfa, proving, webauthn
from strongroom.actions.deeds import doing
from strongroom.core.actor import Actor
from strongroom.core.errors import Forbidden, Refusal, Unauthenticated
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Outcome, SystemFact, Verb
from strongroom.db.models import BrowserSession, Passkey, Person

KIND = "passkey"
_SIGN_IN = "sign-in"
_PROMPTS = 30  # of one address within a quarter of an hour that came to nothing: each keeps a row


def begin(actor: Actor) -> webauthn.Asked:
    """What the browser is asked: any passkey of this person's. Raises: Forbidden `mfa-missing`; Conflict."""
    known = list(Passkey.objects.filter(person_id=actor.person_id).values_list("credential_id", flat=True))
    if not known:
        raise proving.missing()
    return webauthn.ask_to_prove(_kind(actor), known)


def prove(actor: Actor, *, ceremony: str, answer: str) -> None:
    """Count the second factor as proved in this browser.

    Raises: Invalid `passkey`; Conflict `passkey-late`; Forbidden `passkey-copied`.
    """
    state = webauthn.take(_kind(actor), ceremony)
    with doing(actor, Verb.MFA_PROVE, subject=actor.email) as deed:
        deed.platform()
        given = webauthn.answered(state, answer)
        Person.objects.select_for_update(no_key=True).get(id=actor.person_id)
        held = Passkey.objects.select_for_update(no_key=True)
        found = held.filter(credential_id=given.credential_id, person_id=actor.person_id).first()
        if found is None or given.user_id not in (None, actor.person_id.bytes):
            raise webauthn.unlike()
        _count(found, given.check(found.credential), deed.now)
        mfa.note_proof(actor, deed.now)
        deed.record(after={"kind": KIND, "passkey_id": str(found.id), "name": found.name})


def enter(session_id: str, *, ceremony: str, answer: str, address: str, request_id: str) -> Actor:
    """The second step with a passkey: the actor of the session, proved. Raises: Unauthenticated; as `prove`."""
    waiting = browsing.waiting(session_id, address=address, request_id=request_id)
    prove(waiting, ceremony=ceremony, answer=answer)
    return browsing.let_in(UUID(session_id), address=address, request_id=request_id)


def begin_sign_in(*, address: str) -> webauthn.Asked:
    """What a browser is asked in which nobody is signed in: any passkey for this site. Says nothing about anybody.

    Raises: Conflict `passkeys-impossible`; TooMany after 30 of one address within 15 minutes that came to nothing.
    """
    slot = guessing.slot("passkey", address, what=say("passkeys"), refusals=_PROMPTS)
    return webauthn.ask_to_prove(_SIGN_IN, None, slot=slot)


def sign_in(*, ceremony: str, answer: str, address: str, request_id: str, agent: str = "") -> BrowserSession:
    """Begin a session that counts, with the second factor proved.

    Raises: Unauthenticated `passkey` in the same words whatever was wrong; Conflict `passkey-late`.
    """
    state = webauthn.take(_SIGN_IN, ceremony)
    try:
        with transaction.atomic():
            given = webauthn.answered(state, answer)
            now = timezone.now()
            found = _of_somebody(given)
            _count(found, given.check(found.credential), now)
            session = browsing.begin(
                found.person, address=address, request_id=request_id, agent=agent, by=KIND, proved_at=now
            )
    except Refusal as refusal:
        _record_refusal(refusal, address, request_id)
        if refusal.code == "passkey":
            raise Unauthenticated(refusal.sentence, code="passkey", way_out=refusal.way_out) from None
        raise
    guessing.free(state["slot"])
    return session


def _of_somebody(given: webauthn.Answer) -> Passkey:
    held = Passkey.objects.select_for_update(of=("self",), no_key=True).select_related("person")
    found = held.filter(credential_id=given.credential_id, person__is_active=True).first()
    if found is None or given.user_id != found.person_id.bytes:
        raise webauthn.unlike()
    return found


def _count(found: Passkey, said: int, now: datetime) -> None:
    # Section 6.1.1: a counter that does not grow says that a second copy of the key exists.
    if (said or found.sign_count) and said <= found.sign_count:
        raise Forbidden(
            say("The counter of the passkey “{passkey}” went back: it may have been copied.", passkey=found.name),
            code="passkey-copied",
            way_out=say("Sign in another way, remove this passkey, and tell an administrator of the platform."),
        )
    found.sign_count, found.last_used_at = said, now
    found.save(update_fields=["sign_count", "last_used_at"])


def _kind(actor: Actor) -> str:
    return f"prove:{actor.session_id}"


def _record_refusal(refusal: Refusal, address: str, request_id: str) -> None:
    with transaction.atomic():
        ledger.append(
            SystemFact.PERSON_SIGNED_IN,
            at=timezone.now(),
            outcome=Outcome.REFUSED,
            subject=f"a passkey from {address}"[:400],
            reason=f"{refusal.code}: {refusal} (request {request_id})",
        )
