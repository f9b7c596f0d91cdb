"""Writes that are being sent: what freezing does to them, and when they have ended."""

import secrets
import subprocess
from collections.abc import Iterator

import pytest
from tests.engine_fixture import Running
from tests.engines.conftest import new_repository
from tests.engines.slow_write import SlowWrite, until
from tests.engines.test_contract import document, keys


@pytest.fixture
def repository(embedded_engine: Running) -> Iterator[str]:
    """A new repository of the real engine."""
    name = new_repository()
    embedded_engine.engine.create_repository(name, tags={"space": "test"})
    yield name
    embedded_engine.engine.delete_repository(name)


def test_writes_that_began_later_do_not_hide_that_the_earlier_ones_have_ended(
    embedded_engine: Running, repository: str
) -> None:
    engine = embedded_engine.engine
    key = engine.create_access_key(f"up-{secrets.token_hex(6)}")
    engine.apply_policy(repository, document(engine, repository, 1, key.principal))
    engine.prove_access_key(key, repository)
    early = SlowWrite(embedded_engine, repository, "early", key, secrets.token_bytes(2_000_000))
    until(lambda: not engine.is_drained(""))
    mark = engine.mark_writes()
    late = SlowWrite(embedded_engine, repository, "late", key, secrets.token_bytes(2_000_000))
    assert not engine.is_drained(mark)
    assert early.finish() == 200
    until(lambda: engine.is_drained(mark))
    until(lambda: not engine.is_drained(engine.mark_writes()))
    assert late.finish() == 200
    until(lambda: engine.is_drained(""))


def test_an_answer_on_a_connection_that_goes_on_ends_the_write_before_it(
    embedded_engine: Running, repository: str
) -> None:
    engine = embedded_engine.engine
    key = engine.create_access_key(f"up-{secrets.token_hex(6)}")
    engine.apply_policy(repository, document(engine, repository, 1, key.principal))
    engine.prove_access_key(key, repository)
    early = SlowWrite(embedded_engine, repository, "early", key, secrets.token_bytes(2_000_000))
    other = SlowWrite(embedded_engine, repository, "other", key, secrets.token_bytes(2_000_000))
    until(lambda: not engine.is_drained(""))
    mark = engine.mark_writes()
    assert early.finish(closes=False) == 200
    assert not engine.is_drained(mark)  # the other one is still on its way
    assert other.finish(closes=False) == 200
    third = SlowWrite(embedded_engine, repository, "third", key, secrets.token_bytes(2_000_000))
    until(lambda: engine.is_drained(mark))  # both connections are open, and both were answered
    for write in (early, other, third):
        write.close()


def test_the_public_gateway_speaks_no_http_2(embedded_engine: Running) -> None:
    """One connection, one request at a time: what `draining` concludes rests on it."""
    asked = [
        "curl",
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_version}",
        embedded_engine.settings.endpoint,
    ]
    for option in ("--http2", "--http2-prior-knowledge"):
        done = subprocess.run([*asked, option], capture_output=True, text=True, check=False, timeout=120)
        assert done.stdout != "2"


def test_a_write_whose_body_is_being_sent_lands_without_a_freeze(embedded_engine: Running, repository: str) -> None:
    """Why freezing is needed: the gateway asks the policy once, at the start."""
    assert _slow_write_across(embedded_engine, repository, freezes=False) == 200
    assert keys(embedded_engine.engine, repository) == ["late"]


def test_a_write_whose_body_is_being_sent_fails_when_the_repository_freezes(
    embedded_engine: Running, repository: str
) -> None:
    engine = embedded_engine.engine
    assert _slow_write_across(embedded_engine, repository, freezes=True) != 200
    assert keys(engine, repository) == []
    engine.thaw(repository)
    assert keys(engine, repository) == []


def _slow_write_across(running: Running, repository: str, *, freezes: bool) -> int:
    engine = running.engine
    key = engine.create_access_key(f"up-{secrets.token_hex(6)}")
    engine.apply_policy(repository, document(engine, repository, 1, key.principal))
    engine.prove_access_key(key, repository)
    write = SlowWrite(running, repository, "late", key, secrets.token_bytes(2_000_000))
    until(lambda: not engine.is_drained(""))
    engine.apply_policy(repository, document(engine, repository, 2))
    engine.prove_policy(repository, 2)
    engine.delete_principal(key.principal)
    if freezes:
        engine.freeze(repository)
    status = write.finish()
    until(lambda: engine.is_drained(""))
    return status
