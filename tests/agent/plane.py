"""What an agent asks of a control plane, answered by the test: whom it is, what it is granted, its credentials."""

import http.server
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

HEARTBEAT_SECONDS = 0.5


@dataclass
class Plane:
    """`answer` is the heartbeat's; `refusal` (status, code, detail) takes the place of every answer."""

    credentials: Callable[[], dict[str, Any]]
    answer: dict[str, Any] = field(default_factory=dict)
    refusal: tuple[int, str, str] | None = None
    mounts: list[dict[str, Any]] = field(default_factory=list)
    beats: int = 0
    heartbeat_seconds: float = HEARTBEAT_SECONDS

    def said(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request."""
        if path.endswith("/join"):
            return {
                "server_id": "0d5cbd0e-4b2f-4c53-a0c4-111111111111",
                "name": "genomics-1",
                "space": "Genomics",
                "session_name": "srv-mountstest0001",
                "heartbeat_seconds": self.heartbeat_seconds,
            }
        if path.endswith("/credentials"):
            return self.credentials()
        self.mounts, self.beats = body["mounts"], self.beats + 1
        now = datetime.now(UTC).isoformat()
        return {"heartbeat_seconds": self.heartbeat_seconds, "accounts": [], **self.answer, "time": now}


class Server(http.server.ThreadingHTTPServer):
    """Serves a plane until it is closed."""

    daemon_threads = True

    def __init__(self, address: str, plane: Plane) -> None:
        self.plane = plane
        super().__init__((address, 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_address[0]}:{self.server_address[1]}"  # type: ignore[str-bytes-safe]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        plane = self.server.plane
        if plane.refusal:
            status, code, detail = plane.refusal
            self._send(status, "application/problem+json", {"code": code, "detail": detail})
        else:
            self._send(200, "application/json", plane.said(self.path, body))

    def _send(self, status: int, kind: str, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
