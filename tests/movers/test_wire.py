"""Answers as gateways and proxies give them, also badly, from a server of the test that says exactly this."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from strongroom.movers.errors import Refused, Unreachable
from strongroom.movers.retrying import AT_ONCE, Patience
from strongroom.movers.s3 import Credentials, Repository
from strongroom.movers.wire import Answer, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Talker:
    """Says the next of what it was given to each request, and keeps what it was asked. `|` parts connections."""

    def __init__(self, *says: bytes) -> None:
        self.asked: list[bytes] = []
        self.connections = 0
        self._says = list(says)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._says:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with suppress(ConnectionError), connection, connection.makefile("rb") as lines:
                while self._says:
                    asked = self._request(lines)
                    if not asked:
                        break
                    self.asked.append(asked)
                    said = self._says.pop(0)
                    connection.sendall(said.rstrip(b"|"))
                    if said.endswith(b"|"):
                        break

    @staticmethod
    def _request(lines: "object") -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = lines.readline()  # type: ignore[attr-defined]
            if not line:
                return b""
            head += line
        for each in head.lower().split(b"\r\n"):
            if each.startswith(b"content-length:"):
                head += lines.read(int(each.split(b":")[1]))  # type: ignore[attr-defined]
        return head

    def close(self) -> None:
        self._listener.close()
        self._thread.join(5)


@contextmanager
def talking(*says: bytes) -> Iterator[tuple[Talker, Wire]]:
    talker = Talker(*says)
    wire = Wire(talker.url)
    try:
        yield talker, wire
    finally:
        wire.forget()
        talker.close()


def ask(wire: Wire, method: str = "GET", body: bytes = b"") -> Answer:
    return wire.ask(method, "/target", {"host": wire.host}, body)


def test_a_connection_is_kept_for_the_next_request() -> None:
    with talking(OK, OK) as (talker, wire):
        assert [ask(wire).read(), ask(wire, "PUT", b"body").read()] == [b"hello", b"hello"]
        assert talker.connections == 1
        assert talker.asked[0].startswith(b"GET /target HTTP/1.1\r\nhost: 127.0.0.1:")
        assert talker.asked[1].endswith(b"content-length: 4\r\n\r\nbody")


def test_a_kept_connection_that_was_closed_is_replaced_and_asked_again() -> None:
    with talking(OK + b"|", OK) as (talker, wire):
        assert [ask(wire).read(), ask(wire).read()] == [b"hello", b"hello"]
        assert talker.connections == 2


def test_a_new_connection_that_is_closed_at_once_is_unreachable() -> None:
    with talking(b"|") as (_, wire), pytest.raises(Unreachable, match="does not answer: the connection was closed"):
        ask(wire)


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nA: b\r\n\r\n",
            b"hello world",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nCONTENT-LENGTH:5\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello|", b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end|", b"until the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
    ids=["in chunks", "after a 100", "then closed", "to the end", "none", "empty"],
)
def test_bodies_are_read_to_their_end_and_not_further(said: bytes, body: bytes) -> None:
    with talking(said, OK) as (_, wire):
        assert ask(wire).read() == body
        assert ask(wire).read() == b"hello"


def test_the_answer_to_head_has_no_body_whatever_it_says() -> None:
    with talking(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", OK) as (talker, wire):
        assert ask(wire, "HEAD").read() == b""
        assert ask(wire).read() == b"hello" and talker.connections == 1


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello|",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello|",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n|",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nhello|",
    ],
)
def test_a_body_that_breaks_off_is_told_never_taken_for_whole(said: bytes) -> None:
    with talking(said) as (_, wire), pytest.raises(Unreachable, match="broke off"):
        ask(wire).read()


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["another protocol", "endless headers", "a length below zero"],
)
def test_what_is_no_answer_is_refused(said: bytes) -> None:
    with talking(said + b"|") as (_, wire), pytest.raises(Unreachable):
        ask(wire)


def test_headers_after_a_body_that_filled_the_buffer_are_found() -> None:
    # The next answer begins in the middle of what was read already, at any distance from the end of the buffer.
    with talking(*(b"HTTP/1.1 200 OK\r\nX: " + b"y" * size + OK[15:] for size in range(20_000, 60_000, 5_000))) as (
        _,
        wire,
    ):
        assert {ask(wire).read() for _ in range(8)} == {b"hello"}


def test_a_body_is_read_into_the_callers_room_piece_by_piece() -> None:
    with talking(OK) as (_, wire):
        answer, room = ask(wire), memoryview(bytearray(3))
        assert (answer.fill(room), bytes(room)) == (3, b"hel")
        assert (answer.fill(room), bytes(room[:2])) == (2, b"lo")
        assert answer.fill(room) == 0


def test_a_plain_proxy_is_asked_for_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(OK) as (talker, _):
        monkeypatch.setenv("http_proxy", talker.url.replace("//", "//me:secret@"))
        monkeypatch.setenv("no_proxy", "")
        assert ask(Wire("http://gateway.example:9000")).read() == b"hello"
        assert talker.asked[0].startswith(b"GET http://gateway.example:9000/target HTTP/1.1\r\n")
        assert b"\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n" in talker.asked[0]


def test_a_proxy_that_opens_no_tunnel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(b"HTTP/1.1 407 Who are you\r\n\r\n|") as (talker, _):
        monkeypatch.setenv("https_proxy", talker.url)
        with pytest.raises(Unreachable, match=r"the proxy refuses: HTTP/1\.1 407 Who are you"):
            ask(Wire("https://gateway.example"))
        assert talker.asked[0].startswith(b"CONNECT gateway.example:443 HTTP/1.1\r\n")


@pytest.mark.parametrize("endpoint", ["ftp://x", "gateway:9000", "http://"])
def test_an_address_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="begins with http"):
        Wire(endpoint)


def test_a_store_that_falls_silent_is_waited_for_as_long_as_patience_lasts_and_no_longer() -> None:
    with talking(b"|") as (talker, _):  # one connection is closed, and whoever comes then hears nothing
        patience = Patience(0.5, first_seconds=0.01)
        repository = Repository(talker.url, "us-east-1", "bucket", lambda: Credentials("a", "b"), patience=patience)
        with pytest.raises(Unreachable, match="timed out"):
            repository.head("key")


def test_whoever_keeps_the_credentials_is_told_that_they_are_not_taken_and_may_have_others() -> None:
    refused = b"<Error><Code>ExpiredToken</Code></Error>"
    no = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(refused) + refused
    held, told = [Credentials("old", "b")], []

    def denied(refusal: Refused) -> None:
        told.append(refusal.code)
        if len(told) == 1:
            held[0] = Credentials("new", "b")

    with talking(no, OK, no, no, no) as (talker, _):
        where = (talker.url, "us-east-1", "bucket")
        repository = Repository(*where, lambda: held[0], denied=denied, patience=AT_ONCE)
        assert repository.get("key").read() == b"hello" and b"Credential=new/" in talker.asked[1]
        with pytest.raises(Refused, match="ExpiredToken"):
            repository.get("key")
        assert len(told) == 3


def test_a_range_that_a_gateway_or_proxy_does_not_know_is_not_taken_for_its_bytes() -> None:
    with talking(OK.replace(b"Content", b'ETag: "e"\r\nContent')) as (talker, _):
        repository = Repository(talker.url, "us-east-1", "bucket", lambda: Credentials("a", "b"), patience=AT_ONCE)
        with pytest.raises(Unreachable, match="another range"):
            repository.fill("key", memoryview(bytearray(5)), start=5, etag="e")


def test_a_listing_whose_end_is_lost_is_not_taken_for_whole() -> None:
    body = b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"
    with talking(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body) as (talker, _):
        repository = Repository(talker.url, "us-east-1", "bucket", lambda: Credentials("a", "b"), patience=AT_ONCE)
        with pytest.raises(Unreachable, match="not whole"):
            list(repository.list())
