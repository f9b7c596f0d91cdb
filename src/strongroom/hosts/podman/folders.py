"""The folder of a server on the host: what it is, what it is handed, and the sockets between inside and outside.

`server.json` says how it was made. `host/` is mounted into it read-only and holds the sockets that lead out; `ssh/` is
mounted writable, and what lies there is believed by nobody (`agent.passage_sockets`).
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from strongroom.hosts.podman.doors import Door
from strongroom.hosts.protocol import Joining

IDS = 65536
# Far above what people and services of a machine have, and below where some programs count wrongly.
FIRST_ID = 0x7000_0000
SSH_SOCKET = "/run/strongroom/ssh/ssh.sock"
HOST_FOLDER = "/run/strongroom/host"


@dataclass(frozen=True, slots=True)
class Made:
    """How a server was made. `owner` is what its root is outside: user and group id; None where podman is not root."""

    id: str
    name: str
    offering: str
    ssh_port: int
    owner: int | None


class ServerFolder:
    """One server's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.host = path / "host"
        self.ssh = path / "ssh"

    def read(self) -> Made | None:
        """How it was made; None where there is no such server."""
        try:
            return Made(**json.loads((self.path / "server.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def make(self, made: Made) -> None:
        """Have the folder there; `server.json` comes last: whoever reads it finds the rest."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.host, self.ssh):
            folder.mkdir(mode=0o700, exist_ok=True)
            _give(folder, made.owner)
        if self.read() != made:
            self._put(self.path / "server.json", json.dumps(asdict(made)).encode(), None)

    def hand(self, name: str, content: bytes, owner: int | None) -> None:
        """Have a file inside, readable by its root alone; nothing is written where it is there already."""
        path = self.host / name
        if not path.exists() or path.read_bytes() != content:
            self._put(path, content, owner)

    def hand_joining(self, joining: Joining, owner: int | None) -> None:
        """Where to join, and with what."""
        self.hand("join.url", joining.control_plane_url.encode(), owner)
        self.hand("join.token", f"{joining.token}\n".encode(), owner)

    def hand_routes(self, doors: list[Door], owner: int | None) -> None:
        """What the relay inside serves."""
        routes = [{"listen": door.listen, "connect": f"{HOST_FOLDER}/{door.socket}"} for door in doors]
        routes.append({"listen": SSH_SOCKET, "connect": "127.0.0.1:22"})
        self.hand("relay.json", json.dumps(routes).encode(), owner)

    def withdraw(self, name: str) -> None:
        """Have a file inside no more."""
        (self.host / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Leave nothing of it."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.path)

    def _put(self, path: Path, content: bytes, owner: int | None) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        _give(draft, owner)
        draft.replace(path)


def of(home: Path, server_id: UUID) -> ServerFolder:
    """The folder of a server."""
    return ServerFolder(home / str(server_id))


def every(home: Path) -> Iterator[tuple[ServerFolder, Made]]:
    """Every server that was made here."""
    for path in sorted(home.iterdir()) if home.is_dir() else []:
        folder = ServerFolder(path)
        if path.is_dir() and (made := folder.read()) is not None:
            yield folder, made


@contextlib.contextmanager
def choosing(home: Path) -> Iterator[None]:
    """One process at a time chooses ids: two servers of the same would be root in each other's files."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".choosing").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_owner(home: Path) -> int:
    """The first of as many ids as a container has, which no server here has."""
    taken = {made.owner for _, made in every(home)}
    owner = FIRST_ID
    while owner in taken:
        owner += IDS
    return owner


def _give(path: Path, owner: int | None) -> None:
    if owner is not None:
        os.chown(path, owner, owner)
