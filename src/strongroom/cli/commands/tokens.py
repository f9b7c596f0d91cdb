"""`strongroom token …`: personal access tokens for programs."""

import click

from strongroom.cli import find, words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Scope, Verb

COLUMNS = (
    Column("ID", lambda item: words.short_id(item["id"])),
    Column("NAME", lambda item: item["name"], shrinks=True),
    Column("SCOPES", lambda item: " ".join(item.get("scopes", []))),
    Column("EXPIRES", lambda item: words.moment(item.get("expires_at"))[:10]),
    Column("LAST USED", lambda item: words.moment(item.get("last_used_at"))[:10] or "never"),
    Column("STATUS", lambda item: "revoked" if item.get("revoked_at") else "active"),
)


@click.group(cls=Noun)
def token() -> None:
    """Personal access tokens: create, list, revoke."""


@deed(
    token,
    Verb.TOKEN_CREATE,
    examples=[
        "strongroom token create nightly --scope read --days 30",
        "STRONGROOM_TOKEN=$(strongroom token create ci --scope write --quiet)",
        "strongroom token create ci --space 'Heart study'",
    ],
)
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice([scope.value for scope in Scope]), help="Repeat for several."
)
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="How long it works.")
@click.option("--space", help="Narrow it to one space.")
def create(session: Session, name: str, scopes: tuple[str, ...], days: int, space: str | None) -> None:
    """Create a token.

    Its secret is shown once. Without --scope it may only read.
    """
    space_id = find.space(session.api, space)["id"] if space else None
    body = {"name": name, "scopes": list(scopes) or [Scope.READ.value], "days": days, "space_id": space_id}
    made = session.api.create("/tokens", body)
    if session.out.is_quiet and made.get("secret"):
        session.out.text(made["secret"])
        return
    session.out.done(made, f"Token {made['name']} works until {words.moment(made['expires_at'])}.")
    _once(session, made)


@deed(token, Verb.TOKEN_LIST, examples=["strongroom token list"])
def list_(session: Session) -> None:
    """List your tokens."""
    session.out.rows(session.api.items("/tokens"), COLUMNS, empty="You have no tokens.")


@deed(token, Verb.TOKEN_REVOKE, examples=["strongroom token revoke nightly"])
@click.argument("token")
def revoke(session: Session, token: str) -> None:
    """End a token now.

    TOKEN is an id, the beginning of one, a name, or `current`.
    """
    found = {"id": token, "name": "this token"} if token == "current" else find.token(session.api, token)
    ended = session.api.delete(path("tokens", found["id"]))
    session.out.done({**found, **ended}, f"{found['name']} no longer works.")


def _once(session: Session, made: Json) -> None:
    if session.out.is_json or session.out.is_quiet:
        return
    if made.get("secret"):
        session.out.secret(
            "Token, shown this once", [("STRONGROOM_URL", session.signed_in.url), ("STRONGROOM_TOKEN", made["secret"])]
        )
    elif made.get("note"):
        session.out.warn(str(made["note"]))
