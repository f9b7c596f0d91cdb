"""What one thread finds and another takes meanwhile, in order: so that work begins with the first and not the last."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from strongroom.movers.crew import Crew

_Item = TypeVar("_Item")
# Handed over at once, for each time wakes whoever waits; but what is found seldom does not wait for company.
_TOGETHER = 64
_TOGETHER_SECONDS = 0.1


class Ahead(Generic[_Item]):
    """At most so many wait beside those that are being taken; from the first that finds no room on, nothing is taken
    in (`is_cut`, to be looked at once all was taken).
    """

    def __init__(self, crew: Crew, most: int) -> None:
        self._crew, self._most = crew, most
        self._gathered: list[_Item] = []
        self._waiting: list[_Item] = []
        self._is_over = False
        self._handed_at = time.monotonic()
        self.is_cut = False

    def put(self, item: _Item) -> None:
        """By the one who finds."""
        if not self.is_cut:
            self._gathered.append(item)
            is_late = time.monotonic() - self._handed_at > _TOGETHER_SECONDS
            if is_late or len(self._gathered) == min(_TOGETHER, self._most + 1):
                self._hand_over()

    def end(self) -> None:
        """Nothing more comes."""
        self._hand_over()
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

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._handed_at = time.monotonic()

        def hand_over() -> None:
            room = self._most - len(self._waiting)
            self._waiting.extend(gathered[:room])
            self.is_cut = self.is_cut or len(gathered) > room

        self._crew.tell(hand_over)
