"""The state of the system: what is told, and to whom."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from strongroom.actions import system
from strongroom.core.errors import Forbidden
from strongroom.core.vocabulary import StaffRole
from strongroom.db.models import Dataset, LedgerHead
from tests.world import World


def test_staff_see_every_part_and_where_the_ledger_ends(world: World) -> None:
    system.worker_was_here()
    status = system.status(world.person(staff_role=StaffRole.SUPPORT))
    assert status.is_healthy
    assert {"database", "worker"} <= {part.part for part in status.parts}
    head = LedgerHead.objects.get()
    assert (status.ledger_sequence, status.ledger_hash) == (head.sequence, head.hash)
    with pytest.raises(Forbidden):
        system.status(world.person())


def test_a_worker_that_is_silent_is_noticed(world: World) -> None:
    cache.clear()
    assert "never seen" in _worker(world).detail
    system.worker_was_here()
    assert _worker(world).is_healthy
    cache.set("strongroom-worker-seen", (timezone.now() - timedelta(minutes=2)).isoformat())
    assert not _worker(world).is_healthy


def test_data_sets_that_wait_for_the_engine_are_counted(world: World) -> None:
    dataset = world.dataset()
    assert system.status(world.administrator).unsettled_count == 0
    Dataset.objects.filter(id=dataset.id).update(is_settled=False)
    status = system.status(world.administrator)
    assert (status.unsettled_count, status.oldest_unsettled_at) == (1, dataset.modified_at)


def _worker(world: World) -> object:
    return next(part for part in system.status(world.administrator).parts if part.part == "worker")
