"""What one thread finds and another takes meanwhile, in order: so that work begins with the first and not the last."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from strongroom.movers.crew import Crew

_Item = TypeVar("_Item")
_TOGETHER = 64  # handed over at once: each time wakes whoever waits


class Ahead(Generic[_Item]):
    """At most so many wait; from the first that finds no room on, nothing is taken in (`is_cut`)."""

    def __init__(self, crew: Crew, most: int) -> None:
        self._crew, self._most = crew, most
        self._gathered: list[_Item] = []
        self._waiting: deque[_Item] = deque()
        self._is_over = False
        self.is_cut = False

    def put(self, item: _Item) -> None:
        """By the one who finds."""
        if not self.is_cut:
            self._gathered.append(item)
            if len(self._gathered) == min(_TOGETHER, self._most + 1):
                self._hand_over()

    def end(self) -> None:
        """Nothing more comes."""
        self._hand_over()
        self._crew.tell(lambda: setattr(self, "_is_over", True))

    def __iter__(self) -> Iterator[_Item]:
        """By the one who takes; waits for what is not there yet. Raises: Stopped."""
        taken: list[_Item] = []

        def take() -> None:
            taken.extend(self._waiting)
            self._waiting.clear()

        while True:
            self._crew.until(lambda: bool(self._waiting) or self._is_over, take)
            if not taken:
                return
            yield from taken
            taken.clear()

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []

        def hand_over() -> None:
            room = self._most - len(self._waiting)
            self._waiting.extend(gathered[:room])
            self.is_cut = self.is_cut or len(gathered) > room

        self._crew.tell(hand_over)
