"""What finalize, promote and delete write: the state, the end of every key and transfer, and what stands in the way."""

from datetime import datetime
from uuid import UUID

from strongroom.actions import converge, cutting, inventory, transferring
from strongroom.actions.deeds import Deed, between, doing
from strongroom.actions.steps import CLOSING
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Invalid
from strongroom.core.ledger import Json
from strongroom.core.sentences import say
from strongroom.core.vocabulary import GrantEnd, KeyStatus, Kind, State, TransferEnd, Verb
from strongroom.db.models import Dataset, Grant
from strongroom.db.models.keys import LIVE


def is_empty(actor: Actor, verb: Verb, dataset_id: UUID) -> bool:
    """Whether there is nothing to freeze; asked before the transaction, so that no row waits for the engine."""
    with doing(actor, verb) as deed:
        dataset = deed.dataset(dataset_id)
    with between(deed):
        return next(inventory.entries(dataset.repository), None) is None


def close(
    deed: Deed,
    dataset: Dataset,
    kind: Kind,
    confirm_name: str,
    locked_until: datetime | None,
) -> None:
    """Write that a data set is being finalized as this kind. Raises Invalid."""
    check_confirmed(dataset, confirm_name)
    _check_retention(kind, locked_until, deed.now)
    before: dict[str, Json] = {"state": dataset.state, "kind": dataset.kind}
    dataset.kind, dataset.state = kind, State.FINALIZING
    dataset.step, dataset.step_at = CLOSING, deed.now
    dataset.locked_until, dataset.finalized_by_id = locked_until, deed.actor.person_id
    dataset.progress_objects = 0
    columns = ["kind", "state", "step", "step_at", "locked_until", "finalized_by", "progress_objects"]
    dataset.save(update_fields=columns)
    end_keys(dataset, deed.now)
    ended = transferring.end_all(dataset, TransferEnd.FINALIZED, now=deed.now, actor=deed.actor)
    converge.request(dataset)
    until = locked_until.isoformat() if locked_until else None
    after: dict[str, Json] = {"state": State.FINALIZING.value, "kind": kind.value, "locked_until": until}
    deed.record(before=before, after={**after, "transfers_ended": ended})


def check_confirmed(dataset: Dataset, confirm_name: str) -> None:
    """Raises Invalid unless the name was typed as it is."""
    if confirm_name.strip() != dataset.name:
        raise Invalid(
            say("To confirm, write the data set's name exactly: {dataset}", dataset=dataset.name),
            fields={"confirm_name": say("must be {dataset!r}", dataset=dataset.name)},
            code="not-confirmed",
        )


def _check_retention(kind: Kind, locked_until: datetime | None, now: datetime) -> None:
    if locked_until is None:
        return
    if kind is not Kind.ORIGINAL:
        raise Invalid(
            say("Only an original can be locked until a date: a derivative goes on changing."),
            fields={"locked_until": say("originals only")},
        )
    if locked_until.tzinfo is None or locked_until <= now:
        raise Invalid(
            say("The retention date must lie in the future, and its time must name a time zone."),
            fields={"locked_until": say("in the API for example 2036-12-31T00:00:00Z")},
        )


def end_keys(dataset: Dataset, now: datetime) -> None:
    """No key of the data set is live any more, in the rows; converge removes them from the engine."""
    dataset.keys.filter(status__in=LIVE).update(status=KeyStatus.REVOKED, ended_at=now)


def bury(deed: Deed, dataset: Dataset) -> None:
    """Write that a data set is being deleted, for the reason its row holds."""
    before: dict[str, Json] = {"state": dataset.state}
    dataset.state, dataset.step, dataset.step_at = State.DELETING, CLOSING, deed.now
    columns = ["state", "step", "step_at", "deletion_reason", "deletion_confirmed_by"]
    dataset.save(update_fields=columns)
    end_keys(dataset, deed.now)
    live = Grant.objects.filter(dataset=dataset, ended_at=None).select_related("dataset", "server")
    ended = cutting.end_grants(live, GrantEnd.DATASET_DELETED, now=deed.now, actor=deed.actor)
    transfers = transferring.end_all(dataset, TransferEnd.DELETED, now=deed.now, actor=deed.actor)
    converge.request(dataset)
    after: dict[str, Json] = {
        "state": State.DELETING.value,
        "grants_ended": len(ended),
        "transfers_ended": transfers,
    }
    deed.record(before=before, after=after, reason=dataset.deletion_reason)


def refuse_while_ending(dataset: Dataset) -> None:
    """Raises Conflict while its deletion is asked for: what was asked for was the end of another data set than this."""
    if dataset.deletion_requested_at:
        raise Conflict(
            say("The deletion of {dataset} has been requested.", dataset=dataset.name),
            code="deletion-requested",
            way_out=say("Withdraw the request first."),
        )


def refuse_while_locked(dataset: Dataset, now: datetime) -> None:
    """Raises Conflict while the retention of its objects runs."""
    if dataset.locked_until and dataset.locked_until > now:
        raise Conflict(
            say(
                "{dataset} is locked until {until:%Y-%m-%d %H:%M} UTC; nobody can delete it before.",
                dataset=dataset.name,
                until=dataset.locked_until,
            ),
            code="locked",
            way_out=say("Ask again after that date."),
        )


def refuse_while_source(dataset: Dataset) -> None:
    """Raises Conflict while a derivative that is still being made would lose its source; lineage must be held."""
    waiting = dataset.derivative_links.filter(derivative__state__in=[State.PENDING, State.FINALIZING])
    if name := waiting.order_by("derivative__name").values_list("derivative__name", flat=True).first():
        raise Conflict(
            say("{dataset} is the source of {name}, which is not finalized yet.", dataset=dataset.name, name=name),
            code="is-source",
            way_out=say("Finalize or delete {name} first, or take this source off it.", name=name),
        )
