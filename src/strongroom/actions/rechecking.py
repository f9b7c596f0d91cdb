"""The second look: late objects in a finalized original, and policies that somebody changed behind our back."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from strongroom import engines
from strongroom.actions import inventory, ledger
from strongroom.actions.configuration import settings
from strongroom.actions.converge import document_of
from strongroom.actions.leases import Lease, LeaseLost, leased
from strongroom.core import manifest
from strongroom.core.errors import Unavailable
from strongroom.core.manifest import Change
from strongroom.core.vocabulary import State, SystemFact
from strongroom.db.models import Dataset, LateObject, Manifest

# Said with the data set until its manifest can be read again.
_DAMAGED = (
    "The file of the manifest is missing or altered in the storage engine, so that nothing can be compared with it. "
    "Put it back from the backup: the signed receipt tells the right one."
)
_DAMAGED_AGAIN = timedelta(minutes=10)
log = structlog.get_logger()


def run_due(limit: int = 5) -> int:
    """Recheck originals whose second look is due; how many."""
    due = Dataset.objects.filter(recheck_at__lte=timezone.now(), state=State.FINALIZED).order_by("recheck_at")
    found = list(due.values_list("id", flat=True)[:limit])
    for dataset_id in found:
        _try(recheck, dataset_id)
    return len(found)


def recheck(dataset_id: UUID) -> int:
    """Compare the bucket with its manifest; how many objects differ. Raises Unavailable."""
    with leased(dataset_id, wait_seconds=0) as lease:
        dataset = lease.row()
        recorded = Manifest.objects.filter(dataset_id=dataset_id).order_by("-revision").first()
        if recorded is None or dataset.state != State.FINALIZED:
            return 0
        if not engines.current().repository_exists(dataset.repository):
            _note_missing(dataset)
            lease.save(recheck_at=None)
            return 0
        try:  # proved first: behind the cut of a list that was cut, everything would be late, and be moved away
            proved = inventory.verified(recorded)
        except Unavailable as damage:
            if damage.code != inventory.DAMAGED:
                raise
            log.error("recheck_impossible", dataset=str(dataset_id), error=str(damage))
            lease.save(recheck_at=timezone.now() + _DAMAGED_AGAIN, last_error=_DAMAGED)
            return 0
        count = 0
        with proved as lines:
            lease.renew()
            for difference in manifest.compare(manifest.read(lines), inventory.entries(dataset.repository)):
                _report(dataset, difference)
                lease.renew()
                count += 1
        healed = {"last_error": ""} if dataset.last_error == _DAMAGED else {}
        lease.save(recheck_at=_next(dataset), **healed)
        return count


def _next(dataset: Dataset) -> datetime | None:
    """The first look comes at once, the second when nothing that was under way can still be alive."""
    assert dataset.finalized_at is not None
    second = dataset.finalized_at + timedelta(seconds=settings().finalize_recheck_seconds)
    return second if timezone.now() < second else None


def _report(dataset: Dataset, difference: manifest.Difference) -> None:
    """Late objects leave the data set for quarantine; altered ones can only be reported. Never twice.

    Written down before it is moved: a crash between the two must not leave an object that nobody was told of.
    """
    seen = difference.found or difference.recorded
    assert seen is not None
    is_late = difference.change is Change.ADDED
    name = hashlib.sha256(seen.key.encode()).hexdigest()[:16]
    quarantine_key = f"quarantine/{dataset.id}/{seen.modified_at:%Y%m%dT%H%M%S%f}-{name}" if is_late else ""
    known = LateObject.objects.filter(dataset=dataset, key=seen.key, etag=seen.etag, modified_at=seen.modified_at)
    if not known.exists():
        _write_down(dataset, difference, seen, quarantine_key)
    if is_late:
        engines.current().move_object(dataset.repository, seen.key, inventory.records(), quarantine_key)


def _write_down(dataset: Dataset, difference: manifest.Difference, seen: manifest.Entry, quarantine_key: str) -> None:
    is_late = difference.change is Change.ADDED
    with transaction.atomic():
        LateObject.objects.create(
            dataset=dataset,
            key=seen.key,
            size_bytes=seen.size_bytes,
            etag=seen.etag,
            modified_at=seen.modified_at,
            found_at=timezone.now(),
            is_altered=not is_late,
            quarantine_key=quarantine_key,
        )
        ledger.append(
            SystemFact.DATASET_LATE_OBJECT if is_late else SystemFact.DATASET_ALTERED,
            at=timezone.now(),
            space_id=dataset.space_id,
            dataset_id=dataset.id,
            subject=dataset.name,
            after={
                "change": difference.change.value,
                "key": seen.key,
                "size_bytes": seen.size_bytes,
                "etag": seen.etag,
                "quarantine": quarantine_key or None,
            },
        )


def check_policies(limit: int = 20) -> int:
    """Compare policies in force with the rows, longest unchecked first; how many had to be repaired."""
    stale = timezone.now() - timedelta(seconds=settings().policy_check_seconds)
    due = Dataset.objects.filter(is_settled=True).exclude(state=State.DELETED)
    due = due.filter(Q(policy_checked_at=None) | Q(policy_checked_at__lt=stale))
    found = list(due.order_by(F("policy_checked_at").asc(nulls_first=True)).values_list("id", flat=True)[:limit])
    return sum(bool(_try(check_policy, dataset_id)) for dataset_id in found)


def check_policy(dataset_id: UUID) -> bool:
    """Put the policy back where it is not what the rows say; whether it had to be. Raises Unavailable."""
    with leased(dataset_id, wait_seconds=0) as lease:
        dataset = lease.row()
        try:
            return _repair(lease, dataset)
        finally:
            lease.save(policy_checked_at=timezone.now())


def _repair(lease: Lease, dataset: Dataset) -> bool:
    """The ledger first: a crash between the two must not leave a change that nobody was told of."""
    engine = engines.current()
    if not dataset.is_settled or dataset.applied_revision != dataset.revision:
        return False
    try:
        found = engine.read_policy(dataset.repository)
    except Unavailable:
        if engine.repository_exists(dataset.repository):
            raise
        _note_missing(dataset)
        return False
    if found is not None and json.loads(found) == json.loads(document_of(dataset)):
        return False
    _note_repair(dataset, found)
    lease.renew()
    engine.apply_policy(dataset.repository, document_of(dataset))
    engine.prove_policy(dataset.repository, dataset.revision)
    return True


def _note_missing(dataset: Dataset) -> None:
    """Said once, and shown with the data set from then on: nothing here can bring the bucket back."""
    said = (
        "The bucket is not in the storage engine any more. Restore it from a copy; the manifest shows what was in it."
    )
    if dataset.last_error == said:
        return
    with transaction.atomic():
        Dataset.objects.filter(id=dataset.id).update(last_error=said)
        ledger.append(
            SystemFact.DATASET_MISSING,
            at=timezone.now(),
            space_id=dataset.space_id,
            dataset_id=dataset.id,
            subject=dataset.name,
            before={"repository": dataset.repository},
            reason=said,
        )


def _note_repair(dataset: Dataset, found: str | None) -> None:
    with transaction.atomic():
        ledger.append(
            SystemFact.DATASET_REPAIRED,
            at=timezone.now(),
            space_id=dataset.space_id,
            dataset_id=dataset.id,
            subject=dataset.name,
            before={"policy": found},
            reason="The policy in the storage engine was not the one Strongroom had written; it is put back.",
        )


def _try(look: Callable[[UUID], int], dataset_id: UUID) -> int:
    """One look; what goes wrong is logged and tried again later, behind the looks at other data sets."""
    try:
        return int(look(dataset_id))
    except (Unavailable, LeaseLost) as error:
        log.warning("recheck_failed", dataset=str(dataset_id), error=str(error))
    except Exception:
        log.exception("recheck_crashed", dataset=str(dataset_id))
    later = timezone.now() + timedelta(seconds=10)
    Dataset.objects.filter(id=dataset_id, recheck_at__isnull=False).update(recheck_at=later)
    return 0
