"""Which person somebody is whom an identity provider let in: linked by issuer and subject, for ever.

An e-mail address links only the first time, only when the provider says that it is verified, and, for somebody who is
known here already, only where the operator believes this provider for addresses of that domain.
"""

from datetime import datetime

from strongroom.actions import applying, ledger, people
from strongroom.actions.configuration import settings
from strongroom.core.actor import Actor
from strongroom.core.assertion import Assertion, covers
from strongroom.core.errors import Forbidden, Refusal
from strongroom.core.sentences import Sentence, say
from strongroom.core.vocabulary import IdentityKind, SystemFact, Verb
from strongroom.db.models import Identity, Person

_ASK = say("Ask an administrator of the platform.")


def identity_of(assertion: Assertion, now: datetime, *, address: str, request_id: str) -> Identity:
    """The identity with its person, both as they are from now on; in the transaction that is open.

    Raises: Forbidden `sso-…` for whoever may not come in: disabled, unknown, or not to be linked.
    """
    found = Identity.objects.filter(kind=assertion.kind, issuer=assertion.issuer, subject=assertion.subject)
    identity = found.select_for_update(no_key=True).first() or _first_time(assertion, now, address, request_id)
    if not identity.person.is_active:
        raise _refusal("disabled", say("{person} was disabled here.", person=identity.person.email), _ASK)
    identity.email, identity.groups = assertion.email[:254], list(assertion.groups)
    identity.last_used_at, identity.lapsed_at = now, None
    identity.save(update_fields=["email", "groups", "last_used_at", "lapsed_at"])
    return identity


def _first_time(assertion: Assertion, now: datetime, address: str, request_id: str) -> Identity:
    email = assertion.email
    if not email or not assertion.is_email_verified:
        raise _refusal(
            "email",
            say("The identity provider does not say that it has verified your e-mail address."),
            say("Have it verified there, then sign in again."),
        )
    person = Person.objects.select_for_update(no_key=True).filter(email=email).first()
    is_new = person is None
    if person is None:
        person = _created(assertion, now)
    else:
        _may_link(person, assertion)
    identity = Identity.objects.create(
        person=person,
        kind=assertion.kind,
        issuer=assertion.issuer,
        subject=assertion.subject,
        email=email,
        created_at=now,
        last_used_at=now,
    )
    ledger.append(
        SystemFact.PERSON_LINKED,
        at=now,
        actor=Actor(person.id, person.email, address=address, request_id=request_id),
        subject=person.email,
        after={
            "provider": assertion.kind.value,
            "issuer": assertion.issuer,
            "subject": assertion.subject,
            "is_new": is_new,
        },
    )
    return identity


def _may_link(person: Person, assertion: Assertion) -> None:
    """Raises: Forbidden."""
    domain = person.email.rpartition("@")[2]
    if not person.is_active:
        raise _refusal("disabled", say("{person} was disabled here.", person=person.email), _ASK)
    if person.identities.filter(kind=assertion.kind, issuer=assertion.issuer).exists():
        raise _refusal(
            "taken",
            say(
                "{person} belongs to somebody else of that provider: an address that was given anew?",
                person=person.email,
            ),
            _ASK,
        )
    if not _is_believed(domain, assertion.kind):
        raise _refusal(
            "not-linked",
            say(
                "Somebody known here has the address {person}, and this provider is not believed for {domain}.",
                person=person.email,
                domain=domain,
            ),
            say(
                "Sign in as before. Whoever operates Strongroom can name the domain in {setting}.",
                setting=f"STRONGROOM_{assertion.kind.value.upper()}_EMAIL_DOMAINS",
            ),
        )


def _created(assertion: Assertion, now: datetime) -> Person:
    """Somebody new. Raises: Forbidden where the settings let nobody, or not this one, become known like this."""
    who = settings().sso_new_people
    is_mapped = bool(applying.mappings_of(assertion.groups, assertion.kind)) if who == "mapped" else who == "all"
    domain = assertion.email.rpartition("@")[2]
    if not is_mapped or (_domains(assertion.kind) and not _is_believed(domain, assertion.kind)):
        raise _refusal(
            "unknown",
            say("{person} is not known here.", person=assertion.email),
            say("{ask} They can make you known.", ask=_ASK),
        )
    person = people.register(assertion.email, assertion.name or assertion.email, None, at=now, created_by_id=None)
    ledger.append(
        Verb.PERSON_CREATE,
        at=now,
        subject=person.email,
        after={"id": str(person.id), "email": person.email, "name": person.name},
        reason=f"signed in with {assertion.issuer}",
    )
    return person


def _domains(kind: IdentityKind) -> tuple[str, ...]:
    return settings().oidc_email_domains if kind is IdentityKind.OIDC else settings().saml_email_domains


def _is_believed(domain: str, kind: IdentityKind) -> bool:
    """Whether the operator believes the provider for addresses there."""
    return covers(_domains(kind), domain)


def _refusal(code: str, message: Sentence, way_out: Sentence) -> Refusal:
    return Forbidden(message, code=f"sso-{code}", way_out=way_out)
