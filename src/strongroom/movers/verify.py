"""Whether a folder or a mount holds what a manifest says: every file read and compared, several at once.

Memory does not grow with the number of files. Refuses to know where the manifest came from and whether it is signed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from strongroom.movers import names, ordered
from strongroom.movers.checksums import Check, Entry
from strongroom.movers.crew import Crew, Lane, Stopped
from strongroom.movers.ordered import Local
from strongroom.movers.receiving import PARTIAL

_BLOCK = 1024 * 1024
_PAUSE_SECONDS = 0.01
_BATCH_FILES, _BATCH_BYTES = 64, 4 * _BLOCK
_LOCAL = threading.local()


class Kind(Enum):
    """What is wrong with a file."""

    MISSING = "missing"
    ALTERED = "altered"
    EXTRA = "extra"
    UNREADABLE = "unreadable"


class _Sized(NamedTuple):
    """An entry of a list that tells no sizes, with that of the file."""

    key: str
    size_bytes: int
    etag: str
    checksum: str | None


class Difference(NamedTuple):
    """A file that is not as the manifest says. `key` can be written to a terminal."""

    kind: Kind
    key: str
    detail: str


@dataclass
class Report:
    """What was found. `same_*` were read and are what the manifest says; of `not_comparable` only the size is known."""

    same_files: int = 0
    same_bytes: int = 0
    not_comparable: int = 0
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    read_bytes: int = 0
    compared: dict[str, int] = field(default_factory=dict)

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not any(self.counts.values())


def check_folder(
    folder: str | os.PathLike[str],
    entries: Iterable[Entry],
    *,
    found: Callable[[Difference], object] = lambda _: None,
    threads: int = 0,
    allows_extra: bool = False,
    report: Report | None = None,
    crew: Crew | None = None,
) -> Report:
    """Read every file of `entries` (in the order of keys) below `folder` and compare; each difference goes to `found`.

    `found` is called by one thread at a time, in no order. `allows_extra`: files that the manifest does not know are
    no difference. An entry of a size below 0 is compared by its checksum alone. `report` may be looked at while it
    runs; `crew.stop()` ends it. Raises: what `entries` raises, Stopped.
    """
    run = _Run(found, allows_extra, report or Report(), crew or Crew())
    run.crew.hire(threads or min(8, 2 + (os.cpu_count() or 1)), Lane.FILES)
    try:
        run.all(os.fspath(folder), entries)
    except Stopped:
        raise (run.crew.failure or Stopped()) from None
    finally:
        run.crew.stop()
    return run.report


def is_same(path: str, entry: Entry) -> bool:
    """Whether a file is what is known of an object; False also where that cannot be compared. Raises: OSError."""
    check = Check(entry)
    _read(path, check)
    return bool(check.word) and check.holds()


@dataclass
class _Run:
    found: Callable[[Difference], object]
    allows_extra: bool
    report: Report
    crew: Crew
    lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self, folder: str, entries: Iterable[Entry]) -> None:
        batch: list[tuple[Entry, Local]] = []
        size = 0
        for known, local in ordered.beside(entries, ordered.walk(folder)):
            if known is None:
                assert local is not None
                self._extra(local)
            elif local is None:
                self._missing(folder, known)
            elif self._is_worth_reading(known := _sized(known, local), local):
                batch.append((known, local))
                size += local.size_bytes
                if len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES:
                    self._hand_out(batch)
                    batch, size = [], 0
        if batch:
            self._hand_out(batch)
        while not self.crew.is_idle:
            self.crew.rest(_PAUSE_SECONDS)

    def _hand_out(self, batch: list[tuple[Entry, Local]]) -> None:
        def work() -> None:
            for known, local in batch:
                self.crew.check()
                self._compare(known, local)

        self.crew.do(Lane.FILES, work)

    def _extra(self, local: Local) -> None:
        if local.key.endswith(PARTIAL):
            self._tell(Kind.EXTRA, local.key, "a download was not finished: run it again")
        elif local.is_folder:
            self._tell(Kind.UNREADABLE, local.key, local.trouble)
        elif not self.allows_extra:
            self._tell(Kind.EXTRA, local.key, "it is not in the manifest")

    def _missing(self, folder: str, known: Entry) -> None:
        if known.key.endswith("/") and not known.size_bytes and os.path.isdir(os.path.join(folder, known.key)):
            self._count(known, "")
        else:
            self._tell(Kind.MISSING, known.key, "it is not there")

    def _is_worth_reading(self, known: Entry, local: Local) -> bool:
        if local.trouble:
            self._tell(Kind.UNREADABLE, known.key, local.trouble)
        elif local.size_bytes != known.size_bytes:
            self._tell(Kind.ALTERED, known.key, f"it has {local.size_bytes:,} bytes instead of {known.size_bytes:,}")
        else:
            return True
        return False

    def _compare(self, known: Entry, local: Local) -> None:
        check = Check(known)
        try:
            _read(local.path, check, self._progress)
        except OSError as problem:
            self._tell(Kind.UNREADABLE, known.key, f"it cannot be read: {problem.strerror or problem}")
            return
        if check.count != known.size_bytes:
            self._tell(Kind.ALTERED, known.key, f"{check.count:,} bytes were read instead of {known.size_bytes:,}")
        elif not check.holds():
            self._tell(Kind.ALTERED, known.key, f"its {check.word} is another one")
        else:
            self._count(known, check.word)

    def _progress(self, count: int) -> None:
        self.crew.check()
        with self.lock:
            self.report.read_bytes += count

    def _count(self, known: Entry, word: str) -> None:
        with self.lock:
            self.report.same_files += 1
            self.report.same_bytes += known.size_bytes
            self.report.compared[word] = self.report.compared.get(word, 0) + 1
            self.report.not_comparable += not word and known.size_bytes > 0

    def _tell(self, kind: Kind, key: str, detail: str) -> None:
        with self.lock:
            self.report.counts[kind] += 1
            self.found(Difference(kind, names.shown(key), detail))


def _sized(known: Entry, local: Local) -> Entry:
    return known if known.size_bytes >= 0 else _Sized(known.key, local.size_bytes, known.etag, known.checksum)


def _read(path: str, check: Check, progress: Callable[[int], object] = lambda _: None) -> None:
    try:
        buffer: bytearray = _LOCAL.buffer
    except AttributeError:
        buffer = _LOCAL.buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as content:
        while True:
            count = content.readinto(buffer)
            if not count:
                return
            check.update(view[:count])
            progress(count)
