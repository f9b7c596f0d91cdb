"""The options of movers as click takes them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from strongroom.cli.commands.rates import Rate
from strongroom.cli.deeds import Handler
from strongroom.movers.options import MOST_THREADS, Kind, Option

_HOW: dict[Kind, Callable[[Option], dict[str, Any]]] = {  # Any: as click declares them
    Kind.FLAG: lambda _: {"is_flag": True},
    Kind.CHOICE: lambda option: {"flag_value": option.chosen},
    Kind.TEXT: lambda option: {"metavar": option.metavar},
    Kind.TEXTS: lambda option: {"metavar": option.metavar, "multiple": True},
    Kind.FOLDER: lambda option: {"metavar": option.metavar},
    Kind.FILE: lambda option: {"metavar": option.metavar, "type": click.Path(path_type=Path, dir_okay=False)},
    Kind.RATE: lambda _: {"type": Rate()},
    Kind.MINUTES: lambda option: {"metavar": option.metavar, "type": click.FloatRange(0), "show_default": True},
    Kind.THREADS: lambda _: {"type": click.IntRange(1, MOST_THREADS), "show_default": True},
}


def taking(options: Sequence[Option]) -> Callable[[Handler], Handler]:
    """A decorator: the command takes these."""

    def made(handler: Handler) -> Handler:
        for option in reversed(options):
            how = _HOW[option.kind](option)
            if option.default is not None:
                how["default"] = option.default
            handler = click.option(option.flag, option.name, help=option.help, **how)(handler)
        return handler

    return made
