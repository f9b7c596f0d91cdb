"""The options of movers as argparse takes them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable

from strongroom.movers import limiting, names
from strongroom.movers.options import MOST_THREADS, Kind, Option

_SAID_HERE = {
    "label": "a word in the transfer manifest that tells this run from others",  # there is no transfer in the ledger
    "confirm": "the exact name of the data set: --delete is for good there",
}


def add(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    """The parser takes these."""
    choices: dict[str, argparse._ActionsContainer] = {}
    for option in options:
        where: argparse._ActionsContainer = parser
        if option.kind is Kind.CHOICE:
            if option.name not in choices:
                choices[option.name] = parser.add_mutually_exclusive_group()
            where = choices[option.name]
        text = _SAID_HERE.get(option.name) or option.help[0].lower() + option.help[1:].rstrip(".")
        where.add_argument(option.flag, dest=option.name, help=text, **_how(option))


def _how(option: Option) -> dict[str, Any]:
    if option.kind is Kind.FLAG:
        return {"action": "store_true"}
    if option.kind is Kind.CHOICE:
        return {"action": "store_const", "const": option.chosen}
    if option.kind is Kind.TEXTS:
        return {"action": "append", "default": [], "metavar": option.metavar}
    return {"type": _TYPES[option.kind], "default": option.default, "metavar": option.metavar}


def _told(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """What it says of a text that is none belongs to the person."""

    def made(text: str) -> Any:
        try:
            return read(text)
        except ValueError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from None

    return made


def _minutes(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise ValueError(f"{text!r} is no number of minutes")
    return found


def _threads(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_THREADS:
        raise ValueError(f"{text!r} is not between 1 and {MOST_THREADS}")
    return int(text)


_TYPES: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: str,
    Kind.FILE: Path,
    Kind.FOLDER: _told(names.prefix),
    Kind.RATE: _told(limiting.rate),
    Kind.MINUTES: _told(_minutes),
    Kind.THREADS: _told(_threads),
}
