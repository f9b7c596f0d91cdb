"""`strongroom space …`: the containers people work in."""

import click

from strongroom.cli import find, words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.core.vocabulary import RiskLevel, Verb

COLUMNS = (
    Column("ID", lambda item: words.short_id(item["id"])),
    Column("NAME", lambda item: item["name"], shrinks=True),
    Column("RISK", lambda item: item["risk_level"]),
    Column("CHARGE CODE", lambda item: item["charge_code"], shrinks=True),
    Column("CONTACT", lambda item: item["contact"], shrinks=True),
)
RISKS = [level.value for level in RiskLevel]


@click.group(cls=Noun)
def space() -> None:
    """Spaces: create, list, show, edit.

    SPACE is an id, the beginning of one (4 characters or more) or an exact name.
    """


@deed(space, Verb.SPACE_CREATE, examples=["strongroom space create 'Heart study' --risk high --charge-code CC-1234"])
@click.argument("name")
@click.option("--risk", type=click.Choice(RISKS), required=True, help="Data sets exist from `moderate` up.")
@click.option("--charge-code", help="Who pays.")
@click.option("--contact", help="Whom to ask about it.")
def create(session: Session, name: str, risk: str, charge_code: str | None, contact: str | None) -> None:
    """Create a space; you become its owner."""
    body = {"name": name, "risk_level": risk, "charge_code": charge_code, "contact": contact}
    made = session.api.create("/spaces", body)
    holds_data = made["risk_level"] != RiskLevel.LOW.value
    session.out.done(
        made,
        f"Space {made['name']} is there ({made['risk_level']} risk).",
        f"strongroom member add {words.short_id(made['id'])} ada@example.org --role steward",
        *([f"strongroom dataset create {words.short_id(made['id'])} NAME --kind original"] if holds_data else []),
    )


@deed(space, Verb.SPACE_LIST, examples=["strongroom space list", "strongroom space list --search heart --json"])
@click.option("--search", help="Part of the name.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def list_(session: Session, search: str | None, limit: int | None) -> None:
    """List the spaces you may see."""
    spaces = session.api.items("/spaces", {"search": search}, limit=limit)
    session.out.rows(spaces, COLUMNS, empty="No spaces. Create one with `strongroom space create NAME --risk high`.")


@deed(space, Verb.SPACE_SHOW, examples=["strongroom space show 'Heart study'"])
@click.argument("space")
def show(session: Session, space: str) -> None:
    """Show one space."""
    found = session.api.get(path("spaces", find.space(session.api, space)["id"]))
    session.out.record(found, _facts(found))


@deed(space, Verb.SPACE_EDIT, examples=["strongroom space edit 'Heart study' --contact 'Ada, room 12'"])
@click.argument("space")
@click.option("--name", help="A new name.")
@click.option("--risk", "risk_level", type=click.Choice(RISKS), help="A new risk level.")
@click.option("--charge-code", help="Who pays.")
@click.option("--contact", help="Whom to ask about it.")
def edit(session: Session, space: str, **options: str | None) -> None:
    """Change a space."""
    changes = {name: value for name, value in options.items() if value is not None}
    if not changes:
        raise usage("Nothing to change was given.", "See `strongroom space edit --help`.")
    found = find.space(session.api, space)
    changed = session.api.patch(path("spaces", found["id"]), changes)
    session.out.done(changed, f"Space {changed['name']} is changed.")


def _facts(found: Json) -> list[tuple[str, object]]:
    return [
        ("name", found["name"]),
        ("risk level", found["risk_level"]),
        ("your role", found.get("role")),
        ("charge code", found.get("charge_code")),
        ("contact", found.get("contact")),
        ("members", words.number(found["member_count"])),
        ("data sets", words.number(found["dataset_count"])),
        ("created", words.moment(found["created_at"])),
        ("id", found["id"]),
    ]
