"""Appends to the audit ledger. `core.ledger` knows how entries are chained; the database refuses any other change."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from strongroom.core import ledger
from strongroom.core.actor import Actor
from strongroom.core.ledger import Json
from strongroom.core.vocabulary import Outcome, SystemFact, Verb
from strongroom.db.models import Event, LedgerHead


def append(
    verb: Verb | SystemFact,
    *,
    at: datetime,
    actor: Actor | None = None,
    outcome: Outcome = Outcome.DONE,
    space_id: UUID | None = None,
    dataset_id: UUID | None = None,
    subject: str = "",
    before: Mapping[str, Json] | None = None,
    after: Mapping[str, Json] | None = None,
    reason: str = "",
) -> Event:
    """Chain one entry; must run inside the transaction whose fact it records.

    The head row is locked until commit, so that entries are numbered in the order in which they are committed.
    """
    head = LedgerHead.objects.select_for_update().values_list("sequence", "hash").get(id=1)
    entry = ledger.link(
        head,
        at=at,
        verb=verb.value,
        outcome=outcome.value,
        actor_id=actor.person_id if actor else None,
        actor_email=actor.email if actor else "",
        address=actor.address if actor else "",
        request_id=actor.request_id if actor else "",
        space_id=space_id,
        dataset_id=dataset_id,
        subject=subject[:400],
        before=before,
        after=after,
        reason=reason,
    )
    row = Event.objects.create(**{column.name: getattr(entry, column.name) for column in fields(entry)})
    LedgerHead.objects.filter(id=1).update(sequence=entry.sequence, hash=entry.hash)
    return row
