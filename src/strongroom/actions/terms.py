"""The terms for sensitive data: which text is in force, and who accepted it."""

from dataclasses import dataclass
from datetime import datetime

from strongroom.actions.configuration import settings
from strongroom.actions.deeds import doing
from strongroom.core import terms
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden
from strongroom.core.sentences import say
from strongroom.core.vocabulary import RiskLevel, Verb
from strongroom.db.models import Person, TermsAcceptance


@dataclass(frozen=True, slots=True)
class Terms:
    """The text in force, and when the actor accepted exactly this version (None: not yet)."""

    version: str
    text: str
    accepted_at: datetime | None

    @property
    def paragraphs(self) -> list[str]:
        """The text as a page shows it."""
        return terms.paragraphs(self.text)


def show(actor: Actor) -> Terms:
    """The terms in force, and whether one accepted them."""
    with doing(actor, Verb.TERMS_SHOW) as deed:
        deed.platform()
        text = _text()
        return Terms(terms.version(text), text, _accepted_at(actor, terms.version(text)))


def accept(actor: Actor, *, version: str) -> Terms:
    """Accept the version that one has read; a second time is fine. Raises: Conflict when another is in force by now."""
    with doing(actor, Verb.TERMS_ACCEPT, subject=actor.email) as deed:
        deed.platform()
        text = _text()
        in_force = terms.version(text)
        if version != in_force:
            raise Conflict(
                say("The terms have changed since you read them."),
                code="terms-changed",
                way_out=say("Read them again."),
            )
        Person.objects.select_for_update(no_key=True).get(id=actor.person_id)
        row, is_new = TermsAcceptance.objects.get_or_create(
            person_id=actor.person_id, version=in_force, defaults={"accepted_at": deed.now}
        )
        if is_new:
            deed.record(after={"version": in_force})
        return Terms(in_force, text, row.accepted_at)


def need(risk_level: RiskLevel, actor: Actor) -> None:
    """Return unless somebody in a browser wants a space for sensitive data and did not accept the terms in force.

    Raises: Forbidden `terms`.
    """
    if risk_level == RiskLevel.LOW or actor.session_id is None:
        return
    if _accepted_at(actor, terms.version(_text())) is None:
        raise Forbidden(
            say("This needs the terms for sensitive data, which you have not accepted as they are now."),
            code="terms",
            way_out=say("Read and accept them, `/account/terms`, then try again."),
        )


def _text() -> str:
    file = settings().terms_file
    return file.read_text(encoding="utf-8") if file else terms.TEXT


def _accepted_at(actor: Actor, version: str) -> datetime | None:
    found = TermsAcceptance.objects.filter(person_id=actor.person_id, version=version)
    return found.values_list("accepted_at", flat=True).first()
