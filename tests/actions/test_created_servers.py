"""Servers that are made here: what is asked stands in the rows, and people who leave are logged out of them."""

import pytest

from strongroom import hosts
from strongroom.actions import grants, joining, members, people, servers
from strongroom.actions.accounts import account_of
from strongroom.core.errors import Conflict, Invalid
from strongroom.core.vocabulary import OperatingSystem, Outcome, Power, Role, ServerKind, Verb
from strongroom.db.models import Event, Person, Server, Space
from strongroom.hosts.memory import MemoryHost
from tests.actions.attempts import refused
from tests.actions.rules import assert_rules_hold
from tests.machines import Machine
from tests.world import World


def made(world: World, space: Space, name: str = "bench") -> Server:
    """A created server."""
    return servers.create(world.owner(space), space.id, name=name, offering="linux-small").server


def running(server: Server) -> None:
    """As if its host had done what was asked."""
    row = Server.objects.get(id=server.id)
    Server.objects.filter(id=server.id).update(observed=row.power, applied_revision=row.revision, is_settled=True)


def test_what_can_be_made_is_what_the_host_offers(host: MemoryHost, world: World) -> None:
    assert servers.offerings(world.person()) == host.offerings()


def test_without_a_host_nothing_is_offered_and_the_way_out_is_to_enrol(world: World) -> None:
    space = world.space()
    assert servers.offerings(world.owner(space)) == []
    with refused(Verb.SERVER_CREATE, world.owner(space), Conflict, "no-host"):
        made(world, space)


def test_a_server_that_is_made_is_wanted_in_the_rows_and_joins_by_itself(host: MemoryHost, world: World) -> None:
    space = world.space()
    server = made(world, space)
    assert (server.kind, server.os, server.state) == (ServerKind.CREATED, OperatingSystem.LINUX, "joining")
    assert (server.offering, server.power, server.observed) == ("linux-small", Power.RUNNING, Power.ABSENT)
    assert not server.is_settled and server.applied_revision < server.revision
    assert Event.objects.get(verb="server.create").after["offering"] == "linux-small"
    with refused(Verb.SERVER_REJOIN, world.owner(space), Conflict, "kind"):
        servers.rejoin(world.owner(space), server.id)
    machine = Machine("127.0.0.1")
    machine.join(joining.mint_for_host(server.id).token)
    assert machine.server_id == str(server.id)
    assert machine.row.state == "active"


def test_an_offering_that_there_is_not_is_refused(host: MemoryHost, world: World) -> None:
    space = world.space()
    with refused(Verb.SERVER_CREATE, world.owner(space), Invalid, "invalid"):
        servers.create(world.owner(space), space.id, name="bench", offering="mainframe")


def test_a_machine_is_stopped_and_started_once_each(host: MemoryHost, world: World) -> None:
    space = world.space()
    server, researcher = made(world, space), world.member(space, Role.RESEARCHER)
    running(server)
    with refused(Verb.SERVER_START, researcher, Conflict, "power"):
        servers.start(researcher, server.id)
    seen = servers.stop(researcher, server.id).server
    assert (seen.power, seen.observed, seen.is_settled) == (Power.STOPPED, Power.RUNNING, False)
    with refused(Verb.SERVER_STOP, researcher, Conflict, "power"):
        servers.stop(researcher, server.id)
    running(server)
    assert servers.start(researcher, server.id).server.power == Power.RUNNING
    told = Event.objects.filter(verb__in=["server.stop", "server.start"], outcome=Outcome.DONE).order_by("sequence")
    assert [event.after["power"] for event in told] == ["stopped", "running"]


def test_one_that_fell_over_is_started_again(host: MemoryHost, world: World) -> None:
    space = world.space()
    server = made(world, space)
    running(server)
    Server.objects.filter(id=server.id).update(observed=Power.STOPPED)
    assert not servers.start(world.owner(space), server.id).server.is_settled


def test_a_deleted_server_s_machine_is_wanted_no_more(host: MemoryHost, world: World) -> None:
    dataset = world.finalized()
    server = made(world, dataset.space)
    running(server)
    grants.create(world.owner(dataset.space), dataset.id, server.id)
    seen = servers.delete(world.owner(dataset.space), server.id, reason="done").server
    assert (seen.power, seen.is_settled, seen.state) == (Power.ABSENT, False, "deleted")
    assert_rules_hold(world.engine)


@pytest.mark.parametrize("how", ["remove", "to auditor", "to researcher", "disable"])
def test_whoever_leaves_is_logged_out_of_servers_that_are_made_here(how: str, host: MemoryHost, world: World) -> None:
    space = world.space()
    owner, leaving = world.owner(space), world.member(space, Role.STEWARD)
    server, elsewhere = made(world, space), made(world, world.space())
    for each in (server, elsewhere):
        host.create(hosts.ServerSpec(each.id, each.name, each.offering, 9500))
    account = account_of(Person.objects.get(id=leaving.person_id))
    if how == "remove":
        members.remove(owner, space.id, leaving.person_id)
    elif how == "disable":
        people.disable(world.administrator, leaving.person_id, reason="left")
    else:
        role = Role.AUDITOR if how == "to auditor" else Role.RESEARCHER
        members.edit(owner, space.id, leaving.person_id, role=role)
    assert host.ended == ([] if how == "to researcher" else [(server.id, account)])


def test_a_removal_is_done_also_where_the_host_fails(host: MemoryHost, world: World) -> None:
    space = world.space()
    leaving = world.member(space, Role.STEWARD)
    server = made(world, space)
    host.create(hosts.ServerSpec(server.id, server.name, server.offering, 9500))
    account_of(Person.objects.get(id=leaving.person_id))
    host.failing = "The host is away."
    members.remove(world.owner(space), space.id, leaving.person_id)
    assert not space.memberships.filter(person_id=leaving.person_id).exists()
