"""What must be true before anything is started. Each check raises a refusal that says what to do."""

import errno
import fcntl
import os
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from strongroom.core.errors import Conflict, Invalid, Unavailable
from strongroom.core.sentences import quoted, say

NEEDED_PYTHON = (3, 11)
_RELEASE_SECONDS = 3.0
"""How long ports of processes that were just killed may take to come free."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port that something will listen on, and the setting that moves it."""

    host: str
    number: int
    what: str
    variable: str


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """Raises: Unavailable below Python 3.11."""
    if version < NEEDED_PYTHON:
        raise Unavailable(
            say(
                "Strongroom needs Python 3.11 or newer; this is {version}.",
                version=f"{version[0]}.{version[1]}",
            )
        )


def prepare_home(home: Path) -> None:
    """Make the home, or see that it is ours alone.

    Raises: Conflict when it belongs to somebody else, or others could read the secrets in it.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = home.stat()
        if found.st_uid == os.geteuid() and not (home / "secrets").exists():
            home.chmod(0o700)
            return
    except OSError as error:
        raise Conflict(
            say(
                "The home {home} cannot be made: {problem}. Set STRONGROOM_HOME to a folder of your own.",
                home=home,
                problem=error.strerror,
            )
        ) from error
    if found.st_uid != os.geteuid():
        raise Conflict(
            say(
                "The home {home} belongs to user {owner}, and this is user {user}. Start Strongroom "
                "as its owner, or set STRONGROOM_HOME to a folder of your own.",
                home=home,
                owner=found.st_uid,
                user=os.geteuid(),
            )
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise Conflict(
            say(
                "Other users may look into the home {home}, where the secrets are (mode "
                "{mode:04o}). If nobody has, close it: chmod 700 {home}",
                home=home,
                mode=stat.S_IMODE(found.st_mode),
            )
        )


def check_disk(home: Path, reserve_bytes: int) -> None:
    """Raises: Unavailable when less than the reserve is free."""
    free = shutil.disk_usage(home).free
    if free < reserve_bytes:
        raise Unavailable(
            say(
                "Only {free:,} bytes are free on the disk of {home}, less than the reserve of "
                "{reserve:,}. Make room, or move STRONGROOM_HOME, or lower "
                "STRONGROOM_DISK_RESERVE_BYTES.",
                free=free,
                home=home,
                reserve=reserve_bytes,
            )
        )


def take_home(home: Path, address: str) -> IO[str]:
    """Hold the home for this process as long as the file that is returned stays open.

    Raises: Conflict that names the process and the address of the copy that holds it.
    """
    descriptor = os.open(home / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    file = os.fdopen(descriptor, "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = file.read().strip() or "another process"
        file.close()
        raise Conflict(
            say(
                "Strongroom already runs on the home {home}: {holder}. Use that one, or set "
                "STRONGROOM_HOME (and the ports) for a second.",
                home=home,
                holder=holder,
            )
        ) from None
    file.truncate()
    file.write(f"process {os.getpid()} at {address}\n")
    file.flush()
    return file


def check_ports(ports: Iterable[Port], patience_seconds: float = _RELEASE_SECONDS) -> None:
    """See that every port can be listened on.

    Raises: Conflict (taken) or Invalid (not an address of this machine, or reserved), naming port, part and setting.
    """
    deadline = time.monotonic() + patience_seconds
    for port in ports:
        while (problem := _problem(port)) == errno.EADDRINUSE and time.monotonic() < deadline:
            time.sleep(0.1)
        if problem == errno.EADDRINUSE:
            raise Conflict(
                say(
                    "Port {number} ({what}) is taken by another program. Stop that, or choose another "
                    "port: {variable}={free}",
                    number=port.number,
                    what=port.what,
                    variable=port.variable,
                    free=_free_port(port.host),
                )
            )
        if problem is not None:
            raise Invalid(
                say(
                    "{what} cannot listen on {host} port {number}: {problem}. Change the address, or {variable}.",
                    what=port.what,
                    host=port.host,
                    number=port.number,
                    problem=os.strerror(problem),
                    variable=port.variable,
                ),
                fields={port.variable: quoted(os.strerror(problem))},
            )


def _problem(port: Port) -> int | None:
    try:
        with _listening(port.host, port.number):
            return None
    except OSError as error:
        # getaddrinfo has numbers of its own: a name that leads nowhere is an address that is not here.
        return errno.EADDRNOTAVAIL if isinstance(error, socket.gaierror) else error.errno


def _listening(host: str, number: int) -> socket.socket:
    family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
    listener = socket.socket(family)
    # Connections that ended a moment ago are no obstacle; a program that listens still is.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, number))
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener


def _free_port(host: str) -> int:
    with _listening(host, 0) as listener:
        return int(listener.getsockname()[1])
