"""Sessions of servers: how long they work, from where, and what they are against the policies."""

import http.client
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.engine_fixture import Running
from tests.engines.client_operations import CALLS, Prepared
from tests.engines.conftest import new_repository
from tests.engines.test_contract import put
from tests.engines.test_gateway import _succeeds

from strongroom.core.policy import access_of, compile_policy
from strongroom.core.vocabulary import Kind, State
from strongroom.engines import Engine
from strongroom.engines.memory import MemoryEngine
from strongroom.engines.protocol import Session

CONTENT = b"what servers read"
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"  # both are this machine's, and a connection may come from either


def grant(engine: Engine, repository: str, *servers: str, generation: int = 1, kind: Kind = Kind.ORIGINAL) -> None:
    """Let these servers in, and nobody else."""
    access = access_of(
        repository=repository, generation=generation, kind=kind, state=State.FINALIZED, uploaders=(), servers=servers
    )
    engine.apply_policy(repository, compile_policy(access, engine.dialect))
    engine.prove_policy(repository, generation)


def read(engine: Engine, session: Session, repository: str, *, source: str = HERE, **headers: str) -> bytes | None:
    """What a server gets that asks for `key` from this address; None when it is refused."""
    if isinstance(engine, MemoryEngine):
        return engine.get_as(session, repository, "key", address=source)
    url = f"{engine.public_endpoint}/{repository}/key"
    request = AWSRequest("GET", url)
    S3SigV4Auth(Credentials(session.access_key_id, session.secret, session.token), "s3", engine.region).add_auth(
        request
    )
    address = url.split("/")[2]
    connection = http.client.HTTPConnection(address, timeout=120, source_address=(source, 0))
    try:
        connection.request("GET", f"/{repository}/key", headers={**dict(request.headers), **headers})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 403), content
        return content if answer.status == 200 else None
    finally:
        connection.close()


def test_a_session_reads_what_its_name_was_granted_until_the_grant_ends(engine: Engine, repository: str) -> None:
    put(engine, repository, "key", CONTENT)
    grant(engine, repository, "srv-1")
    mine = engine.create_session("srv-1", lifetime=timedelta(hours=1))
    other = engine.create_session("srv-2", lifetime=timedelta(hours=1))
    assert read(engine, mine, repository) == CONTENT
    assert read(engine, other, repository) is None
    grant(engine, repository, "srv-2", generation=2)
    assert read(engine, mine, repository) is None
    assert read(engine, other, repository) == CONTENT


def test_a_session_may_be_short_and_ends_by_itself(engine: Engine, repository: str) -> None:
    put(engine, repository, "key", CONTENT)
    grant(engine, repository, "srv-1")
    session = engine.create_session("srv-1", lifetime=timedelta(seconds=5))
    assert read(engine, session, repository) == CONTENT
    time.sleep(max(0.0, (session.expires_at - datetime.now(UTC)).total_seconds()) + 1)
    assert read(engine, session, repository) is None


def test_a_session_is_never_longer_than_twelve_hours(engine: Engine) -> None:
    session = engine.create_session("srv-1", lifetime=timedelta(days=30))
    assert session.expires_at - datetime.now(UTC) <= timedelta(hours=12)


@pytest.mark.parametrize("address", ["127.0.0.2", "::ffff:127.0.0.2"])
def test_a_session_that_is_bound_to_an_address_works_from_there_alone(
    engine: Engine, repository: str, address: str
) -> None:
    put(engine, repository, "key", CONTENT)
    grant(engine, repository, "srv-1")
    bound = engine.create_session("srv-1", lifetime=timedelta(hours=1), address=address)
    assert read(engine, bound, repository, source=ELSEWHERE) == CONTENT
    assert read(engine, bound, repository, source=HERE) is None
    grant(engine, repository, generation=2)
    assert read(engine, bound, repository, source=ELSEWHERE) is None  # the address alone allows nothing


def test_what_is_no_address_binds_no_session(engine: Engine) -> None:
    for wrong in ("", "server.example.org", "10.0.0.0/8"):
        with pytest.raises(ValueError, match="does not appear to be"):
            engine.create_session("srv-1", lifetime=timedelta(hours=1), address=wrong)


def test_no_header_moves_a_session_to_another_address(embedded_engine: Running) -> None:
    engine, repository = embedded_engine.engine, new_repository()
    engine.create_repository(repository, tags={})
    put(engine, repository, "key", CONTENT)
    grant(engine, repository, "srv-1")
    bound = engine.create_session("srv-1", lifetime=timedelta(hours=1), address=ELSEWHERE)
    for header in ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip", "X-Client-Ip"):
        for value in (ELSEWHERE, f"for={ELSEWHERE}", f"{ELSEWHERE}, {HERE}"):
            assert read(engine, bound, repository, source=HERE, **{header: value}) is None
            assert read(engine, bound, repository, source=ELSEWHERE, **{header: HERE}) == CONTENT
    engine.delete_repository(repository)


def test_from_another_address_no_call_of_a_session_succeeds(embedded_engine: Running) -> None:
    engine, repository = embedded_engine.engine, new_repository()
    engine.create_repository(repository, tags={})
    prepared = Prepared(embedded_engine.client(), repository)
    grant(engine, repository, "srv-1", generation=42, kind=Kind.DERIVATIVE)
    there = engine.create_session("srv-1", lifetime=timedelta(hours=1), address=ELSEWHERE)
    client = embedded_engine.client(there)  # asks from 127.0.0.1
    done = [name for name, call in CALLS.items() if _succeeds(partial(call, client, repository, prepared))]
    assert done == []
    engine.delete_repository(repository)


def test_a_session_whose_token_was_changed_is_nobody(embedded_engine: Running) -> None:
    engine, repository = embedded_engine.engine, new_repository()
    engine.create_repository(repository, tags={})
    put(engine, repository, "key", CONTENT)
    grant(engine, repository, "srv-1", "srv-2")
    first, second = (engine.create_session(name, lifetime=timedelta(hours=1)) for name in ("srv-1", "srv-2"))
    head, claims, signature = first.token.split(".")
    for token in (
        f"{head}.{second.token.split('.')[1]}.{signature}",
        f"{head}.{claims}.{signature[::-1]}",
        f"{head}.{claims}.",
        second.token,
    ):
        forged = Session("srv-1", first.access_key_id, first.secret, token, first.expires_at)
        assert read(engine, forged, repository) is None
    engine.delete_repository(repository)
