"""What one thread finds and another takes meanwhile: in order, whole, and never more waiting than there is room for."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from strongroom.movers import ahead as module
from strongroom.movers.ahead import Ahead
from strongroom.movers.crew import Crew, Stopped


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 1000])
def test_all_that_was_put_is_taken_in_order(count: int) -> None:
    crew = Crew()
    ahead: Ahead[int] = Ahead(crew, 1000)

    def find() -> None:
        for number in range(count):
            ahead.put(number)
        ahead.end()

    crew.start(find)
    assert [each for group in ahead for each in group] == list(range(count)) and not ahead.is_cut


@pytest.mark.parametrize(("most", "count"), [(0, 1), (1, 2), (63, 64), (64, 65), (100, 128), (100, 1000)])
def test_from_the_first_that_finds_no_room_on_nothing_is_taken_in(most: int, count: int) -> None:
    ahead: Ahead[int] = Ahead(Crew(), most)
    for number in range(count):
        ahead.put(number)
    ahead.end()
    assert [each for group in ahead for each in group] == list(range(most)) and ahead.is_cut


def test_what_is_found_seldom_does_not_wait_for_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TOGETHER_SECONDS", 600)
    ahead: Ahead[int] = Ahead(Crew(), 10)
    with ThreadPoolExecutor() as threads:
        taking = threads.submit(next, iter(ahead))
        assert not taking.done()
        ahead.put(1)
        assert taking.result(60) == [1]
    for number in (2, 3):
        ahead.put(number)
    assert next(iter(ahead)) == [2, 3]


def test_who_waits_for_what_never_comes_is_stopped() -> None:
    crew = Crew()
    ahead: Ahead[int] = Ahead(crew, 10)
    ahead.put(1)

    def fail() -> None:
        raise ValueError("the store is gone")

    crew.start(fail)
    with pytest.raises(Stopped):
        list(ahead)
    assert isinstance(crew.failure, ValueError)
