"""Temporary credentials: sessions of the one vending user, told apart by their names alone."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from botocore.credentials import Credentials

from strongroom.core.errors import Unavailable
from strongroom.engines.protocol import Session
from strongroom.engines.seaweedfs.configuration import load_credentials
from strongroom.engines.seaweedfs.http import Http
from strongroom.engines.seaweedfs.settings import SeaweedSettings

# What the engine accepts. Source: observation of SeaweedFS 4.48; AWS STS AssumeRole has the same bounds.
SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=12)


def create_session(settings: SeaweedSettings, http: Http, name: str, lifetime: timedelta) -> Session:
    """Ask the private gateway. `lifetime` is brought within 15 minutes and 12 hours.

    Raises: Unavailable.
    """
    vending = load_credentials(settings).vending
    if vending is None:
        raise Unavailable("The storage engine has not been prepared yet: its first start did not finish.")
    answer = http.form(
        "sts.AssumeRole",
        settings.private_endpoint,
        {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleSessionName": name,
            "DurationSeconds": str(int(min(max(lifetime, SHORTEST), LONGEST).total_seconds())),
        },
        Credentials(vending.access_key_id, vending.secret),
        service="sts",
        region=settings.region,
    )
    if answer.status != 200:
        raise Unavailable(f"The storage engine gave no session to {name}: {answer.status} {answer.text}")
    found = {each.tag.rpartition("}")[2]: each.text or "" for each in ElementTree.fromstring(answer.body).iter()}  # noqa: S314 - the engine's own answer
    return Session(
        name,
        found["AccessKeyId"],
        found["SecretAccessKey"],
        found["SessionToken"],
        datetime.fromisoformat(found["Expiration"]),
    )


class KeptSession:
    """A session of ours, made anew when it nears its end or is told to be stale; may be used by many threads."""

    def __init__(self, create: Callable[[timedelta], Session]) -> None:
        self._create = create
        self._lock = threading.Lock()
        self._session: Session | None = None

    def get(self) -> Credentials:
        """Credentials that last at least a quarter of an hour more."""
        with self._lock:
            if self._session is None or self._session.expires_at < datetime.now(UTC) + SHORTEST:
                self._session = self._create(timedelta(hours=2))
            return Credentials(self._session.access_key_id, self._session.secret, self._session.token)

    def forget(self) -> None:
        """The engine did not know it: the key that signs sessions was changed."""
        with self._lock:
            self._session = None
