"""What the agent remembers on disk: who it is, what it was granted, the last sequence. Only root can read it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from strongroom.agent import problems
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.problems import Trouble


@dataclass(frozen=True)
class Identity:
    """What joining gave. `control_plane_url` is the one it joined at; `joined_at` is ISO 8601."""

    server_id: str
    name: str
    space: str
    control_plane_url: str
    session_name: str
    heartbeat_seconds: float
    joined_at: str


def identity(config: Config) -> Identity:
    """Who this server is. Raises: Trouble when it has not joined or the state is not ours to read."""
    found = read(config.state / "identity.json")
    if found is None:
        raise problems.not_joined()
    return Identity(**found)


def remember_identity(config: Config, who: Identity) -> None:
    """Write who this server is."""
    write(config.state / "identity.json", asdict(who))


def granted(config: Config) -> dict[str, Any]:
    """The last answer to a heartbeat, with `datasets`, `endpoint` and `region`; empty before the first."""
    return read(config.state / "granted.json") or {}


def remember_granted(config: Config, answer: dict[str, Any]) -> None:
    """Write the answer to a heartbeat where it says something new."""
    if granted(config) != answer:
        write(config.state / "granted.json", answer)


def prepare(folder: Path, mode: int = 0o700) -> None:
    """Make a folder with exactly this mode. Raises: Trouble."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        if not IS_WINDOWS and (folder.stat().st_mode & 0o777) != mode:
            folder.chmod(mode)
    except OSError as problem:
        raise _unusable(folder, problem) from None


def read(path: Path) -> dict[str, Any] | None:
    """What a file holds, None where there is none. Raises: Trouble."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise _unusable(path, problem) from None
    if not isinstance(content, dict):
        raise _unusable(path, ValueError("not an object"))
    return content


def write(path: Path, content: dict[str, Any]) -> None:
    """Replace a file as a whole, on the disk before this returns, for its owner only. Raises: Trouble."""
    write_text(path, json.dumps(content, indent=1))


def write_text(path: Path, text: str, mode: int = 0o600) -> None:
    """The same for a text."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as problem:
        raise _unusable(path, problem) from None


def _unusable(path: Path, problem: Exception) -> Trouble:
    why = problem.strerror if isinstance(problem, OSError) else problem
    return Trouble(f"{path} cannot be used: {why}.", "The agent's state belongs to root: run this with sudo.", "state")
