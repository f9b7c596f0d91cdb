"""How a fixity check ends: the rows and the fact in the ledger, in one transaction each."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from strongroom.actions import alarming, digesting, ledger
from strongroom.actions.configuration import settings
from strongroom.actions.digesting import Assembled
from strongroom.actions.leases import Lease
from strongroom.core.ledger import Json
from strongroom.core.vocabulary import CheckState, SystemFact
from strongroom.db.models import Dataset, DigestList, FixityCheck


def digested(lease: Lease, check: FixityCheck, made: Assembled) -> None:
    """Every digest is known: the list, its signed receipt, and the fact."""
    with transaction.atomic():
        now = timezone.now()
        _end(lease, check, CheckState.PASSED, now, next_at=now, difference_count=0)  # its pieces are still there
        last = alarming.last_whole(check)
        if last and last.state == CheckState.FAILED:  # what was put back ends the alarm when all was read again
            Dataset.objects.filter(id=check.dataset_id).update(fixity_due_at=now)
        digesting.sign(check.dataset, check, made, now)
        after: dict[str, Json] = {
            "digests_sha256": made.digests_sha256,
            "bagit_sha256": made.bagit_sha256,
            "object_count": made.object_count,
            "computed_count": check.read_count,
        }
        _append(SystemFact.DATASET_DIGESTED, check, now, after)


def ended(lease: Lease, check: FixityCheck) -> None:
    """All was read and compared."""
    with transaction.atomic():
        now = timezone.now()
        state = CheckState.FAILED if check.difference_count else CheckState.PASSED
        _end(lease, check, state, now, next_at=None, difference_count=check.difference_count)
        digested_meanwhile = DigestList.objects.filter(manifest=check.manifest_id, made_at__gt=check.asked_at)
        if state == CheckState.FAILED and digested_meanwhile.exists():  # what it found may have been put back since
            Dataset.objects.filter(id=check.dataset_id).update(fixity_due_at=now)
        after: dict[str, Json] = {
            "check_id": str(check.id),
            "state": state.value,
            "object_count": check.objects_done,
            "size_bytes": check.read_bytes,
            "differences": check.difference_count,
        }
        _append(SystemFact.FIXITY_ENDED, check, now, after)


def postponed(lease: Lease, check: FixityCheck, **columns: object) -> None:
    """All but what is damaged is digested. The calendar goes on, as when all of it was."""
    with transaction.atomic():
        lease.save(**columns)
        rows = Dataset.objects.filter(id=check.dataset_id)
        rows.update(damaged_objects=alarming.count(check))
        rows.filter(fixity_due_at=None).update(fixity_due_at=_due(timezone.now()))


def stopped(lease: Lease, check: FixityCheck) -> None:
    """The data set is deleted: there is nothing to read any more."""
    lease.save(state=CheckState.STOPPED, ended_at=timezone.now(), last_error="")


def _end(lease: Lease, check: FixityCheck, state: CheckState, now: datetime, **columns: object) -> None:
    lease.save(state=state, ended_at=now, last_error="", **columns)
    damaged = alarming.count(check)
    Dataset.objects.filter(id=check.dataset_id).update(damaged_objects=damaged, fixity_due_at=_due(now))


def _due(now: datetime) -> datetime | None:
    """When all is to be read again by the calendar."""
    days = settings().fixity_days
    return now + timedelta(days=days) if days else None


def _append(fact: SystemFact, check: FixityCheck, now: datetime, after: dict[str, Json]) -> None:
    dataset = check.dataset
    ledger.append(fact, at=now, space_id=dataset.space_id, dataset_id=dataset.id, subject=dataset.name, after=after)
