"""Reading in the background: no faster than told, several small objects at once, and it stops when told to."""

import threading
from collections.abc import Iterator

import pytest

from strongroom import engines
from strongroom.actions.pacing import Pace, Stopped
from strongroom.actions.reading import Line, reading
from strongroom.core.manifest import Entry
from strongroom.engines.memory import MemoryEngine
from tests.world import World


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.is_over = False

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.is_over


def test_it_reads_no_faster_than_it_may() -> None:
    clock = Clock()
    pace = Pace(1000, clock.wait, clock=clock)
    for count in (100, 900, 0, 4000):
        pace.take(count)
    assert clock.now == pytest.approx(5.0)


def test_time_that_was_not_used_is_not_caught_up_with() -> None:
    clock = Clock()
    pace = Pace(1000, clock.wait, clock=clock)
    clock.now = 3600.0
    pace.take(2000)
    assert clock.now == pytest.approx(3602.0)


def test_without_a_limit_it_never_waits() -> None:
    clock = Clock()
    pace = Pace(0, clock.wait, clock=clock)
    pace.take(10**12)
    assert clock.now == 0.0


def test_it_stops_between_two_chunks() -> None:
    clock = Clock()
    clock.is_over = True
    with pytest.raises(Stopped):
        Pace(0, clock.wait, clock=clock).take(1)


class Together(MemoryEngine):
    """Gives no object before `count` of them are being read at once."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._meeting = threading.Barrier(count, timeout=120)

    def read_object(self, repository: str, key: str) -> Iterator[bytes]:
        self._meeting.wait()
        return super().read_object(repository, key)


def test_small_objects_are_read_at_the_same_time(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset, **{f"{number}": b"x" for number in range(8)})
    engine = Together(4)
    engine._buckets = world.engine._buckets
    engines.use(lambda: engine)
    stored = world.engine.list_objects(dataset.repository)
    lines = [Line(at, Entry(each.key, 1, each.etag, each.modified_at)) for at, each in enumerate(stored)]
    with reading(dataset.repository, Pace(0, lambda _: False), 4) as reader:
        found = reader.read(lines)
    assert [each.line for each in found] == lines
    assert {each.damage for each in found} == {None}
