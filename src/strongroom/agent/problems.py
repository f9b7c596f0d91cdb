"""What can go wrong on a server, in one line with the way out; refuses to know how it is printed."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass
class Trouble(Exception):
    """Something that was not done. `detail` is a sentence for people; `code` a stable word for programs."""

    detail: str
    way_out: str = ""
    code: str = "trouble"
    exit: int = 1
    retry_after_seconds: float = 0.0

    def __str__(self) -> str:
        # What people wrote, such as the reason why a server was disabled, often ends without a full stop.
        is_whole = not self.way_out or self.detail.endswith((".", "!", "?", ")", ":"))
        return " ".join(each for each in (self.detail if is_whole else f"{self.detail}.", self.way_out) if each)

    def as_json(self) -> dict[str, str]:
        """For programs, and for the control socket."""
        return {"detail": self.detail, "way_out": self.way_out, "code": self.code}


USAGE = 2
NOT_JOINED = 3
NOT_RUNNING = 4


def not_joined() -> Trouble:
    """There is no identity in the state folder."""
    return Trouble(
        "This machine has not joined Strongroom.",
        "Ask a steward of the space for a join command (`strongroom server enrol`) and run it here as root.",
        "not-joined",
        NOT_JOINED,
    )


def not_running() -> Trouble:
    """Nobody answers at the control socket."""
    return Trouble(
        "The agent is not running.",
        "Start it, in an elevated PowerShell: Start-ScheduledTask -TaskName 'Strongroom agent'"
        if sys.platform == "win32"
        else "Start it as root: systemctl start strongroom (or, without systemd: strongroom run).",
        "not-running",
        NOT_RUNNING,
    )


def needs_root(what: str) -> Trouble:
    """The deed changes what belongs to root."""
    return Trouble(f"{what} needs root.", "Run it with sudo.", "needs-root", USAGE)
