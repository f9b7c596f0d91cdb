"""Tries again what did not get through, with longer and longer pauses, until patience ends."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from strongroom.movers.errors import Unreachable

_Found = TypeVar("_Found")
_LEAST_SECONDS = 1.0  # of silence that is borne with in the last try


@dataclass(frozen=True)
class Patience:
    """How long to try: `seconds` of real time in which nothing moves, silence and pauses together; the time in which a
    body is on its way is none. Only the first try may be silent for longer, as long as any answer may be.

    Pauses grow from `first_seconds` twofold up to `most_seconds`, each shortened by chance, so that many movers do not
    come back at once. `rest` waits; a mover that is told to stop raises from there.
    """

    seconds: float = 600.0
    first_seconds: float = 0.2
    most_seconds: float = 30.0
    rest: Callable[[float], object] = time.sleep
    on_trouble: Callable[[Unreachable], object] = lambda _: None
    clock: Callable[[], float] = time.monotonic

    def of(self, ask: Callable[[float | None], _Found]) -> _Found:
        """What `ask` finds; it is told how many seconds of silence are left to it, None in the first try.

        Raises: what it raises, `Unreachable` only when the time is over.
        """
        pause, silent = self.first_seconds, 0.0
        left: float | None = None
        while True:
            began = self.clock()
            try:
                return ask(left)
            except Unreachable as problem:
                silent += self.clock() - max(began, problem.moved_at)
                if silent >= self.seconds:
                    raise
                self.on_trouble(problem)
            began = self.clock()
            self.rest(min(pause * random.uniform(0.5, 1.0), self.seconds - silent))  # noqa: S311  no secret
            silent += self.clock() - began
            left = max(self.seconds - silent, _LEAST_SECONDS)
            pause = min(pause * 2, self.most_seconds)


AT_ONCE = Patience(seconds=0)
"""Tries once."""
