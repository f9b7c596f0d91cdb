"""Who works on a data set's place in the engine right now: one process at a time, for as long as it lives."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import DatabaseError, connection
from django.db.models import F, Q
from django.utils import timezone

from strongroom.core.errors import Unavailable
from strongroom.db.models import Dataset

LEASE_SECONDS = 15  # how long after a kill -9 the worker takes over
RENEW_SECONDS = 5  # a holder that lives never loses it, however long one engine call takes
_POLL_SECONDS = 0.02
log = structlog.get_logger()
_guard = threading.Lock()
_held: dict[UUID, UUID] = {}  # the leases of this process, each with its data set
_keeper: threading.Thread | None = None


class LeaseLost(Exception):
    """Somebody else took over: what this process was doing may have been undone, or be done twice."""


class Busy(Unavailable):
    """Another process holds the lease."""

    code = "busy"


class Lease:
    """A right to speak to the engine about one data set; every write to the row through it is conditional on it."""

    def __init__(self, dataset_id: UUID, token: UUID) -> None:
        self.dataset_id = dataset_id
        self.is_over = False
        self._token = token
        self._held_at = time.monotonic()
        self._kept: dict[str, object] = {}

    def row(self) -> Dataset:
        """The data set as it is now, with its keys. Raises LeaseLost when something kept cannot be written."""
        if self._kept:
            self.save()
        return Dataset.objects.select_related("space").prefetch_related("keys").get(id=self.dataset_id)

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

    def _write(self, **columns: object) -> None:
        mine = Dataset.objects.filter(id=self.dataset_id, lease=self._token)
        held_at = time.monotonic()
        if not mine.update(**{**self._kept, **columns}):
            _converge_again(self.dataset_id)
            raise LeaseLost(f"lost the lease of data set {self.dataset_id}")
        self._held_at, self._kept = held_at, {}


def _converge_again(dataset_id: UUID) -> None:
    """Have the policy written once more: a late-comer may have written an older one over a newer."""
    row = Dataset.objects.filter(id=dataset_id)
    row.filter(applied_revision__gt=0).update(applied_revision=F("applied_revision") - 1)
    row.update(is_settled=False, next_try_at=timezone.now())


def from_birth(now: datetime) -> dict[str, object]:
    """Columns of a new row whose maker goes on working on it: its lease is taken by the insert itself."""
    return {"lease": uuid.uuid4(), "leased_until": now + timedelta(seconds=LEASE_SECONDS)}


@contextmanager
def leased(dataset_id: UUID, *, wait_seconds: float, token: UUID | None = None) -> Iterator[Lease]:
    """Hold the lease of a data set, waiting for another holder to finish. Raises Busy after `wait_seconds`.

    With the `token` of a row that was made a moment ago the lease is held already.
    """
    is_held, token = token is not None, token or uuid.uuid4()
    deadline = time.monotonic() + wait_seconds
    while not is_held and not _take(dataset_id, token):
        if time.monotonic() > deadline:
            raise Busy(
                "Another process is still working on this data set in the storage engine.",
                way_out="What you asked stands and is carried out; look again in a few seconds.",
            )
        time.sleep(_POLL_SECONDS)
    lease = Lease(dataset_id, token)
    _have_kept(token, dataset_id)
    try:
        yield lease
    finally:
        _held.pop(token)
        if not lease.is_over:
            Dataset.objects.filter(id=dataset_id, lease=token).update(lease=None, leased_until=None)


def _have_kept(token: UUID, dataset_id: UUID) -> None:
    """Have the thread of this process that renews leases renew this one, too."""
    global _keeper
    with _guard:
        _held[token] = dataset_id
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
        try:
            until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
            Dataset.objects.filter(id__in=held.values(), lease__in=held).update(leased_until=until)
        except DatabaseError as error:  # the holder will see it too, at its next write
            log.warning("leases_not_renewed", count=len(held), error=str(error))
        finally:
            connection.close()


def _take(dataset_id: UUID, token: UUID) -> bool:
    now = timezone.now()
    free = Dataset.objects.filter(id=dataset_id).filter(Q(lease=None) | Q(leased_until__lt=now))
    return bool(free.update(lease=token, leased_until=now + timedelta(seconds=LEASE_SECONDS)))
