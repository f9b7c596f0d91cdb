"""How much a data set holds while that can change: counted by the worker, kept day by day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import measuring
from strongroom.core.errors import NotFound
from strongroom.core.vocabulary import Kind
from strongroom.db.models import Dataset, DatasetSize
from tests.actions.attempts import attach
from tests.world import World, actor_of


def counted(dataset: Dataset) -> Dataset:
    Dataset.objects.update(measure_at=None)
    measuring.run_due()
    return Dataset.objects.get(id=dataset.id)


def test_what_was_uploaded_is_counted_and_attachments_are_not(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset, **{"a/x": b"123", "y": b"1"})
    attach(actor_of(dataset.created_by), dataset)
    row = counted(dataset)
    assert (row.held_objects, row.held_bytes) == (2, 4)
    (size,) = measuring.growth(actor_of(dataset.created_by), dataset.id)
    assert (size.object_count, size.size_bytes, size.day) == (2, 4, timezone.now().date())


def test_a_day_keeps_its_last_count_and_days_are_told_in_order(world: World) -> None:
    dataset = world.dataset()
    key = world.uploaded(dataset, x=b"1")
    counted(dataset)
    DatasetSize.objects.update(day=timezone.now().date() - timedelta(days=1))
    for name in ("y", "z"):
        assert world.engine.put_as(key, dataset.repository, name, b"1")
        counted(dataset)
    assert [each.size_bytes for each in measuring.growth(actor_of(dataset.created_by), dataset.id)] == [1, 3]


def test_a_finalized_original_is_not_counted_again_and_a_derivative_is(world: World) -> None:
    original, derivative = (
        world.finalized(world.dataset(kind=kind, external_source="" if kind == Kind.ORIGINAL else "elsewhere"))
        for kind in (Kind.ORIGINAL, Kind.DERIVATIVE)
    )
    assert counted(original).measured_at is None
    assert counted(original).held_objects == original.object_count
    assert counted(derivative).measured_at is not None


def test_what_does_not_change_is_counted_less_and_less_often(world: World) -> None:
    dataset = world.dataset()
    row = counted(dataset)
    minutes = []
    for _ in range(9):
        assert row.measure_at and row.measured_at
        pause = row.measure_at - row.measured_at
        minutes.append(round(pause / timedelta(minutes=1)))
        Dataset.objects.update(measure_at=timezone.now(), measured_at=timezone.now() - pause)
        measuring.run_due()
        row = Dataset.objects.get(id=dataset.id)
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert measuring.run_due() == 0


def test_what_cannot_be_listed_now_keeps_its_last_count(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset, x=b"1")
    counted(dataset)
    world.engine.delete_repository(dataset.repository)
    row = counted(dataset)
    assert row.held_bytes == 1
    assert row.measure_at is not None


def test_a_worker_that_stops_leaves_the_count_to_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_LOOK_UP", 1)
    dataset = world.dataset()
    world.uploaded(dataset, x=b"1", y=b"1")
    said = iter([False, True])
    assert measuring.run_due(lambda: next(said, True)) == 0
    row = Dataset.objects.get(id=dataset.id)
    assert (row.measured_at, row.measure_at) == (None, None)


def test_growth_is_hidden_from_strangers(world: World) -> None:
    with pytest.raises(NotFound):
        measuring.growth(world.person(), world.dataset().id)
