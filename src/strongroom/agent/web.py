"""A small HTTP server for this machine's own users, which knows who calls before it reads a word."""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from strongroom.agent import callers
from strongroom.agent.callers import Callers
from strongroom.agent.config import IS_WINDOWS

_SECONDS_TO_SAY_IT = 5
_CONNECTIONS_OF_ONE = 32
_LARGEST_BODY = 4096


class LocalServer(ThreadingHTTPServer):
    """One thread a connection. No user can hold more than a few, so that none keeps the others out."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], handler: type[LocalHandler], who: Callers, *, hop_limit: int | None = None
    ) -> None:
        self.callers = who
        self._hop_limit = hop_limit
        self._uids: dict[socket.socket, int | None] = {}
        self._lock = threading.Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Like the library's, without asking the DNS for our own name; accepted connections take over the TTL."""
        if self._hop_limit is not None:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, self._hop_limit)
        socketserver.TCPServer.server_bind(self)
        host, self.server_port = self.socket.getsockname()[:2]
        self.server_name = str(host)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Note who it is; False, which closes the connection, when they hold too many."""
        try:
            uid = None if IS_WINDOWS else callers.uid_of(request)
        except OSError:
            return False
        with self._lock:
            if list(self._uids.values()).count(uid) >= _CONNECTIONS_OF_ONE:
                return False
            self._uids[request] = uid
        return True

    def uid(self, request: socket.socket) -> int | None:
        """The caller of a connection that was let in."""
        return self._uids.get(request)

    def shutdown_request(self, request: Any) -> None:
        """Forget the caller with the connection."""
        with self._lock:
            self._uids.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that goes away in the middle is not our fault; anything else is told as usual."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, socket.timeout)):
            super().handle_error(request, client_address)


class LocalHandler(BaseHTTPRequestHandler):
    """Answers short texts. One write an answer: two would wait for each other on the loopback."""

    server: LocalServer
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS_TO_SAY_IT
    wbufsize = -1
    disable_nagle_algorithm = True

    def version_string(self) -> str:
        """What the real metadata service calls itself."""
        return "EC2ws"

    def answer(self, status: int, text: str, content_type: str = "text/plain", **headers: str) -> None:
        """Send a whole answer."""
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def is_chosen(self) -> bool:
        """Whether the caller gets credentials; where not, they have been told who does."""
        if IS_WINDOWS:
            return True  # the token file, which only the chosen can read, says it
        uid = self.server.uid(self.connection)
        if uid is not None and self.server.callers.may(uid):
            return True
        self.close_connection = True
        self.answer(
            403,
            f"Credentials of this server are not for {callers.name_of(uid)}, but for {self.server.callers.who_may}. "
            f"Root chooses in {self.server.callers.file}.\n",
        )
        return False

    def drain(self) -> bool:
        """Read the request's body away, chunked or not; False when it is too large or makes no sense."""
        try:
            if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
                return self._drain_chunks()
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            return False
        if not 0 <= length <= _LARGEST_BODY:
            return False
        self.rfile.read(length)
        return True

    def _drain_chunks(self) -> bool:
        # s3fs asks for its token with a chunked, empty body.
        total = 0
        while True:
            size = int(self.rfile.readline(64).split(b";")[0].strip() or b"0", 16)
            total += size
            if size < 0 or total > _LARGEST_BODY:
                return False
            if size == 0:
                while self.rfile.readline(1024).strip():
                    pass
                return True
            self.rfile.read(size + 2)

    def log_message(self, *_: object) -> None:
        """Say nothing: what matters is logged by whoever decides it."""


def serve(server: LocalServer, name: str) -> threading.Thread:
    """Serve in a thread of its own until `server.shutdown()`."""
    thread = threading.Thread(target=server.serve_forever, args=(0.5,), name=name, daemon=True)
    thread.start()
    return thread
