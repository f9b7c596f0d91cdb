"""`strongroom member …`: who belongs to a space, and as what."""

import click

from strongroom.cli import asking, find, words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column
from strongroom.cli.paths import path
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Role, Verb

COLUMNS = (
    Column("E-MAIL", lambda item: item["email"], shrinks=True),
    Column("NAME", lambda item: item.get("name") or "", shrinks=True),
    Column("ROLE", lambda item: item["role"]),
    Column("BY GROUP", lambda item: item.get("group") or "", shrinks=True),
    Column("SINCE", lambda item: words.moment(item["added_at"])[:10]),
)
ROLES = [role.value for role in Role]


@click.group(cls=Noun)
def member() -> None:
    """Members of a space: add, list, change, remove."""


@deed(member, Verb.MEMBER_ADD, examples=["strongroom member add 'Heart study' ada@example.org --role steward"])
@click.argument("space")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What they are in this space.")
def add(session: Session, space: str, email: str, role: str) -> None:
    """Add a person to a space."""
    found = find.space(session.api, space)
    made = session.api.create(path("spaces", found["id"], "members"), {"email": email, "role": role})
    session.out.done(made, f"{made['email']} is {made['role']} of {found['name']}.")


@deed(member, Verb.MEMBER_LIST, examples=["strongroom member list 'Heart study'"])
@click.argument("space")
def list_(session: Session, space: str) -> None:
    """List the members of a space."""
    found = find.space(session.api, space)
    members = session.api.items(path("spaces", found["id"], "members"))
    session.out.rows(members, COLUMNS, empty=f"{found['name']} has no members.")


@deed(member, Verb.MEMBER_EDIT, examples=["strongroom member edit 'Heart study' ada@example.org --role owner"])
@click.argument("space")
@click.argument("member")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What they shall be in this space.")
def edit(session: Session, space: str, member: str, role: str) -> None:
    """Give a member another role."""
    found = find.space(session.api, space)
    whom = find.member(session.api, found["id"], member)
    changed = session.api.patch(path("spaces", found["id"], "members", whom["id"]), {"role": role})
    session.out.done(changed, f"{whom['email']} is {role} of {found['name']}.")


@deed(member, Verb.MEMBER_REMOVE, examples=["strongroom member remove 'Heart study' ada@example.org"])
@click.argument("space")
@click.argument("member")
@click.option("--confirm", metavar="E-MAIL", help="Their e-mail address, instead of being asked.")
def remove(session: Session, space: str, member: str, confirm: str | None) -> None:
    """Take a member out of a space."""
    found = find.space(session.api, space)
    whom = find.member(session.api, found["id"], member)
    consequence = f"{whom['email']} will not see {found['name']} any more."
    asking.for_name(session, whom["email"], consequence=consequence, given=confirm)
    removed = session.api.delete(path("spaces", found["id"], "members", whom["id"]))
    session.out.done({**whom, **removed}, f"{whom['email']} is no longer a member of {found['name']}.")
