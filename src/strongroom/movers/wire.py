"""Speaks HTTP/1.1 on connections that are kept: little work per request, bodies read into buffers of the caller.

The standard library's http.client parses each answer's headers as an e-mail: with small objects that is most of what a
request costs. This knows what S3 gateways and proxies say, and refuses the rest.

Source: RFC 9112.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from typing import Callable, Union
from urllib.parse import urlsplit

from strongroom.core.sigv4 import host_of
from strongroom.movers import proxies
from strongroom.movers.errors import Unreachable

Body = Union[bytes, bytearray, memoryview]
Pace = Callable[[int], object]

_CONNECT_SECONDS = 15.0
# Completing an upload of 10,000 parts is silent for long.
_SILENCE_SECONDS = 150.0
_LARGEST_HEAD = 64 * 1024
_BUFFER = 64 * 1024
# Below this, one packet for head and body costs less than the copy that joins them.
_JOINED = 128 * 1024
_SLICE = 256 * 1024
_NO_BODY = frozenset((204, 304))


class Answer:
    """The answer to one request. Its body must be read to the end or closed: a connection carries one at a time."""

    def __init__(self, status: int, headers: dict[str, str], connection: Connection, pool: Wire) -> None:
        self.status = status
        self.headers = headers
        self._connection: Connection | None = connection
        self._pool = pool
        self.moved_at = connection.moved_at
        self._is_chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self.left: int | None = None if self._is_chunked else _length(headers)

    def readinto(self, target: memoryview) -> int:
        """Fill the beginning of `target`; 0 at the end. Raises: Unreachable when the body breaks off."""
        connection = self._connection
        if connection is None or not target.nbytes:
            return 0
        if self._is_chunked and not self.left:
            self.left = connection.next_chunk()
        if self.left == 0:
            self._done()
            return 0
        if self.left is not None and self.left < target.nbytes:
            target = target[: self.left]
        count = connection.receive(target)
        if self.left is None:
            if not count:
                self.close()
            return count
        if not count:
            self.close()
            raise Unreachable("the answer broke off")
        self.left -= count
        if self._is_chunked:
            if not self.left:
                connection.end_chunk()
        elif not self.left:
            self._done()
        return count

    def fill(self, target: memoryview) -> int:
        """Like `readinto`, until `target` is full or the body has ended; how many bytes."""
        done = 0
        while done < target.nbytes:
            try:
                count = self.readinto(target[done:])
            except Unreachable:
                if done:  # said with the next call
                    break
                raise
            if not count:
                break
            done += count
        return done

    def read(self, limit: int = 16 << 20) -> bytes:
        """The rest of the body, of at most `limit` bytes."""
        content = bytearray()
        room = memoryview(bytearray(_BUFFER))
        while True:
            count = self.readinto(room)
            if not count:
                return bytes(content)
            content += room[:count]
            if len(content) > limit:
                self.close()
                raise Unreachable(f"the answer is longer than {limit} bytes")

    def close(self) -> None:
        """Give the connection up, where the body was not read to its end."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def end(self) -> None:
        """There is no body, whatever the headers say (HEAD, 204)."""
        self.left = 0
        self._is_chunked = False
        self._done()

    def _done(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if self.headers.get("connection", "").lower() == "close":
                connection.close()
            else:
                self._pool.keep(connection)


class Connection:
    """One connection, and what of the next bytes was read already."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0
        self.was_used = False
        self.moved_at = 0.0  # when the last piece of a body went out

    def bear(self, silence_seconds: float) -> None:
        """Wait for an answer, or for a piece to be taken, so long."""
        if self._sock.gettimeout() != silence_seconds:
            self._sock.settimeout(silence_seconds)

    def send(self, head: bytes, body: Body, pace: Pace) -> None:
        """Raises: OSError."""
        size = len(body) if isinstance(body, (bytes, bytearray)) else body.nbytes
        if size <= _JOINED:
            if size:
                pace(size)
                self.moved_at = time.monotonic()  # to wait for a limit of ours is no silence of theirs
            self._sock.sendall(b"".join((head, body)))
            self.moved_at = time.monotonic()
            return
        self._sock.sendall(head)
        # A slice at a time: the time-out is for each, and a slow line needs longer for a large body than for a silence.
        left = memoryview(body).cast("B")
        while left:
            piece, left = left[:_SLICE], left[_SLICE:]
            pace(len(piece))
            self.moved_at = time.monotonic()
            self._sock.sendall(piece)
            self.moved_at = time.monotonic()

    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers (names in small letters). Raises: OSError, EOFError before the first byte, ValueError."""
        while True:
            text = self._until(b"\r\n\r\n")
            status, headers = _parsed(text)
            if status >= 200:
                return status, headers

    def next_chunk(self) -> int:
        """The length of the next chunk; 0 at the end, which is read away."""
        try:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self._until(b"\r\n"):
                    pass
        except (OSError, EOFError, ValueError) as problem:
            raise Unreachable(f"the answer broke off: {_why(problem)}") from None
        return size

    def end_chunk(self) -> None:
        """Read away what ends a chunk."""
        try:
            self._until(b"\r\n")
        except (OSError, EOFError, ValueError) as problem:
            raise Unreachable(f"the answer broke off: {_why(problem)}") from None

    def receive(self, target: memoryview) -> int:
        """Some of the bytes that come next; 0 when the other side has closed. Raises: Unreachable."""
        have = self._end - self._start
        if have:
            count = min(have, target.nbytes)
            target[:count] = self._view[self._start : self._start + count]
            self._start += count
            return count
        try:
            return self._sock.recv_into(target)
        except OSError as problem:
            raise Unreachable(f"the answer broke off: {_why(problem)}") from None

    def close(self) -> None:
        """Never raises."""
        with contextlib.suppress(OSError):
            self._sock.close()

    def _until(self, mark: bytes) -> bytes:
        """The bytes up to a mark, which is read away."""
        while True:
            found = self._buffer.find(mark, self._start, self._end)
            if found >= 0:
                text = bytes(self._view[self._start : found])
                self._start = found + len(mark)
                return text
            self._make_room()
            count = self._sock.recv_into(self._view[self._end :])
            if not count:
                raise EOFError("the connection was closed")
            self._end += count

    def _make_room(self) -> None:
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == len(self._buffer):
            if self._start == 0:
                raise ValueError("headers are too long")
            rest = bytes(self._view[self._start : self._end])
            self._view[: len(rest)] = rest
            self._start, self._end = 0, len(rest)


class Wire:
    """Requests to one endpoint, `http://host:port` or `https://…`, from any number of threads.

    A connection serves one thread at a time and is kept for the next. `SSL_CERT_FILE` and the proxy of the environment
    count, as with other tools; `ca_file` names one more authority. `pace` is asked before so many bytes of a body go:
    it may wait, and count.
    """

    def __init__(self, endpoint: str, *, ca_file: str = "") -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{endpoint!r} is not the address of an S3 gateway: it begins with http:// or https://")
        self.endpoint = endpoint.rstrip("/")
        self.host = host_of(endpoint)
        self._route = proxies.route_to(parts.scheme, parts.hostname, parts.port)
        self._tls = _context(ca_file) if parts.scheme == "https" else None
        self._idle: deque[Connection] = deque()
        self.pace: Pace = _at_once

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Body = b"",
        silence_seconds: float | None = None,
    ) -> Answer:
        """Send one request. What was sent on a kept connection that the other side had closed is sent once more.
        `silence_seconds`: at most so long nothing may move; never longer than answers may take anyway.

        Raises: Unreachable.
        """
        silence = min(silence_seconds or _SILENCE_SECONDS, _SILENCE_SECONDS)
        size = len(body) if isinstance(body, (bytes, bytearray)) else body.nbytes
        lines = [f"{method} {self._route.target(self.endpoint, target)} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self._route.header and not self._route.tunnel:
            lines.append(self._route.header)
        if size or method in ("PUT", "POST"):
            lines.append(f"content-length: {size}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        try:
            return self._asked(method, head, body, silence)
        except Unreachable as problem:
            if not problem.is_stale:
                raise
            self.forget()
            return self._asked(method, head, body, silence)

    def keep(self, connection: Connection) -> None:
        """Take a connection back whose answer was read to the end."""
        connection.was_used = True
        self._idle.append(connection)

    def forget(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            with contextlib.suppress(IndexError):
                self._idle.pop().close()

    def _asked(self, method: str, head: bytes, body: Body, silence_seconds: float) -> Answer:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connected(silence_seconds)
        try:
            connection.bear(silence_seconds)
            try:
                connection.send(head, body, self.pace)
            except OSError:
                # Whoever refuses a large body answers and closes before it was read: the answer says why.
                if connection.was_used:
                    raise
            status, headers = connection.head()
        except (OSError, EOFError, ValueError) as problem:
            connection.close()
            is_stale = connection.was_used and isinstance(problem, (ConnectionError, EOFError, ssl.SSLError))
            unreachable = Unreachable(f"{self.host} does not answer: {_why(problem)}", is_stale=is_stale)
            unreachable.moved_at = connection.moved_at
            raise unreachable from None
        except BaseException:
            connection.close()
            raise
        answer = Answer(status, headers, connection, self)
        if method == "HEAD" or status in _NO_BODY or answer.left == 0:
            answer.end()
        return answer

    def _connected(self, silence_seconds: float) -> Connection:
        try:
            sock = self._route.connect(min(_CONNECT_SECONDS, silence_seconds))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_hostname=urlsplit(self.endpoint).hostname)
        except ssl.SSLCertVerificationError as problem:
            raise Unreachable(f"the certificate of {self.host} is not trusted: {problem.verify_message}") from None
        except (OSError, ValueError) as problem:
            raise Unreachable(f"{self.host} cannot be reached: {_why(problem)}") from None
        return Connection(sock)


def _at_once(_: int) -> None:
    pass


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()  # reads SSL_CERT_FILE
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _parsed(text: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = text.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError("what answers does not speak HTTP")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return int(rest[:3]), headers


def _length(headers: Mapping[str, str]) -> int | None:
    said = headers.get("content-length")
    if said is None:
        return None
    if not said.isdigit():
        raise Unreachable("the answer's length makes no sense")
    return int(said)


def _why(problem: Exception) -> str:
    if isinstance(problem, (TimeoutError, socket.timeout)):
        return "timed out"
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
