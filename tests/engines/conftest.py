"""Both engines under one name, and a fresh repository in each."""

import secrets
from collections.abc import Iterator

import pytest
from tests.engine_fixture import Running, embedded_engine

from strongroom.engines import Engine
from strongroom.engines.memory import MemoryEngine

__all__ = ["embedded_engine"]


@pytest.fixture(params=["memory", "seaweedfs"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn; the real one is started when the first test needs it."""
    if request.param == "memory":
        return MemoryEngine()
    running: Running = request.getfixturevalue("embedded_engine")
    return running.engine


@pytest.fixture
def repository(engine: Engine) -> Iterator[str]:
    """A new repository of that engine."""
    name = new_repository()
    engine.create_repository(name, tags={"strongroom": "test"})
    yield name
    engine.delete_repository(name)


def new_repository() -> str:
    """A name nobody has used."""
    return f"dataset-test-{secrets.token_hex(8)}"
