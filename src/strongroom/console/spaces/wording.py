"""How the ledger is told to people: who did what to what, and what became different."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from strongroom.console.words import translated
from strongroom.core import authz
from strongroom.core.deeds import DEEDS
from strongroom.core.sentences import opening
from strongroom.core.vocabulary import Outcome, SystemFact, Verb

FACTS = {
    SystemFact.MEMBER_INVITED: gettext_noop("A member got a new invitation"),
    SystemFact.MEMBER_JOINED: gettext_noop("A member joined"),
    SystemFact.MEMBER_CHANGED: gettext_noop("A member's role changed"),
    SystemFact.MEMBER_LEFT: gettext_noop("A member left"),
    SystemFact.DATASET_FINALIZED: gettext_noop("The data set is finalized, and its receipt signed"),
    SystemFact.DATASET_DELETED: gettext_noop("The data set is deleted"),
    SystemFact.DATASET_LATE_OBJECT: gettext_noop("A file came too late, and is not part of the data set"),
    SystemFact.DATASET_ALTERED: gettext_noop("Something altered the data set in the storage engine"),
    SystemFact.DATASET_REPAIRED: gettext_noop("What had been altered was put right"),
    SystemFact.DATASET_DIGESTED: gettext_noop("The digest of every object is known"),
    SystemFact.FIXITY_DIFFERENCE: gettext_noop("A fixity check found objects that are not what they were"),
    SystemFact.FIXITY_ENDED: gettext_noop("A fixity check ended"),
    SystemFact.DATASET_MISSING: gettext_noop("The data set's repository is missing in the storage engine"),
    SystemFact.SERVER_JOINED: gettext_noop("A server joined"),
    SystemFact.SERVER_LAPSED: gettext_noop("A server was not heard for too long, and lost its access"),
    SystemFact.SERVER_SESSION: gettext_noop("A server got credentials"),
    SystemFact.SERVER_MANIFEST: gettext_noop("A server read the manifest"),
    SystemFact.GRANT_ENDED: gettext_noop("A server's access to the data set ended"),
    SystemFact.KEY_SHOWN: gettext_noop("An access key was shown"),
    SystemFact.KEY_EXPIRED: gettext_noop("An access key expired"),
    SystemFact.TRANSFER_ENDED: gettext_noop("A transfer ended"),
    SystemFact.KEY_LOST: gettext_noop("An access key was lost before anybody saw it"),
    SystemFact.PERSON_SIGNED_IN: gettext_noop("Somebody signed in"),
    SystemFact.PERSON_SIGNED_OUT: gettext_noop("Somebody signed out"),
    SystemFact.PERSON_LINKED: gettext_noop("Somebody was linked with an identity provider"),
    SystemFact.PERSON_STAFF_CHANGED: gettext_noop("Somebody's role on the platform changed"),
    SystemFact.PERSON_PASSWORD_SET: gettext_noop("Somebody set a password"),
    SystemFact.PERSON_DEVICE_APPROVED: gettext_noop("Somebody let a terminal in"),
    SystemFact.PERSON_DEVICE_DENIED: gettext_noop("Somebody turned a terminal away"),
    SystemFact.PASSKEY_ADDED: gettext_noop("Somebody added a passkey"),
    SystemFact.SYSTEM_STARTED: gettext_noop("Strongroom started"),
}
_LONGEST = 200  # characters of one value; the export has all of it


@dataclass(frozen=True, slots=True)
class Told:
    """One entry. `changes` are a field, its value before and after; a value that was not there is an empty text."""

    sequence: int
    at: datetime
    who: str
    deed: str
    verb: str
    subject: str
    dataset_id: UUID | None
    is_refused: bool
    reason: str
    changes: list[tuple[str, str, str]]
    address: str
    request_id: str


def told(event: Any) -> Told:  # a row, whose class the edges do not know
    """One entry in words."""
    is_refused = event.outcome == Outcome.REFUSED
    return Told(
        sequence=event.sequence,
        at=event.at,
        who=event.actor_email or "Strongroom",
        deed=deed(event.verb),
        verb=event.verb,
        subject=event.subject,
        dataset_id=event.dataset_id,
        is_refused=is_refused,
        # The reason of a refusal begins with its word for programs.
        reason=event.reason.partition(": ")[2] or event.reason if is_refused else event.reason,
        changes=_changes(event.before or {}, event.after or {}),
        address=event.address,
        request_id=event.request_id,
    )


def deed(verb: str) -> str:
    """A verb or fact as people say it; the word itself where there is no sentence for it."""
    if verb in set(Verb):
        return translated(opening(DEEDS[Verb(verb)]))
    if verb in FACTS:
        return gettext(FACTS[SystemFact(verb)])
    noun, _, fact = verb.partition(".")
    return f"{noun} {fact.replace('_', ' ')}".capitalize()


def choices() -> list[tuple[str, str]]:
    """What one may filter by: everything that is written down, with `""` for all of it."""
    written = [verb.value for verb in Verb if authz.RULES[verb].is_write]
    words = sorted(
        ((verb, deed(verb)) for verb in [*written, *(fact.value for fact in SystemFact)]), key=lambda each: each[1]
    )
    return [("", gettext("Everything")), *words]


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[tuple[str, str, str]]:
    names = [*after, *(name for name in before if name not in after)]
    return [
        (name.replace("_", " "), _text(before.get(name)), _text(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _text(value: object) -> str:
    if value is None:
        return ""
    said = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
