"""The ledger in the database: nobody changes it, everybody's entries chain, and it names whoever was refused."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from strongroom.actions import ledger
from strongroom.core.vocabulary import SystemFact
from strongroom.db.models import Event, LedgerHead
from tests.actions.rules import assert_ledger_is_whole
from tests.threads import at_once
from tests.world import World

TAMPERINGS: dict[str, str] = {
    "change every entry": "UPDATE strongroom_event SET reason = 'nothing happened'",
    "change one": "UPDATE strongroom_event SET actor_email = 'eve@example.org' WHERE sequence = 1",
    "delete every entry": "DELETE FROM strongroom_event",
    "delete the last": "DELETE FROM strongroom_event WHERE sequence = (SELECT max(sequence) FROM strongroom_event)",
    "write over one": "INSERT INTO strongroom_event SELECT * FROM strongroom_event WHERE sequence = 1 "
    "ON CONFLICT (sequence) DO UPDATE SET reason = 'nothing happened'",
}
# SQLite's REPLACE removes a row without asking the trigger on DELETE; PostgreSQL's TRUNCATE looks at no row.
WAYS_AROUND = {
    "sqlite": "REPLACE INTO strongroom_event SELECT * FROM strongroom_event WHERE sequence = 1",
    "postgresql": "TRUNCATE strongroom_event",
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_the_database_refuses_to(name: str, world: World) -> None:
    before = list(Event.objects.order_by("sequence").values())
    assert before
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TAMPERINGS[name])
    assert list(Event.objects.order_by("sequence").values()) == before


@pytest.mark.parametrize("tamper", [lambda e: e.delete(), lambda e: e.save(), lambda e: Event.objects.all().delete()])
def test_neither_does_it_change_through_the_models(tamper: Callable[[Event], object], world: World) -> None:
    before = Event.objects.count()
    with pytest.raises(DatabaseError), transaction.atomic():
        tamper(Event.objects.all()[0])
    assert Event.objects.count() == before


def test_the_ways_around_a_trigger_on_rows_are_closed_too(world: World) -> None:
    before = list(Event.objects.order_by("sequence").values())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WAYS_AROUND[connection.vendor])
    assert list(Event.objects.order_by("sequence").values()) == before


def test_entries_of_many_at_once_chain_without_a_gap(lasting_world: World) -> None:
    before = LedgerHead.objects.get(id=1).sequence

    def append() -> int:
        with transaction.atomic():
            return ledger.append(SystemFact.SYSTEM_STARTED, at=timezone.now()).sequence

    numbers = at_once([append] * 20)
    assert sorted(numbers) == list(range(before + 1, before + 21))  # type: ignore[type-var]
    assert_ledger_is_whole()


def test_an_entry_that_is_rolled_back_leaves_no_gap(lasting_world: World) -> None:
    before = Event.objects.count()
    with pytest.raises(ValueError, match="no"), transaction.atomic():
        ledger.append(SystemFact.SYSTEM_STARTED, at=timezone.now())
        raise ValueError("no")
    assert Event.objects.count() == before
    lasting_world.person("next")
    assert_ledger_is_whole()
