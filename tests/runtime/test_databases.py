"""What a database URL becomes, and that SQLite is set so that what was acknowledged stays."""

import sqlite3
from pathlib import Path

from django.db import connection

from strongroom.core.settings import Settings
from strongroom.runtime import databases


def test_a_postgresql_url_may_hold_quoted_characters_and_options() -> None:
    url = "postgresql://me%40clinic:p%2Fw@[fd00::2]:6432/strong%20room?sslmode=verify-full"
    found = databases.configuration(Settings.from_environ({"STRONGROOM_DATABASE_URL": url}))
    wanted = {"NAME": "strong room", "USER": "me@clinic", "PASSWORD": "p/w", "HOST": "fd00::2", "PORT": "6432"}
    assert wanted.items() <= found.items()
    assert found["OPTIONS"] == {"sslmode": "verify-full"}


def test_no_url_is_an_sqlite_file_in_the_home() -> None:
    found = databases.configuration(Settings.from_environ({"STRONGROOM_HOME": "/srv/strongroom"}))
    assert found["NAME"] == Path("/srv/strongroom/strongroom.sqlite3")
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_sqlite_syncs_every_commit_and_lets_readers_go_on(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "x.sqlite3")
    database.executescript(str(databases.SQLITE_OPTIONS["init_command"]))
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    database.close()


def test_these_very_tests_run_on_that_configuration(db: None) -> None:
    if connection.vendor == "sqlite":
        assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
