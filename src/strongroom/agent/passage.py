"""Passes connections on, from a TCP port or a unix socket to another: all that a server without a network reaches.

Inside a created server it leads from 127.0.0.1 to the sockets that the host put there, and the host's own process
(`runtime.relay`) leads on from those with this same code. It knows nothing of what it carries: TLS stays whole.

One thread serves all: nothing is done here but the kernel's copying, for which Python lets go of its lock.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import selectors
import signal
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from strongroom.agent.passage_sockets import Route, connecting, listening

CHUNK_BYTES = 1 << 18
TURNS = 4  # chunks of one connection before the others have their turn
MOST_CONNECTIONS = 2000  # of one route
_CONNECT_AGAIN_SECONDS = 0.02
_CONNECT_PATIENCE_SECONDS = 5.0
_ABORT = struct.pack("ii", 1, 0)
_NOT_NOW = (BlockingIOError, InterruptedError)


class Passage:
    """Routes that are served; they may be added and taken away while it runs."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._doors: dict[Route, _Door] = {}
        self._waiting: list[tuple[float, _Pair]] = []
        self._buffer = memoryview(bytearray(CHUNK_BYTES))

    @property
    def routes(self) -> set[Route]:
        """What is served now."""
        return set(self._doors)

    def add(self, route: Route) -> None:
        """Listen. Raises: OSError."""
        self._doors[route] = _Door(route, self._selector)

    def remove(self, route: Route) -> None:
        """Stop listening, and end the connections that came this way."""
        door = self._doors.pop(route)
        for pair in list(door.pairs):
            pair.end(abort=True)
        door.close()

    def close(self) -> None:
        """Stop everything."""
        for route in list(self._doors):
            self.remove(route)
        self._selector.close()

    def serve(self, *, seconds: float) -> None:
        """Pass on what there is for about this long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._connect_waiting()
            for key, events in self._selector.select(min(left, _CONNECT_AGAIN_SECONDS) if self._waiting else left):
                if isinstance(key.data, _Door):
                    self._accept(key.data)
                else:
                    key.data.ready(events, self._buffer)

    def _accept(self, door: _Door) -> None:
        for client in door.accepted():
            pair = _Pair(client, door)
            if not pair.connect():
                self._waiting.append((time.monotonic() + _CONNECT_PATIENCE_SECONDS, pair))

    def _connect_waiting(self) -> None:
        """A unix socket whose queue is full wants to be asked again."""
        waiting, self._waiting = self._waiting, []
        for until, pair in waiting:
            if pair.is_over or pair.connect():
                continue
            if time.monotonic() > until:
                pair.end(abort=True)
            else:
                self._waiting.append((until, pair))


class _Door:
    """The socket on which a route listens, and the connections that came through it."""

    def __init__(self, route: Route, selector: selectors.BaseSelector) -> None:
        self.route = route
        self.selector = selector
        self.pairs: set[_Pair] = set()
        self._listener = listening(route)
        self._is_open = False
        self.look()

    def look(self) -> None:
        """Listen unless there are too many connections already: then the kernel keeps the next ones waiting."""
        should = len(self.pairs) < MOST_CONNECTIONS
        if should and not self._is_open:
            self.selector.register(self._listener, selectors.EVENT_READ, self)
        elif self._is_open and not should:
            self.selector.unregister(self._listener)
        self._is_open = should

    def accepted(self) -> list[socket.socket]:
        """Who has come."""
        clients: list[socket.socket] = []
        while len(self.pairs) + len(clients) < MOST_CONNECTIONS:
            try:
                client, _ = self._listener.accept()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    time.sleep(0.01)  # no descriptor is free: without a pause this would be all that it does
                break
            clients.append(client)
        return clients

    def close(self) -> None:
        """Listen no more."""
        if self._is_open:
            self.selector.unregister(self._listener)
        self._listener.close()
        if self.route.listen.startswith("/"):
            with contextlib.suppress(OSError):
                Path(self.route.listen).unlink()


class _Pair:
    """A connection that came, and the one that was made for it."""

    def __init__(self, client: socket.socket, door: _Door) -> None:
        self.is_over = False
        self._door = door
        self._client = _End(client, self, door.selector)
        self._server: _End | None = None
        door.pairs.add(self)
        door.look()

    def connect(self) -> bool:
        """Reach the other side; False to be asked again. A side that is not there ends the connection."""
        try:
            server = connecting(self._door.route.connect)
        except BlockingIOError:
            return False
        except OSError:
            self.end(abort=True)
            return True
        self._server = _End(server, self, self._door.selector)
        self._client.join(self._server)
        self._server.join(self._client)
        self._server.await_connection()
        return True

    def end(self, *, abort: bool) -> None:
        """Close both; with `abort` so that the other programs see an error, not an end."""
        if self.is_over:
            return
        self.is_over = True
        for each in (self._client, self._server):
            if each is not None:
                each.close(abort)
        self._door.pairs.discard(self)
        self._door.look()


class _End:
    """One of the two connections of a pair: what is read of the other one is written here."""

    def __init__(self, sock: socket.socket, pair: _Pair, selector: selectors.BaseSelector) -> None:
        self._sock = sock
        self._pair = pair
        self._selector = selector
        self._events = 0
        self._held = memoryview(b"")  # what could not be written here yet
        self._has_read_all = False
        self._is_connected = True
        self._is_shut = False
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def join(self, other: _End) -> None:
        """Say where what is read goes."""
        self.other = other

    def await_connection(self) -> None:
        """Nothing is read of either side before this one is connected."""
        self._is_connected = False
        self._watch()

    def ready(self, events: int, buffer: memoryview) -> None:
        """Do what the kernel says can be done."""
        if self._pair.is_over:
            return  # ended by what came a moment before
        try:
            if not self._is_connected:
                self._connected()
            elif events & selectors.EVENT_WRITE:
                self._write_held()
            if events & selectors.EVENT_READ:
                self._pass_on(buffer)
        except OSError:
            self._pair.end(abort=True)
            return
        if self._is_shut and self.other._is_shut:
            self._pair.end(abort=False)
        else:
            self._watch()
            self.other._watch()

    def close(self, abort: bool) -> None:
        """Close it."""
        if self._events:
            self._selector.unregister(self._sock)
            self._events = 0
        if abort and self._sock.family != socket.AF_UNIX:
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self._sock.close()

    def _connected(self) -> None:
        if error := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
        self._is_connected = True

    def _pass_on(self, buffer: memoryview) -> None:
        for _ in range(TURNS):
            if self.other._held or self._has_read_all:
                return
            try:
                size = self._sock.recv_into(buffer)
            except _NOT_NOW:
                return
            if not size:
                self._has_read_all = True
                self.other._shut_when_written()
                return
            self.other._write(buffer[:size])
            if size < len(buffer) // 8:
                return

    def _write(self, data: memoryview) -> None:
        try:
            sent = self._sock.send(data)
        except _NOT_NOW:
            sent = 0
        if sent < len(data):
            self._held = memoryview(bytes(data[sent:]))

    def _write_held(self) -> None:
        if self._held:
            self._held = self._held[self._sock.send(self._held) :]
        if self.other._has_read_all:
            self._shut_when_written()

    def _shut_when_written(self) -> None:
        if not self._held and not self._is_shut:
            self._is_shut = True
            self._sock.shutdown(socket.SHUT_WR)

    def _watch(self) -> None:
        """Ask the kernel for what can be used: nothing is read while the other side cannot take it."""
        wanted = 0
        if not self._is_connected or self._held:
            wanted |= selectors.EVENT_WRITE
        if self._is_connected and self.other._is_connected and not self._has_read_all and not self.other._held:
            wanted |= selectors.EVENT_READ
        if wanted == self._events:
            return
        if not self._events:
            self._selector.register(self._sock, wanted, self)
        elif not wanted:
            self._selector.unregister(self._sock)
        else:
            self._selector.modify(self._sock, wanted, self)
        self._events = wanted


def serve(routes: list[Route], *, tick: Callable[[Passage], None] | None = None, every_seconds: float = 1.0) -> None:
    """Serve until SIGTERM or SIGINT. `tick` is called at once and then every so often: it may add and remove routes.

    Raises: OSError where a route cannot listen.
    """
    is_over = False

    def stop(*_: object) -> None:
        nonlocal is_over
        is_over = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    _allow_many_files()
    passage = Passage()
    try:
        for route in routes:
            passage.add(route)
        while not is_over:
            if tick is not None:
                tick(passage)
            passage.serve(seconds=every_seconds)
    finally:
        passage.close()


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `relay`, which created servers start by themselves."""
    parser = subparsers.add_parser("relay", help="pass connections on, as a created server needs it")
    parser.add_argument("file", help='JSON: [{"listen": "127.0.0.1:9400", "connect": "/run/gateway.sock"}]')
    parser.set_defaults(run=lambda config, options: main(options.file))


def main(file: str) -> int:
    """Serve the routes of a file."""
    serve([Route(each["listen"], each["connect"]) for each in json.loads(Path(file).read_text(encoding="utf-8"))])
    return 0


def _allow_many_files() -> None:
    """Let this process hold as many connections as the system lets it."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
