"""The ledger read back: who may see what, in which order, and whether anything was changed behind its back."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from strongroom.actions import audit, members, spaces
from strongroom.actions.paging import MAX_LIMIT
from strongroom.core import ledger
from strongroom.core.errors import Forbidden, Invalid, NotFound
from strongroom.core.vocabulary import Outcome, RiskLevel, Role, StaffRole
from strongroom.db import append_only
from strongroom.db.models import Event
from tests.world import World


def test_of_everything_only_staff_administrators_read(world: World) -> None:
    for actor in (world.person(), world.person(staff_role=StaffRole.SUPPORT)):
        with pytest.raises(Forbidden):
            audit.list_(actor)
        with pytest.raises(Forbidden):
            audit.export(actor)
        with pytest.raises(Forbidden):
            audit.verify(actor)
    assert audit.list_(world.administrator).rows


def test_of_a_space_its_owners_and_auditors_read_and_nobody_else(world: World) -> None:
    space = world.space()
    for role in (Role.OWNER, Role.AUDITOR):
        found = audit.list_(world.member(space, role), space_id=space.id).rows
        assert {row.space_id for row in found} == {space.id}
    for role in (Role.STEWARD, Role.RESEARCHER):
        with pytest.raises(Forbidden):
            audit.list_(world.member(space, role), space_id=space.id)
    with pytest.raises(NotFound):
        audit.list_(world.person(), space_id=space.id)


def test_of_a_data_set_the_events_are_its_own(world: World) -> None:
    space = world.space()
    first, _ = world.dataset(space), world.dataset(space)
    found = audit.list_(world.owner(space), dataset_id=first.id).rows
    assert [row.verb for row in found] == ["dataset.create"]
    assert {row.dataset_id for row in found} == {first.id}
    assert not audit.list_(world.owner(space), dataset_id=first.id, verb="member.add").rows


def test_events_come_newest_first_and_pages_stand_still_while_more_are_written(world: World) -> None:
    for _ in range(5):
        world.space()
    newest = audit.list_(world.administrator, limit=3)
    world.space()
    rest = audit.list_(world.administrator, limit=MAX_LIMIT, cursor=newest.next_cursor)
    sequences = [row.sequence for row in (*newest.rows, *rest.rows)]
    assert sequences == list(range(sequences[0], 0, -1))


def test_filters_find_by_verb_person_outcome_and_time(world: World) -> None:
    root, space = world.administrator, world.space()
    auditor = world.member(space, Role.AUDITOR)
    began = timezone.now()
    with pytest.raises(Forbidden):
        spaces.edit(auditor, space.id, changes={"name": "Mine"})
    one = audit.list_(root, outcome=Outcome.REFUSED).rows
    assert [(row.verb, row.actor_id) for row in one] == [("space.edit", auditor.person_id)]
    assert audit.list_(root, person=str(auditor.person_id)).rows == one
    assert audit.list_(root, person=auditor.email.upper()).rows == one
    assert audit.list_(root, since=began).rows == one
    assert [row.sequence for row in audit.list_(root, until=began).rows] == list(range(one[0].sequence - 1, 0, -1))
    assert not audit.list_(root, person="nobody@example.org").rows
    assert not audit.list_(root, verb="dataset.finalized").rows


@pytest.mark.parametrize(
    "wrong", [{"verb": "dataset.explode"}, {"limit": 0}, {"limit": 501}, {"cursor": "x"}, {"cursor": "WyJhYmMiXQ=="}]
)
def test_a_wrong_filter_or_cursor_is_refused(world: World, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        audit.list_(world.administrator, **wrong)  # type: ignore[arg-type]


def test_times_at_the_edge_of_the_calendar_are_no_trouble(world: World) -> None:
    old, far = timezone.now() - timedelta(days=365 * 50), timezone.now() + timedelta(days=365 * 5000)
    assert audit.list_(world.administrator, since=old, until=far).rows
    assert not audit.list_(world.administrator, since=far).rows


def test_a_page_of_the_ledger_takes_two_queries(world: World, django_assert_max_num_queries: object) -> None:
    for _ in range(3):
        world.space()
    with django_assert_max_num_queries(1):  # type: ignore[operator]
        audit.list_(world.administrator, verb="space.create")
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        audit.list_(world.administrator, since=timezone.now(), until=timezone.now())


@pytest.mark.parametrize("name", ["", "space_id", "verb", "person", "outcome", "since"])
def test_no_page_of_the_ledger_is_sorted_or_scanned_for(world: World, name: str) -> None:
    values = {
        "space_id": world.space().id,
        "verb": "space.create",
        "person": str(world.administrator.person_id),
        "outcome": Outcome.REFUSED,
        "since": timezone.now(),
    }
    with CaptureQueriesContext(connection) as captured:
        audit.list_(world.administrator, **{name: values[name]} if name else {})  # type: ignore[arg-type]
    pages = [query["sql"] for query in captured if 'FROM "strongroom_event"' in query["sql"]]
    assert pages
    if connection.vendor == "sqlite":  # PostgreSQL rightly scans a table as small as this one
        for sql in pages:
            plan = _plan(sql)
            assert ("SEARCH" if name else "USING INDEX") in plan, plan
            assert "TEMP B-TREE" not in plan, plan


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql)
        return "; ".join(row[3] for row in cursor.fetchall())


def test_an_export_is_the_whole_chain_and_names_itself(world: World) -> None:
    world.space()
    lines = list(audit.export(world.administrator))
    report = ledger.verify_export(lines)
    assert report.is_whole, report.faults
    assert not report.is_partial
    assert json.loads(lines[-1])["verb"] == "audit.export"
    assert report.count == Event.objects.count()


def test_an_export_of_a_time_can_be_checked_too(world: World) -> None:
    world.space()
    since = timezone.now()
    world.space()
    until = timezone.now()
    world.space()
    lines = list(audit.export(world.administrator, since=since, until=until))
    assert {json.loads(line)["verb"] for line in lines[1:]} == {"person.create", "space.create"}
    assert ledger.verify_export(lines).is_whole


def test_an_export_of_nothing_is_a_header(world: World) -> None:
    lines = list(audit.export(world.administrator, until=timezone.now() - timedelta(days=1)))
    assert len(lines) == 1
    assert ledger.verify_export(lines).is_whole


def test_an_export_of_one_space_holds_nothing_of_others_and_says_what_it_cannot_show(world: World) -> None:
    space = world.space()
    world.space()
    lines = list(audit.export(world.member(space, Role.AUDITOR), space_id=space.id))
    assert {json.loads(line)["space_id"] for line in lines} == {str(space.id)}
    report = ledger.verify_export(lines)
    assert report.is_whole
    assert report.is_partial
    assert report.notes


def test_an_export_is_read_in_batches_and_holds_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        world.space()
    monkeypatch.setattr(audit, "_BATCH", 3)
    lines = audit.export(world.administrator)
    assert ledger.verify_export(lines).count == Event.objects.count()


def test_an_export_that_broke_off_passes_no_check(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    for lines in (list(audit.export(world.administrator)), list(audit.export(owner, space_id=space.id))):
        assert ledger.announced(lines[0]) == len(lines) - 1 > 1
        assert ledger.verify_export(lines).is_whole
        for reached in range(1, len(lines)):
            for cut in (lines[:reached], [*lines[:reached], lines[reached][: len(lines[reached]) // 2]]):
                report = ledger.verify_export(cut)
                assert not report.is_whole and "broke off" in report.faults[-1]
                assert "cannot be read" not in " ".join(report.faults)


def test_the_whole_chain_is_intact_and_passes_through_every_receipt(world: World) -> None:
    world.finalized()
    report = audit.verify(world.administrator)
    assert report.is_whole, report.faults
    assert report.count == Event.objects.count()


def test_of_one_space_entries_are_checked_against_their_own_hashes(world: World) -> None:
    space = world.space()
    report = audit.verify(world.member(space, Role.AUDITOR), space_id=space.id)
    assert report.is_whole
    assert report.is_partial


def test_what_is_changed_behind_the_triggers_is_found(world: World) -> None:
    space = world.space()
    members.add(world.owner(space), space.id, email=world.person().email, role=Role.AUDITOR)
    with connection.cursor() as cursor:
        _without_triggers(cursor)
        cursor.execute("UPDATE strongroom_event SET reason = 'harmless' WHERE verb = 'member.add'")
    report = audit.verify(world.administrator)
    assert not report.is_whole
    assert not audit.verify(world.owner(space), space_id=space.id).is_whole


def test_an_end_that_was_cut_off_is_found(world: World) -> None:
    spaces.create(world.person(), name="Secret", risk_level=RiskLevel.HIGH)
    with connection.cursor() as cursor:
        _without_triggers(cursor)
        cursor.execute("DELETE FROM strongroom_event WHERE sequence = (SELECT max(sequence) FROM strongroom_event)")
    assert not audit.verify(world.administrator).is_whole


def _without_triggers(cursor: object) -> None:
    append_only.remove(connection.vendor, cursor)  # type: ignore[arg-type]  # it has the one method that is used
