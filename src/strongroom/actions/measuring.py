"""How much a data set holds while that can change, and how it grew; a finalized original is known by its manifest."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db.models import F, Q
from django.utils import timezone

from strongroom.actions import inventory
from strongroom.actions.deeds import doing
from strongroom.core.actor import Actor
from strongroom.core.errors import NotFound, Unavailable
from strongroom.core.vocabulary import Kind, State, Verb
from strongroom.db.models import Dataset, DatasetSize

log = structlog.get_logger()

DAYS = 30
# Counting must not cost more than it is worth: at most a hundredth of the time, and never more often than this.
SHARE, AGAIN_SECONDS = 100, 60
_LONGEST = timedelta(hours=1)
_LOOK_UP = 1_000  # entries of a listing between two looks whether to stop
_CHANGEABLE = Q(state=State.PENDING) | Q(state=State.FINALIZED, kind=Kind.DERIVATIVE)


def growth(actor: Actor, dataset_id: UUID) -> Sequence[DatasetSize]:
    """What it held at the end of each of the last days on which it was counted, oldest first."""
    with doing(actor, Verb.DATASET_CONTENTS) as deed:
        dataset = deed.dataset(dataset_id)
        return list(dataset.sizes.order_by("-day")[:DAYS])[::-1]


def run_due(is_over: Callable[[], bool] = lambda: False, limit: int = 20) -> int:
    """Count what is due; how many data sets. Called by the worker, beside its other chores; stops where `is_over`."""
    is_due = Q(measure_at__isnull=True) | Q(measure_at__lte=timezone.now())
    due = Dataset.objects.filter(_CHANGEABLE, is_due, applied_revision__gt=0)
    found = list(due.order_by(F("measure_at").asc(nulls_first=True))[:limit])
    return sum(_measure(dataset, is_over) for dataset in found if not is_over())


def _measure(dataset: Dataset, is_over: Callable[[], bool]) -> bool:
    began, count, size_bytes = time.monotonic(), 0, 0
    fields: dict[str, Any] = {}
    try:
        for entry in inventory.entries(dataset.repository):
            count, size_bytes = count + 1, size_bytes + entry.size_bytes
            if count % _LOOK_UP == 0 and is_over():
                return False
        fields = {"measured_at": timezone.now(), "measured_objects": count, "measured_bytes": size_bytes}
    except (Unavailable, NotFound) as error:  # counted again later; the page says when it was counted
        log.info("not_measured", dataset_id=str(dataset.id), error=str(error))
    is_same = (dataset.measured_objects, dataset.measured_bytes) == (count, size_bytes)
    pause = _pause(dataset, time.monotonic() - began, is_same=is_same)
    Dataset.objects.filter(id=dataset.id).update(measure_at=timezone.now() + pause, **fields)
    if fields:
        held = {"object_count": count, "size_bytes": size_bytes}
        DatasetSize.objects.update_or_create(dataset_id=dataset.id, day=timezone.now().date(), defaults=held)
    return True


def _pause(dataset: Dataset, took_seconds: float, *, is_same: bool) -> timedelta:
    """Until it is counted again: each time twice as long while nothing changes, up to an hour."""
    pause = timedelta(seconds=max(AGAIN_SECONDS, SHARE * took_seconds))
    if is_same and dataset.measured_at and dataset.measure_at:
        pause = max(pause, min(2 * (dataset.measure_at - dataset.measured_at), _LONGEST))
    return pause
