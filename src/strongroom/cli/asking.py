"""Asks before something is taken away or costs money: on a terminal, or given with `--confirm` or `--yes`."""

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


def for_yes(session: Session, what: str, *, is_given: bool) -> None:
    """A yes to what is about to be made, typed or given. Raises Problem for a no, or when nobody is there to ask."""
    if is_given:
        session.out.note(what)
        return
    if not session.is_interactive:
        raise problems.usage(f"{what} Nothing was done.", "Say --yes if you want it.")
    click.echo(what, err=True)
    if not click.confirm("Go on?", err=True):
        raise Problem("Nothing was done.", Exit.INVALID, code="confirm")
