"""A repository on the real gateway, and what may write to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from strongroom.engines.protocol import AccessKey
from strongroom.movers.retrying import AT_ONCE, Patience
from strongroom.movers.s3 import Credentials, Repository
from tests.engine_fixture import Running, embedded_engine
from tests.engines.conftest import new_repository
from tests.engines.test_contract import document, new_principal
from tests.movers.here import Here
from tests.movers.sink import sink

__all__ = ["embedded_engine"]


@dataclass(frozen=True)
class Bucket:
    """A pending data set as the engine has it, and the key that may write to it."""

    running: Running
    name: str
    key: AccessKey

    def credentials(self) -> Credentials:
        """What a mover asks for."""
        return Credentials(self.key.access_key_id, self.key.secret)

    def repository(self, patience: Patience = AT_ONCE) -> Repository:
        """As a mover sees it."""
        return Repository(self.running.settings.endpoint, "us-east-1", self.name, self.credentials, patience=patience)


@pytest.fixture(scope="module")
def bucket(embedded_engine: Running) -> Iterator[Bucket]:
    """One for each file of tests."""
    engine, name, principal = embedded_engine.engine, new_repository(), new_principal()
    engine.create_repository(name, tags={})
    key = engine.create_access_key(principal)
    engine.apply_policy(name, document(engine, name, 1, principal))
    engine.prove_policy(name, 1)
    engine.prove_access_key(key, name)
    yield Bucket(embedded_engine, name, key)
    engine.delete_repository(name)


@pytest.fixture
def repository(bucket: Bucket) -> Iterator[Repository]:
    """As a mover sees it, empty."""
    found = bucket.repository()
    yield found
    for each in list(found.list()):
        found.delete(each.key)
    found.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    """An empty folder, an empty store of the tests, no journal yet."""
    with sink() as made:
        found = Here(made, tmp_path)
        found.folder.mkdir()
        yield found
