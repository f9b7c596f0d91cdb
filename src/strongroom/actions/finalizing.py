"""What happens between `finalize` and `finalized`: drain, abort, lock, list, sign. Each step may be repeated.

The bucket is frozen from before the first step until no write is on its way any more, so that what is listed is
what is there. Source for why: a request that was authorized before the policy changed is carried out to its end.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from strongroom import engines
from strongroom.actions import inventory, ledger, receipting
from strongroom.actions.configuration import settings
from strongroom.actions.leases import Lease
from strongroom.actions.steps import ABORTING, DRAINING, LISTING, LOCKING, SIGNING, NotYet
from strongroom.core.vocabulary import Kind, State, SystemFact
from strongroom.db.models import Dataset, Manifest

if TYPE_CHECKING:
    from django.db.models import QuerySet

POLL_SECONDS = 0.25


def advance(lease: Lease) -> None:
    """Do every step that is left, in order. Raises NotYet while requests that were under way still end."""
    while (dataset := lease.row()).state == State.FINALIZING:
        STEPS[dataset.step](lease, dataset)


def reopen(lease: Lease) -> None:
    """Thaw a finalized bucket once nothing is on its way to it any more; until then it stays frozen."""
    dataset = lease.row()
    if dataset.state != State.FINALIZED or not dataset.is_frozen:
        return
    _await_drained(dataset)
    engines.current().thaw(dataset.repository)
    lease.save(is_frozen=False, recheck_at=timezone.now() if dataset.kind == Kind.ORIGINAL else None)


def _drain(lease: Lease, dataset: Dataset) -> None:
    waited = timezone.now() - (dataset.step_at or timezone.now())
    if waited < timedelta(seconds=settings().finalize_drain_seconds):
        _await_drained(dataset)
    lease.save(step=ABORTING, step_at=timezone.now())


def _await_drained(dataset: Dataset) -> None:
    """Raises NotYet while writes that were under way at the freeze still are: a thaw would let them land."""
    if not engines.current().is_drained(dataset.write_mark):
        raise NotYet(POLL_SECONDS)


def _abort(lease: Lease, dataset: Dataset) -> None:
    engines.current().abort_uploads(dataset.repository)
    lease.save(step=LOCKING if dataset.locked_until else LISTING, step_at=timezone.now(), progress_objects=0)


def _lock(lease: Lease, dataset: Dataset) -> None:
    """A retention is a write, which a frozen bucket refuses also to Strongroom: it is thawed for as long as this takes.

    However long writes under way take to end, that waits for them: one that landed behind the locking would stand in
    the manifest without a lock. Listed is afterwards: the engine counts a retention as a modification.
    """
    assert dataset.locked_until is not None
    if dataset.locked_until > timezone.now():  # else the time is over already: nothing can be locked until then
        _await_drained(dataset)
        engine = engines.current()
        engine.drop_old_versions(dataset.repository)
        engine.thaw(dataset.repository)
        for count in engine.lock_objects(dataset.repository, dataset.locked_until):
            lease.save(progress_objects=count)
        engine.freeze(dataset.repository)
    lease.save(step=LISTING, step_at=timezone.now(), progress_objects=0)


def _list(lease: Lease, dataset: Dataset) -> None:
    made = inventory.write(dataset, on_progress=lambda count: lease.save(progress_objects=count))
    # A grant that was revoked meanwhile moved the revision on: one that an earlier try listed is not signed any more.
    _unsigned(dataset).exclude(revision=dataset.revision).delete()
    Manifest.objects.update_or_create(
        dataset_id=dataset.id,
        revision=dataset.revision,
        defaults={
            "object_key": made.object_key,
            "root_sha256": made.root_sha256,
            "object_count": made.object_count,
            "size_bytes": made.size_bytes,
            "receipt": "",
            "signature": "",
            "made_at": timezone.now(),
        },
    )
    lease.save(
        step=SIGNING,
        step_at=timezone.now(),
        object_count=made.object_count,
        size_bytes=made.size_bytes,
        progress_objects=0,
    )


def _sign(lease: Lease, dataset: Dataset) -> None:
    """The receipt, the state and the ledger in one transaction: there is no finalized data set without its proof."""
    with transaction.atomic():
        now = timezone.now()
        # Servers that were granted access have it again: another policy. Added, for a revoke may come at this moment.
        is_granted = dataset.kind == Kind.DERIVATIVE or dataset.grants.filter(ended_at=None).exists()
        revision = F("revision") + int(is_granted)
        due = now if dataset.kind == Kind.ORIGINAL else None  # for its digests; a derivative goes on changing
        lease.save(state=State.FINALIZED, step="", step_at=None, finalized_at=now, revision=revision, fixity_due_at=due)
        manifest = _unsigned(dataset).get()
        receipting.sign(lease.row(), manifest)
        ledger.append(
            SystemFact.DATASET_FINALIZED,
            at=now,
            space_id=dataset.space_id,
            dataset_id=dataset.id,
            subject=dataset.name,
            after={
                "manifest_sha256": manifest.root_sha256,
                "object_count": manifest.object_count,
                "size_bytes": manifest.size_bytes,
                "locked_until": dataset.locked_until.isoformat() if dataset.locked_until else None,
            },
        )


def _unsigned(dataset: Dataset) -> "QuerySet[Manifest]":
    """The manifest that is being made: it has no receipt yet."""
    return Manifest.objects.filter(dataset_id=dataset.id, receipt="")


STEPS: dict[str, Callable[[Lease, Dataset], None]] = {
    DRAINING: _drain,
    ABORTING: _abort,
    LOCKING: _lock,
    LISTING: _list,
    SIGNING: _sign,
}
