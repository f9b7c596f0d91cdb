"""How far a mover is: numbers that its threads change and whoever shows them reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple, Union

from strongroom.movers.walk import Trouble


class Outage(NamedTuple):
    """The store does not answer; the mover tries again."""

    reason: str


class Restored(NamedTuple):
    """The store answers again. `seconds`: how long it did not."""

    seconds: float


Event = Union[Trouble, Outage, Restored]


class Tally:
    """Counts of files and bytes. `found` is all of the folder so far; `is_counted` once nothing more comes."""

    def __init__(self) -> None:
        self.found_files = self.found_bytes = 0
        self.is_counted = False
        self.sent_files = self.sent_bytes = 0  # new in the store by this run
        self.kept_files = self.kept_bytes = 0  # there already
        self.moved_bytes = 0  # given to the network, for the rate
        self.spared_bytes = 0  # of parts that were there already
        self.deleted_files = 0
        self.problems = self.remarks = 0
        self.left_out = self.skipped_links = 0
        self.step = "looking at what is there"
        self.outage = ""
        self.began = time.monotonic()
        self._outage_began = 0.0
        self._lock = threading.Lock()

    @property
    def done_files(self) -> int:
        """Files that need nothing more."""
        return self.sent_files + self.kept_files

    @property
    def done_bytes(self) -> int:
        """Of the files that were found, what needs nothing more."""
        return min(self.moved_bytes + self.spared_bytes + self.kept_bytes, self.found_bytes)

    @property
    def outage_seconds(self) -> float:
        """How long the store has not answered; 0 where it does."""
        return time.monotonic() - self._outage_began if self.outage else 0.0

    def brought(self) -> dict[str, int]:
        """What an upload did, for programs."""
        return {
            "sent_files": self.sent_files,
            "sent_bytes": self.sent_bytes,
            "there_already": self.kept_files,
            "deleted": self.deleted_files,
            "left_out": self.left_out,
            "skipped_links": self.skipped_links,
            "remarks": self.remarks,
        }

    def deeds(self) -> Iterator[str]:
        """The same in words; what did not occur is not said."""
        yield f"{self.sent_files:,} file{'' if self.sent_files == 1 else 's'} sent"
        for count, what in (
            (self.kept_files, "there already"),
            (self.deleted_files, "deleted there"),
            (self.left_out, "left out"),
            (self.skipped_links, "skipped, being links"),
        ):
            if count:
                yield f"{count:,} {what}"

    def moved(self, count: int) -> None:
        """A body, or a piece of one, is on its way."""
        with self._lock:
            self.moved_bytes += count

    def count(self, size_bytes: int, *, is_new: bool) -> None:
        """A file is in the store."""
        if not is_new:
            self.kept(1, size_bytes)
            return
        with self._lock:
            self.sent_files += 1
            self.sent_bytes += size_bytes

    def kept(self, files: int, size_bytes: int) -> None:
        """So many files need nothing, for they are there."""
        with self._lock:
            self.kept_files += files
            self.kept_bytes += size_bytes

    def lost(self, size_bytes: int, *, is_new: bool) -> None:
        """A file that was counted is not in the store after all."""
        with self._lock:
            if is_new:
                self.sent_files -= 1
                self.sent_bytes -= size_bytes
            else:
                self.kept_files -= 1
                self.kept_bytes -= size_bytes

    def troubled(self, *, is_problem: bool) -> None:
        """Something is not as it should be."""
        with self._lock:
            self.problems += is_problem
            self.remarks += not is_problem

    def spared(self, count: int) -> None:
        """A part was there already."""
        with self._lock:
            self.spared_bytes += count

    def broke(self, reason: str) -> bool:
        """The store does not answer; whether that is news."""
        with self._lock:
            is_news = not self.outage
            self.outage = reason
            if is_news:
                self._outage_began = time.monotonic()
            return is_news

    def works(self) -> float:
        """The store has answered; how many seconds it did not before, 0 where that is no news."""
        with self._lock:
            if not self.outage:
                return 0.0
            self.outage = ""
            return time.monotonic() - self._outage_began
