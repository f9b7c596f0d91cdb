"""Which transfers run, as the policy names them, and how they end in rows and ledger. Their data set is locked."""

from collections.abc import Iterable
from datetime import datetime

from strongroom.actions import ledger
from strongroom.core.actor import Actor
from strongroom.core.ledger import Json
from strongroom.core.vocabulary import State, SystemFact, TransferEnd
from strongroom.db.models import Dataset, Transfer


def sessions_of(dataset: Dataset) -> list[str]:
    """The sessions that the policy names: of transfers that have not ended in their rows, whatever the time is."""
    if dataset.state != State.PENDING:
        return []
    return list(dataset.transfers.filter(ended_at=None).order_by("session").values_list("session", flat=True))


def end(
    transfers: Iterable[Transfer], why: TransferEnd, *, now: datetime, actor: Actor | None = None
) -> list[Transfer]:
    """End transfers for good; those that had not ended meanwhile. `converge.request` must follow where there are any.

    Each needs its data set loaded.
    """
    ended = []
    for transfer in transfers:
        live = Transfer.objects.filter(id=transfer.id, ended_at=None)
        if not live.update(ended_at=now, end=why, ended_by_id=actor.person_id if actor else None):
            continue
        transfer.ended_at, transfer.end = now, why
        ledger.append(
            SystemFact.TRANSFER_ENDED,
            at=now,
            actor=actor,
            space_id=transfer.dataset.space_id,
            dataset_id=transfer.dataset_id,
            subject=transfer.dataset.name,
            after={**facts(transfer), "end": why.value},
        )
        ended.append(transfer)
    return ended


def end_all(dataset: Dataset, why: TransferEnd, *, now: datetime, actor: Actor) -> int:
    """End every transfer of the data set; how many there were."""
    return len(end(dataset.transfers.filter(ended_at=None).select_related("dataset"), why, now=now, actor=actor))


def facts(transfer: Transfer) -> dict[str, Json]:
    """A transfer as it stands in the ledger."""
    return {
        "transfer": str(transfer.id),
        "direction": str(transfer.direction),
        "label": transfer.label,
        "session": transfer.session,
        "expires_at": transfer.expires_at.isoformat(),
    }
