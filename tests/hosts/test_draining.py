"""Writes of created servers come through the relay; closing a data set waits for them as for all others."""

import secrets
from pathlib import Path

import pytest

from strongroom.agent.passage_sockets import Route
from tests.engine_fixture import Running
from tests.engines.conftest import new_repository
from tests.engines.slow_write import SlowWrite, until
from tests.engines.test_contract import document, keys
from tests.hosts.serving import Serving
from tests.ports import free_ports


@pytest.mark.parametrize("ends", ["finished", "broken"])
def test_a_write_through_the_relay_is_seen_until_it_has_ended(
    embedded_engine: Running, serving: Serving, tmp_path: Path, ends: str
) -> None:
    engine, settings = embedded_engine.engine, embedded_engine.settings
    inside, way = free_ports(1), str(tmp_path / "gateway.sock")
    serving.add(Route(way, f"127.0.0.1:{settings.public_port}"), Route(f"127.0.0.1:{inside}", way))
    repository = new_repository()
    engine.create_repository(repository, tags={})
    key = engine.create_access_key(f"up-{secrets.token_hex(6)}")
    engine.apply_policy(repository, document(engine, repository, 1, key.principal))
    engine.prove_access_key(key, repository)
    write = SlowWrite(embedded_engine, repository, "file", key, secrets.token_bytes(2_000_000), through=inside)
    until(lambda: not engine.is_drained(""))
    mark = engine.mark_writes()
    assert not engine.is_drained(mark)
    if ends == "finished":
        assert write.finish() == 200
    else:
        write.close()
    until(lambda: engine.is_drained(mark))
    assert keys(engine, repository) == (["file"] if ends == "finished" else [])
    engine.delete_principal(key.principal)
    engine.delete_repository(repository)
