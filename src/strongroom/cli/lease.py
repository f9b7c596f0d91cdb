"""A transfer that is open at the server: its credentials, renewed in time, the digests it reports, and its end.

Knows the API; refuses to know files. Whatever ends the transfer for good is raised as the server says it. How long
credentials work is what the server says, measured here: what the clock of this machine shows is of no account.
"""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from strongroom.cli.exits import Exit
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.cli.problems import Problem
from strongroom.core.vocabulary import Direction
from strongroom.movers.errors import Refused, Unreachable
from strongroom.movers.journal import Sent
from strongroom.movers.retrying import Patience
from strongroom.movers.s3 import Credentials, Repository

if TYPE_CHECKING:
    from strongroom.cli.client import Api  # and with it httpx, which takes longer than what needs neither

_EARLY = 0.25  # renewed when so much of their life is left
_AT_MOST_EARLY_SECONDS = 600.0
_JUST_RENEWED_SECONDS = 5.0


class _Moment(NamedTuple):
    """A moment by both clocks: one stands still while the machine sleeps, the other may be set meanwhile."""

    monotonic: float
    wall: float

    def seconds_since(self) -> float:
        return max(time.monotonic() - self.monotonic, time.time() - self.wall)


def _now() -> _Moment:
    return _Moment(time.monotonic(), time.time())


class Lease:
    """One transfer. Any thread may call. `opened` is what the server said when it began."""

    def __init__(self, api: "Api", dataset: Json, *, label: str, direction: Direction = Direction.UPLOAD) -> None:
        """Raises Problem as the server refuses it."""
        self._api = api
        self._lock = threading.Lock()
        self._was_asked_to_close = False
        body = {"label": label, "direction": direction.value}
        asked = _now()
        self.opened = api.create(path("datasets", dataset["id"], "transfers"), body)
        self._take(self.opened, asked)

    def repository(self, patience: Patience) -> Repository:
        """That of the data set, with credentials that are good for as long as the transfer runs."""
        where = (self.opened["endpoint"], self.opened["region"], self.opened["repository"])
        return Repository(*where, self.credentials, denied=self.denied, patience=patience)

    def credentials(self) -> Credentials:
        """Good ones. Raises: Unreachable where they are over and the server does not answer, Problem for a refusal."""
        if self._taken.seconds_since() < self._renew_after_seconds:
            return self._credentials
        with self._lock:
            if self._taken.seconds_since() >= self._renew_after_seconds:
                self._renew()
        return self._credentials

    def denied(self, refusal: Refused) -> None:
        """The store refused access: find out why. Raises Problem where the transfer is over; else it is worth a try."""
        with self._lock:
            if self._taken.seconds_since() > _JUST_RENEWED_SECONDS or self._has_ended():
                self._renew(is_due=True)

    def digests(self, batch: Sequence[Sent]) -> None:
        """Report them. Raises: Unreachable where the server does not answer, Problem for a refusal."""
        items = [
            {"key": each.key, "size_bytes": each.size_bytes, "etag": each.etag, "sha256": each.sha256} for each in batch
        ]
        with patiently():
            self._api.post(path("transfers", self.opened["id"], "digests"), {"items": items})

    def close(self, summary: Json) -> None:
        """End it: the credentials stop working. Asked again after an answer that was lost, it may have ended already.

        Raises: Unreachable, Problem.
        """
        was_asked, self._was_asked_to_close = self._was_asked_to_close, True
        try:
            with patiently():
                self._api.create(path("transfers", self.opened["id"], "close"), summary)
        except Problem as problem:
            if not (was_asked and problem.code == "transfer-ended"):
                raise

    def _has_ended(self) -> bool:
        with patiently():
            return bool(self._api.get(path("transfers", self.opened["id"]))["ended_at"])

    def _renew(self, *, is_due: bool = False) -> None:
        asked = _now()
        try:
            with patiently():
                self._take(self._api.post(path("transfers", self.opened["id"], "renew")), asked)
        except Unreachable:
            if is_due or self._taken.seconds_since() >= self._life_seconds:
                raise

    def _take(self, opened: Json, asked: _Moment) -> None:
        self._taken, self._life_seconds = asked, opened["seconds_left"]  # less than that: the answer took its time
        self._renew_after_seconds = self._life_seconds - min(self._life_seconds * _EARLY, _AT_MOST_EARLY_SECONDS)
        expires_at = datetime.fromisoformat(opened["expires_at"])
        self._credentials = Credentials(opened["access_key_id"], opened["secret"], opened["session_token"], expires_at)


@contextlib.contextmanager
def patiently() -> Iterator[None]:
    """What may be over in a moment is Unreachable, to be asked again as with the store."""
    try:
        yield
    except Problem as problem:
        if problem.exit is Exit.UNAVAILABLE:
            raise Unreachable(problem.detail.rstrip(".")) from problem
        raise
