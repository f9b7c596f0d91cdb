"""Whoever loses their place in a space: the servers they answered for, and the join tokens they may have kept."""

import pytest

from strongroom.actions import grants, members, people, servers
from strongroom.core.errors import Conflict, Unauthenticated
from strongroom.core.vocabulary import OperatingSystem, Role, Verb
from strongroom.db.models import Dataset, Event, Server
from strongroom.engines.protocol import Session
from tests.actions.attempts import refused
from tests.actions.rules import assert_rules_hold
from tests.machines import Machine
from tests.world import World


def reads(world: World, session: Session, dataset: Dataset) -> bool:
    """Whether the server gets the file."""
    return world.engine.get_as(session, dataset.repository, "first.csv", address="192.0.2.50") is not None


@pytest.mark.parametrize("how", ["remove", "to auditor", "disable"])
def test_whose_owner_loses_their_place_is_cut_off_before_that_is_answered(how: str, world: World) -> None:
    space = world.space()
    owner, leaving = world.owner(space), world.member(space, Role.STEWARD)
    machine, untouched = world.machine(space, by=leaving), world.machine(space, by=owner)
    dataset = world.finalized(world.dataset(space))
    for each in (machine, untouched):
        grants.create(owner, dataset.id, each.row.id)
    session, other = machine.session(), untouched.session()
    joining = world.server(space, by=leaving)
    if how == "remove":
        members.remove(owner, space.id, leaving.person_id)
    elif how == "to auditor":
        members.edit(owner, space.id, leaving.person_id, role=Role.AUDITOR)
    else:
        people.disable(world.administrator, leaving.person_id, reason="left")
    assert (reads(world, session, dataset), reads(world, other, dataset)) == (False, True)
    assert {row.state for row in Server.objects.filter(owner_id=leaving.person_id)} == {"disabled"}
    verb = {"remove": "member.remove", "to auditor": "member.edit", "disable": "person.disable"}[how]
    assert Event.objects.get(verb=verb).after["servers_disabled"] == 2
    told = Event.objects.filter(verb="server.disable", space_id=space.id)
    assert {event.after["server"] for event in told} == {machine.server_id, str(joining.id)}
    with refused(Verb.SERVER_ENABLE, owner, Conflict, "no-owner"):
        servers.enable(owner, machine.row.id)
    servers.edit(owner, machine.row.id, changes={"owner_id": owner.person_id})
    servers.enable(owner, machine.row.id)
    assert reads(world, session, dataset)
    assert_rules_hold(world.engine)


@pytest.mark.parametrize("how", ["remove", "to researcher", "disable"])
def test_a_join_token_that_somebody_kept_dies_with_their_place(how: str, world: World) -> None:
    space = world.space()
    owner, leaving = world.owner(space), world.member(space, Role.STEWARD)
    machine = world.machine(space)  # the owner's: it keeps its grants, and must not become another machine
    kept = servers.rejoin(leaving, machine.row.id).token
    elsewhere = servers.enrol(world.owner(other := world.space()), other.id, name="x", os=OperatingSystem.LINUX).token
    if how == "remove":
        members.remove(owner, space.id, leaving.person_id)
    elif how == "to researcher":
        members.edit(owner, space.id, leaving.person_id, role=Role.RESEARCHER)
    else:
        people.disable(world.administrator, leaving.person_id, reason="left")
    with pytest.raises(Unauthenticated):
        Machine("203.0.113.9").join(kept)
    assert machine.heartbeat()
    assert Machine().join(elsewhere)


def test_who_becomes_a_researcher_keeps_their_servers(world: World) -> None:
    space = world.space()
    steward = world.member(space, Role.STEWARD)
    machine = world.machine(space, by=steward)
    members.edit(world.owner(space), space.id, steward.person_id, role=Role.RESEARCHER)
    assert machine.row.state == "active"


def test_the_servers_of_another_space_are_not_touched_by_a_removal(world: World) -> None:
    ada = world.person("ada")
    space, other = world.space(ada), world.space(ada)
    leaving = world.member(space, Role.STEWARD)
    members.add(ada, other.id, email=leaving.email, role=Role.STEWARD)
    machine = world.machine(other, by=leaving)
    members.remove(ada, space.id, leaving.person_id)
    assert machine.row.state == "active"
