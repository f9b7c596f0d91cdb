"""Draws how much a data set held day by day; the template writes the shapes as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

WIDTH, HEIGHT = 640, 96
_WIDEST, _GAP = 40, 3


@dataclass(frozen=True, slots=True)
class Bar:
    """What it held at the end of one day."""

    day: date
    object_count: int
    size_bytes: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Growth:
    """One bar for each day on which it was counted, oldest first; by how much it grew or shrank from first to last."""

    bars: list[Bar]
    added_bytes: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_shrunk(self) -> bool:
        """Whether it held more on the first day."""
        return self.added_bytes < 0

    @property
    def change_bytes(self) -> int:
        """How much more or less it holds."""
        return abs(self.added_bytes)

    @property
    def since(self) -> date:
        """The first day."""
        return self.bars[0].day


def draw(sizes: Sequence[Any]) -> Growth | None:  # rows, whose class the edges do not know
    """The bars, each as high as its share of the largest; None for fewer than two days, which show no growth."""
    if len(sizes) < 2:
        return None
    days = (sizes[-1].day - sizes[0].day).days + 1
    step = min(WIDTH // days, _WIDEST)
    most = max(each.size_bytes for each in sizes) or 1
    bars = []
    for each in sizes:
        height = max(round(each.size_bytes / most * HEIGHT), 1)
        x = (each.day - sizes[0].day).days * step
        width = max(step - _GAP, 1)
        bars.append(Bar(each.day, each.object_count, each.size_bytes, x, HEIGHT - height, width, height))
    return Growth(bars, sizes[-1].size_bytes - sizes[0].size_bytes, width=days * step)
