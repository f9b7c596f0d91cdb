"""What happens between `deleting` and `deleted`: the bucket goes, and what was on its way to it finds nothing."""

from django.db import transaction
from django.utils import timezone

from strongroom import engines
from strongroom.actions import ledger
from strongroom.actions.leases import Lease
from strongroom.actions.steps import REMOVING, NotYet
from strongroom.core.vocabulary import State, SystemFact
from strongroom.db.models import Dataset, Manifest

POLL_SECONDS = 0.25
_NOTHING_DUE = {"recheck_at": None, "fixity_due_at": None, "damaged_objects": 0}


def advance(lease: Lease) -> None:
    """Remove the bucket; the tombstone is written when nothing can come back. Raises NotYet, Conflict (locked)."""
    dataset, engine = lease.row(), engines.current()
    if dataset.step != REMOVING:
        engine.delete_repository(dataset.repository)
        lease.save(step=REMOVING, step_at=timezone.now())
    if not engine.is_drained(dataset.write_mark):
        raise NotYet(POLL_SECONDS)
    # Once more, whether there is a bucket or not: a write that was under way may have made it again, or files of it.
    engine.delete_repository(dataset.repository)
    engine.thaw(dataset.repository)
    _bury(lease, dataset)


def _bury(lease: Lease, dataset: Dataset) -> None:
    """The tombstone: name, reason, who, and the manifest's root stay; the files do not."""
    with transaction.atomic():
        now = timezone.now()
        lease.save(state=State.DELETED, step="", step_at=None, is_frozen=False, deleted_at=now, **_NOTHING_DUE)
        manifest = Manifest.objects.filter(dataset_id=dataset.id).order_by("-revision").first()
        ledger.append(
            SystemFact.DATASET_DELETED,
            at=now,
            space_id=dataset.space_id,
            dataset_id=dataset.id,
            subject=dataset.name,
            after={
                "repository": dataset.repository,
                "manifest_sha256": manifest.root_sha256 if manifest else None,
                "object_count": dataset.object_count,
                "size_bytes": dataset.size_bytes,
            },
            reason=dataset.deletion_reason,
        )
