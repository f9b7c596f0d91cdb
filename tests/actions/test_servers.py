"""Servers: a steward enrols them, somebody answers for them, and whoever takes one's access away is obeyed at once."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from strongroom.actions import configuration, grants, lapsing, people, servers, spaces
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from strongroom.core.vocabulary import (
    GrantEnd,
    OperatingSystem,
    Role,
    Scope,
    ServerKind,
    ServerState,
    StaffRole,
    Verb,
)
from strongroom.db.models import Dataset, Event, Grant, Server, Space
from strongroom.engines.protocol import Session
from tests.actions.attempts import failing, refused
from tests.actions.rules import assert_rules_hold, work_until_settled
from tests.machines import Machine
from tests.world import World


def enrol(actor: Actor, space: Space, name: str = "genomics-1", **options: object) -> Server:
    """A server that has not joined."""
    return servers.enrol(actor, space.id, name=name, os=OperatingSystem.LINUX, **options).server  # type: ignore[arg-type]


def reads(world: World, session: Session, dataset: Dataset) -> bool:
    """Whether the server gets the file."""
    return world.engine.get_as(session, dataset.repository, "first.csv", address="192.0.2.50") is not None


def granted_twice(world: World) -> tuple[Machine, Session, list[Dataset]]:
    """A server that reads two data sets of one space."""
    space = world.space()
    machine = world.machine(space)
    datasets = [world.finalized(world.dataset(space)) for _ in range(2)]
    for dataset in datasets:
        grants.create(world.owner(space), dataset.id, machine.row.id)
    return machine, machine.session(), datasets


def test_a_steward_enrols_a_server_and_answers_for_it(world: World) -> None:
    space = world.space()
    steward = world.member(space, Role.STEWARD)
    made = servers.enrol(steward, space.id, name="genomics-1", os=OperatingSystem.WINDOWS, description="Bench 3")
    seen = servers.show(steward, made.server.id)
    assert (seen.server.state, seen.server.kind, seen.server.os) == ("joining", ServerKind.ENROLLED, "windows")
    assert (seen.server.owner_id, seen.is_online, seen.grants) == (steward.person_id, False, [])
    assert abs((made.expires_at - timezone.now()).total_seconds() - 15 * 60) < 30
    assert made.token not in repr(made)
    assert spaces.show(steward, space.id).server_count == 1
    event = Event.objects.get(verb="server.enrol")
    assert (event.subject, event.space_id, event.after["os"]) == ("genomics-1", space.id, "windows")


@pytest.mark.parametrize("role", [Role.RESEARCHER, Role.AUDITOR])
def test_others_enrol_none(role: Role, world: World) -> None:
    space = world.space()
    member = world.member(space, role)
    with refused(Verb.SERVER_ENROL, member, Forbidden, "role"):
        enrol(member, space)


def test_an_administrator_enrols_none_but_may_disable_with_a_reason(world: World) -> None:
    space = world.space()
    server = world.machine(space).row
    with refused(Verb.SERVER_ENROL, world.administrator, Forbidden, "role"):
        enrol(world.administrator, space)
    with refused(Verb.SERVER_DISABLE, world.administrator, Invalid, "invalid"):
        servers.disable(world.administrator, server.id, reason=" ")
    assert servers.disable(world.administrator, server.id, reason="incident 7").server.state == "disabled"


@pytest.mark.parametrize("name", ["", "Genomics", "a b", "-a", "a-", "a" * 64, "ä", "a.b"])
def test_a_name_that_is_no_host_name_is_refused(name: str, world: World) -> None:
    space = world.space()
    with refused(Verb.SERVER_ENROL, world.owner(space), Invalid, "invalid"):
        enrol(world.owner(space), space, name)


def test_a_name_is_taken_within_its_space_until_the_server_is_deleted(world: World) -> None:
    ada = world.person("ada")
    space, other = world.space(ada), world.space(ada)
    first = enrol(ada, space)
    assert enrol(ada, other)
    with refused(Verb.SERVER_ENROL, ada, Conflict, "name-taken"):
        enrol(ada, space)
    second = enrol(ada, space, "genomics-2")
    with refused(Verb.SERVER_EDIT, ada, Conflict, "name-taken"):
        servers.edit(ada, second.id, changes={"name": "genomics-1"})
    servers.delete(ada, first.id, reason="retired")
    assert servers.edit(ada, second.id, changes={"name": "genomics-1"}).server.name == "genomics-1"


@pytest.mark.parametrize("who", ["auditor", "stranger", "disabled", "nobody"])
def test_somebody_who_does_not_work_in_the_space_owns_none_of_its_servers(who: str, world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    if who == "nobody":
        person_id = uuid4()
    else:
        person_id = (world.person() if who == "stranger" else world.member(space, Role.AUDITOR)).person_id
    if who == "disabled":
        person_id = world.member(space, Role.RESEARCHER).person_id
        people.disable(world.administrator, person_id, reason="left")
    with refused(Verb.SERVER_ENROL, owner, Invalid, "invalid"):
        enrol(owner, space, owner_id=person_id)
    server = enrol(owner, space)
    with refused(Verb.SERVER_EDIT, owner, Invalid, "invalid"):
        servers.edit(owner, server.id, changes={"owner_id": person_id})


def test_an_edit_changes_what_was_sent_and_nothing_else(world: World) -> None:
    space = world.space()
    owner, researcher = world.owner(space), world.member(space, Role.RESEARCHER)
    server = enrol(owner, space)
    servers.edit(owner, server.id, changes={"owner_id": str(researcher.person_id)})
    servers.edit(owner, server.id, changes={"description": "Bench 3"})
    server.refresh_from_db()
    assert (server.name, server.description, server.owner_id) == ("genomics-1", "Bench 3", researcher.person_id)
    changed = Event.objects.filter(verb="server.edit").earliest("sequence")
    assert {name for name in changed.after if changed.after[name] != changed.before[name]} == {"owner_id"}


def test_a_stranger_learns_of_no_server(world: World) -> None:
    space = world.space()
    server, stranger = world.server(space), world.person("stranger")
    with pytest.raises(NotFound):
        servers.show(stranger, server.id)
    with refused(Verb.SERVER_DELETE, stranger, NotFound, "not-found"):
        servers.delete(stranger, server.id, reason="mine")
    elsewhere = replace(world.owner(space), space_id=world.space(world.owner(space)).id)
    with refused(Verb.SERVER_DISABLE, elsewhere, NotFound, "not-found"):
        servers.disable(elsewhere, server.id, reason="mine")
    assert not servers.list_(stranger).rows
    assert not servers.list_(elsewhere).rows
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    assert servers.show(support, server.id).role is None


def test_a_list_finds_by_space_kind_state_and_words_and_costs_few_questions(world: World) -> None:
    ada = world.person("ada")
    space, other = world.space(ada), world.space(ada)
    for number in range(12):
        enrol(ada, space, f"bench-{number:02}")
    heard = world.machine(other)
    Server.objects.filter(id=heard.row.id).update(hostname="genomics.example.org", address="198.51.100.9")
    with CaptureQueriesContext(connection) as captured:
        first = servers.list_(ada, space_id=space.id, limit=10)
        assert {row.owner.email for row in first.rows} == {ada.email}
    assert len(captured) <= 2
    assert [row.name for row in servers.list_(ada, space_id=space.id, cursor=first.next_cursor).rows] == [
        "bench-10",
        "bench-11",
    ]
    for found in (
        servers.list_(ada, state=ServerState.ACTIVE),
        servers.list_(ada, search="genomics.ex"),
        servers.list_(ada, search="198.51.100"),
    ):
        assert [row.id for row in found.rows] == [heard.row.id]
    assert not servers.list_(ada, kind=ServerKind.CREATED).rows


def test_servers_that_have_access_to_a_data_set_now_can_be_left_out(world: World) -> None:
    space = world.space()
    owner, machines = world.owner(space), [world.machine(space) for _ in range(3)]
    first, second = (world.finalized(world.dataset(space)) for _ in range(2))
    for machine, dataset in ((machines[0], first), (machines[1], first), (machines[2], second)):
        grants.create(owner, dataset.id, machine.row.id)
    grants.revoke(owner, first.id, machines[1].row.id)
    found = servers.list_(owner, space_id=space.id, without_access_to=first.id).rows
    assert {each.id for each in found} == {machines[1].row.id, machines[2].row.id}
    assert len(servers.list_(owner, space_id=space.id).rows) == 3


def test_a_page_about_a_server_says_what_may_be_done_and_why_the_rest_may_not(world: World) -> None:
    machine, _, _ = granted_twice(world)
    space = machine.row.space
    seen = servers.show(world.owner(space), machine.row.id)
    assert {Verb.SERVER_DISABLE, Verb.SERVER_DELETE, Verb.SERVER_REJOIN} <= set(seen.may)
    blocked = {each.verb: each.reason for each in seen.blocked}
    assert "Start or stop the machine itself" in blocked[Verb.SERVER_START]
    auditor = world.member(space, Role.AUDITOR)
    with CaptureQueriesContext(connection) as captured:
        assert servers.show(auditor, machine.row.id).may == [Verb.SERVER_SHOW, Verb.GRANT_LIST]
    assert len(captured) <= 6


def test_a_server_is_online_for_as_long_as_it_is_heard(world: World) -> None:
    machine = world.machine(world.space())
    assert servers.is_online(machine.row)
    Server.objects.update(last_heartbeat_at=timezone.now() - timedelta(minutes=2))
    assert not servers.is_online(machine.row)
    machine.heartbeat()
    assert servers.is_online(machine.row)


def test_an_enrolled_server_is_not_started_or_stopped_from_here(world: World) -> None:
    space = world.space()
    owner, server = world.owner(space), world.machine(space).row
    with refused(Verb.SERVER_START, owner, Conflict, "kind"):
        servers.start(owner, server.id)
    with refused(Verb.SERVER_STOP, owner, Conflict, "kind"):
        servers.stop(owner, server.id)


# Taking access away


def test_a_disabled_server_reaches_nothing_and_an_enabled_one_what_it_had(world: World) -> None:
    machine, session, datasets = granted_twice(world)
    owner = world.owner(machine.row.space)
    assert [reads(world, session, each) for each in datasets] == [True, True]
    seen = servers.disable(owner, machine.row.id, reason="look into it")
    assert [reads(world, session, each) for each in datasets] == [False, False]
    assert (seen.server.state, seen.server.state_reason, len(seen.grants)) == ("disabled", "look into it", 2)
    assert Event.objects.get(verb="server.disable").after["data_sets_cut"] == 2
    grants.revoke(owner, datasets[0].id, machine.row.id)
    servers.enable(owner, machine.row.id)
    assert [reads(world, session, each) for each in datasets] == [False, True]
    assert_rules_hold(world.engine)


def test_what_is_granted_to_a_disabled_server_works_once_it_is_enabled(world: World) -> None:
    dataset = world.finalized()
    machine, owner = world.machine(dataset.space), world.owner(dataset.space)
    session = machine.session()
    servers.disable(owner, machine.row.id, reason="not yet")
    grants.create(owner, dataset.id, machine.row.id)
    assert not reads(world, session, dataset)
    servers.enable(owner, machine.row.id)
    assert reads(world, session, dataset)


def test_a_server_that_never_joined_joins_after_it_was_enabled_again_with_a_new_token_only(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    made = servers.enrol(owner, space.id, name="late", os=OperatingSystem.LINUX)
    servers.disable(owner, made.server.id, reason="not yet")
    with refused(Verb.SERVER_REJOIN, owner, Conflict, "state"):
        servers.rejoin(owner, made.server.id)
    assert servers.enable(owner, made.server.id).server.state == "joining"
    with pytest.raises(Unauthenticated):
        Machine().join(made.token)
    assert Machine().join(servers.rejoin(owner, made.server.id).token)


def test_a_deleted_server_s_grants_are_over_for_good_and_its_record_stays(world: World) -> None:
    machine, session, datasets = granted_twice(world)
    owner = world.owner(machine.row.space)
    seen = servers.delete(owner, machine.row.id, reason="retired")
    assert [reads(world, session, each) for each in datasets] == [False, False]
    assert {grant.end for grant in Grant.objects.all()} == {GrantEnd.SERVER_DELETED.value}
    assert (seen.server.state, seen.server.state_reason, seen.grants) == ("deleted", "retired", [])
    assert Event.objects.filter(verb="grant.ended").count() == 2
    for again in (
        lambda: servers.enable(owner, machine.row.id),
        lambda: servers.edit(owner, machine.row.id, changes={}),
    ):
        with pytest.raises(Conflict):
            again()
    assert spaces.show(owner, machine.row.space_id).server_count == 0
    assert_rules_hold(world.engine)


def test_a_disable_that_the_engine_has_not_followed_is_not_called_done(world: World) -> None:
    machine, session, datasets = granted_twice(world)
    calls = list[str]()

    def one_is_away(name: str) -> None:
        calls.append(name)
        if calls.count("apply_policy") == 1:
            failing("apply_policy")(name)

    world.engine.on_call = one_is_away
    with pytest.raises(Unavailable) as refusal:
        servers.disable(world.owner(machine.row.space), machine.row.id, reason="look into it")
    assert refusal.value.code == "not-obeyed-yet"
    assert [reads(world, session, each) for each in datasets].count(False) == 1  # the other one was tried, too
    world.engine.on_call = lambda _: None
    work_until_settled()
    assert [reads(world, session, each) for each in datasets] == [False, False]
    assert_rules_hold(world.engine)


def silent_for(server: Server, span: timedelta) -> None:
    """It was last heard that long ago."""
    then = timezone.now() - span
    Server.objects.filter(id=server.id).update(last_heartbeat_at=then, state_at=then)


def test_a_server_that_is_silent_for_too_long_lapses_until_somebody_enables_it(world: World) -> None:
    machine, session, datasets = granted_twice(world)
    silent_for(machine.row, timedelta(hours=23))
    assert lapsing.end_due() == 0
    silent_for(machine.row, timedelta(hours=25))
    assert lapsing.end_due() == 1
    assert [reads(world, session, each) for each in datasets] == [False, False]
    assert (machine.row.state, lapsing.end_due()) == ("lapsed", 0)
    with pytest.raises(Forbidden):  # being heard again is not enough
        machine.heartbeat()
    event = Event.objects.get(verb="server.lapsed")
    assert (event.actor_id, event.after["data_sets_cut"]) == (None, 2)
    servers.enable(world.owner(machine.row.space), machine.row.id)
    assert lapsing.end_due() == 0  # its silence counts anew
    assert machine.heartbeat()
    assert [reads(world, session, each) for each in datasets] == [True, True]
    assert_rules_hold(world.engine)


def test_a_server_that_was_heard_does_not_lapse_nor_does_one_that_was_stopped_here(world: World) -> None:
    space = world.space()
    heard, stopped = world.machine(space), world.machine(space)
    silent_for(heard.row, timedelta(hours=25))
    heard.heartbeat()
    silent_for(stopped.row, timedelta(hours=25))
    Server.objects.filter(id=stopped.row.id).update(kind=ServerKind.CREATED, power="stopped")
    assert lapsing.end_due() == 0


def test_no_server_lapses_where_the_setting_says_never(world: World) -> None:
    machine = world.machine(world.space())
    silent_for(machine.row, timedelta(days=4000))
    with override_settings(STRONGROOM=replace(configuration.settings(), heartbeat_lapse_seconds=0)):
        assert lapsing.end_due() == 0


def test_a_token_that_only_reads_disables_nothing(world: World) -> None:
    space = world.space()
    server = world.machine(space).row
    reader = replace(world.owner(space), scopes=frozenset({Scope.READ}))
    with refused(Verb.SERVER_DISABLE, reader, Forbidden, "scope"):
        servers.disable(reader, server.id, reason="x")
