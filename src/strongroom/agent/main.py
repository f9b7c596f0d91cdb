"""The words of `strongroom` on a server, and how its troubles are printed."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from strongroom import __version__
from strongroom.agent import config, problems
from strongroom.agent.problems import Trouble

# Which module has which words. The file that servers have is compiled at every run, so only what is asked for is read:
# programs ask for `credentials` time and again.
PARTS = {
    "joining": ("join",),
    "install": ("install",),
    "daemon": ("run",),
    "status": ("status",),
    "credentials": ("credentials",),
    "mounts": ("mount", "umount", "mounts"),
    "moving": ("download", "verify"),
    "uploading_words": ("upload", "sync"),
    "accounts": ("end-sessions",),
    "passage": ("relay",),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    options = parser(words[0] if words else "").parse_args(words)
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


def parser(word: str = "") -> argparse.ArgumentParser:
    """All the words with their options, or those of the part that has this one."""
    made = argparse.ArgumentParser(
        prog="strongroom", description="This machine as a server of a space: credentials, mounts, status."
    )
    made.add_argument("--version", action="version", version=f"strongroom agent {__version__}")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    for name in [name for name, words in PARTS.items() if word in words] or PARTS:
        importlib.import_module(f"strongroom.agent.{name}").add_commands(commands)
    for command in commands.choices.values():
        places = command.add_argument_group("places (for tests and containers)")
        places.add_argument("--config", metavar="FILE", help=f"instead of {config.CONFIG_FILE}")
        places.add_argument("--state", metavar="FOLDER", help=f"instead of {config.STATE}")
        places.add_argument("--run", metavar="FOLDER", dest="run_folder", help=f"instead of {config.RUN}")
    return made
