"""`strongroom session …`: the browsers one is signed in with."""

import click

from strongroom.cli import words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column
from strongroom.cli.paths import path
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb

COLUMNS = (
    Column("ID", lambda item: item["id"]),
    Column("BROWSER", lambda item: item["agent"], shrinks=True),
    Column("ADDRESS", lambda item: item["address"]),
    Column("LAST SEEN", lambda item: words.moment(item["last_seen_at"])),
    Column("ENDED", lambda item: words.moment(item["ended_at"])),
)


@click.group(cls=Noun)
def session() -> None:
    """Browsers you are signed in with: list, end."""


@deed(session, Verb.SESSION_LIST, examples=["strongroom session list"])
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def list_(session: Session, limit: int | None) -> None:
    """List the browsers you signed in with."""
    rows = session.api.items("/sessions", {}, limit=limit)
    session.out.rows(rows, COLUMNS, empty="You have not signed in with a browser.")


@deed(session, Verb.SESSION_END, examples=["strongroom session end 6f1c2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6"])
@click.argument("session_id")
def end(session: Session, session_id: str) -> None:
    """Sign a browser of yours out, at once."""
    ended = session.api.delete(path("sessions", session_id))
    session.out.done(ended, "That browser is signed out.")
