"""The background worker: does what is due, over and over; refuses to know how any of it is done.

Rows are the queue, and a lease in the row says who is at it, so any number of workers may run and each may be killed.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.db import close_old_connections, connections
from django.db.utils import OperationalError

from strongroom.actions import (
    attachments,
    checking,
    converge,
    digests,
    grants,
    hosting,
    idempotency,
    keys,
    lapsing,
    measuring,
    rechecking,
    stale,
    system,
    transfers,
)
from strongroom.agent.daemon import set_by_signals

log = structlog.get_logger("strongroom.worker")

IDLE_SECONDS = 0.25
BATCH = 20
RECHECK_BATCH = 5
POLICY_ROUND_SECONDS = 10
POLICY_BATCH = 40  # 10,000 data sets within three quarters of the default policy_check_seconds
HEARTBEAT_SECONDS = 5
HOST_ROUND_SECONDS = 10
PROOF_ROUND_SECONDS = 0.5
MEASURE_ROUND_SECONDS = 2
_DATABASE_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class Chore:
    """Something that is due every so often. `run` returns how much it did; after 0 of all, the worker rests."""

    name: str
    every_seconds: float
    run: Callable[[], int]


def chores() -> tuple[Chore, ...]:
    """Everything a worker does, but for the hosts."""
    return (
        Chore("converge", 0, lambda: converge.run_due(BATCH)),
        Chore("recheck", 1, lambda: rechecking.run_due(RECHECK_BATCH)),
        Chore("end_keys", 5, keys.end_due),
        Chore("end_transfers", 5, transfers.end_due),
        Chore("end_grants", 0.5, grants.end_due),
        Chore("lapse_servers", 5, lapsing.end_due),
        Chore("end_stale_groups", 60, stale.end_due),
        Chore("check_policies", POLICY_ROUND_SECONDS, lambda: rechecking.check_policies(POLICY_BATCH)),
        Chore("forget_replies", 600, idempotency.forget_old),
        Chore("forget_digests", 60, digests.forget_some),
        Chore("forget_attachments", 60, attachments.forget_abandoned),
        Chore("heartbeat", HEARTBEAT_SECONDS, _heartbeat),
    )


def host_chores() -> tuple[Chore, ...]:
    """Done beside the others: a host that hangs may take minutes, and a grant has to end when its time is over."""
    return (
        Chore("host", 0, lambda: hosting.run_due(1)),
        Chore("watch_hosts", HOST_ROUND_SECONDS, hosting.watch),
    )


def proof_chores(stop: threading.Event) -> tuple[Chore, ...]:
    """Done beside the others: reading a large data set takes hours. It ends within a chunk when told to stop."""
    return (Chore("fixity", PROOF_ROUND_SECONDS, lambda: checking.run_due(stop.wait)),)


def measure_chores(stop: threading.Event) -> tuple[Chore, ...]:
    """Done beside the others: listing a large data set takes minutes."""
    return (Chore("measure", MEASURE_ROUND_SECONDS, lambda: measuring.run_due(stop.is_set)),)


class Round:
    """Runs chores when each is due."""

    def __init__(self, chores: tuple[Chore, ...]) -> None:
        self._due = dict.fromkeys(chores, 0.0)

    def run(self) -> int:
        """Run what is due once; how much was done. A chore that crashes is logged and does not stop the others."""
        done = 0
        for chore, due in self._due.items():
            if time.monotonic() >= due:
                count = _run(chore)
                done += count
                self._due[chore] = time.monotonic() + chore.every_seconds
        return done


def run(ready_file: Path | None = None) -> None:
    """Work until SIGTERM or SIGINT and finish what is under way; `ready_file` gets the process id once it works."""
    stop = threading.Event()
    set_by_signals(stop)
    log.info("worker_started", pid=os.getpid())
    others = {"hosts": host_chores(), "proof": proof_chores(stop), "measure": measure_chores(stop)}
    beside = [threading.Thread(target=_beside, args=(each, stop), name=name) for name, each in others.items()]
    for thread in beside:
        thread.start()
    _work(chores(), stop, ready_file)
    for thread in beside:
        thread.join()
    log.info("worker_stopped", pid=os.getpid())


def _work(chores: tuple[Chore, ...], stop: threading.Event, ready_file: Path | None) -> None:
    """One round after the other until told to stop. Whichever ends, the other ends with it."""
    round_ = Round(chores)
    try:
        while not stop.is_set():
            close_old_connections()  # one that broke is opened anew
            done = round_.run()
            if ready_file is not None:
                ready_file.write_text(str(os.getpid()))
                ready_file = None
            if not done:
                stop.wait(IDLE_SECONDS)
    finally:
        stop.set()


def _beside(chores: tuple[Chore, ...], stop: threading.Event) -> None:
    try:
        _work(chores, stop, None)
    finally:
        connections.close_all()


def _run(chore: Chore) -> int:
    try:
        return chore.run()
    except OperationalError as error:  # the database is away: wait for it, and say so once a try
        log.warning("database_unavailable", chore=chore.name, error=str(error))
        time.sleep(_DATABASE_PATIENCE_SECONDS)
    except Exception:
        log.exception("chore_crashed", chore=chore.name)
        time.sleep(_DATABASE_PATIENCE_SECONDS)
    return 0


def _heartbeat() -> int:
    system.worker_was_here()
    return 0
