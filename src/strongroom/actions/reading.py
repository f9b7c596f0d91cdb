"""Reads objects of a repository and says whether each is what a list says; refuses to know who asks, or any row.

Many small objects are read at once, so that no reader only waits for answers; a large one streams through one thread.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from strongroom import engines
from strongroom.actions.pacing import Pace
from strongroom.core import bag
from strongroom.core.errors import NotFound, Unavailable
from strongroom.core.manifest import Entry
from strongroom.core.vocabulary import Damage

_RETRY_SECONDS = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a manifest, and which one it is, from 0."""

    position: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Found:
    """What became of reading an object. `damage` is None when it is what the list says, as far as that can tell."""

    line: Line
    sha256: str = ""
    damage: Damage | None = None
    detail: str = ""

    @property
    def digested(self) -> Entry:
        """The entry with the digest that was found; as it was where there is none."""
        entry = self.line.entry
        return replace(entry, checksum=f"sha256:{self.sha256}") if self.sha256 and not self.damage else entry


class Reader:
    """Reads one repository at a pace. Make it with `reading`."""

    def __init__(self, repository: str, pace: Pace, pool: ThreadPoolExecutor | None) -> None:
        self._repository, self._pace, self._pool = repository, pace, pool

    def read(self, lines: Sequence[Line]) -> list[Found]:
        """In the order of the lines. Raises Unavailable when the engine as a whole does not answer, Stopped."""
        if self._pool is None or len(lines) < 2:
            return [self._one(line) for line in lines]
        return list(self._pool.map(self._one, lines))

    def _one(self, line: Line) -> Found:
        for seconds in (*_RETRY_SECONDS, None):
            try:
                return self._digest(line)
            except NotFound as missing:
                return Found(line, damage=Damage.MISSING, detail=str(missing))
            except Unavailable as error:
                if seconds is None:
                    return self._unreadable(line, error)
                self._pace.rest(seconds)
        raise AssertionError("the last try returns")

    def _digest(self, line: Line) -> Found:
        sha256, md5, size_bytes = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        needs_md5 = (line.entry.checksum or "").startswith("md5:")
        for chunk in engines.current().read_object(self._repository, line.entry.key):
            sha256.update(chunk)
            if needs_md5:
                md5.update(chunk)
            size_bytes += len(chunk)
            self._pace.take(len(chunk))
        return _compared(line, sha256.hexdigest(), md5.hexdigest(), size_bytes)

    def _unreadable(self, line: Line, error: Unavailable) -> Found:
        """Of one object only where the engine itself is well. Raises Unavailable otherwise: nothing is found out."""
        if not all(part.is_healthy for part in engines.current().health()):
            raise error
        return Found(line, damage=Damage.UNREADABLE, detail=str(error))


@contextmanager
def reading(repository: str, pace: Pace, threads: int) -> Iterator[Reader]:
    """A reader with so many threads; one of them: this thread does it itself."""
    if threads == 1:
        yield Reader(repository, pace, None)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="reading")
    try:
        yield Reader(repository, pace, pool)
    finally:
        pool.shutdown(cancel_futures=True)


def numbered(entries: Iterable[Entry], start: int = 0) -> Iterator[Line]:
    """Lines of a manifest, from that one on."""
    for position, entry in enumerate(entries, start):
        yield Line(position, entry)


def _compared(line: Line, sha256: str, md5: str, size_bytes: int) -> Found:
    entry = line.entry
    if size_bytes != entry.size_bytes:
        return Found(line, sha256, Damage.ALTERED, f"{size_bytes} bytes instead of {entry.size_bytes}")
    known = bag.of_checksum(entry.checksum)
    if known is not None and known != sha256:
        return Found(line, sha256, Damage.ALTERED, "other content of the same size")
    if (entry.checksum or "").startswith("md5:") and entry.checksum != f"md5:{md5}":
        return Found(line, sha256, Damage.ALTERED, "other content of the same size (by its MD5)")
    return Found(line, sha256)
