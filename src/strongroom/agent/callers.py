"""Which local user is at the other end of a connection, and whether root chose them.

Source: proc(5), `/proc/net/tcp`; kernel, `net/ipv4/tcp_ipv4.c`: a socket that belongs to nobody any more is shown with
inode 0 and, misleadingly, with uid 0.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from strongroom.agent import config as configuration
from strongroom.agent.config import Config
from strongroom.agent.log import log
from strongroom.agent.problems import Trouble

if sys.platform != "win32":
    import grp
    import pwd

_MAPPED = bytes(10) + b"\xff\xff"


class Callers:
    """Who may have credentials, as `agent.json` says now: a change of the file counts at once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._seen = self._stamp()

    @property
    def file(self) -> Path:
        """Where root chooses."""
        return self._config.file

    @property
    def who_may(self) -> str:
        """In words."""
        return self._current().who_may

    def may(self, uid: int) -> bool:
        """Whether this user gets credentials: root, the chosen users, and the members of the chosen groups."""
        if uid == 0:
            return True
        config = self._current()
        try:
            user = pwd.getpwuid(uid)
        except KeyError:
            return False
        if user.pw_name in config.users:
            return True
        return bool(config.groups) and not _gids(config.groups).isdisjoint(os.getgrouplist(user.pw_name, user.pw_gid))

    def _current(self) -> Config:
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._config = configuration.load(
                    str(self._config.file), str(self._config.state), str(self._config.run)
                )
                log("configuration read again", credentials_for=self._config.who_may)
            except Trouble as trouble:
                log("configuration not read", why=str(trouble))
        return self._config

    def _stamp(self) -> tuple[int, int] | None:
        with contextlib.suppress(OSError):
            found = self._config.file.stat()
            return found.st_mtime_ns, found.st_ino
        return None


def uid_of(connection: socket.socket) -> int | None:
    """The local user at the other end; None when it is none of this machine's (or of another network namespace).

    Raises: OSError when the connection has ended.
    """
    theirs, ours = connection.getpeername()[:2], connection.getsockname()[:2]
    for table, is_wide in (("tcp", False), ("tcp6", True)):
        with contextlib.suppress(FileNotFoundError):
            wanted = f" {_shown(theirs, is_wide)} {_shown(ours, is_wide)} "
            for line in Path(f"/proc/self/net/{table}").read_text(encoding="ascii").splitlines():
                if wanted in line:
                    fields = line.split()
                    if fields[9] != "0":
                        return int(fields[7])
    return None


def name_of(uid: int | None) -> str:
    """A user for people to read."""
    if uid is None:
        return "somebody who is not on this machine"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _shown(address: tuple[str, int], is_wide: bool) -> str:
    """As the kernel prints it: the address as words of 32 bits in the machine's order, the port as a number."""
    packed = ipaddress.ip_address(address[0]).packed
    if is_wide and len(packed) == 4:
        packed = _MAPPED + packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{address[1]:04X}"


def _gids(groups: tuple[str, ...]) -> set[int]:
    return set(_found(groups))


def _found(groups: tuple[str, ...]) -> Iterator[int]:
    for group in groups:
        with contextlib.suppress(KeyError):
            yield grp.getgrnam(group).gr_gid
