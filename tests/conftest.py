"""What every test may ask for: an engine in memory, a signer, and a world of people, spaces and data sets."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from pytest_django import DjangoDbBlocker

from strongroom import engines, hosts
from strongroom.actions import signing, software, ssh_authority
from strongroom.actions.ssh_authority import Authorities
from strongroom.engines.memory import MemoryEngine
from strongroom.hosts.memory import MemoryHost
from strongroom.runtime import zipapp
from tests.world import World

_GROUPS = {
    # An agent sees and looks after every mount of its machine: those of two tests at once would be in each other's way.
    "mounts": ("tests/agent/", "tests/windows/test_rclone"),
    # These machines have mounts of their own, but the same paths.
    "machines": (
        "tests/journeys/test_server_e",
        "tests/journeys/test_server_re",
        "tests/journeys/browser/test_reference_story",
    ),
}
# The tests of one file go through one story on one system, in their order.
_STORIES = ("tests/journeys/", "tests/hosts/")
# What takes long in one piece comes first, then what waits for processes, and last what is left: short, and never idle.
_FIRST = (
    *_GROUPS["mounts"],
    "tests/journeys/test_crashes",
    *_GROUPS["machines"],
    "tests/journeys/browser/test_every_page",
    "tests/journeys/test_server",
    *_STORIES,
    "tests/movers/test_upload_",
    "tests/runtime/test_up",
    "tests/engines/",
    "tests/runtime/",
    "tests/movers/",
)


class _Grouping:
    """Has one process do all tests of a group, one after the other (`--dist loadgroup`)."""

    @pytest.hookimpl(tryfirst=True)  # xdist reads the groups in this very hook, and would come first
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            file = item.nodeid.split("::")[0]
            name = next((name for name, begins in _GROUPS.items() if file.startswith(begins)), "")
            if name or file.startswith(_STORIES):
                item.add_marker(pytest.mark.xdist_group(name or file))


def pytest_configure(config: pytest.Config) -> None:
    """The grouping, and the order of this file in the place of xdist's, which counts the tests of a group."""
    config.pluginmanager.register(_Grouping())
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)  # Django's plugin has an order of its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: next((n for n, begins in enumerate(_FIRST) if item.nodeid.startswith(begins)), 99))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to go on where xdist cannot group: pytest 9.2 takes the names of groups away from xdist 3.8 unseen."""
    if getattr(session.config.option, "loadgroup", False):
        lost = [each for each in session.items if each.get_closest_marker("xdist_group") and "@" not in each.nodeid]
        if lost:
            raise pytest.UsageError(f"xdist would not keep {lost[0].nodeid} and its group in one process")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured (`record_property("measured", …)`), also where they ran in other processes."""
    passed = terminalreporter.getreports("passed")
    told = [
        (each.nodeid.split("::")[-1], value)
        for each in passed
        for name, value in each.user_properties
        if name == "measured"
    ]
    if told:
        terminalreporter.write_sep("=", "measured")
    for name, value in told:
        terminalreporter.write_line(f"{name}: {value}")


class FreshSigner:
    """An Ed25519 key that lives as long as one test."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes of the public key."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """The 64 raw bytes of the signature over `data`."""
        return self._key.sign(data)


@pytest.fixture
def signer() -> FreshSigner:
    """The signer that this process uses while the test runs."""
    return _signing()


def _signing() -> FreshSigner:
    fresh = FreshSigner()
    signing.use(fresh)
    ssh_authority.use(Authorities(FreshSigner(), FreshSigner()))
    software.use(zipapp.files)
    return fresh


@pytest.fixture
def engine() -> Iterator[MemoryEngine]:
    """The engine that this process uses while the test runs."""
    fresh = MemoryEngine()
    engines.use(lambda: fresh)
    yield fresh
    engines.use(MemoryEngine)


@pytest.fixture
def host() -> Iterator[MemoryHost]:
    """The host on which this process makes servers while the test runs; without this fixture there is none."""
    fresh = MemoryHost()
    hosts.use(lambda: fresh)
    yield fresh
    hosts.use(lambda: None)


@pytest.fixture
def world(db: None, engine: MemoryEngine, signer: FreshSigner) -> World:
    """Builders; everything they made is rolled back at the end. One connection: no threads."""
    return World(engine)


@pytest.fixture(scope="module")
def kept_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Builders for all tests of a file, which undo what they do; with a host. One connection: no threads."""
    engine, host = MemoryEngine(), MemoryHost()
    engines.use(lambda: engine)
    hosts.use(lambda: host)
    _signing()
    with django_db_blocker.unblock(), transaction.atomic():
        yield World(engine)
        transaction.set_rollback(True)
    engines.use(MemoryEngine)
    hosts.use(lambda: None)


@pytest.fixture
def lasting_world(transactional_db: None, engine: MemoryEngine, signer: FreshSigner) -> World:
    """Builders whose work is really committed, so that other threads and processes see it."""
    return World(engine)
