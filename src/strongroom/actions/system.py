"""The state of the whole: engine, host, worker, database, and what the engine has not followed yet."""

from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Min
from django.utils import timezone

from strongroom import __version__, engines, hosts
from strongroom.actions.deeds import doing
from strongroom.core.actor import Actor
from strongroom.core.health import Health
from strongroom.core.sentences import quoted, say, say_many
from strongroom.core.vocabulary import Power, ServerKind, Verb
from strongroom.db.models import Dataset, FixityCheck, LedgerHead, Server

_HEARTBEAT = "strongroom-worker-seen"
_LATE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Status:
    """What an operator looks at first. `oldest_unsettled_at`: since when a data set waits for the engine."""

    version: str
    parts: list[Health]
    unsettled_count: int
    oldest_unsettled_at: datetime | None
    ledger_sequence: int
    ledger_hash: str

    @property
    def is_healthy(self) -> bool:
        """Whether every part works."""
        return all(part.is_healthy for part in self.parts)


def status(actor: Actor) -> Status:
    """How each part is. Raises: Forbidden."""
    with doing(actor, Verb.SYSTEM_STATUS) as deed:
        deed.platform()
        unsettled = Dataset.objects.unsettled().aggregate(count=Count("id"), oldest=Min("modified_at"))
        head = LedgerHead.objects.get(id=1)
        return Status(
            version=__version__,
            parts=[_database(), _worker(deed.now), *engines.current().health(), *_host(), _files()],
            unsettled_count=unsettled["count"],
            oldest_unsettled_at=unsettled["oldest"],
            ledger_sequence=head.sequence,
            ledger_hash=head.hash,
        )


def worker_was_here() -> None:
    """Note that a worker lives; a worker says so every few seconds."""
    cache.set(_HEARTBEAT, timezone.now().isoformat(), timeout=None)


def _worker(now: datetime) -> Health:
    seen = cache.get(_HEARTBEAT)
    if seen is None:
        return Health(say("worker"), False, say("was never seen"))
    seconds = (now - datetime.fromisoformat(seen)).total_seconds()
    return Health(
        say("worker"), seconds <= _LATE_SECONDS, say("last seen {seconds:.0f} s ago", seconds=max(seconds, 0))
    )


def _host() -> list[Health]:
    """Of the host, once servers were made on it: whoever makes none need not have what it needs."""
    host = hosts.current()
    made = Server.objects.filter(kind=ServerKind.CREATED).exclude(power=Power.ABSENT, observed=Power.ABSENT)
    return host.health() if host and made.exists() else []


def _files() -> Health:
    """What fixity checks found. Not healthy until a later check finds all as it was."""
    damaged = Dataset.objects.filter(damaged_objects__gt=0).count()
    under_way = FixityCheck.objects.filter(ended_at=None).count()
    if damaged:
        said = say_many(
            "{count} data set has objects that are missing, altered or unreadable",
            "{count} data sets have objects that are missing, altered or unreadable",
            damaged,
        )
        return Health(say("files"), False, said)
    return Health(
        say("files"),
        True,
        say_many(
            "no damage known; {count} fixity check under way",
            "no damage known; {count} fixity checks under way",
            under_way,
        ),
    )


def _database() -> Health:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
        version = str(cursor.fetchone()[0])
    name = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    said = version.split(" on ")[0] if name == "PostgreSQL" else f"{name} {version}"
    return Health(say("database"), True, quoted(said))
