"""Machines: one joins with a token that works once, is told what it may do, and is given credentials."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from strongroom.actions import agents, grants, guessing, joining, members, people, servers
from strongroom.actions.accounts import account_of
from strongroom.actions.agents import Mount
from strongroom.actions.reporting import MAX_MOUNTS
from strongroom.core import names
from strongroom.core.errors import Conflict, Forbidden, Invalid, TooMany, Unauthenticated
from strongroom.core.vocabulary import (
    Kind,
    MountHealth,
    MountTool,
    OperatingSystem,
    Outcome,
    Permission,
    Role,
    ServerState,
)
from strongroom.db.models import Event, Person, Server, Space
from tests.machines import Machine, refusal_of
from tests.world import World


def token_for(world: World, space: Space, name: str = "genomics", os: OperatingSystem = OperatingSystem.LINUX) -> str:
    """A fresh join token of a new server."""
    return servers.enrol(world.owner(space), space.id, name=name, os=os).token


def let_time_pass(server_id: str, seconds: int = 11) -> None:
    """Its last credentials were given that much longer ago."""
    row = Server.objects.get(id=server_id)
    assert row.session_at is not None
    Server.objects.filter(id=row.id).update(session_at=row.session_at - timedelta(seconds=seconds))


# Joining


def test_a_machine_that_joins_is_the_server_from_then_on(world: World) -> None:
    space, machine_ = world.space(), Machine()
    joined = machine_.join(token_for(world, space))
    row = machine_.row
    assert (row.state, row.name, row.hostname, row.address) == (
        ServerState.ACTIVE,
        "genomics",
        "genomics",
        "192.0.2.50",
    )
    assert row.public_key == machine_.public_key.rsplit(" ", 1)[0]
    assert (joined.session_name, joined.server.space.name) == (names.server_session_name(row.id), space.name)
    assert row.join_sha256 == ""
    event = Event.objects.get(verb="server.joined")
    assert (event.outcome, event.space_id, event.actor_id) == (Outcome.DONE, space.id, None)
    assert event.after["address"] == "192.0.2.50"
    assert servers.show(world.owner(space), row.id).is_online


def test_what_was_granted_before_it_joined_works_when_it_has_joined(world: World) -> None:
    dataset = world.finalized()
    owner = world.owner(dataset.space)
    joinable = servers.enrol(owner, dataset.space_id, name="later", os=OperatingSystem.LINUX)
    grants.create(owner, dataset.id, joinable.server.id)
    newcomer = Machine()
    newcomer.join(joinable.token)
    assert world.engine.get_as(newcomer.session(), dataset.repository, "first.csv", address=newcomer.address)


def test_a_join_token_works_once(world: World) -> None:
    token = token_for(world, world.space())
    first, thief = Machine(), Machine("203.0.113.9")
    first.join(token)
    with pytest.raises(Unauthenticated) as refusal:
        thief.join(token)
    assert refusal.value.code == "join-refused"
    assert first.heartbeat()
    told = Event.objects.filter(verb="server.joined", outcome=Outcome.REFUSED).get()
    assert told.subject == "from 203.0.113.9"
    assert token not in told.reason


@pytest.mark.parametrize(
    "what", ["expired", "unknown", "mistyped", "empty", "of a disabled server", "of a deleted one"]
)
def test_a_join_token_that_does_not_work_is_refused_in_the_same_words(what: str, world: World) -> None:
    space = world.space()
    token = token_for(world, space)
    server = space.servers.get()
    if what == "expired":
        Server.objects.update(join_expires_at=timezone.now() - timedelta(seconds=1))
    elif what == "of a disabled server":
        servers.disable(world.owner(space), server.id, reason="a mistake")
    elif what == "of a deleted one":
        servers.delete(world.owner(space), server.id, reason="a mistake")
    wrong = {"unknown": "srj_" + "A" * 49, "mistyped": token[:-1], "empty": ""}
    with pytest.raises(Unauthenticated) as refusal:
        Machine().join(wrong.get(what, token))
    assert (refusal.value.code, str(refusal.value)) == (
        "join-refused",
        "This join token is not valid: it is unknown, was used already, or has expired.",
    )
    assert not Server.objects.exclude(public_key="").exists()


def test_a_new_token_ends_the_one_before(world: World) -> None:
    space = world.space()
    old = token_for(world, space)
    new = servers.rejoin(world.owner(space), space.servers.get().id).token
    with pytest.raises(Unauthenticated):
        Machine().join(old)
    assert Machine().join(new)


def test_no_token_is_stored(world: World) -> None:
    token = token_for(world, world.space())
    assert token not in str(Server.objects.values().get())
    assert token not in str(list(Event.objects.values()))
    assert token not in repr(joining.mint_for_host(Server.objects.get().id))


def test_a_machine_proves_that_it_holds_the_key_it_joins_with(world: World) -> None:
    token, honest, other = token_for(world, world.space()), Machine(), Machine()
    said = agents.Joining(token, other.public_key, "genomics", OperatingSystem.LINUX, "Debian 12", "1.0")
    with pytest.raises(Unauthenticated) as refusal:
        agents.join(honest.call("/api/v1/agent/join"), said)
    assert refusal.value.code == "signature"
    assert Server.objects.get().join_sha256  # the token was not used up


def test_a_machine_with_another_system_does_not_join_and_the_token_stays_good(world: World) -> None:
    token = token_for(world, world.space())
    with pytest.raises(Conflict) as refusal:
        Machine().join(token, os=OperatingSystem.WINDOWS)
    assert refusal.value.code == "other-os"
    assert Machine().join(token)


def test_a_key_of_another_kind_does_not_join(world: World) -> None:
    said = agents.Joining(
        token_for(world, world.space()), "ssh-rsa AAAAB3NzaC1yc2E=", "x", OperatingSystem.LINUX, "", ""
    )
    with pytest.raises(Invalid):
        agents.join(Machine().call("/api/v1/agent/join"), said)


def test_an_address_that_guesses_tokens_has_to_wait_and_keeps_nobody_else_out(world: World) -> None:
    guesser, token = Machine("203.0.113.66"), token_for(world, world.space())
    for _ in range(guessing.REFUSALS):
        with pytest.raises(Unauthenticated):
            guesser.join("srj_" + "A" * 49)
    with pytest.raises(TooMany) as refusal:
        guesser.join("srj_" + "A" * 49)
    assert refusal.value.retry_after_seconds
    assert Event.objects.filter(verb="server.joined").count() == guessing.REFUSALS
    assert Machine("203.0.113.66").join(token), "a neighbour behind the same address"


def test_a_machine_that_joins_anew_with_its_old_key_does_not_make_its_old_requests_work_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world.machine(world.space())
    held_back = here.call()
    here.heartbeat()
    token = servers.rejoin(world.owner(here.row.space), here.row.id).token
    here.sequence = 0
    monkeypatch.setattr("time.time_ns", lambda: 1)  # a clock that was set back, and a count that was lost
    here.join(token)
    assert refusal_of(held_back).code == "replay"


def test_a_server_that_joins_anew_keeps_its_grants_and_its_old_key_is_dead(world: World) -> None:
    dataset = world.finalized()
    old = world.granted(dataset)
    new = Machine(old.address)
    new.join(servers.rejoin(world.owner(dataset.space), old.row.id).token)
    assert new.server_id == old.server_id
    assert refusal_of(old.call()).code == "signature"
    assert [each.dataset_id for each in new.heartbeat().datasets] == [dataset.id]
    assert Event.objects.filter(verb="server.joined").latest("sequence").before["public_key"]


# What it is told and given


def test_a_heartbeat_says_what_is_granted_and_notes_what_was_said(world: World) -> None:
    original, derivative = world.finalized(), None
    space = original.space
    derivative = world.finalized(world.dataset(space, kind=Kind.DERIVATIVE))
    here, owner = world.granted(original), world.owner(space)
    until = timezone.now() + timedelta(days=1)
    grants.create(owner, derivative.id, here.row.id, expires_at=until)
    checked = timezone.now()
    mount = Mount(
        original.repository, "/srv/data", MountTool.RCLONE, True, True, MountHealth.FAILING, "revoked\x1b[2J", checked
    )
    here.address = "198.51.100.4"
    standing = here.heartbeat(mount)
    assert {each.name: (each.access, each.granted_until) for each in standing.datasets} == {
        original.name: (Permission.READ, None),
        derivative.name: (Permission.WRITE, until),
    }
    assert (standing.endpoint, standing.region) == (world.engine.public_endpoint, world.engine.region)
    row = here.row
    assert (row.address, row.os_version) == ("198.51.100.4", "Debian 12")
    assert row.mounts[0]["health"] == "failing"
    assert row.mounts[0]["detail"] == "revoked\N{REPLACEMENT CHARACTER}[2J"


def test_a_heartbeat_lists_the_accounts_of_who_works_in_the_space_and_is_active(world: World) -> None:
    space = world.space()
    here = world.machine(space)
    people_ = {role: world.member(space, role) for role in (Role.STEWARD, Role.RESEARCHER, Role.AUDITOR)}
    leaving = world.member(space, Role.RESEARCHER)
    people.disable(world.administrator, leaving.person_id, reason="left")
    listed = {each.account for each in here.heartbeat().accounts}
    in_it = [world.owner(space), people_[Role.STEWARD], people_[Role.RESEARCHER]]
    assert listed == {Person.objects.get(id=each.person_id).account for each in in_it}
    members.remove(world.owner(space), space.id, people_[Role.RESEARCHER].person_id)
    assert len(here.heartbeat().accounts) == 2


def test_two_people_whose_accounts_would_be_the_same_have_different_ones(world: World) -> None:
    ada, other = (Person.objects.get(id=world.person(name).person_id) for name in ("ada", "other"))
    Person.objects.filter(id=other.id).update(account=names.account_name(ada.email, ada.id))
    account = account_of(ada)
    assert account != names.account_name(ada.email, ada.id)
    assert account.startswith("ada")
    assert account_of(Person.objects.get(id=ada.id)) == account


def test_a_report_is_cut_to_size(world: World) -> None:
    here = world.machine(world.space())
    mount = Mount("r" * 500, "/" + "p" * 5000, MountTool.S3FS, False, False, MountHealth.OK, "d" * 9000, timezone.now())
    with pytest.raises(Invalid) as refusal:
        here.heartbeat(*[mount] * (MAX_MOUNTS + 1))
    assert refusal.value.code == "too-many-mounts"
    here.heartbeat(*[mount] * MAX_MOUNTS)
    kept = here.row.mounts
    assert len(kept) == MAX_MOUNTS
    assert all(len(str(each)) < 2000 for each in kept)


def test_a_session_bears_the_one_name_of_its_server_and_works_from_its_address_only(world: World) -> None:
    dataset = world.finalized()
    here = world.granted(dataset)
    session = here.session()
    assert session.name == names.server_session_name(UUID(here.server_id))
    assert world.engine.get_as(session, dataset.repository, "first.csv", address=here.address)
    assert world.engine.get_as(session, dataset.repository, "first.csv", address="198.51.100.77") is None
    event = Event.objects.get(verb="server.session")
    assert (event.after["session"], event.after["address"], event.after["is_bound"]) == (
        session.name,
        here.address,
        True,
    )
    assert session.secret not in str(event.after)
    assert abs((session.expires_at - timezone.now()).total_seconds() - 1800) < 30


def test_a_server_that_asks_too_often_waits_and_does_not_fill_the_ledger(world: World) -> None:
    here = world.machine(world.space())
    assert here.session()
    for _ in range(3):
        with pytest.raises(TooMany) as refusal:
            here.session()
        assert refusal.value.retry_after_seconds == 10
    assert Event.objects.filter(verb="server.session").count() == 1
    let_time_pass(here.server_id)
    assert here.session()


@pytest.mark.parametrize("code", ["server-disabled", "server-lapsed", "server-deleted"])
def test_a_server_that_lost_its_standing_is_told_so_and_given_nothing(code: str, world: World) -> None:
    space = world.space()
    here, owner = world.machine(space), world.owner(space)
    already_in = agents.authenticate(here.call())  # a moment before
    if code == "server-lapsed":
        Server.objects.update(state=ServerState.LAPSED, state_reason="Silent.")
    elif code == "server-disabled":
        servers.disable(owner, here.row.id, reason="look into it")
    else:
        servers.delete(owner, here.row.id, reason="retired")
    refusal = refusal_of(here.call())
    assert isinstance(refusal, Forbidden)
    assert refusal.code == code
    for ask in (
        lambda: agents.credentials(already_in),
        lambda: agents.heartbeat(already_in, agents.Report("", "", "")),
    ):
        with pytest.raises(Forbidden) as told:
            ask()
        assert told.value.code == code
        assert code != "server-disabled" or "look into it" in str(told.value)
    assert not Event.objects.filter(verb="server.session").exists()


def test_a_heartbeat_costs_few_questions_however_much_is_granted(world: World) -> None:
    first = world.finalized()
    here, owner = world.granted(first), world.owner(first.space)
    for _ in range(3):
        grants.create(owner, world.finalized(world.dataset(first.space)).id, here.row.id)
    for _ in range(3):
        world.member(first.space, Role.RESEARCHER)
    here.heartbeat()  # accounts are chosen once
    with CaptureQueriesContext(connection) as captured:
        assert len(here.heartbeat().datasets) == 4
    assert len(captured) <= 6, [each["sql"] for each in captured]
