"""`strongroom mapping …`: what groups of an identity provider are good for."""

import click

from strongroom.cli import find
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.session import Session
from strongroom.core.vocabulary import IdentityKind, Role, StaffRole, Verb


def _target(item: Json) -> str:
    if item["outer"]:
        return f"lies within {item['outer']}"
    return f"{item['role']} of {item['space_name']}" if item["role"] else f"{item['staff_role']} of the platform"


COLUMNS = (
    Column("ID", lambda item: item["id"]),
    Column("PROVIDER", lambda item: item["provider"]),
    Column("GROUP", lambda item: item["group"], shrinks=True),
    Column("MAPPED TO", _target, shrinks=True),
)


@click.group(cls=Noun)
def mapping() -> None:
    """Groups of identity providers: map to roles, list, remove."""


@deed(
    mapping,
    Verb.MAPPING_ADD,
    examples=[
        "strongroom mapping add /hospital/genomics/stewards --space 'Heart study' --role steward",
        "strongroom mapping add it-operations --staff-role support",
        "strongroom mapping add genomics-doctoral-students --within genomics",
    ],
)
@click.argument("group")
@click.option("--space", help="The space in which it gives a role.")
@click.option("--role", type=click.Choice([each.value for each in Role]), help="The role in that space.")
@click.option("--staff-role", type=click.Choice([each.value for each in StaffRole]), help="A role on the platform.")
@click.option("--within", metavar="GROUP", default="", help="The group that it lies within.")
@click.option(
    "--provider",
    type=click.Choice([each.value for each in IdentityKind]),
    default=IdentityKind.OIDC.value,
    show_default=True,
    help="The provider that knows the group.",
)
def add(
    session: Session,
    group: str,
    space: str | None,
    role: str | None,
    staff_role: str | None,
    within: str,
    provider: str,
) -> None:
    """Map a group to a role, or into another group."""
    told = {"provider": provider, "group": group, "role": role, "staff_role": staff_role, "outer": within}
    told["space_id"] = find.space(session.api, space)["id"] if space else None
    made = session.api.create("/mappings", told)
    session.out.done(made, f"Who is in {made['group']} {_becomes(made)}, from their next sign-in on.")


@deed(mapping, Verb.MAPPING_LIST, examples=["strongroom mapping list"])
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def list_(session: Session, limit: int | None) -> None:
    """List what groups are mapped to."""
    rows = session.api.items("/mappings", {}, limit=limit)
    session.out.rows(rows, COLUMNS, empty="No group is mapped to anything.")


@deed(mapping, Verb.MAPPING_REMOVE, examples=["strongroom mapping remove 6f1c2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6"])
@click.argument("mapping_id")
def remove(session: Session, mapping_id: str) -> None:
    """End a mapping, and at once what it alone gave."""
    removed = session.api.delete(path("mappings", mapping_id))
    session.out.done(removed, "The mapping is removed, and what it alone gave has ended.")


def _becomes(item: Json) -> str:
    return f"counts as in {item['outer']}" if item["outer"] else f"becomes {_target(item)}"
