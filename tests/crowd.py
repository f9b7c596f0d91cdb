"""Rows by the thousand, each as one that was made by an action: what a platform holds after years.

Copies are written by SQLite itself, in one statement for each table. Their ids are numbers, so that one table's rows
can name another's.
"""

import io
import re
from dataclasses import dataclass

from django.db import connection, models
from django.db.models import Model

from strongroom.actions import attachments
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import AttachmentKind, Kind, Role, StaffRole
from strongroom.db.models import Dataset, Event, Grant, LedgerHead, Membership, Person, Server, Space
from tests.world import World

DATASETS, MEMBERS, EVENTS, SERVERS, DOCUMENTS, SPACES = 10_000, 1_000, 1_000_000, 200, 100, 100
PEOPLE, DATA, MACHINES, PAPERS = 10**9, 2 * 10**9, 3 * 10**9, 4 * 10**9
IDS = re.compile(r"<(?:\w+:)?(\w+)>")
NUMBER = "printf('%032x', {base} + i)"


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


def gather(world: World, events: int = EVENTS) -> Crowd:
    """One space with everything in it, among a hundred others. Needs a host in memory, and SQLite."""
    space = world.space(name="Everything")
    owner = world.owner(space)
    original = world.finalized(world.dataset(space, name="The source of all"))
    derivative = world.dataset(space, kind=Kind.DERIVATIVE, name="One of many", source_ids=[original.id])
    machine = world.granted(original)
    document = attachments.add(
        owner, original.id, filename="a.pdf", title="Agreement", kind=AttachmentKind.OTHER, body=io.BytesIO(b"a")
    )
    multiply(document, DOCUMENTS, id=numbered(PAPERS), title="'Agreement ' || i")
    _people(world, space)
    _datasets(original, derivative)
    _servers(machine.row, original)
    _events(original, events)
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


def _events(original: Dataset, count: int) -> None:
    event = Event.objects.filter(dataset_id=original.id).first()
    head = LedgerHead.objects.get()
    assert event
    multiply(event, count, sequence=f"{head.sequence} + i")
    LedgerHead.objects.update(sequence=head.sequence + count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as SQLite does it by itself in the course of time


def multiply(row: Model, times: int, **columns: str) -> None:
    """Copy a row; `columns` are SQL for what differs, in which `i` counts from 1. Counted ids come by themselves."""
    fields = row._meta.concrete_fields
    key = row._meta.pk
    assert key
    written = {field.column: columns.pop(field.attname, field.column) for field in fields}
    assert not columns, f"{row} has no {columns}"
    if isinstance(key, models.AutoField) and written[key.column] == key.column:
        del written[key.column]
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})"
            f" INSERT INTO {table} ({', '.join(written)}) SELECT {', '.join(written.values())}"
            f" FROM {table}, n WHERE {table}.{key.column} = %s",
            [key.get_db_prep_value(row.pk, connection)],
        )
        cursor.execute("SELECT changes()")
        assert cursor.fetchone() == (times,)


def numbered(base: int) -> str:
    """SQL for the id of the `i`th copy of the table that has this base, as UUIDs are kept in SQLite."""
    return NUMBER.format(base=base)
