"""Many at once with servers and grants: one wins, nobody waits for ever, and nobody keeps what was taken away."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Thread

import pytest
from django.utils import timezone

from strongroom.actions import agents, datasets, grants, lapsing, members, people, servers
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Refusal, TooMany, Unauthenticated
from strongroom.core.vocabulary import GrantEnd, Kind, OperatingSystem, Outcome, Role, ServerState, Verb
from strongroom.db.models import Dataset, Event, Grant, Membership, Server
from strongroom.engines.protocol import Session
from tests.actions.rules import assert_ledger_is_whole, assert_rules_hold, work_until_settled
from tests.machines import Machine
from tests.threads import at_once
from tests.world import World

MANY = 12


def won(outcomes: list[object], refusal: type[Refusal]) -> list[object]:
    """What was not refused; everything else was refused in this way."""
    lost = [each for each in outcomes if isinstance(each, Exception)]
    assert all(isinstance(each, refusal) for each in lost), lost
    return [each for each in outcomes if not isinstance(each, Exception)]


def reads(world: World, session: Session, dataset: Dataset) -> bool:
    """Whether the server gets the file."""
    return world.engine.get_as(session, dataset.repository, "first.csv", address="192.0.2.50") is not None


@pytest.mark.parametrize("verb", [Verb.GRANT_CREATE, Verb.GRANT_REVOKE, Verb.SERVER_DISABLE, Verb.SERVER_DELETE])
def test_of_many_who_ask_at_once_one_is_served(verb: Verb, lasting_world: World) -> None:
    world = lasting_world
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.machine(dataset.space)
    server_id = machine.row.id
    if verb is not Verb.GRANT_CREATE:
        grants.create(owner, dataset.id, server_id)
    deeds: dict[Verb, Callable[[], object]] = {
        Verb.GRANT_CREATE: lambda: grants.create(owner, dataset.id, server_id),
        Verb.GRANT_REVOKE: lambda: grants.revoke(owner, dataset.id, server_id),
        Verb.SERVER_DISABLE: lambda: servers.disable(owner, server_id, reason="look into it"),
        Verb.SERVER_DELETE: lambda: servers.delete(owner, server_id, reason="retired"),
    }
    assert len(won(at_once([deeds[verb]] * MANY), Conflict)) == 1
    told = Event.objects.filter(verb=verb.value)
    assert told.filter(outcome=Outcome.DONE).count() == 1
    assert told.filter(outcome=Outcome.REFUSED).count() == MANY - 1
    work_until_settled()
    assert_rules_hold(world.engine)


def test_of_two_machines_with_one_token_one_joins(lasting_world: World) -> None:
    space = lasting_world.space()
    token = servers.enrol(lasting_world.owner(space), space.id, name="one", os=OperatingSystem.LINUX).token
    machines = [Machine(f"192.0.2.{number}") for number in range(1, MANY)]
    joined = won(at_once([partial(each.join, token) for each in machines]), Unauthenticated)
    assert len(joined) == 1
    winner = next(each for each in machines if each.server_id != "join")
    assert winner.heartbeat()
    assert winner.row.address == winner.address


def test_of_many_copies_of_one_request_one_is_taken(lasting_world: World) -> None:
    machine = lasting_world.machine(lasting_world.space())
    call = machine.call()
    assert len(won(at_once([lambda: agents.authenticate(call)] * MANY), Unauthenticated)) == 1


def test_of_many_who_ask_for_credentials_at_once_one_is_given_some(lasting_world: World) -> None:
    machine = lasting_world.machine(lasting_world.space())
    here = agents.authenticate(machine.call())
    assert len(won(at_once([lambda: agents.credentials(here)] * MANY), TooMany)) == 1
    assert Event.objects.filter(verb="server.session").count() == 1


@pytest.mark.parametrize("round_", range(4))
def test_a_grant_is_prolonged_in_time_or_it_ends(round_: int, lasting_world: World) -> None:
    world = lasting_world
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.machine(dataset.space)
    session = machine.session()
    until = timezone.now() + timedelta(milliseconds=600 + 20 * round_)
    grants.create(owner, dataset.id, machine.row.id, expires_at=until)
    prolong = partial(grants.edit, owner, dataset.id, machine.row.id, expires_at=None)

    def end() -> int:
        while timezone.now() < until:
            pass
        return grants.end_due()

    def edit_then() -> Grant:
        while timezone.now() < until - timedelta(milliseconds=5):
            pass
        return prolong()

    edited, _ = at_once([edit_then, end])
    work_until_settled()
    grant = Grant.objects.get()
    if isinstance(edited, Grant):
        assert (grant.ended_at, grant.expires_at) == (None, None)
    else:
        assert isinstance(edited, Conflict)
        assert grant.end == GrantEnd.EXPIRED
    assert reads(world, session, dataset) == isinstance(edited, Grant)
    assert_rules_hold(world.engine)


@pytest.mark.parametrize("round_", range(3))
def test_whatever_is_asked_at_once_of_servers_every_rule_holds(round_: int, lasting_world: World) -> None:
    world = lasting_world
    space = world.space()
    owner = world.owner(space)
    made = [world.finalized(world.dataset(space, kind=Kind.DERIVATIVE)) for _ in range(3)]
    machines = [world.machine(space) for _ in range(3)]
    sessions = [each.session() for each in machines]
    deeds = [deed for each in made for machine in machines for deed in _deeds(owner, each, machine)]
    random.Random(round_).shuffle(deeds)
    for start in range(0, len(deeds), MANY):
        won(at_once(deeds[start : start + MANY]), Conflict)
    work_until_settled()
    assert_rules_hold(world.engine)
    live = set(Grant.objects.filter(ended_at=None).values_list("dataset_id", "server_id"))
    for dataset in made:
        for machine, session in zip(machines, sessions, strict=True):
            row = machine.row
            is_granted = (dataset.id, row.id) in live and row.state == ServerState.ACTIVE
            assert reads(world, session, dataset) == is_granted
    assert_ledger_is_whole()


def _deeds(owner: Actor, dataset: Dataset, machine: Machine) -> list[Callable[[], object]]:
    server_id = machine.row.id
    return [
        lambda: grants.create(owner, dataset.id, server_id),
        lambda: grants.revoke(owner, dataset.id, server_id),
        lambda: grants.create(owner, dataset.id, server_id),
        lambda: servers.disable(owner, server_id, reason="look into it"),
        lambda: servers.enable(owner, server_id),
        lambda: datasets.promote(owner, dataset.id, confirm_name=dataset.name),
    ]


def test_servers_that_share_data_sets_are_cut_off_at_once_without_waiting_for_each_other(lasting_world: World) -> None:
    world = lasting_world
    space = world.space()
    owner, leaving = world.owner(space), world.member(space, Role.STEWARD)
    made = [world.finalized(world.dataset(space)) for _ in range(4)]
    machines = [world.machine(space, by=leaving) for _ in range(4)]
    for dataset in made:
        for machine in machines:
            grants.create(owner, dataset.id, machine.row.id)
    sessions = [each.session() for each in machines]
    then = timezone.now() - timedelta(days=2)
    Server.objects.filter(id=machines[3].row.id).update(last_heartbeat_at=then, state_at=then)
    outcomes = at_once(
        [
            lambda: servers.disable(owner, machines[0].row.id, reason="look into it"),
            lambda: servers.delete(owner, machines[1].row.id, reason="retired"),
            lambda: grants.revoke(owner, made[0].id, machines[2].row.id),
            lapsing.end_due,
            lambda: members.remove(owner, space.id, leaving.person_id),
            lambda: people.disable(world.administrator, leaving.person_id, reason="left"),
        ]
    )
    won(outcomes, Conflict)
    work_until_settled()
    assert not any(reads(world, session, dataset) for session in sessions for dataset in made)
    assert_rules_hold(world.engine)


@pytest.mark.parametrize("round_", range(4))
def test_nobody_who_left_answers_for_an_active_server(round_: int, lasting_world: World) -> None:
    world = lasting_world
    space = world.space()
    owner, leaving = world.owner(space), world.member(space, Role.STEWARD)
    machine = world.machine(space)
    steps = [
        lambda: servers.edit(owner, machine.row.id, changes={"owner_id": leaving.person_id}),
        lambda: servers.enrol(leaving, space.id, name="mine", os=OperatingSystem.LINUX),
        lambda: members.remove(owner, space.id, leaving.person_id),
        lambda: people.disable(world.administrator, leaving.person_id, reason="left"),
    ]
    won(at_once(steps if round_ % 2 else steps[:3]), Refusal)
    assert not Membership.objects.filter(space=space, person_id=leaving.person_id).exists()
    left = Server.objects.filter(owner_id=leaving.person_id)
    assert {row.state for row in left} <= {ServerState.DISABLED.value}
    assert_ledger_is_whole()


@pytest.mark.parametrize("call", ["put_object", "list_objects", "abort_uploads", "is_drained"])
def test_a_revoke_that_comes_while_a_derivative_is_being_promoted_is_obeyed(call: str, lasting_world: World) -> None:
    world = lasting_world
    dataset = world.finalized(world.dataset(kind=Kind.DERIVATIVE))
    owner, machine, other = world.owner(dataset.space), world.granted(dataset), world.granted(dataset)
    sessions = [machine.session(), other.session()]
    outcomes: list[object] = []
    revoking = Thread(
        target=lambda: outcomes.extend(at_once([lambda: grants.revoke(owner, dataset.id, machine.row.id)]))
    )

    def cross(name: str) -> None:
        if name == call and Dataset.objects.get(id=dataset.id).step and not revoking.ident:
            revoking.start()
            while Grant.objects.filter(dataset=dataset, ended_at=None).count() == 2:
                time.sleep(0.01)

    world.engine.on_call = cross
    datasets.promote(owner, dataset.id, confirm_name=dataset.name)
    world.settled(dataset)
    revoking.join()
    assert isinstance(outcomes[0], Grant), outcomes
    work_until_settled()
    assert [reads(world, each, dataset) for each in sessions] == [False, True]
    assert_rules_hold(world.engine)
