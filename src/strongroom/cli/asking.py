"""Asks before something is taken away: the name is typed on a terminal, or given with `--confirm`."""

import click

from strongroom.cli import problems
from strongroom.cli.exits import Exit
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session


def for_name(session: Session, name: str, *, consequence: str, given: str | None) -> str:
    """The name, typed or given. Raises Problem when it is another one, or when nobody is there to be asked."""
    if given is None:
        if not session.is_interactive:
            raise problems.usage(f"{consequence} Nothing was done.", f"Say --confirm {name!r} if you mean it.")
        click.echo(consequence, err=True)
        given = click.prompt(f"Type the name to go on ({name})", err=True, default="", show_default=False)
    if given != name:
        raise Problem(
            f"{given!r} is not {name!r}. Nothing was done.",
            Exit.INVALID,
            "Give the name exactly as it is shown, capitals and spaces included.",
            code="confirm",
        )
    return name
