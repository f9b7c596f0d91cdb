"""The session that this server acts as: fetched ahead of time, kept in memory only, and why there is none."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from strongroom.agent.control import Control, seconds_of
from strongroom.agent.log import log
from strongroom.agent.problems import Trouble

# s3fs asks anew with every request once less than 20 minutes are left, botocore from 15 on: both always see more.
_RENEW_AT_SECONDS = 21 * 60
_RENEW_AT_SHARE = 0.7
_LONGEST_WAIT_SECONDS = 30.0

ENDED = frozenset({"server-disabled", "server-deleted", "server-lapsed", "unknown-server"})
"""Refusals after which the engine obeys this session no more: saying so is better than handing it out."""


@dataclass(frozen=True)
class Session:
    """Temporary credentials. `expires` and `received` are Unix seconds by the control plane's clock."""

    access_key_id: str
    secret: str
    token: str
    name: str
    expires: float
    received: float

    def __repr__(self) -> str:
        return f"Session({self.access_key_id}, until {self.expires_at})"

    @property
    def expires_at(self) -> str:
        """As AWS writes it: whole seconds, `Z`."""
        return instant(self.expires)

    @property
    def renew_from(self) -> float:
        """When to ask for the next one."""
        return self.expires - min(_RENEW_AT_SECONDS, _RENEW_AT_SHARE * (self.expires - self.received))


def instant(seconds: float) -> str:
    """Unix seconds as ISO 8601 with `Z`."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Renewal:
    """Keeps a session at hand. An old one is used until it runs out, whatever becomes of the control plane."""

    def __init__(self, control: Control, clock: Callable[[], float] = time.time) -> None:
        self._control = control
        self._clock = clock
        self._session: Session | None = None
        self._trouble: Trouble | None = None
        self._wake = threading.Event()
        self.tried = threading.Event()
        """Set once the first request was answered, well or not."""

    def now(self) -> float:
        """The time by the control plane's clock, as far as it is known."""
        return self._clock() + (self._control.offset_seconds or 0.0)

    def current(self) -> Session:
        """The session. Raises: Trouble saying why there is none, when it ran out or was taken away."""
        session, trouble = self._session, self._trouble
        if session is not None and self.now() < session.expires:
            return session
        if trouble is None:
            raise Trouble("The agent has just started and is fetching credentials.", "Try again.", "starting")
        if session is not None:
            ran_out = f"The credentials ran out at {session.expires_at} and could not be renewed. {trouble.detail}"
            raise Trouble(ran_out, trouble.way_out, trouble.code)
        raise Trouble(f"There are no credentials. {trouble.detail}", trouble.way_out, trouble.code)

    @property
    def trouble(self) -> Trouble | None:
        """What the last attempt came to; None when it went well."""
        return self._trouble

    def end(self, trouble: Trouble) -> None:
        """The control plane took this server's standing away: forget the session, keep asking."""
        self._session, self._trouble = None, trouble

    def wake(self) -> None:
        """Try again now if the last attempt failed: the control plane has just answered."""
        if self._trouble is not None:
            self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Renew until told to stop."""
        failures = 0
        while not stop.is_set():
            failures = 0 if self.renew() else failures + 1
            self._pause(self._wait_seconds(failures), stop)

    def renew(self) -> bool:
        """Ask once for a session; whether there is a new one."""
        try:
            session = self._asked()
        except Trouble as trouble:
            if self._trouble is None or self._trouble.code != trouble.code:
                log("credentials not renewed", code=trouble.code, why=str(trouble))
            self._trouble = trouble
            if trouble.code in ENDED:
                self._session = None
            self.tried.set()
            return False
        if self._trouble is not None:
            log("credentials renewed again", until=session.expires_at)
        self._session, self._trouble = session, None
        self.tried.set()
        return True

    def _asked(self) -> Session:
        answer = self._control.post("/credentials", {})
        try:
            return Session(
                access_key_id=answer["access_key_id"],
                secret=answer["secret_access_key"],
                token=answer["session_token"],
                name=answer["session_name"],
                expires=seconds_of(answer["expires_at"]),
                received=self.now(),
            )
        except (KeyError, TypeError, ValueError) as problem:
            raise Trouble(
                f"The control plane's answer holds no session ({problem!r}).", "Update the agent.", "protocol"
            ) from None

    def _wait_seconds(self, failures: int) -> float:
        if self._trouble is not None:
            # Many servers come back at once after an outage: not in step.
            wait = min(2.0 ** min(failures - 1, 10), _LONGEST_WAIT_SECONDS) * random.uniform(0.7, 1.0)  # noqa: S311
            return max(wait, self._trouble.retry_after_seconds)
        return 0.0 if self._session is None else max(self._session.renew_from - self.now(), 0.2)

    def _pause(self, seconds: float, stop: threading.Event) -> None:
        """Wait, but no longer than the wall clock says: a suspended machine wakes with a session that ran out."""
        until = self._clock() + seconds
        while not stop.is_set() and (left := until - self._clock()) > 0:
            if self._wake.wait(min(left, 5.0)):
                self._wake.clear()
                return
