"""What is passed on arrives whole, ends as it ended, and goes nowhere else."""

import contextlib
import hashlib
import os
import random
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from strongroom.agent import passage
from strongroom.agent.passage_sockets import Route
from tests.hosts.running import Place, asked
from tests.hosts.serving import Serving
from tests.ports import free_ports
from tests.runtime.front_door import eventually


@pytest.fixture
def place() -> Iterator[Place]:
    found = Place("place")
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def way(serving: Serving, place: Place, tmp_path: Path) -> int:
    """A port that leads by a unix socket to the place, as from within a server."""
    port = free_ports(1)
    socket_path = str(tmp_path / "s.sock")
    serving.add(Route(socket_path, f"127.0.0.1:{place.port}"), Route(f"127.0.0.1:{port}", socket_path))
    return port


@contextlib.contextmanager
def once(port: int = 0) -> Iterator[tuple[int, "list[socket.socket]"]]:
    """A port whose visitors are kept, for the test to speak with."""
    visitors: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    visitors.append(listener.accept()[0])

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1], visitors
        finally:
            for each in visitors:
                each.close()
            listener.shutdown(socket.SHUT_RDWR)


def test_much_that_is_said_both_ways_at_once_by_many_arrives_whole(way: int) -> None:
    def talk(seed: int) -> bool:
        said = random.Random(seed).randbytes(3_000_000 + seed)
        with socket.create_connection(("127.0.0.1", way)) as sock:

            def tell() -> None:
                sock.sendall(said)
                sock.shutdown(socket.SHUT_WR)

            teller = threading.Thread(target=tell)
            teller.start()
            heard = hashlib.sha256()
            while data := sock.recv(65536):
                heard.update(data)
            teller.join()
            return heard.digest() == hashlib.sha256(b"place\n" + said).digest()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(talk, range(16))) == [True] * 16


def test_whoever_does_not_listen_stops_only_whoever_speaks_to_them(way: int) -> None:
    with socket.create_connection(("127.0.0.1", way)) as deaf:
        deaf.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 100_000_000:
                sent += deaf.send(bytes(65536))
        assert sent < 100_000_000, "nothing is piled up without end"
        assert asked(way, b"hello", until=lambda answer: b"hello" in answer) == b"place\nhello"


def test_an_end_of_one_direction_leaves_the_other_open(serving: Serving) -> None:
    way = free_ports(1)
    with once() as (port, visitors):
        serving.add(Route(f"127.0.0.1:{way}", f"127.0.0.1:{port}"))
        with socket.create_connection(("127.0.0.1", way)) as sock:
            sock.sendall(b"question")
            sock.shutdown(socket.SHUT_WR)
            assert eventually(lambda: bool(visitors))
            assert visitors[0].makefile("rb").read() == b"question"
            visitors[0].sendall(b"answer")
            visitors[0].close()
            assert sock.makefile("rb").read() == b"answer"


def test_a_connection_that_broke_is_not_taken_for_one_that_ended(serving: Serving) -> None:
    """Half of a body must not look like all of it."""
    way = free_ports(1)
    with once() as (port, visitors):
        serving.add(Route(f"127.0.0.1:{way}", f"127.0.0.1:{port}"))
        with socket.create_connection(("127.0.0.1", way)) as sock:
            sock.sendall(b"half of it")
            assert eventually(lambda: bool(visitors))
            assert visitors[0].recv(100) == b"half of it"
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with pytest.raises(ConnectionResetError):
            visitors[0].settimeout(60)
            visitors[0].recv(100)


def test_a_place_that_is_away_ends_the_connection_and_is_found_when_it_is_back(serving: Serving) -> None:
    way, port = free_ports(1), free_ports(1)
    serving.add(Route(f"127.0.0.1:{way}", f"127.0.0.1:{port}"))
    assert asked(way, b"hello") == b""
    back = Place("back", port=port)
    assert asked(way, until=lambda answer: b"\n" in answer) == b"back\n"
    back.shutdown()
    back.server_close()


def test_a_route_that_is_taken_away_ends_what_came_by_it(serving: Serving, place: Place, tmp_path: Path) -> None:
    kept, gone = (
        Route(str(tmp_path / "kept"), f"127.0.0.1:{place.port}"),
        Route(str(tmp_path / "gone"), f"127.0.0.1:{place.port}"),
    )
    serving.add(kept, gone)
    with socket.socket(socket.AF_UNIX) as stays, socket.socket(socket.AF_UNIX) as ends:
        for sock, route in ((stays, kept), (ends, gone)):
            sock.settimeout(60)
            sock.connect(route.listen)
            assert sock.recv(100) == b"place\n"
        serving.remove(gone)
        with contextlib.suppress(ConnectionResetError):
            assert ends.recv(100) == b""
        assert not Path(gone.listen).exists()
        stays.sendall(b"still here")
        assert stays.recv(100) == b"still here"


def test_a_link_is_not_followed_and_a_path_may_be_long(serving: Serving, place: Place, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    real, link, way = str(folder / "real"), str(folder / "link"), str(tmp_path / "way")
    Path(link).symlink_to(real)
    serving.add(Route(real, f"127.0.0.1:{place.port}"), Route(way, link))
    assert asked(0, path=way) == b""
    assert place.visits == 0
    serving.remove(Route(way, link))
    serving.add(Route(way, real))
    assert asked(0, b"x", path=way, until=lambda answer: b"x" in answer) == b"place\nx"


def test_whoever_comes_when_there_are_too_many_waits(
    serving: Serving, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passage, "MOST_CONNECTIONS", 3)
    way = free_ports(1)
    serving.add(Route(f"127.0.0.1:{way}", f"127.0.0.1:{place.port}"))
    with contextlib.ExitStack() as held:
        early = [held.enter_context(socket.create_connection(("127.0.0.1", way))) for _ in range(3)]
        assert [sock.recv(100) for sock in early] == [b"place\n"] * 3
        late = held.enter_context(socket.create_connection(("127.0.0.1", way)))
        late.settimeout(0.3)
        with pytest.raises(TimeoutError):
            late.recv(100)
        early[0].close()
        late.settimeout(60)
        assert late.recv(100) == b"place\n"


def test_a_socket_is_its_owner_s_alone(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("somebody left this here")
    serving.add(Route(str(path), "127.0.0.1:1", owner=os.geteuid()))
    found = path.stat()
    assert (found.st_mode & 0o777, found.st_uid) == (0o600, os.geteuid())
