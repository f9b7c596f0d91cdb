"""Passes connections to a port of 127.0.0.1 on to a unix socket: the only way out of a created server."""

from __future__ import annotations

import contextlib
import socket
import threading

from strongroom.agent.config import Relay, split_address
from strongroom.agent.log import log
from strongroom.agent.problems import Trouble

_PIECE = 1 << 20


def start(relay: Relay) -> socket.socket:
    """Relay until the socket is closed that this returns. Raises: Trouble."""
    try:
        listening = socket.create_server(split_address(relay.listen), backlog=256)
    except OSError as problem:
        raise Trouble(f"The relay cannot listen on {relay.listen}: {problem.strerror}.", code="relay") from None
    threading.Thread(target=_accept, args=(listening, relay), name=f"relay {relay.listen}", daemon=True).start()
    return listening


def _accept(listening: socket.socket, relay: Relay) -> None:
    while True:
        try:
            near, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_join, args=(near, relay), daemon=True).start()


def _join(near: socket.socket, relay: Relay) -> None:
    with near, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as far:
        try:
            far.connect(relay.socket)
        except OSError as problem:
            log("relay leads nowhere", listen=relay.listen, socket=relay.socket, why=problem.strerror)
            return
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_pass_on, args=(far, near), daemon=True)
        back.start()
        _pass_on(near, far)
        back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the source ends, then say so to the sink; the other direction may go on."""
    try:
        _copy(source, sink)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One end is gone: so is the other, and the thread that waits on it wakes.
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    piece = memoryview(bytearray(_PIECE))
    while got := source.recv_into(piece):
        sink.sendall(piece[:got])
