"""Mounts of data sets on this server: their commands, and how they are.

Two functions are what the rest of the agent calls. A command's function takes `(config, options)` and returns an exit
code; it is set with `parser.set_defaults(run=function)`. `--config`, `--state` and `--run` are added to every command.
What the server was granted: `state.granted(config)`; credentials and "report now": `control_socket.ask(config, ...)`.
"""

from __future__ import annotations

import argparse
from typing import Any

from strongroom.agent.config import Config


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `mount`, `umount` and `mounts`."""


def report(config: Config) -> list[dict[str, Any]]:
    """The mounts and how each is, as the heartbeat carries them; called before each heartbeat, for 5 s at most."""
    return []
