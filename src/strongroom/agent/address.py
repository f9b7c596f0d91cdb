"""The link-local address of the metadata service on `lo`: added when root's agent starts, taken away when it stops.

Source: rtnetlink(7), RTM_NEWADDR and RTM_DELADDR; spoken directly, so that no `ip` program is needed.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path

from strongroom.agent import state
from strongroom.agent.problems import Trouble

_NEW_ADDRESS, _DELETE_ADDRESS = 20, 21
_REQUEST, _ACKNOWLEDGE, _CREATE_ONLY = 0x1, 0x4, 0x400 | 0x200
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_SCOPE_HOST = 254
_ERROR = 2


class Address:
    """One address on `lo`. A marker file tells that we added it, also to the agent after this one."""

    def __init__(self, host: str, port: int, run: Path) -> None:
        self._host = host
        self._port = port
        self._marker = run / "imds-address"

    def add(self) -> None:
        """Have the address on this machine. Raises: Trouble, also when another service answers there."""
        if is_here(self._host):
            return
        if _answers(self._host, self._port):
            raise Trouble(
                f"Another metadata service answers at {self._host}:{self._port}, as on a machine of a cloud.",
                'Choose another place in agent.json, {"imds_address": "127.0.0.1:9912"}, and set '
                "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9912 for the clients.",
                "imds",
            )
        try:
            _change(_NEW_ADDRESS, self._host)
        except OSError as problem:
            raise Trouble(
                f"{self._host} cannot be added to lo: {problem.strerror}.",
                'Run the agent as root (in a container: with NET_ADMIN), or choose "imds_address" in agent.json.',
                "imds",
            ) from None
        state.write_text(self._marker, self._host)

    def remove(self) -> None:
        """Take it away if it was ours."""
        if self._marker.exists():
            try:
                _change(_DELETE_ADDRESS, self._host)
            except OSError as problem:
                if problem.errno != errno.EADDRNOTAVAIL:
                    raise
            self._marker.unlink()


def is_here(host: str) -> bool:
    """Whether one can listen at the address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _change(kind: int, host: str) -> None:
    """Ask the kernel and read what it says. Raises: OSError."""
    packed = socket.inet_aton(host)
    attributes = b"".join(struct.pack("=HH", 8, name) + packed for name in (_IFA_LOCAL, _IFA_ADDRESS))
    body = struct.pack("=BBBBI", socket.AF_INET, 32, 0, _SCOPE_HOST, socket.if_nametoindex("lo")) + attributes
    flags = _REQUEST | _ACKNOWLEDGE | (_CREATE_ONLY if kind == _NEW_ADDRESS else 0)
    header = struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        kernel.sendall(header + body)
        answer = kernel.recv(65536)
    _, answered, _, _, _ = struct.unpack_from("=IHHII", answer)
    (code,) = struct.unpack_from("=i", answer, 16)
    if answered != _ERROR or code:
        raise OSError(-code, os.strerror(-code))
