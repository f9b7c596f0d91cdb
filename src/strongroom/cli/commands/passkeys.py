"""`strongroom passkey …`: the passkeys one signs in with."""

import click

from strongroom.cli import words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column
from strongroom.cli.paths import path
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb

COLUMNS = (
    Column("ID", lambda item: item["id"]),
    Column("NAME", lambda item: item["name"], shrinks=True),
    Column("ADDED", lambda item: words.moment(item["created_at"])),
    Column("LAST USED", lambda item: words.moment(item["last_used_at"])),
)


@click.group(cls=Noun)
def passkey() -> None:
    """Passkeys you sign in with: list, remove. They are added in a browser, on your account page."""


@deed(passkey, Verb.PASSKEY_LIST, examples=["strongroom passkey list"])
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def list_(session: Session, limit: int | None) -> None:
    """List your passkeys."""
    rows = session.api.items("/passkeys", {}, limit=limit)
    session.out.rows(rows, COLUMNS, empty="You have no passkey. Add one in a browser, on your account page.")


@deed(passkey, Verb.PASSKEY_REMOVE, examples=["strongroom passkey remove 6f1c2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6"])
@click.argument("passkey_id")
@click.option("--last", is_flag=True, help="Even if it is your last second factor, which closes spaces to you.")
def remove(session: Session, passkey_id: str, last: bool) -> None:
    """Forget a passkey, at once.

    Prove your second factor first: `strongroom mfa prove`.
    """
    removed = session.api.delete(path("passkeys", passkey_id), {"is_last": "true" if last else None})
    session.out.done(removed, "That passkey opens nothing any more.")
