"""What every mover on a server needs: the data set it was granted, its session, progress, and what every end means."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from strongroom.agent import local, mounts_checks
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.mounts_wrong import EXITS, wrong
from strongroom.agent.problems import Trouble
from strongroom.movers import names
from strongroom.movers.errors import Refused, Unreachable
from strongroom.movers.retrying import Patience
from strongroom.movers.s3 import Credentials, Repository
from strongroom.movers.tally import Event, Tally
from strongroom.movers.walk import Trouble as FileTrouble

NOT_ALL = 1
DIFFERENT = 9
EPILOG = (
    "Exit code: 0 done, 1 some files did not come, 2 wrong options, 3 not joined, 4 the agent does not run, "
    f"{DIFFERENT} it is not what the manifest says, {EXITS['not-granted']} not granted, "
    f"{EXITS['revoked']} access ended, {EXITS['gateway']} the storage is away."
)
_FRESH_SECONDS = 60.0
_LINE_SECONDS = 30.0


class Ended(Exception):
    """The storage refused access while a mover was at work: there is no other try."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def granted(config: Config, name: str, patience_minutes: float) -> tuple[dict[str, Any], Repository]:
    """The one data set of that name, and its repository for this server. Raises: Trouble."""
    told = local.status(config) if IS_WINDOWS else mounts_checks.status(config)
    dataset = mounts_checks.granted(config, told, name)
    if not told.get("endpoint"):
        raise wrong("gateway", "The agent was not told yet where the storage is.", "Try again in a minute.")
    session = Session(config)
    return dataset, Repository(
        *(told["endpoint"], told["region"], dataset["repository"], session.current),
        denied=session.denied,
        patience=Patience(patience_minutes * 60.0),
        ca_file=config.ca_file,
    )


class Session:
    """The session of this server. The agent renews it long before it ends, and is asked for it each minute: whether the
    clock of this machine is right does not matter here.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._held: Credentials | None = None
        self._asked = 0.0

    def current(self) -> Credentials:
        """Raises: Trouble."""
        with self._lock:
            if self._held is None or time.monotonic() - self._asked > _FRESH_SECONDS:
                self._ask()
            assert self._held is not None
            return self._held

    def denied(self, refusal: Refused) -> None:
        """The storage takes it no more. Raises: Ended, unless the agent has another one by now."""
        with self._lock:
            before = self._held
            try:
                self._ask()
            except Trouble:
                raise Ended(refusal) from None
            if self._held == before:
                raise Ended(refusal)

    def _ask(self) -> None:
        told = local.credentials(self._config)
        self._held = Credentials(told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"])
        self._asked = time.monotonic()


@contextmanager
def ends(dataset: str, tally: Tally, where: str) -> Iterator[None]:
    """What ends a mover early, as a Trouble that says how to go on. `where` the files are that arrived."""
    try:
        yield
    except Ended as end:
        raise _ended(end.refusal, dataset, tally, where) from None
    except Refused as refusal:
        if not refusal.is_access:
            raise wrong("gateway", f"The storage refuses: {refusal}.") from None
        raise _ended(refusal, dataset, tally, where) from None
    except Unreachable as problem:
        raise wrong("gateway", f"The storage is away: {problem}.", "Run it again: it goes on from here.") from None


def _ended(refusal: Refused, dataset: str, tally: Tally, where: str) -> Trouble:
    return wrong(
        "revoked",
        f"Access to “{dataset}” ended in the middle ({refusal.code}): {tally.done_files:,} of "
        f"{tally.found_files:,} files{_so_far(tally)} are {where}.",
        "Ask a steward of the space; where access is given again, the same command goes on from here.",
    )


def _so_far(tally: Tally) -> str:
    return "" if tally.is_counted else " found so far"


def print_planned(step: str, key: str, size_bytes: int) -> None:
    """A line of a dry run."""
    print(f"{step:<8} {size_bytes:>14,}  {names.shown(key)}")


def told(is_json: bool) -> Callable[[Event], object]:
    """Says what a mover meets, on standard error."""

    one_at_a_time = threading.Lock()

    def tell(event: Event) -> None:
        if isinstance(event, FileTrouble):
            kind, mark = ("problem", "") if event.is_problem else ("remark", "! ")
            line = f"{mark}{event.key}: {event.reason}"
            line = json.dumps({kind: event.reason, "key": event.key}) if is_json else line
            with one_at_a_time:
                sys.stderr.write(line + "\n")  # at once: print() would write the end of the line apart
                sys.stderr.flush()

    return tell


class Shown:
    """A line of progress now and then: each second on a terminal."""

    def __init__(self, tally: Tally, is_json: bool) -> None:
        self._tally = tally
        self._is_terminal = sys.stderr.isatty() and not is_json
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr)

    def _show(self) -> None:
        began = datetime.now().astimezone()
        while not self._over.wait(1.0 if self._is_terminal else _LINE_SECONDS):
            tally = self._tally
            seconds = (datetime.now().astimezone() - began).total_seconds()
            line = (
                f"{tally.done_files:,} of {tally.found_files:,} files{_so_far(tally)}, "
                f"{tally.done_bytes:,} of {tally.found_bytes:,} bytes, "
                f"{tally.moved_bytes / seconds / 1e6:.0f} MB/s {tally.outage}"
            )
            print(
                f"\r\033[K{line}" if self._is_terminal else line, end="" if self._is_terminal else "\n", file=sys.stderr
            )
