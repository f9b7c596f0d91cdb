"""How figures are summed up and shown: medians with their spread; refuses to know what was measured."""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and between which two four fifths of them lie."""

    median: float
    low: float
    high: float
    count: int

    def shown(self, factor: float = 1.0, digits: int = 1) -> str:
        """`12.3 (11.0 to 14.2)`."""
        middle, low, high = (f"{value * factor:,.{digits}f}" for value in (self.median, self.low, self.high))
        return f"{middle} ({low} to {high})"


def spread(values: Sequence[float]) -> Spread:
    """Sum up. Raises: ValueError for no values."""
    if len(values) < 2:
        return Spread(values[0], values[0], values[0], 1) if values else _nothing()
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return Spread(statistics.median(values), tenths[0], tenths[-1], len(values))


def timed(do: Callable[[], Value]) -> tuple[float, Value]:
    """Seconds it took, and what it gave."""
    began = time.perf_counter()
    result = do()
    return time.perf_counter() - began, result


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [" | ".join(head), " | ".join(["---", *("---:" for _ in head[1:])])]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def verdict(is_met: bool) -> str:
    """Whether an aim was reached, in a word."""
    return "yes" if is_met else "**no**"


def _nothing() -> Spread:
    raise ValueError("nothing was measured")
