"""Who makes the engine follow a data set or a host a server, or reads for a fixity check, right now: one process."""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import Error, connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import Sentence, say
from strongroom.db.models import Dataset, FixityCheck, Server

LEASE_SECONDS = 15  # how long after a kill -9 the worker takes over
RENEW_SECONDS = 5  # a holder that lives never loses it, however long one engine call takes
_POLL_SECONDS = 0.02
log = structlog.get_logger()
Leasable = type[Dataset] | type[Server] | type[FixityCheck]
_guard = threading.Lock()
_held: dict[UUID, tuple["Leasable", UUID]] = {}  # the leases of this process, each with its row
_keeper: threading.Thread | None = None


class LeaseLost(Exception):
    """Somebody else took over: what this process was doing may have been undone, or be done twice."""


class Busy(Unavailable):
    """Another process holds the lease."""

    code = "busy"


class Lease:
    """A right to speak to the engine or a host about one row; every write to it through this is conditional on it.

    `applied_revision` is what a data set's row has as far as the holder knows. Where it is another one by now, a
    late-comer has put an older policy over a newer one since, and what was applied does not count any more.
    """

    def __init__(self, row_id: UUID, token: UUID, rows: Leasable = Dataset) -> None:
        self.row_id = row_id
        self._rows = rows
        self.is_over = False
        self._token = token
        self._held_at = time.monotonic()
        self._kept: dict[str, object] = {}
        self.applied_revision: int | None = None

    def row(self) -> Dataset:
        """The data set as it is now, with its keys. Raises LeaseLost when something kept cannot be written."""
        if self._kept:
            self.save()
        found = Dataset.objects.select_related("space").prefetch_related("keys").get(id=self.row_id)
        self.applied_revision = found.applied_revision
        return found

    def keep(self, **columns: object) -> None:
        """Have columns written together with the next ones, and before the row is read again."""
        self._kept |= columns

    def save(self, **columns: object) -> None:
        """Write columns and renew. Raises LeaseLost, after making sure that the data set is looked at again."""
        self._write(leased_until=timezone.now() + timedelta(seconds=LEASE_SECONDS), **columns)

    def renew(self) -> None:
        """Make sure that it is still held; asks nobody while that is certain. Raises LeaseLost."""
        if time.monotonic() - self._held_at > RENEW_SECONDS:
            self.save()

    def end(self, **columns: object) -> None:
        """Write the last columns and let others in, in one statement. Raises LeaseLost."""
        self._write(lease=None, leased_until=None, **columns)
        self.is_over = True

    def end_if(self, unchanged: Mapping[str, object], **columns: object) -> bool:
        """The same while the row still has these values; False, and nothing is written, when it has not."""
        written = {**self._kept, **columns, "lease": None, "leased_until": None}
        mine = self._mine(is_as_known=self.applied_revision is not None)
        if not mine.filter(**unchanged).update(**written):
            return False
        self._kept = {}
        self.is_over = True
        return True

    def look_again(self) -> None:
        """Have it all done once more: a late-comer may have put something older over something newer."""
        if self._rows is FixityCheck:  # whoever took over reads it anew: nothing can have been put over anything newer
            return
        row = _all(self._rows).filter(id=self.row_id)
        row.filter(applied_revision__gt=0).update(applied_revision=F("applied_revision") - 1)
        row.update(is_settled=False, next_try_at=timezone.now())

    def _write(self, **columns: object) -> None:
        written = {**self._kept, **columns}
        held_at = time.monotonic()
        applied = written.pop("applied_revision", None)
        if isinstance(applied, int) and self._mine(is_as_known=True).update(**written, applied_revision=applied):
            self.applied_revision = applied
        elif not self._mine().update(**written):
            self.look_again()
            raise LeaseLost(f"lost the lease of {self._rows.__name__.lower()} {self.row_id}")
        self._held_at, self._kept = held_at, {}

    def _mine(self, *, is_as_known: bool = False) -> QuerySet[Any]:
        mine = _all(self._rows).filter(id=self.row_id, lease=self._token)
        return mine.filter(applied_revision=self.applied_revision) if is_as_known else mine


def from_birth(now: datetime) -> dict[str, object]:
    """Columns of a new row whose maker goes on working on it: its lease is taken by the insert itself."""
    return {"lease": uuid.uuid4(), "leased_until": now + timedelta(seconds=LEASE_SECONDS)}


def is_free(row: Dataset, now: datetime) -> bool:
    """Whether nobody holds the lease of a row that was just read and locked."""
    return row.lease is None or row.leased_until is None or row.leased_until < now


@contextmanager
def leased(
    row_id: UUID, *, wait_seconds: float, token: UUID | None = None, rows: Leasable = Dataset
) -> Iterator[Lease]:
    """Hold the lease of a row, waiting for another holder to finish. Raises Busy after `wait_seconds`.

    With a `token` the lease was taken by the transaction that wrote the row.
    """
    is_held, token = token is not None, token or uuid.uuid4()
    deadline = time.monotonic() + wait_seconds
    while not is_held and not _take(rows, row_id, token):
        if time.monotonic() > deadline:
            raise Busy(
                _BUSY[rows],
                way_out=say("What you asked stands and is carried out; look again in a few seconds."),
            )
        time.sleep(_POLL_SECONDS)
    lease = Lease(row_id, token, rows)
    _have_kept(token, rows, row_id)
    try:
        yield lease
    finally:
        _held.pop(token)
        if not lease.is_over:
            _all(rows).filter(id=row_id, lease=token).update(lease=None, leased_until=None)


_BUSY: dict[Leasable, Sentence] = {
    Dataset: say("Another process is still working on this data set in the storage engine."),
    Server: say("Another process is still working on the machine of this server."),
    FixityCheck: say("Another process is at this fixity check."),
}


def _have_kept(token: UUID, rows: Leasable, row_id: UUID) -> None:
    """Have the thread of this process that renews leases renew this one, too."""
    global _keeper
    with _guard:
        _held[token] = (rows, row_id)
        if _keeper is None or not _keeper.is_alive():
            _keeper = threading.Thread(target=_keep, daemon=True)
            _keeper.start()


def _keep() -> None:
    """Renew what is held for as long as anything is: a thread for each lease would cost more than many deeds do."""
    global _keeper
    while True:
        time.sleep(RENEW_SECONDS)
        with _guard:
            held = dict(_held)
            if not held:
                _keeper = None
                return
        for rows in {rows for rows, _ in held.values()}:
            _renew(rows, [row_id for kind, row_id in held.values() if kind is rows], list(held))


def _renew(rows: Leasable, row_ids: list[UUID], tokens: list[UUID]) -> None:
    """Those of one kind. Never raises: the thread must go on, and the other kinds must be renewed."""
    try:
        with closing(connection):
            until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
            _all(rows).filter(id__in=row_ids, lease__in=tokens).update(leased_until=until)
    except Error as error:  # the holder will see it too, at its next write
        log.warning("leases_not_renewed", count=len(row_ids), error=str(error))
    except Exception:
        log.exception("renewing_crashed", count=len(row_ids))


def _take(rows: Leasable, row_id: UUID, token: UUID) -> bool:
    now = timezone.now()
    free = _all(rows).filter(id=row_id).filter(Q(lease=None) | Q(leased_until__lt=now))
    return bool(free.update(lease=token, leased_until=now + timedelta(seconds=LEASE_SECONDS)))


def _all(rows: Leasable) -> QuerySet[Any]:
    """The rows of a kind; both kinds have the columns of a lease, which no type can say."""
    return rows.objects.all()
