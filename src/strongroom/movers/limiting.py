"""How fast bytes may go: a limit that all threads of a mover share."""

from __future__ import annotations

import re
import threading
import time
from typing import Callable

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]?)b?(?:/s)?")
_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}


def rate(text: str) -> float:
    """Bytes a second as people type them: `800kB`, `50MB`, `1.5G`. Raises: ValueError."""
    found = _RATE.fullmatch(text.strip().lower())
    if not found or not float(found[1]):
        raise ValueError(f"{text!r} is not a rate like 50MB")
    return float(found[1]) * _UNITS[found[2]]


class Limit:
    """At most `bytes_per_second`; None is no limit. `rest` waits, and may raise when the mover is told to stop."""

    def __init__(
        self,
        bytes_per_second: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self.bytes_per_second = bytes_per_second
        self._clock, self._rest = clock, rest
        self._lock = threading.Lock()
        self._free_at = clock()

    def take(self, count: int) -> None:
        """Wait until what was taken before has had its time; `count` bytes may go then."""
        if not self.bytes_per_second:
            return
        with self._lock:
            now = self._clock()
            begins = max(now, self._free_at)
            self._free_at = begins + count / self.bytes_per_second
        if begins > now:
            self._rest(begins - now)
