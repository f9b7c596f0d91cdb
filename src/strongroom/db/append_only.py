"""The database itself refuses to change or remove an entry of the ledger, whoever asks through it."""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "strongroom_event"

_SQLITE_MADE = (
    *(
        f"CREATE TRIGGER {TABLE}_no_{deed} BEFORE {deed} ON {TABLE} "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        for deed in ("update", "delete")
    ),
    # REPLACE removes the row in its way without asking the trigger on DELETE.
    "CREATE TRIGGER strongroom_event_no_replace BEFORE INSERT ON strongroom_event "
    "WHEN EXISTS (SELECT 1 FROM strongroom_event WHERE sequence = NEW.sequence) "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
)
_SQLITE_GONE = tuple(f"DROP TRIGGER IF EXISTS {TABLE}_no_{deed}" for deed in ("update", "delete", "replace"))

_POSTGRESQL_MADE = (
    f"CREATE FUNCTION {TABLE}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
    f"CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
    f"FOR EACH ROW EXECUTE FUNCTION {TABLE}_append_only()",
    f"CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_append_only()",
)
_POSTGRESQL_GONE = (
    f"DROP TRIGGER IF EXISTS {TABLE}_no_change ON {TABLE}",
    f"DROP TRIGGER IF EXISTS {TABLE}_no_truncate ON {TABLE}",
    f"DROP FUNCTION IF EXISTS {TABLE}_append_only()",
)

_MADE = {"sqlite": _SQLITE_MADE, "postgresql": _POSTGRESQL_MADE}
_GONE = {"sqlite": _SQLITE_GONE, "postgresql": _POSTGRESQL_GONE}


def install(vendor: str, editor: BaseDatabaseSchemaEditor) -> None:
    """Put the triggers in place. Raises KeyError for a database Strongroom does not know."""
    for statement in _MADE[vendor]:
        editor.execute(statement)


def remove(vendor: str, editor: BaseDatabaseSchemaEditor) -> None:
    """Take the triggers away: for undoing the migration, and for tests that empty the database between them."""
    for statement in _GONE[vendor]:
        editor.execute(statement)
