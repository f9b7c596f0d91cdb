"""How Django reaches the database that the settings name: SQLite in the home, or PostgreSQL."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from strongroom.core.settings import Settings

# Every transaction takes the write lock at its start (IMMEDIATE): two that read and then write would otherwise fail
# half way with "database is locked" however long they may wait. FULL: what was acknowledged survives a power cut.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}


def configuration(settings: Settings) -> dict[str, Any]:
    """What Django wants under `DATABASES["default"]`."""
    return _postgresql(settings.database_url) if settings.database_url else _sqlite(settings)


def _sqlite(settings: Settings) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": settings.home / "strongroom.sqlite3",
        "OPTIONS": dict(SQLITE_OPTIONS),
        "CONN_MAX_AGE": None,
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
