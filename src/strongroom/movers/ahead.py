"""What one thread finds and another takes meanwhile, in order: so that work begins with the first and not the last."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from strongroom.movers.crew import Crew

_Item = TypeVar("_Item")
# Whoever waits is woken for so many at once, or after so long; it looks by itself now and then, too.
_TOGETHER = 64
_TOGETHER_SECONDS = 0.1


class Ahead(Generic[_Item]):
    """At most so many wait beside those that are being taken; from the first that finds no room on, nothing is taken
    in (`is_cut`, to be looked at once all was taken).
    """

    def __init__(self, crew: Crew, most: int) -> None:
        self._crew, self._most = crew, most
        self._waiting: list[_Item] = []
        self._is_over = False
        self._unsaid, self._said_at = 0, time.monotonic()
        self.is_cut = False

    def put(self, item: _Item) -> None:
        """By the one who finds."""

        def add() -> None:
            self.is_cut = self.is_cut or len(self._waiting) >= self._most
            if not self.is_cut:
                self._waiting.append(item)

        self._unsaid += 1
        wakes = self._unsaid >= _TOGETHER or time.monotonic() - self._said_at > _TOGETHER_SECONDS
        if wakes:
            self._unsaid, self._said_at = 0, time.monotonic()
        self._crew.tell(add, wakes=wakes)

    def end(self) -> None:
        """Nothing more comes."""
        self._crew.tell(lambda: setattr(self, "_is_over", True))

    def __iter__(self) -> Iterator[list[_Item]]:
        """By the one who takes: all that waits, again and again; waits itself where nothing does. Raises: Stopped."""
        taken: list[_Item] = []

        def take() -> None:
            nonlocal taken
            taken, self._waiting = self._waiting, []

        while True:
            self._crew.until(lambda: bool(self._waiting) or self._is_over, take)
            if not taken:
                return
            yield taken
