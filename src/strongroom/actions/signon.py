"""Single sign-on: to the identity provider and back, and the session that follows; or a second factor proved there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from strongroom import identity as providers
from strongroom.actions import applying, browsing, guessing, ledger, linking, proving, withdrawing
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import Deed, doing
from strongroom.actions.withdrawing import Withdrawn
from strongroom.core.actor import Actor
from strongroom.core.assertion import Assertion
from strongroom.core.errors import Conflict, Forbidden, NotFound, Refusal, Unauthenticated, Unavailable
from strongroom.core.sentences import Sentence, say
from strongroom.core.vocabulary import IdentityKind, Outcome, SystemFact, Verb
from strongroom.db.models import BrowserSession, Identity
from strongroom.identity import HasMetadata, Leaving, Provider

log = structlog.get_logger()

MINUTES = 10
"""How long somebody may stay at the provider."""
_CLOCKS = timedelta(minutes=1)  # how much two clocks may differ


@dataclass(frozen=True, slots=True)
class Offered:
    """A provider as the sign-in page offers it."""

    kind: str
    name: str


def offered() -> list[Offered]:
    """The providers that are set up."""
    return [Offered(kind.value, provider.name) for kind, provider in providers.current().items()]


def can_prove(actor: Actor) -> Offered | None:
    """The provider at which this person can prove a second factor again."""
    kind = proving.provider_of(actor)
    return Offered(kind.value, _provider(kind).name) if kind else None


def leave(kind: str, *, is_fresh: bool = False) -> Leaving:
    """Where the browser goes, and what to keep of it until it is back. Raises: NotFound; Unavailable."""
    known = _kind(kind)
    return _provider(known).begin(back_url(known), is_fresh=is_fresh)


def own_metadata() -> bytes:
    """What a SAML provider is told about this Strongroom: XML. Raises: NotFound where none is set up."""
    found = _provider(_kind(IdentityKind.SAML.value))
    assert isinstance(found, HasMetadata)
    return found.own_metadata()


def back_url(kind: IdentityKind) -> str:
    """Where the provider sends people back to."""
    return f"{settings().web_url}/sign-in/{kind.value}/answer"


def enter(
    kind: str, answer: Mapping[str, str], kept: Mapping[str, str], *, address: str, request_id: str, agent: str = ""
) -> BrowserSession:
    """Begin a session of whoever came back; what their groups give and take is done by then.

    It counts at once where they proved a second factor there that the settings name, or have none here.
    Raises: Unauthenticated; Forbidden `sso-…`; NotFound; TooMany after 10 refusals of one address; Unavailable.
    """
    known = _kind(kind)
    slot = guessing.slot("single-sign-on", address, what=say("sign-ins"))
    try:
        assertion = _provider(known).finish(answer, kept, back_url(known))
        session, withdrawn = _let_in(assertion, address, request_id, agent)
    except (Unauthenticated, Forbidden) as refusal:
        _record_refusal(refusal, known, address, request_id)
        raise
    guessing.free(slot)
    _cut(withdrawn)
    return session


def prove(actor: Actor, kind: str, answer: Mapping[str, str], kept: Mapping[str, str], *, left_at: datetime) -> None:
    """Count what somebody, who left at that time, just proved at the provider as the second factor of this browser.

    Raises: Unauthenticated; Forbidden `mfa-elsewhere` when it was somebody else, no second factor, or not just now.
    """
    known = _kind(kind)
    assertion = _provider(known).finish(answer, kept, back_url(known))
    with doing(actor, Verb.MFA_PROVE, subject=actor.email) as deed:
        deed.platform()
        same = Identity.objects.filter(kind=known, issuer=assertion.issuer, subject=assertion.subject)
        if not same.filter(person_id=actor.person_id).exists():
            raise _not_proved(say("It was somebody else who signed in there."))
        proved_at = assertion.proved_at
        if proved_at is None:
            raise _not_proved(say("It says nothing of a second factor."))
        if proved_at < left_at - _CLOCKS:
            raise _not_proved(say("It did not ask you again."))
        at = min(proved_at, deed.now)
        BrowserSession.objects.filter(id=actor.session_id or UUID(int=0)).update(mfa_proved_at=at)
        deed.record(after={"kind": "identity-provider", "provider": known.value})


def _let_in(assertion: Assertion, address: str, request_id: str, agent: str) -> tuple[BrowserSession, list[Withdrawn]]:
    now = timezone.now()
    try:
        with transaction.atomic():
            identity = linking.identity_of(assertion, now, address=address, request_id=request_id)
            person = identity.person
            deed = Deed(Actor(person.id, person.email, address=address, request_id=request_id), Verb.MEMBER_REMOVE)
            withdrawn = applying.apply(deed, identity)
            person.refresh_from_db()
            proved_at = min(assertion.proved_at, now) if assertion.proved_at else None
            return (
                browsing.begin(
                    person,
                    address=address,
                    request_id=request_id,
                    agent=agent,
                    by=assertion.kind.value,
                    identity=identity,
                    proved_at=proved_at,
                ),
                withdrawn,
            )
    except IntegrityError:
        raise Conflict(
            say("You signed in twice at the same moment."),
            code="sso-twice",
            way_out=say("Begin again on the sign-in page."),
        ) from None


def _cut(withdrawn: list[Withdrawn]) -> None:
    """What groups took away is cut before they are let in; where the engine does not obey yet, the worker goes on."""
    for each in withdrawn:
        try:
            withdrawing.cut(each)
        except Unavailable as problem:
            log.warning("sso.not_cut_yet", problem=str(problem))


def _kind(word: str) -> IdentityKind:
    try:
        kind = IdentityKind(word)
    except ValueError:
        kind = None
    if kind is None or kind not in providers.current():
        raise NotFound(say("There is no such identity provider here."), way_out=say("Sign in with a password."))
    return kind


def _provider(kind: IdentityKind) -> Provider:
    return providers.current()[kind]


def _not_proved(why: Sentence) -> Forbidden:
    return Forbidden(
        say("Your second factor was not proved at the identity provider. {why}", why=why),
        code="mfa-elsewhere",
        way_out=say("Try again, or set up a second factor of Strongroom's own on your account page."),
    )


def _record_refusal(refusal: Refusal, kind: IdentityKind, address: str, request_id: str) -> None:
    with transaction.atomic():
        ledger.append(
            SystemFact.PERSON_SIGNED_IN,
            at=datetime.now(UTC),
            outcome=Outcome.REFUSED,
            subject=f"by {kind.value} from {address}"[:400],
            reason=f"{refusal.code}: {refusal} (request {request_id})",
        )
