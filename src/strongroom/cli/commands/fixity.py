"""`strongroom fixity …`: reading all of a data set again, and what that found."""

import click

from strongroom.cli import find, fixity_words, waiting, words
from strongroom.cli.commands.lifecycle import waits
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb

COLUMNS = (
    Column("CHECK", lambda item: words.short_id(item["id"])),
    Column("ASKED", lambda item: words.moment(item["asked_at"])),
    Column("BY", lambda item: item["asked_by"] or "the calendar", shrinks=True),
    Column("STATE", lambda item: item["state"]),
    Column("OBJECTS", lambda item: words.number(item["objects_done"]), is_right=True),
    Column("READ", lambda item: words.size(item["read_bytes"]), is_right=True),
    Column("DIFFERENCES", lambda item: words.number(item["difference_count"]), is_right=True),
)


@click.group(cls=Noun)
def fixity() -> None:
    """Fixity checks: read all of a finalized data set again, and compare it with its digests."""


@deed(fixity, Verb.FIXITY_START, examples=["strongroom fixity start 'Cohort 2024'"])
@click.argument("dataset")
@waits
def start(session: Session, dataset: str, no_wait: bool, timeout: float | None) -> None:
    """Start a check, and wait for its end.

    One that is under way goes on at once instead. Exits 9 when anything is missing, altered or unreadable.
    """
    found = find.dataset(session.api, dataset)
    run(session, found, is_followed=not no_wait, timeout=timeout)


@deed(fixity, Verb.FIXITY_LIST, examples=["strongroom fixity list 'Cohort 2024'"])
@click.argument("dataset")
@click.option("--limit", type=click.IntRange(1), default=20, help="How many, the newest first.")
def list_(session: Session, dataset: str, limit: int) -> None:
    """List the checks of a data set."""
    found = find.dataset(session.api, dataset)
    checks = session.api.items(path("datasets", found["id"], "fixity"), limit=limit)
    session.out.rows(checks, COLUMNS, empty="There was none yet: it is not a finalized original.")


@deed(
    fixity,
    Verb.FIXITY_SHOW,
    examples=["strongroom fixity show 'Cohort 2024'", "strongroom fixity show 'Cohort 2024' --check 5f0a1b2c"],
)
@click.argument("dataset")
@click.option("--check", metavar="ID", help="Which one, by its id or the beginning of it; else the newest.")
def show(session: Session, dataset: str, check: str | None) -> None:
    """Show a check, and each object that differs."""
    found = find.dataset(session.api, dataset)
    one = fixity_words.one(session.api, found, check)
    told = fixity_words.in_full(session.api, found, one)
    fixity_words.show(session, found, told)


def run(session: Session, found: Json, *, is_followed: bool, timeout: float | None) -> None:
    """Start a check, follow it, and report. Raises Problem (exit 9) when something differs."""
    check = session.api.post(path("datasets", found["id"], "fixity"))
    if not is_followed:
        session.out.done(check, "The check is started.", f"strongroom fixity show {words.short_id(found['id'])}")
        return
    check = waiting.for_check(session, found, check, seconds=timeout)
    if check["completes_digests"] and check["state"] == "passed":  # that read only what came without a digest
        check = waiting.for_check(
            session, found, session.api.post(path("datasets", found["id"], "fixity")), seconds=timeout
        )
    told = fixity_words.in_full(session.api, found, check)
    fixity_words.show(session, found, told)
    fixity_words.refuse_differences(found, told)
