"""Tells the control plane that this server lives and how its mounts are, and does what the answer asks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from strongroom.agent import accounts, joining, mounts, sshd, state
from strongroom.agent.config import Config
from strongroom.agent.control import Control
from strongroom.agent.log import log
from strongroom.agent.problems import Trouble
from strongroom.agent.renewal import ENDED, Renewal

_REPORT_LIMIT_SECONDS = 5.0
_MOST_MOUNTS, _MOST_BYTES = 200, 150_000  # of what the control plane takes
_NOBODY_MAY_LOG_IN = ENDED - {"unknown-server"}


class Heartbeat:
    """One beat after the other. `answered_at` is Unix seconds by our clock; `trouble` what the last beat came to."""

    def __init__(self, config: Config, control: Control, renewal: Renewal, seconds: float) -> None:
        self._config = config
        self._control = control
        self._renewal = renewal
        self._seconds = seconds
        self._now = threading.Event()
        self._report = _Limited(lambda: mounts.report(config))
        self.answered_at: float | None = None
        self.trouble: Trouble | None = None
        self.mounts: list[dict[str, Any]] = []

    def soon(self) -> None:
        """Beat now instead of at the next turn: something changed that people wait to see."""
        self._now.set()

    def run(self, stop: threading.Event, each_time: Callable[[], None]) -> None:
        """Beat until told to stop; `each_time` runs before each beat."""
        while not stop.is_set():
            each_time()
            self.beat()
            began = time.monotonic()
            while not stop.is_set() and (left := began + self._seconds - time.monotonic()) > 0:
                # Short waits, so that the end of the process is not waited for.
                if self._now.wait(min(left, 1.0)):
                    self._now.clear()
                    break

    def beat(self) -> None:
        """One heartbeat, and what follows from it."""
        try:
            self.mounts = self._report()
            asked_at = time.time()
            told = {**joining.description(self._config), "mounts": fitting(self.mounts)}
            answer = self._control.post("/heartbeat", told)
        except Trouble as trouble:
            self._failed(trouble)
            return
        if self.trouble is not None:
            log("heartbeat answered again")
        self.trouble, self.answered_at = None, time.time()
        self._seconds = float(answer.get("heartbeat_seconds", self._seconds))
        self._renewal.wake()
        self._obey(answer, asked_at)

    def _failed(self, trouble: Trouble) -> None:
        if self.trouble is None or self.trouble.code != trouble.code:
            log("heartbeat failed", code=trouble.code, why=str(trouble))
        self.trouble = trouble
        if trouble.code in ENDED:
            self._renewal.end(trouble)
            mounts.follow(self._config, [])
        if trouble.code in _NOBODY_MAY_LOG_IN:
            self._apply([], time.time())

    def _obey(self, answer: dict[str, Any], asked_at: float) -> None:
        try:
            state.remember_granted(self._config, {key: value for key, value in answer.items() if key != "time"})
            sshd.remember(self._config, answer)
        except Trouble as trouble:
            log("answer not written", why=str(trouble))
        self._apply(answer.get("accounts", []), asked_at)
        mounts.follow(self._config, answer.get("datasets", []))

    def _apply(self, told: list[dict[str, Any]], asked_at: float) -> None:
        try:
            accounts.apply(self._config, told, asked_at=asked_at)
        except Exception as problem:  # noqa: BLE001  one account that cannot be made must not end the heartbeats
            log("accounts not applied", why=repr(problem))


def fitting(mounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many as a heartbeat may carry, those to keep first: nobody who mounts much can keep it from being heard."""
    told: list[dict[str, Any]] = []
    size_bytes = 0
    for each in sorted(mounts, key=lambda each: not each["is_persistent"]):
        cut = {**each, "path": each["path"][:1000], "detail": each["detail"][:500]}
        size_bytes += len(json.dumps(cut))
        if len(told) < _MOST_MOUNTS and size_bytes <= _MOST_BYTES:
            told.append(cut)
    return told


class _Limited:
    """The mounts' report, or the last one where a dead mount holds it up: a heartbeat never waits for one."""

    def __init__(self, report: Callable[[], list[dict[str, Any]]]) -> None:
        self._report = report
        self._last: list[dict[str, Any]] = []
        self._thread: threading.Thread | None = None

    def __call__(self) -> list[dict[str, Any]]:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="mounts", daemon=True)
            self._thread.start()
        self._thread.join(_REPORT_LIMIT_SECONDS)
        return self._last

    def _run(self) -> None:
        try:
            self._last = self._report()
        except Exception as problem:  # noqa: BLE001  whatever is wrong with a mount, the server itself lives
            log("mounts not reported", why=repr(problem))
