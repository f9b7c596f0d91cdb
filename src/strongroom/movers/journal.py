"""What a mover did with one folder and one data set, on this machine: survives a kill, and makes the next run short.

One SQLite file. It holds nothing secret; lost, everything is found again by reading the files and the listing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from strongroom.movers.errors import Problem
from strongroom.movers.walk import Trouble

_FORM = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS sent (key TEXT PRIMARY KEY, size_bytes INTEGER, mtime_ns INTEGER, etag TEXT, sha256 TEXT,
    run INTEGER, is_reported INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unreported ON sent (is_reported) WHERE NOT is_reported;
CREATE TABLE IF NOT EXISTS unfinished (key TEXT PRIMARY KEY, upload_id TEXT) WITHOUT ROWID;
CREATE TEMP TABLE stored (key TEXT PRIMARY KEY, size_bytes INTEGER, etag TEXT) WITHOUT ROWID;
CREATE TEMP TABLE walked (key TEXT PRIMARY KEY, is_new INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE TEMP TABLE trouble (key TEXT, reason TEXT, is_problem INTEGER);
"""
_BATCH = 500
_Row = TypeVar("_Row")


class InUse(Problem):
    """Another mover works with the same folder and data set."""


class Unwritable(Problem):
    """The journal cannot be kept: disk full, or no permission."""


class Sent(NamedTuple):
    """A file that is in the data set as it was when it was read. `sha256` is hex; `mtime_ns` is -1 where the file was
    written just before, so that it says nothing.
    """

    key: str
    size_bytes: int
    mtime_ns: int
    etag: str
    sha256: str


class Holding(NamedTuple):
    """What the store holds under a key."""

    key: str
    size_bytes: int
    etag: str


class Known(NamedTuple):
    """All that is known of a key before its file is read."""

    sent: Sent | None
    stored: Holding | None


class Journal:
    """Open until `close`. Any thread may call."""

    def __init__(self, file: Path) -> None:
        """Raises: InUse, Unwritable."""
        self.file = file
        self._lock = threading.RLock()
        with _writing(file):
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(str(file), timeout=0.2, isolation_level=None, check_same_thread=False)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        # Whoever dies gives the lock back: it is the system's, on the open file.
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        # Safe against the end of the process; what a loss of power takes with it is found again in the listing.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("BEGIN EXCLUSIVE")
        form = self._db.execute("PRAGMA user_version").fetchone()[0]
        if form not in (0, _FORM):
            self._db.execute("DROP TABLE IF EXISTS sent")
            self._db.execute("DROP TABLE IF EXISTS unfinished")
        self._db.execute("COMMIT")
        self._db.executescript(_TABLES)
        self._db.execute(f"PRAGMA user_version={_FORM}")
        self.run = 1 + (self._db.execute("SELECT max(run) FROM sent").fetchone()[0] or 0)

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._db.close()

    def forget(self) -> None:
        """Close, and remove the file."""
        self.close()
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.file}{ending}").unlink(missing_ok=True)

    # What the store holds

    def note_stored(self, listing: Iterable[Holding]) -> int:
        """Replace what is known of the store by a listing of it; how many objects."""
        count = 0
        with self._lock, self._change():
            self._db.execute("DELETE FROM stored")
        for batch in _batches(listing, 1000):
            with self._lock, self._change():
                self._db.executemany("INSERT OR REPLACE INTO stored VALUES (?,?,?)", batch)
            count += len(batch)
        return count

    def known(self, keys: Sequence[str]) -> dict[str, Known]:
        """What is known of each key; those of which nothing is are left out. Notes that they were walked."""
        marks = ",".join("?" * len(keys))
        with self._lock, self._change():
            self._db.executemany("INSERT OR IGNORE INTO walked (key) VALUES (?)", [(key,) for key in keys])
            sent = {row[0]: Sent(*row) for row in self._db.execute(f"{_SENT} WHERE key IN ({marks})", keys)}
            stored = {row[0]: Holding(*row) for row in self._db.execute(f"{_STORED} WHERE key IN ({marks})", keys)}
        return {key: Known(sent.get(key), stored.get(key)) for key in sent.keys() | stored.keys()}

    def surplus(self) -> Iterator[Holding]:
        """What the store holds and the walk has not met."""
        yield from self._rows(_SURPLUS, Holding)

    # What was sent

    def note_sent(self, batch: Sequence[Sent], *, is_new: bool = False) -> None:
        """These are in the data set, and belong to this run. `is_new`: it brought them."""
        if not batch:
            return
        rows = [(*each, self.run, 0) for each in batch]
        with self._lock, self._change():
            self._db.executemany("INSERT OR REPLACE INTO sent VALUES (?,?,?,?,?,?,?)", rows)
            if is_new:
                self._db.executemany("UPDATE walked SET is_new=1 WHERE key=?", [(each.key,) for each in batch])

    def note_kept(self, keys: Sequence[str]) -> None:
        """These were sent by an earlier run, and belong to this one, too."""
        with self._lock, self._change():
            self._db.executemany("UPDATE sent SET run=? WHERE key=?", [(self.run, key) for key in keys])

    def unreported(self, limit: int) -> list[Sent]:
        """Digests that were not handed on yet."""
        with self._lock, self._change():
            return [Sent(*row) for row in self._db.execute(f"{_SENT} WHERE NOT is_reported LIMIT ?", (limit,))]

    def note_reported(self, batch: Sequence[Sent]) -> None:
        """These were handed on."""
        rows = [(each.key, each.etag) for each in batch]
        with self._lock, self._change():
            self._db.executemany("UPDATE sent SET is_reported=1 WHERE key=? AND etag=?", rows)

    def of_this_run(self) -> Iterator[Sent]:
        """What is in the data set and in the folder, in the order of keys."""
        yield from self._rows(_OF_THIS_RUN, Sent)

    def differing(self) -> Iterator[tuple[Sent, bool]]:
        """What this run knows to be in the data set, and the last listing shows otherwise or not at all; with each
        whether this run brought it.
        """
        for key, *row, is_new in self._rows(_DIFFERING, lambda *row: row):
            yield Sent(key, *row), bool(is_new)

    def drop(self, keys: Iterable[str]) -> None:
        """These are not in the data set after all."""
        with self._lock, self._change():
            self._db.executemany("DELETE FROM sent WHERE key=?", [(key,) for key in keys])

    # What was begun

    def begin(self, key: str, upload_id: str = "") -> None:
        """An upload in parts is about to begin, or has begun where it has an id."""
        with self._lock, self._change():
            self._db.execute("INSERT OR REPLACE INTO unfinished VALUES (?,?)", (key, upload_id))

    def end(self, key: str) -> None:
        """The upload of a key is completed or aborted."""
        with self._lock, self._change():
            self._db.execute("DELETE FROM unfinished WHERE key=?", (key,))

    def unfinished(self) -> dict[str, str]:
        """Key and id of each upload that was begun; no id where the mover died while it asked for one."""
        with self._lock, self._change():
            return dict(self._db.execute("SELECT key, upload_id FROM unfinished"))

    # What went wrong

    def note_trouble(self, batch: Sequence[Trouble]) -> None:
        """Keep it for the end of this run."""
        with self._lock, self._change():
            self._db.executemany("INSERT INTO trouble VALUES (?,?,?)", batch)

    def troubles(self) -> Iterator[Trouble]:
        """Those of this run, problems first."""
        with self._lock:
            rows = self._db.execute("SELECT key, reason, is_problem FROM trouble ORDER BY is_problem DESC, key")
            found = [Trouble(key, reason, bool(is_problem)) for key, reason, is_problem in rows]
        yield from found

    def _rows(self, query: str, kind: Callable[..., _Row]) -> Iterator[_Row]:
        """Rows in the order of keys, a batch at a time, so that others may write meanwhile."""
        after = ""
        while True:
            with self._lock, self._change():
                rows = self._db.execute(query, {"after": after, "run": self.run, "limit": _BATCH}).fetchall()
            for row in rows:
                yield kind(*row)
            if len(rows) < _BATCH:
                return
            after = rows[-1][0]

    @contextmanager
    def _change(self) -> Iterator[None]:
        with _writing(self.file):
            self._db.execute("BEGIN")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:  # a full disk has rolled back by itself
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


_SENT = "SELECT key, size_bytes, mtime_ns, etag, sha256 FROM sent"
_STORED = "SELECT key, size_bytes, etag FROM stored"
_SURPLUS = """SELECT key, size_bytes, etag FROM stored
    WHERE key NOT IN (SELECT key FROM walked) AND key > :after ORDER BY key LIMIT :limit"""
_OF_THIS_RUN = """SELECT key, size_bytes, mtime_ns, etag, sha256 FROM sent
    WHERE run = :run AND key > :after ORDER BY key LIMIT :limit"""
_DIFFERING = """SELECT key, size_bytes, mtime_ns, etag, sha256,
        EXISTS (SELECT 1 FROM walked WHERE walked.key = sent.key AND walked.is_new) FROM sent
    WHERE run = :run AND NOT EXISTS (SELECT 1 FROM stored WHERE stored.key = sent.key
        AND stored.size_bytes = sent.size_bytes AND stored.etag = sent.etag)
    AND key > :after ORDER BY key LIMIT :limit"""


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise InUse("Another transfer of the same folder and data set is running on this machine.") from error
        raise Unwritable(f"The journal {file} cannot be kept: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise Unwritable(f"The journal {file} is damaged: {error}. Remove it: only time is lost.") from error
    except OSError as error:
        raise Unwritable(f"The journal {file} cannot be kept: {error.strerror or error}.") from error


def _batches(items: Iterable[Holding], size: int) -> Iterator[list[Holding]]:
    batch: list[Holding] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
