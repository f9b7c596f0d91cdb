"""What root decided about this machine: who gets credentials, where the agent listens, where it keeps its state.

`/etc/strongroom/agent.json` holds it; every key is optional. Options and `STRONGROOM_AGENT_*` move the three places.
"""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.agent.problems import Trouble

IS_WINDOWS = sys.platform == "win32"
_PROGRAM_DATA = Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "Strongroom"
CONFIG_FILE = _PROGRAM_DATA / "agent.json" if IS_WINDOWS else Path("/etc/strongroom/agent.json")
STATE = _PROGRAM_DATA / "state" if IS_WINDOWS else Path("/var/lib/strongroom")
RUN = _PROGRAM_DATA / "run" if IS_WINDOWS else Path("/run/strongroom")

OFF = "off"
BESIDE = "beside"
ONLY = "only"


@dataclass(frozen=True)
class Config:
    """`users` and `groups` are local names that get credentials besides root.

    `imds_address` is `host:port` or `off`; `imds_hop_limit` the IP TTL of its answers; `credentials_port` that of the
    container-credentials URL on 127.0.0.1, 0 for none; `endpoint` replaces the S3 endpoint the control plane names;
    `ca_file` is trusted besides the system's authorities. `ssh` says whether people of the space log in: `off`,
    `beside` whoever else does, or they `only`; `ssh_host` is where they reach the sshd, a name or `name:port`.
    """

    file: Path = CONFIG_FILE
    state: Path = STATE
    run: Path = RUN
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    imds_address: str = OFF if IS_WINDOWS else "169.254.169.254:80"
    imds_v1: bool = False
    imds_hop_limit: int = 1
    credentials_port: int = 9911 if IS_WINDOWS else 0
    endpoint: str = ""
    ca_file: str = ""
    ssh: str = OFF
    ssh_host: str = ""

    @property
    def control_socket(self) -> Path:
        """Where local programs speak to the agent."""
        return self.run / "agent.sock"

    @property
    def key(self) -> Path:
        """The private key of the server; it never leaves this machine."""
        return self.state / "key"

    @property
    def who_may(self) -> str:
        """Who gets credentials, in words."""
        groups = [f"members of {group}" for group in self.groups]
        return ", ".join(["root", *self.users, *groups])


def load(file: str | None = None, state: str | None = None, run: str | None = None) -> Config:
    """The configuration: options first, then `STRONGROOM_AGENT_CONFIG`, `_STATE` and `_RUN`, then the usual places.

    Raises: Trouble when the file cannot be read, may be changed by others than root, or holds what is not known.
    """
    place = os.environ.get
    path = Path(file or place("STRONGROOM_AGENT_CONFIG") or CONFIG_FILE)
    usual = Config(
        file=path,
        state=Path(state or place("STRONGROOM_AGENT_STATE") or STATE),
        run=Path(run or place("STRONGROOM_AGENT_RUN") or RUN),
    )
    try:
        text = path.read_text(encoding="utf-8")
        _check_writers(path)
    except (FileNotFoundError, PermissionError):
        # Whoever may not read it needs only the places; what is decided there is enforced by the agent, not by them.
        return usual
    return dataclasses.replace(usual, **_values(path, text))


def _check_writers(path: Path) -> None:
    if IS_WINDOWS:
        return
    found = path.stat()
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or found.st_uid not in (0, os.geteuid()):
        raise Trouble(
            f"{path} can be changed by others than root, who could give themselves credentials.",
            f"Run: chown root {path} && chmod go-w {path}",
            "config",
        )


def _values(path: Path, text: str) -> dict[str, Any]:
    way_out = f"Correct {path}; docs/guide/servers.md lists what it may hold."
    try:
        given = json.loads(text)
    except ValueError as problem:
        raise Trouble(f"{path} is not JSON: {problem}.", way_out, "config") from None
    if not isinstance(given, dict):
        raise Trouble(f"{path} is not a JSON object.", way_out, "config")
    read = {}
    for key, value in given.items():
        if key not in KEYS:
            raise Trouble(f"{path}: {key!r} is not known; known are {', '.join(sorted(KEYS))}.", way_out, "config")
        try:
            read[key] = KEYS[key](value)
        except (TypeError, ValueError, KeyError) as problem:
            raise Trouble(f"{path}: {key}: {problem}.", way_out, "config") from None
    return read


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise ValueError("must be a list of names")
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("must be a text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


def _whole(low: int, high: int) -> Any:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return read


def _ssh(value: Any) -> str:
    if value not in (OFF, BESIDE, ONLY):
        raise ValueError(f"must be {OFF}, {BESIDE} or {ONLY}")
    return str(value)


def _listen(value: Any) -> str:
    split_address(_text(value))
    return str(value)


def _imds(value: Any) -> str:
    return OFF if value == OFF else _listen(value)


def split_address(address: str) -> tuple[str, int]:
    """`127.0.0.1:80` as host and port. Raises: ValueError."""
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 65536):
        raise ValueError(f"{address!r} is not like 127.0.0.1:8333")
    return host, int(port)


KEYS: Mapping[str, Any] = {
    "users": _names,
    "groups": _names,
    "imds_address": _imds,
    "imds_v1": _flag,
    "imds_hop_limit": _whole(1, 64),
    "credentials_port": _whole(0, 65535),
    "endpoint": _text,
    "ca_file": _text,
    "ssh": _ssh,
    "ssh_host": _text,
}
"""What agent.json may hold, and how each is read."""
