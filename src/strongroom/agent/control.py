"""Speaks to the control plane: signed requests out, answers or one line of trouble back.

The URL is `https://…`, `http://…`, or `unix:/path` for a socket that leads there.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import ipaddress
import json
import socket
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from strongroom.agent.problems import Trouble
from strongroom.agent.signing import Signer

API = "/api/v1/agent"
_TIMEOUT_SECONDS = 15
_LARGEST_ANSWER = 8 << 20
_PIECE = 64 << 10


class Control:
    """The control plane as one server sees it. `offset_seconds` is its clock minus ours, once it told the time."""

    def __init__(
        self,
        url: str,
        server: str,
        signer: Signer,
        *,
        clock: Callable[[], float] = time.time,
        ca_file: str = "",
    ) -> None:
        self.url = url.rstrip("/")
        self.offset_seconds: float | None = None
        self._server = server
        self._signer = signer
        self._clock = clock
        self._base, self._opener = _opener(self.url, ca_file)
        # Requests go one after the other: the control plane takes them only in the order in which they were signed.
        self._turn = threading.Lock()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the control plane answers. Raises: Trouble, with its code where it refused, else `unreachable`…"""
        with self._turn:
            sent = self._clock()
            with self._opened(path, body) as answer:
                try:
                    found = _object(answer.read(_LARGEST_ANSWER), self.url)
                except (OSError, http.client.HTTPException) as problem:
                    raise _unreachable(self.url, problem) from None
        self._learn(found.get("time"), sent)
        return found

    def stream(self, path: str, body: dict[str, Any]) -> Iterator[bytes]:
        """The bytes of an answer of any length, as they come.

        Raises: Trouble as `post` does, also in the middle, and at the end when they are not those of its `Repr-Digest`.
        """
        with self._turn:
            answer = self._opened(path, body)
        return self._pieces(answer)

    def _pieces(self, answer: Any) -> Iterator[bytes]:
        """A web server whose application fails in the middle may end the answer as if that were all."""
        summed = hashlib.sha256()
        with answer:
            try:
                while piece := answer.read(_PIECE):
                    summed.update(piece)
                    yield piece
            except (OSError, http.client.HTTPException) as problem:
                raise _unreachable(self.url, problem) from None
            found = f"sha-256=:{base64.b64encode(summed.digest()).decode()}:"
            if answer.headers.get("Repr-Digest", found) != found:
                raise Trouble("The answer of the control plane broke off.", "Try again; its log says why.", "broken")

    def _opened(self, path: str, body: dict[str, Any]) -> Any:
        """The answer, of which the head was read. Raises: Trouble."""
        try:
            return self._asked(path, body)
        except Trouble as trouble:
            if trouble.code != "replay":
                raise
            # A copy of this machine, or a request that overtook another: the next number is free.
            return self._asked(path, body)

    def _asked(self, path: str, body: dict[str, Any]) -> Any:
        content = json.dumps(body).encode()
        target = urlsplit(self._base).path + API + path
        headers = {"Content-Type": "application/json", "User-Agent": "strongroom-agent"}
        headers.update(self._signer.sign("POST", target, content, self._server))
        request = urllib.request.Request(self._base + API + path, data=content, headers=headers, method="POST")  # noqa: S310  the scheme was checked
        sent = self._clock()
        try:
            return self._opener.open(request, timeout=_TIMEOUT_SECONDS)
        except urllib.error.HTTPError as refusal:
            raise self._refused(refusal, sent) from None
        except (OSError, http.client.HTTPException) as problem:
            raise _unreachable(self.url, problem) from None

    def _learn(self, told: Any, sent: float) -> None:
        if isinstance(told, str):
            self.offset_seconds = seconds_of(told) - (sent + self._clock()) / 2

    def _refused(self, refusal: urllib.error.HTTPError, sent: float) -> Trouble:
        with refusal:
            content = refusal.read(_LARGEST_ANSWER)
        if "problem+json" not in (refusal.headers.get("Content-Type") or ""):
            return _stranger(self.url, f"it answered {refusal.code} {refusal.reason}")
        problem = _object(content, self.url)
        self._learn(problem.get("time"), sent)
        code = str(problem.get("code", "refused"))
        if code == "clock" and self.offset_seconds is not None:
            return clock_wrong(self.offset_seconds)
        told = refusal.headers.get("Retry-After") or ""
        return Trouble(
            str(problem.get("detail", refusal.reason)),
            str(problem.get("way_out", "")),
            code,
            retry_after_seconds=float(told) if told.isdigit() else 0.0,
        )


def clock_wrong(offset_seconds: float) -> Trouble:
    """This machine's clock is off by so much that its requests are refused."""
    way = "slow" if offset_seconds > 0 else "fast"
    return Trouble(
        f"This machine's clock is {abs(offset_seconds):.0f} s {way}, so its signatures are refused.",
        "Set it right: "
        + ("w32tm /resync" if sys.platform == "win32" else "timedatectl set-ntp true (or: date -s …)")
        + ", then it goes on by itself.",
        "clock",
    )


def seconds_of(iso: str) -> float:
    """Unix seconds of an ISO 8601 time with a zone. Python before 3.11 does not know the `Z`."""
    return datetime.fromisoformat(iso[:-1] + "+00:00" if iso.endswith("Z") else iso).timestamp()


def check_url(url: str) -> str:
    """The URL as it is kept. Raises: Trouble when it is none that the agent can use."""
    parts = urlsplit(url)
    is_web = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
    is_socket = parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc
    if not (is_web or is_socket):
        raise Trouble(
            f"{url!r} is not the address of a control plane.",
            "It begins with https:// (http:// in a test), or unix:/ for a socket.",
            "usage",
            2,
        )
    return url.rstrip("/")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What was signed for one path is not sent to another."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _SocketHandler(urllib.request.HTTPHandler):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, /, **options: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(host, **options)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(_TIMEOUT_SECONDS)
        connection.sock.connect(self._path)
        return connection


def _opener(url: str, ca_file: str) -> tuple[str, urllib.request.OpenerDirector]:
    """The base of all requests, and what carries them out."""
    parts = urlsplit(url)
    handlers: list[Any] = [_NoRedirect]
    if parts.scheme == "unix" or _is_loopback(parts.hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    if parts.scheme == "unix":
        return "http://localhost", urllib.request.build_opener(*handlers, _SocketHandler(parts.path))
    if parts.scheme == "https":
        context = ssl.create_default_context()
        if ca_file:
            try:
                context.load_verify_locations(ca_file)
            except OSError as problem:
                raise Trouble(f"ca_file {ca_file} cannot be used: {problem}.", code="config") from None
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return url, urllib.request.build_opener(*handlers)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _object(content: bytes, url: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _stranger(url, "its answer is not a JSON object")
    return found


def _stranger(url: str, why: str) -> Trouble:
    return Trouble(
        f"{url} does not answer as Strongroom does: {why}.",
        "Check the address, and what stands between (a proxy, a login page).",
        "not-strongroom",
    )


def _unreachable(url: str, problem: Exception) -> Trouble:
    reason = getattr(problem, "reason", problem)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Trouble(
            f"The certificate of {url} is not trusted: {reason.verify_message}.",
            "Where your institution has an authority of its own, name its file as ca_file in agent.json "
            "(join: --ca-file).",
            "tls",
        )
    why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return Trouble(
        f"The control plane at {url} cannot be reached: {why}.",
        "Check the network from this machine to it.",
        "unreachable",
    )
