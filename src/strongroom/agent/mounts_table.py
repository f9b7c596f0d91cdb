"""The mounts that shall come back, and which data sets were granted once; one table for root, one for each user.

Root's lies in the agent's state, a user's in `~/.local/state/strongroom`, so that nobody needs root to keep a mount.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from strongroom.agent import state
from strongroom.agent.config import Config

KEEPERS = ("agent", "systemd", "fstab")
USERS_OWN = Path(".local/state/strongroom")
_REMEMBERED = 1000


@dataclass(frozen=True)
class Row:
    """A mount to keep. `keeper` makes it at boot; `held` is the boot in which somebody unmounted it by hand."""

    repository: str
    path: str
    tool: str
    umask: str
    uid: int
    gid: int
    is_read_only: bool
    keeper: str
    held: str = ""


def folder(config: Config) -> Path:
    """Whose table it is depends on who asks; made if missing."""
    mine = config.state if os.geteuid() == 0 else Path("~").expanduser() / USERS_OWN
    mine.mkdir(mode=0o700, parents=True, exist_ok=True)
    return mine


def rows(config: Config) -> list[Row]:
    """What is kept. Raises: Trouble when the file cannot be used."""
    found = state.read(folder(config) / "mounts.json") or {}
    return [Row(**each) for each in found.get("mounts", [])]


def keep(config: Config, row: Row) -> None:
    """Add it, in place of what was kept at that path."""
    with _changing(config) as kept:
        kept[row.path] = row


def forget(config: Config, path: str) -> Row | None:
    """Keep it no longer; what it was."""
    with _changing(config) as kept:
        return kept.pop(path, None)


def hold(config: Config, path: str, is_held: bool) -> None:
    """Whether somebody unmounted it by hand: it then comes back with the next boot only."""
    with _changing(config) as kept:
        if path in kept:
            kept[path] = replace(kept[path], held=boot() if is_held else "")


def is_wanted(config: Config, path: str) -> bool:
    """Whether it is to be there now: it is kept, and nobody unmounted it by hand since the boot."""
    return any(row.path == path and row.held != boot() for row in rows(config))


@contextlib.contextmanager
def alone(config: Config, path: str) -> Iterator[None]:
    """Nobody else of this table mounts or unmounts at that path meanwhile: the agent, and who sits at the machine."""
    import fcntl

    locks = folder(config) / "mounts"
    locks.mkdir(mode=0o700, exist_ok=True)
    with (locks / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def boot() -> str:
    """A word for this run of the machine, or of the container."""
    try:
        started = Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}-{started}"
    except (OSError, IndexError):
        return "unknown"


def remember_granted(config: Config, datasets: Iterable[Mapping[str, Any]]) -> None:
    """Note what is granted, for the day when it no longer is. Others see hashes, which tell no name."""
    before = state.read(config.state / "granted-once.json") or {}
    seen = dict.fromkeys(before.get("sha256", []))
    seen.update((_hash(str(each[field])), None) for each in datasets for field in ("id", "name", "repository"))
    now = {"sha256": list(seen)[-_REMEMBERED:]}
    if now != before:
        state.write(config.state / "granted-once.json", now)
    public = config.run / "granted-once.json"
    if now != before or not public.exists():
        state.write_text(public, json.dumps(now), 0o644)


def was_granted(config: Config, name: str) -> bool:
    """Whether a data set of this name, id or repository was granted to this server before."""
    try:
        found = state.read(config.run / "granted-once.json") or {}
    except OSError:
        return False
    return _hash(name) in found.get("sha256", [])


def _hash(name: str) -> str:
    return hashlib.sha256(f"strongroom granted {name}".encode()).hexdigest()


@contextlib.contextmanager
def _changing(config: Config) -> Iterator[dict[str, Row]]:
    """The rows by path, written back when they changed; one at a time."""
    import fcntl  # not on Windows, where the agent imports this module and asks nothing of it

    place = folder(config)
    with (place / "mounts.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = rows(config)
        kept = {row.path: row for row in before}
        yield kept
        if list(kept.values()) != before:
            state.write(place / "mounts.json", {"mounts": [asdict(row) for row in kept.values()]})
