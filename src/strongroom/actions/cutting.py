"""What follows when servers come, go, or lose access: their data sets' policies, in one order and one transaction.

Rows are locked in this order everywhere: people and spaces, servers by id, data sets by id, the ledger. Callers lock
the servers; what is here locks the data sets.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from strongroom.actions import converge, ledger
from strongroom.core.actor import Actor
from strongroom.core.ledger import Json
from strongroom.core.vocabulary import GrantEnd, SystemFact
from strongroom.db.models import Dataset, Grant, Server


def lock_datasets(dataset_ids: Iterable[UUID]) -> list[Dataset]:
    """The data sets, locked in the one order."""
    rows = Dataset.objects.select_for_update(no_key=True).filter(id__in=set(dataset_ids))
    return list(rows.order_by("id"))


def follow(servers: Iterable[Server]) -> list[UUID]:
    """Have the engine follow a change of these servers, whose rows are locked; the data sets that are now to be cut."""
    granted = Grant.objects.filter(server__in=list(servers), ended_at=None)
    datasets = lock_datasets(granted.values_list("dataset_id", flat=True))
    request_all(datasets)
    return [dataset.id for dataset in datasets]


def request_all(datasets: Iterable[Dataset]) -> None:
    """`converge.request` for several data sets that are locked, in one statement."""
    due = timezone.now() + converge.INLINE_GRACE
    rows = Dataset.objects.filter(id__in=[dataset.id for dataset in datasets])
    rows.update(revision=F("revision") + 1, is_settled=False, next_try_at=due)


def cut_all(dataset_ids: Iterable[UUID]) -> None:
    """After the transaction: return when every one obeys. All are tried. Raises Unavailable as `converge.cut`."""
    converge.cut_each(dataset_ids)


def settle_all(dataset_ids: Iterable[UUID]) -> None:
    """After a transaction that gave access: have it work at once where that is possible; never raises."""
    for dataset_id in dataset_ids:
        converge.settle(dataset_id)


def end_grants(
    grants: Iterable[Grant], why: GrantEnd, *, now: datetime, actor: Actor | None = None, reason: str = ""
) -> list[Grant]:
    """End grants for good, in rows and ledger; those that had not ended meanwhile. Their data sets are locked."""
    ended = []
    for grant in grants:
        row = Grant.objects.filter(id=grant.id, ended_at=None)
        if not row.update(ended_at=now, end=why, end_reason=reason, ended_by_id=actor.person_id if actor else None):
            continue
        grant.ended_at, grant.end, grant.end_reason = now, why, reason
        ledger.append(
            SystemFact.GRANT_ENDED,
            at=now,
            actor=actor,
            space_id=grant.dataset.space_id,
            dataset_id=grant.dataset_id,
            subject=grant.dataset.name,
            after={**facts(grant), "end": why.value},
            reason=reason,
        )
        ended.append(grant)
    return ended


def facts(grant: Grant) -> dict[str, Json]:
    """A grant as it stands in the ledger; its server is loaded."""
    return {
        "grant": str(grant.id),
        "server": str(grant.server_id),
        "server_name": grant.server.name,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
    }
