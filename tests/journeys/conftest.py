"""One running Strongroom for all journeys of a test process."""

from collections.abc import Generator, Iterator

import pytest

from tests.journeys.system import System, running

# What waits in life is short here: how long finalizing waits for strangers' writes, when the second look comes.
SETTINGS = {
    "finalize_drain_seconds": "5",
    "finalize_recheck_seconds": "12",
    "attachment_link_seconds": "300",
    "policy_check_seconds": "5",
}


@pytest.fixture(scope="session")
def strongroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Started by `up` in a home of its own, on free ports; the administrator is signed in."""
    with running(tmp_path_factory.mktemp("strongroom"), **SETTINGS) as system:
        yield system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of all logs with a test that failed."""
    report = yield
    system = getattr(item, "funcargs", {}).get("strongroom")
    if report.failed and isinstance(system, System):
        report.sections.append(("logs", system.logs()))
    return report
