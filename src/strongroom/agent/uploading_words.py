"""The words `upload` and `sync` of a server with their options.

What they do is loaded only then: its journal needs SQLite, which a few Pythons lack, and the agent runs there, too.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from strongroom.agent import moving_runs
from strongroom.agent.config import Config
from strongroom.agent.moving_runs import EPILOG
from strongroom.agent.problems import Trouble
from strongroom.movers import names, walk

if TYPE_CHECKING:
    from types import ModuleType

_MOST_THREADS = 128


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `upload` and `sync`."""
    parser = subparsers.add_parser(
        "upload",
        help="bring a folder into a derivative",
        description="Every file is compared with what the storage holds. What broke off is gone on with: run it again.",
        epilog=EPILOG,
    )
    _add_arguments(parser)
    parser.set_defaults(run=_upload, delete=False)
    parser = subparsers.add_parser(
        "sync",
        help="make a derivative hold what a folder holds",
        description="As upload; --delete removes there what the folder does not hold. --down is the other way.",
        epilog=EPILOG,
    )
    _add_arguments(parser)
    parser.add_argument("--delete", action="store_true", help="remove what the other side does not have")
    parser.add_argument("--confirm", metavar="NAME", help="the exact name of the data set: --delete is for good there")
    parser.add_argument("--down", action="store_true", help="make the folder hold what the data set holds")
    parser.set_defaults(run=_sync)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="a folder, or one file")
    parser.add_argument("dataset", metavar="DATA-SET", help="its name, its id or its repository")
    parser.add_argument("--into", type=_prefix, default="", metavar="FOLDER", help="a folder of the data set")
    links = parser.add_mutually_exclusive_group()
    for option, choice, what in (
        ("--follow-links", walk.FOLLOW, "upload what links lead to"),
        ("--skip-links", walk.SKIP, "leave links out"),
    ):
        links.add_argument(option, dest="links", action="store_const", const=choice, help=what)
    parser.add_argument("--threads", type=_threads, metavar="N", help="requests at once")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="where the transfer manifest goes")
    moving_runs.add_choices(parser)


def _upload(config: Config, options: argparse.Namespace) -> int:
    return int(_deeds().upload(config, options))


def _sync(config: Config, options: argparse.Namespace) -> int:
    return int(_deeds().sync(config, options))


def _deeds() -> ModuleType:
    try:
        from strongroom.agent import uploading
    except ImportError as problem:
        raise Trouble(
            f"This Python cannot keep the journal of an upload: {problem}.",
            "Run it with the Python of the system, such as /usr/bin/python3.",
            "no-sqlite",
        ) from None
    return uploading


def _prefix(text: str) -> str:
    try:
        return names.prefix(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _threads(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= _MOST_THREADS:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 1 and {_MOST_THREADS}")
    return int(text)
