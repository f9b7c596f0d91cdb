"""Both hosts under one name, and a podman host with a relay that runs."""

from collections.abc import Iterator

import pytest

from strongroom.hosts import Host
from strongroom.hosts.memory import MemoryHost
from tests.engine_fixture import embedded_engine
from tests.hosts.running import Running, build_image
from tests.hosts.serving import Serving

__all__ = ["embedded_engine"]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A podman host for all tests of a process, with its relay."""
    found = Running(tmp_path_factory.mktemp("host") / "home")
    found.host.check()
    build_image(found.podman)
    with found.relaying():
        yield found
        found.close()


@pytest.fixture(params=["memory", "podman"])
def host(request: pytest.FixtureRequest) -> Host:
    """Each host in turn."""
    if request.param == "memory":
        return MemoryHost()
    found: Running = request.getfixturevalue("running")
    return found.host


@pytest.fixture
def serving() -> Iterator[Serving]:
    """A passage that is served while the test runs."""
    found = Serving()
    yield found
    found.stop()
