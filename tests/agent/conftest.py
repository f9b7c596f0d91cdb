"""What the tests of the agent share: a server for mounts; a Strongroom with short sessions for all the rest."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.room import Room, room, until
from tests.agent.site import Server, Site, agent, site


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-agent-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        until(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists(), "whoever still writes there")


@pytest.fixture(scope="session")
def served(open_folder: Path) -> Iterator[Room]:
    """A machine whose agent runs; each test makes the data sets and mount points that it needs."""
    folder = open_folder / "room"
    folder.mkdir()
    with room(folder) as made:
        yield made


@pytest.fixture(scope="session")
def place(open_folder: Path) -> Iterator[Site]:
    """A Strongroom, and a machine where servers come and go."""
    folder = open_folder / "site"
    folder.mkdir()
    with site(folder) as made:
        yield made


@pytest.fixture(scope="module")
def serving(place: Site) -> Iterator[Server]:
    """A server that has joined and runs, with one original to read; the credentials are for root alone."""
    with agent(place.server()) as server:
        server.join().started()
        server.grant(place.original)
        yield server


@pytest.fixture
def fresh(place: Site) -> Iterator[Server]:
    """A server that has yet to join."""
    with agent(place.server()) as server:
        yield server
