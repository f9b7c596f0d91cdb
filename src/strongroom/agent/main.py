"""The words of `strongroom` on a server, and how its troubles are printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from strongroom import __version__
from strongroom.agent import accounts, config, joining, mounts, problems
from strongroom.agent.problems import Trouble


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; its exit code."""
    options = parser().parse_args(arguments)
    try:
        chosen = config.load(options.config, options.state, options.run_folder)
        return int(options.run(chosen, options))
    except Trouble as trouble:
        print(f"strongroom: {trouble}", file=sys.stderr)
        return trouble.exit
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return problems.USAGE


def parser() -> argparse.ArgumentParser:
    """All the words, with their options."""
    made = argparse.ArgumentParser(
        prog="strongroom", description="This machine as a server of a space: credentials, mounts, status."
    )
    made.add_argument("--version", action="version", version=f"strongroom agent {__version__}")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    for part in _parts():
        part(commands)
    for command in commands.choices.values():
        places = command.add_argument_group("places (for tests and containers)")
        places.add_argument("--config", metavar="FILE", help=f"instead of {config.CONFIG_FILE}")
        places.add_argument("--state", metavar="FOLDER", help=f"instead of {config.STATE}")
        places.add_argument("--run", metavar="FOLDER", dest="run_folder", help=f"instead of {config.RUN}")
    return made


def _parts() -> list[Any]:
    from strongroom.agent import credentials, daemon, install, moving, passage, status, uploading_words

    return [
        joining.add_command,
        install.add_command,
        daemon.add_command,
        status.add_command,
        credentials.add_command,
        mounts.add_commands,
        moving.add_commands,
        uploading_words.add_commands,
        accounts.add_command,
        passage.add_command,
    ]
