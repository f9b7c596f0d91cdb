"""What a page costs does not grow with the platform: 10,000 data sets, 1,000 members, a million events in one space.

Work is counted, not timed: queries, steps of SQLite's machine, and bytes. A page that would read a large table whole
takes millions of steps.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from strongroom.db.models import Dataset, Event
from strongroom.hosts.memory import MemoryHost
from tests.console.signed_in import browser
from tests.console.test_sweep import PATHS
from tests.crowd import DATASETS, EVENTS, Crowd, gather
from tests.world import World

pytestmark = pytest.mark.django_db

MOST_QUERIES, MOST_STEPS, MOST_BYTES = 40, 1_000_000, 100_000
PER_CALL = 1000
# Files, whose size is that of what is asked for, and what only a provider of identities leads to.
FILES = ("/export", "/manifest", "/receipt", "/bookmark", "/download")


@pytest.fixture
def crowd(world: World, host: MemoryHost) -> Crowd:
    """The whole of it, in a transaction that is rolled back."""
    return gather(world)


@contextmanager
def counted_steps() -> Iterator[Callable[[], int]]:
    """How many steps SQLite's machine took meanwhile, to the nearest thousand."""
    calls = 0

    def call() -> int:
        nonlocal calls
        calls += 1
        return 0

    connection.connection.set_progress_handler(call, PER_CALL)
    try:
        yield lambda: calls * PER_CALL
    finally:
        connection.connection.set_progress_handler(None, PER_CALL)


def test_no_page_costs_more_than_its_share_however_much_there_is(crowd: Crowd) -> None:
    assert Dataset.objects.count() > DATASETS and Event.objects.count() > EVENTS
    owner, staff, costly, seen = browser(crowd.owner), browser(crowd.staff), list[str](), 0
    for written in PATHS:
        client = staff if written.startswith("/staff/") else owner
        said = _cost(client, crowd.path(written), is_file=written.endswith(FILES))
        seen += said is not None
        costly += [f"{written}: {said}"] if said else []
    assert costly == [], "\n".join(costly)
    assert seen > 40


def _cost(client: Client, path: str, *, is_file: bool) -> str | None:
    """What is too much of a page; None where the path answers with none."""
    with counted_steps() as steps, CaptureQueriesContext(connection) as queries:
        response = client.get(path)
    if response.status_code != 200 or is_file or "text/html" not in response.headers["Content-Type"]:
        return None
    size_bytes = len(response.content)
    found = {
        f"{len(queries)} queries": len(queries) > MOST_QUERIES,
        f"{steps():,} steps": steps() > MOST_STEPS,
        f"{size_bytes:,} bytes": size_bytes > MOST_BYTES,
    }
    return ", ".join(what for what, is_much in found.items() if is_much)
