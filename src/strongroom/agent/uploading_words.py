"""The words `upload` and `sync` of a server with their options.

What they do is loaded only then: its journal needs SQLite, which a few Pythons lack, and the agent runs there, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from strongroom.agent import mover_options
from strongroom.agent.config import Config
from strongroom.agent.moving_runs import EPILOG
from strongroom.agent.problems import Trouble
from strongroom.movers.options import SYNC, UPLOAD, Option

if TYPE_CHECKING:
    from types import ModuleType


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `upload` and `sync`."""
    parser = subparsers.add_parser(
        "upload",
        help="bring a folder into a derivative",
        description="Every file is compared with what the storage holds. What broke off is gone on with: run it again.",
        epilog=EPILOG,
    )
    _add_arguments(parser, UPLOAD)
    parser.set_defaults(run=_upload, is_deleting=False)
    parser = subparsers.add_parser(
        "sync",
        help="make a derivative hold what a folder holds",
        description="As upload; --delete removes there what the folder does not hold. --down is the other way.",
        epilog=EPILOG,
    )
    _add_arguments(parser, SYNC)
    parser.set_defaults(run=_sync)


def _add_arguments(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="a folder, or one file")
    parser.add_argument("dataset", metavar="DATA-SET", help="its name, its id or its repository")
    mover_options.add(parser, options)
    parser.add_argument("--json", action="store_true", help="for programs")


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
