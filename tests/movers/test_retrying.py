"""What does not get through is tried again for as long as patience lasts, by a clock of the test."""

from dataclasses import dataclass, field

import pytest

from strongroom.movers import options, wire
from strongroom.movers.errors import Unreachable
from strongroom.movers.retrying import AT_ONCE, Patience


@dataclass
class Clock:
    """Shows what it was set to; whoever rests sets it."""

    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def rest(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def patience(self, seconds: float, first: float = 1.0, most: float = 30.0) -> Patience:
        return Patience(seconds, first, most, rest=self.rest, clock=lambda: self.now)


def fails(_: object) -> None:
    raise Unreachable("nobody there")


def test_pauses_grow_and_end_with_patience() -> None:
    clock, told = Clock(), []
    patience = Patience(10, 1, 4, rest=clock.rest, clock=lambda: clock.now, on_trouble=told.append)
    with pytest.raises(Unreachable, match="nobody there"):
        patience.of(fails)
    assert all(most / 2 <= pause <= most for pause, most in zip(clock.pauses[:3], (1, 2, 4), strict=True))
    assert clock.now == 1010 and len(told) == len(clock.pauses)
    with pytest.raises(Unreachable):
        AT_ONCE.of(fails)


def test_the_silence_of_a_store_that_takes_connections_counts() -> None:
    clock, lefts = Clock(), []

    def silent(left: "float | None") -> None:
        lefts.append(left)
        clock.now += 150 if left is None else min(150, left)
        raise Unreachable("timed out")

    with pytest.raises(Unreachable):
        clock.patience(900).of(silent)
    assert clock.now == 1900 and lefts[0] is None and len(lefts) == 6


def test_one_answer_may_take_longer_than_a_short_patience() -> None:
    clock = Clock()

    def slow(left: "float | None") -> str:
        clock.now += 140
        return f"after {left}"

    assert clock.patience(60).of(slow) == "after None"


def test_the_help_says_how_long_the_first_answer_may_take() -> None:
    assert f"{wire._SILENCE_SECONDS / 60:g} minutes" in options.PATIENCE.help


def test_the_time_in_which_a_body_is_on_its_way_is_no_silence() -> None:
    clock, tries = Clock(), []

    def slow_line(_: object) -> str:
        tries.append(clock.now)
        clock.now += 3600
        if len(tries) == 3:
            return "through"
        problem = Unreachable("the connection broke off")
        problem.moved_at = clock.now - 10
        raise problem

    assert clock.patience(60).of(slow_line) == "through"
