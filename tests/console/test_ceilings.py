"""What a page costs does not grow with the platform: 10,000 data sets, 1,000 members, a million events in one space.

Work is counted, not timed: queries, steps of SQLite's machine, and bytes. A page that would read a large table whole
takes millions of steps.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from strongroom.actions import attachments
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import AttachmentKind, Kind, Role, StaffRole
from strongroom.db.models import Dataset, Event, Grant, LedgerHead, Membership, Person, Server, Space
from strongroom.hosts.memory import MemoryHost
from tests.console.signed_in import browser
from tests.console.test_sweep import IDS, PATHS
from tests.crowd import multiply, numbered
from tests.world import World

pytestmark = pytest.mark.django_db

DATASETS, MEMBERS, EVENTS, SERVERS, DOCUMENTS, SPACES = 10_000, 1_000, 1_000_000, 200, 100, 100
MOST_QUERIES, MOST_STEPS, MOST_BYTES = 40, 1_000_000, 100_000
PER_CALL = 1000
# Files, whose size is that of what is asked for, and what only a provider of identities leads to.
FILES = ("/export", "/manifest", "/receipt", "/bookmark", "/download")
PEOPLE, DATA, MACHINES = 10**9, 2 * 10**9, 3 * 10**9


@dataclass
class Crowd:
    """Who looks, and what the placeholders of paths stand for."""

    owner: Actor
    staff: Actor
    ids: dict[str, str]

    def path(self, written: str) -> str:
        """The path of the fullest that there is."""
        return IDS.sub(lambda found: self.ids.get(found[1], numbered_id(1)), written)


def numbered_id(number: int) -> str:
    """A UUID of `tests.crowd`."""
    return f"00000000-0000-0000-0000-{number:012x}"


@pytest.fixture
def crowd(world: World, host: MemoryHost) -> Crowd:
    """One space with everything in it, among a hundred others."""
    space = world.space(name="Everything")
    owner = world.owner(space)
    original = world.finalized(world.dataset(space, name="The source of all"))
    derivative = world.dataset(space, kind=Kind.DERIVATIVE, name="One of many", source_ids=[original.id])
    machine = world.granted(original)
    document = attachments.add(
        owner, original.id, filename="a.pdf", title="Agreement", kind=AttachmentKind.OTHER, body=io.BytesIO(b"a")
    )
    multiply(document, DOCUMENTS, id=numbered(4 * 10**9), title="'Agreement ' || i")
    _people(world, space)
    _datasets(original, derivative)
    _servers(machine.row, original)
    _events(original)
    staff = world.person("staff", staff_role=StaffRole.ADMINISTRATOR)
    ids = {
        "space_id": space.id,
        "dataset_id": original.id,
        "server_id": machine.row.id,
        "attachment_id": document.id,
        "person_id": numbered_id(PEOPLE + 1),
        "kind": "oidc",
    }
    return Crowd(owner, staff, {name: str(value) for name, value in ids.items()})


def _people(world: World, space: Space) -> None:
    member = world.member(space, Role.RESEARCHER)
    person, membership = (
        Person.objects.get(id=member.person_id),
        Membership.objects.get(space=space, person_id=member.person_id),
    )
    multiply(person, MEMBERS, id=numbered(PEOPLE), email="'r' || i || '@example.org'", account="NULL")
    multiply(membership, MEMBERS, id=numbered(PEOPLE), person_id=numbered(PEOPLE))
    # The owner is in a hundred spaces more.
    owned = Membership.objects.get(space=space, person_id=space.created_by_id)
    multiply(space, SPACES, id=numbered(PEOPLE), name="'Space ' || i")
    multiply(owned, SPACES, id=numbered(PEOPLE + MEMBERS), space_id=numbered(PEOPLE))


def _datasets(original: Dataset, derivative: Dataset) -> None:
    half = DATASETS // 2
    multiply(original, half, id=numbered(DATA), repository="'a-' || i", name="'Original ' || i")
    multiply(derivative, half, id=numbered(DATA + half), repository="'b-' || i", name="'Derivative ' || i")
    link = derivative.source_links.get()
    multiply(link, half, derivative_id=numbered(DATA + half))


def _servers(server: Server, original: Dataset) -> None:
    grant = Grant.objects.get(server=server)
    multiply(server, SERVERS, id=numbered(MACHINES), name="'machine-' || i", ssh_port="NULL")
    multiply(grant, SERVERS, id=numbered(MACHINES), server_id=numbered(MACHINES))
    multiply(grant, SERVERS, id=numbered(MACHINES + SERVERS), dataset_id=numbered(DATA))


def _events(original: Dataset) -> None:
    event = Event.objects.filter(dataset_id=original.id).first()
    head = LedgerHead.objects.get()
    assert event
    multiply(event, EVENTS, sequence=f"{head.sequence} + i")
    LedgerHead.objects.update(sequence=head.sequence + EVENTS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as SQLite does it by itself in the course of time


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
