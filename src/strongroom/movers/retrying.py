"""Tries again what did not get through, with longer and longer pauses, until patience ends."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from strongroom.movers.errors import Unreachable

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Patience:
    """How long to try. Pauses grow from `first_seconds` twofold up to `most_seconds`, each shortened by chance, so that
    many movers do not come back at once. `rest` waits; a mover that is told to stop raises from there.
    """

    seconds: float = 600.0
    first_seconds: float = 0.2
    most_seconds: float = 30.0
    rest: Callable[[float], object] = time.sleep
    on_trouble: Callable[[Unreachable], object] = lambda _: None

    def of(self, ask: Callable[[], _Found]) -> _Found:
        """What `ask` finds. Raises: what it raises, `Unreachable` only when the time is over."""
        pause, spent = self.first_seconds, 0.0
        while True:
            try:
                return ask()
            except Unreachable as problem:
                if spent >= self.seconds:
                    raise
                self.on_trouble(problem)
            wait = pause * random.uniform(0.5, 1.0)  # noqa: S311  no secret
            self.rest(wait)
            spent += pause
            pause = min(pause * 2, self.most_seconds)


AT_ONCE = Patience(seconds=0)
"""Tries once."""
