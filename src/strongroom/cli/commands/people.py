"""`strongroom person …`: who can sign in at all."""

import shlex

import click

from strongroom.cli import asking, find, words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.session import Session
from strongroom.core.vocabulary import StaffRole, Verb

COLUMNS = (
    Column("ID", lambda item: words.short_id(item["id"])),
    Column("E-MAIL", lambda item: item["email"], shrinks=True),
    Column("NAME", lambda item: item["name"], shrinks=True),
    Column("STAFF", lambda item: item.get("staff_role") or ""),
    Column("ACTIVE", lambda item: words.yes_no(item.get("is_active", True))),
)
_CUT = (
    ("tokens", "token"),
    ("sessions", "browser"),
    ("keys", "access key"),
    ("transfers", "transfer"),
    ("servers", "server"),
)
STAFF_ROLES = [*(role.value for role in StaffRole), "none"]


@click.group(cls=Noun)
def person() -> None:
    """People: create, invite, disable."""


@deed(person, Verb.PERSON_CREATE, examples=["strongroom person create ada@example.org 'Ada Lovelace'"])
@click.argument("email")
@click.argument("name")
@click.option(
    "--staff-role", type=click.Choice([role.value for role in StaffRole]), help="What they are in all spaces."
)
def create(session: Session, email: str, name: str, staff_role: str | None) -> None:
    """Create a person.

    The code they sign in with is shown once.
    """
    body = {"email": email, "name": name, "staff_role": staff_role}
    made = session.api.create("/people", body)
    _hand_over(session, made, f"{made['name']} <{made['email']}> can sign in.")


@deed(person, Verb.PERSON_LIST, examples=["strongroom person list --search ada"])
@click.option("--search", help="Part of a name or e-mail address.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def list_(session: Session, search: str | None, limit: int | None) -> None:
    """List people."""
    people = session.api.items("/people", {"search": search}, limit=limit)
    session.out.rows(people, COLUMNS, empty="Nobody here.")


@deed(person, Verb.PERSON_SHOW, examples=["strongroom person show ada@example.org", "strongroom person show me"])
@click.argument("person", default="me")
def show(session: Session, person: str) -> None:
    """Show one person: an e-mail address, an id, or `me`."""
    found = find.person(session.api, person)
    session.out.record(found, facts(found))


@deed(person, Verb.PERSON_EDIT, examples=["strongroom person edit ada@example.org --staff-role support"])
@click.argument("person")
@click.option("--name", help="The name shown to others.")
@click.option("--staff-role", type=click.Choice(STAFF_ROLES), help="What they are in all spaces; `none` takes it away.")
def edit(session: Session, person: str, name: str | None, staff_role: str | None) -> None:
    """Change a person's name or staff role."""
    changes: Json = {}
    if name is not None:
        changes["name"] = name
    if staff_role is not None:
        changes["staff_role"] = None if staff_role == "none" else staff_role
    found = find.person(session.api, person)
    changed = session.api.patch(path("people", found["id"]), changes)
    session.out.done(changed, f"{changed['email']} is changed.")


@deed(person, Verb.PERSON_INVITE, examples=["strongroom person invite ada@example.org"])
@click.argument("person")
def invite(session: Session, person: str) -> None:
    """Make a new sign-in code for somebody.

    Older ones no longer work.
    """
    found = find.person(session.api, person)
    made = session.api.create(path("people", found["id"], "invite"))
    _hand_over(session, made, f"{found['email']} can sign in once with this code.")


@deed(person, Verb.PERSON_DISABLE, examples=["strongroom person disable ada@example.org --reason 'left the lab'"])
@click.argument("person")
@click.option("--reason", required=True, help="Why; it stays in the ledger.")
@click.option("--confirm", metavar="E-MAIL", help="Their e-mail address, instead of being asked.")
def disable(session: Session, person: str, reason: str, confirm: str | None) -> None:
    """Shut somebody out.

    They cannot sign in any more; their tokens and the access keys they hold end now.
    """
    found = find.person(session.api, person)
    consequence = f"{found['email']} will not be able to sign in; their tokens and access keys end now."
    asking.for_name(session, found["email"], consequence=consequence, given=confirm)
    changed = session.api.post(path("people", found["id"], "disable"), {"reason": reason})
    session.out.done({**found, **changed}, f"{found['email']} is shut out.")


@deed(person, Verb.PERSON_ENABLE, examples=["strongroom person enable ada@example.org"])
@click.argument("person")
def enable(session: Session, person: str) -> None:
    """Let somebody who was shut out come back.

    They need a new code: see `person invite`.
    """
    found = find.person(session.api, person)
    changed = session.api.post(path("people", found["id"], "enable"))
    step = shlex.join(["strongroom", "person", "invite", found["email"]])
    session.out.done({**found, **changed}, f"{found['email']} may sign in again.", step)


@deed(person, Verb.PERSON_REMOVE, examples=["strongroom person remove ada@example.org --reason 'left the lab'"])
@click.argument("person")
@click.option("--reason", required=True, help="Why; it stays in the ledger.")
@click.option("--confirm", metavar="E-MAIL", help="Their e-mail address, instead of being asked.")
def remove(session: Session, person: str, reason: str, confirm: str | None) -> None:
    """Remove somebody everywhere, and say what was cut.

    As `person disable`, and out of every space, with their second factor.
    """
    found = find.person(session.api, person)
    consequence = f"{found['email']} leaves every space; their tokens, browsers, access keys and servers end now."
    asking.for_name(session, found["email"], consequence=consequence, given=confirm)
    removed = session.api.post(path("people", found["id"], "remove"), {"reason": reason})
    cut = ", ".join(f"{words.counted(removed[each], word)}" for each, word in _CUT)
    left = ", ".join(removed["spaces"]) or "none"
    session.out.done(removed, f"{found['email']} is removed: {cut} ended. Spaces left: {left}.")


def facts(found: Json) -> list[tuple[str, object]]:
    """What there is to know about a person, as lines."""
    return [
        ("name", found["name"]),
        ("e-mail", found["email"]),
        ("staff role", found.get("staff_role")),
        ("active", words.yes_no(found.get("is_active", True))),
        ("created", words.moment(found.get("created_at"))),
        ("id", found["id"]),
    ]


def _login(session: Session, made: Json) -> str:
    code = made.get("sign_in_code")
    return f"strongroom login {session.signed_in.url}" + (f" --code {code}" if code else "")


def _hand_over(session: Session, made: Json, sentence: str) -> None:
    if session.out.is_quiet and made.get("sign_in_code"):
        session.out.text(made["sign_in_code"])
        return
    session.out.done(made, sentence, _login(session, made))
    if made.get("is_mailed"):
        session.out.note("It was sent by e-mail, too.")
    if made.get("note"):
        session.out.warn(str(made["note"]))
    elif made.get("sign_in_code"):
        until = words.moment(made.get("expires_at"))
        session.out.note("The code is shown this once and works once" + (f", until {until}." if until else "."))
