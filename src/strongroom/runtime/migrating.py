"""Brings the database to what this version expects."""

from django.core.management import call_command

from strongroom.core.settings import Settings


def migrate() -> None:
    """Make or change the tables; nothing to do is fine. Several processes at once wait for each other."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def words(settings: Settings) -> str:
    """The database in a word for people, without its password."""
    return "PostgreSQL" if settings.database_url else "SQLite"
