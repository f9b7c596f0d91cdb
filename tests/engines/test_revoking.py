"""What a revoke does to readers: to those that ask again, on old connections too, and to what is being sent then."""

import http.client
import secrets
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.engine_fixture import Running
from tests.engines.conftest import new_repository
from tests.engines.test_contract import put
from tests.engines.test_sessions import grant

from strongroom.engines.protocol import Session

SIZE = 96 << 20  # more than the connection and the gateway hold between them
BEGINNING = 1 << 20


class Reader:
    """One kept connection of a session that asks for the big object."""

    def __init__(self, running: Running, repository: str, session: Session) -> None:
        self._path = f"/{repository}/key"
        self._url = f"{running.settings.endpoint}{self._path}"
        self._key = Credentials(session.access_key_id, session.secret, session.token)
        self._connection = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=60)

    def ask(self, range_: str = "") -> http.client.HTTPResponse:
        """The head of the answer; the body is read by whoever asked."""
        request = AWSRequest("GET", self._url, headers={"Range": range_} if range_ else {})
        S3SigV4Auth(self._key, "s3", "us-east-1").add_auth(request)
        self._connection.request("GET", self._path, headers=dict(request.headers))
        return self._connection.getresponse()

    def status(self, range_: str = "") -> int:
        """Of an answer that is read to its end."""
        answer = self.ask(range_)
        answer.read()
        return answer.status

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def granted(embedded_engine: Running) -> Iterator[tuple[str, bytes]]:
    """A repository with a big object."""
    name, content = new_repository(), secrets.token_bytes(SIZE)
    embedded_engine.engine.create_repository(name, tags={})
    put(embedded_engine.engine, name, "key", content)
    yield name, content
    embedded_engine.engine.delete_repository(name)


def test_after_a_revoke_no_request_succeeds_on_no_connection(
    embedded_engine: Running, granted: tuple[str, bytes]
) -> None:
    engine, (repository, _) = embedded_engine.engine, granted
    grant(engine, repository, "srv-1", generation=1)
    session = engine.create_session("srv-1", lifetime=timedelta(hours=1))
    kept = [Reader(embedded_engine, repository, session) for _ in range(4)]
    assert {reader.status("bytes=0-99") for reader in kept} == {206}
    grant(engine, repository, generation=2)
    for _ in range(10):
        assert {reader.status("bytes=100-199") for reader in kept} == {403}
        assert Reader(embedded_engine, repository, session).status() == 403


def test_readers_under_load_get_nothing_that_they_ask_for_after_the_revoke(
    embedded_engine: Running, granted: tuple[str, bytes]
) -> None:
    engine, (repository, _) = embedded_engine.engine, granted
    grant(engine, repository, "srv-1", generation=3)
    session = engine.create_session("srv-1", lifetime=timedelta(hours=1))
    served: list[float] = []  # when those requests began that were answered with content
    has_ended = threading.Event()

    def read_ranges() -> None:
        reader = Reader(embedded_engine, repository, session)
        while not has_ended.is_set():
            began = time.monotonic()
            if reader.status("bytes=1000-200000") == 206:
                served.append(began)

    threads = [threading.Thread(target=read_ranges) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(served) < 20:
        time.sleep(0.01)
    grant(engine, repository, generation=4)
    answered = time.monotonic()
    time.sleep(1)
    has_ended.set()
    for thread in threads:
        thread.join()
    assert max(served) < answered


def test_an_answer_that_is_being_sent_at_the_revoke_runs_to_its_end(
    embedded_engine: Running, granted: tuple[str, bytes]
) -> None:
    """What a revoke does not stop: one answer to one request. When this fails, take it out of the threat model."""
    engine, (repository, content) = embedded_engine.engine, granted
    grant(engine, repository, "srv-1", generation=5)
    session = engine.create_session("srv-1", lifetime=timedelta(hours=1))
    slow = Reader(embedded_engine, repository, session)
    answer = slow.ask()
    beginning = answer.read(BEGINNING)
    grant(engine, repository, generation=6)
    assert beginning + answer.read() == content
    assert slow.status() == 403  # the next one on the same connection
