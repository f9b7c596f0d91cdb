"""`strongroom terms …`: the terms for sensitive data."""

import click

from strongroom.cli.deeds import Noun, deed
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb


@click.group(cls=Noun)
def terms() -> None:
    """Terms for sensitive data: read, accept."""


@deed(terms, Verb.TERMS_SHOW, examples=["strongroom terms show"])
def show(session: Session) -> None:
    """Show the terms in force."""
    found = session.api.get("/terms")
    accepted = found["accepted_at"] or "not yet"
    session.out.record(found, [("version", found["version"]), ("accepted", accepted), ("text", found["text"])])


@deed(terms, Verb.TERMS_ACCEPT, examples=["strongroom terms accept 3f1c0a9d5e77"])
@click.argument("version")
def accept(session: Session, version: str) -> None:
    """Accept the version that you have read."""
    session.out.done(session.api.post("/terms/accept", {"version": version}), "You accepted the terms.")
