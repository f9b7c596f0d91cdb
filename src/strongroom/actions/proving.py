"""Whether the credential of an actor proved their second factor recently enough; refuses to know how it is proved."""

from datetime import datetime, timedelta

from strongroom import identity
from strongroom.actions import factors
from strongroom.actions.configuration import settings
from strongroom.core.actor import Actor
from strongroom.core.errors import Forbidden
from strongroom.core.sentences import say
from strongroom.core.vocabulary import IdentityKind, RiskLevel
from strongroom.db.models import BrowserSession


def ends_at(proved_at: datetime | None) -> datetime | None:
    """Until when a proof counts."""
    return proved_at + timedelta(minutes=settings().mfa_minutes) if proved_at else None


def need(actor: Actor, now: datetime) -> None:
    """Return when the proof is there and young enough.

    Raises: Forbidden `mfa-missing` when there is no factor, `mfa-needed` when the proof is missing or too old.
    """
    until = ends_at(actor.mfa_proved_at)
    if until is None or until <= now:
        raise _missing_or_old(actor)


def need_for(risk_level: RiskLevel, actor: Actor) -> None:
    """Return unless a browser that never proved a second factor asks about sensitive data.

    Raises: Forbidden `mfa-missing` or `mfa-needed`, as `need`.
    """
    if risk_level != RiskLevel.LOW and is_unproved(actor):
        raise _missing_or_old(actor)


def is_unproved(actor: Actor) -> bool:
    """Whether it is a browser in which only a password was given."""
    return actor.session_id is not None and actor.mfa_proved_at is None


def provider_of(actor: Actor) -> IdentityKind | None:
    """The identity provider that let this browser in, if it can prove a second factor for Strongroom, too."""
    if actor.session_id is None:
        return None
    kinds = BrowserSession.objects.filter(id=actor.session_id).values_list("identity__kind", flat=True)
    word = kinds.first()
    if not word:
        return None
    kind = IdentityKind(word)
    found = identity.current().get(kind)
    return kind if found is not None and found.counts_as_factor else None


def missing() -> Forbidden:
    """What somebody without a second factor is told."""
    return Forbidden(
        say("This needs a second factor, and you have not enrolled one."),
        code="mfa-missing",
        way_out=say(
            "Enrol an authenticator app with `strongroom mfa enrol`, or an app or a passkey on your account page."
        ),
    )


def _missing_or_old(actor: Actor) -> Forbidden:
    if not factors.has_any(actor.person_id) and provider_of(actor) is None:
        return missing()
    proved_at = actor.mfa_proved_at
    was = (
        say("the last time was {proved_at:%Y-%m-%d %H:%M} UTC", proved_at=proved_at)
        if proved_at
        else say("it has not been yet")
    )
    with_what = say("in this browser") if actor.session_id else say("with the token you come with")
    return Forbidden(
        say(
            "This needs your second factor, proved within the last {minutes} minutes {how}; {when}.",
            minutes=settings().mfa_minutes,
            how=with_what,
            when=was,
        ),
        code="mfa-needed",
        way_out=say("Prove it with `strongroom mfa prove`, then try again."),
    )
