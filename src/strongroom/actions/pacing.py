"""How fast a worker reads in the background, and whether it goes on at all; refuses to know what is read."""

import threading
import time
from collections.abc import Callable

ASK_LINES = 2_000  # after so many, who goes through a list asks whether the process is to end


class Stopped(Exception):
    """The process is to end: what was begun is begun again at the next start."""


class Pace:
    """Shared by all threads that read. `wait(seconds)` returns whether the process is to end, as `Event.wait` does."""

    def __init__(
        self,
        bytes_per_second: int,
        wait: Callable[[float], bool],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bytes_per_second = bytes_per_second
        self._wait = wait
        self._clock = clock
        self._guard = threading.Lock()
        self._free_at = clock()

    def take(self, count: int) -> None:
        """Say that so many bytes were read, and wait until the next may be. Raises Stopped."""
        self.rest(self._due(count) if self._bytes_per_second else 0)

    def rest(self, seconds: float) -> None:
        """Wait. Raises Stopped."""
        if self._wait(max(seconds, 0)):
            raise Stopped

    def _due(self, count: int) -> float:
        """How long until all that was taken so far may have been read."""
        with self._guard:
            now = self._clock()
            self._free_at = max(self._free_at, now) + count / self._bytes_per_second
            return self._free_at - now
