"""The sockets of a passage: where it listens, and how it reaches the other side, whatever somebody put in the way."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BACKLOG = 1024
_KNOWN_SECONDS = 30.0
_known: dict[str, tuple[float, tuple[int, Any]]] = {}


@dataclass(frozen=True)
class Route:
    """Whatever connects to `listen` is passed on to `connect`: each `host:port`, or the absolute path of a unix socket.

    A unix socket that is made gets `mode`, and the user and group id `owner` where one is given.
    """

    listen: str
    connect: str
    mode: int = 0o600
    owner: int | None = None


def listening(route: Route) -> socket.socket:
    """A socket that listens where the route says. Raises: OSError."""
    if route.listen.startswith("/"):
        return _listening_at(Path(route.listen), route.mode, route.owner)
    family, place = _resolved(route.listen)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def connecting(address: str) -> socket.socket:
    """A connection that may still be on its way. Raises: BlockingIOError to be asked again, OSError."""
    if address.startswith("/"):
        return _connected_to(address)
    family, place = _resolved(address)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.connect(place)
    except OSError:
        sock.close()
        raise
    return sock


def _listening_at(path: Path, mode: int, owner: int | None) -> socket.socket:
    """A unix socket at the path, in place of one that somebody left there."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    short = f"/proc/self/fd/{folder}/{path.name}"  # a unix socket's path has at most 107 bytes
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            Path(short).unlink()
        before = os.umask(0o177)
        try:
            listener.bind(short)
        finally:
            os.umask(before)
        if owner is not None and os.geteuid() == 0:
            os.chown(short, owner, owner)
        Path(short).chmod(mode)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    finally:
        os.close(folder)
    return listener


def _connected_to(path: str) -> socket.socket:
    """A connection to a unix socket, and to nothing else: where it lies others may have put a link to one of ours."""
    place = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if not stat.S_ISSOCK(os.fstat(place).st_mode):
            raise OSError(errno.ENOTSOCK, f"{path} is not a socket")
        sock.setblocking(False)
        sock.connect(f"/proc/self/fd/{place}")
    except OSError:
        sock.close()
        raise
    finally:
        os.close(place)
    return sock


def _resolved(address: str) -> tuple[int, Any]:
    """Family and socket address of `host:port`; what a name stands for is asked again after a while."""
    at, found = _known.get(address, (0.0, None))
    if found is None or time.monotonic() - at > _KNOWN_SECONDS:
        host, _, port = address.rpartition(":")
        family, _, _, _, place = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        found = (family, place)
        _known[address] = (time.monotonic(), found)
    return found
