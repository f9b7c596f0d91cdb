"""A host follows the rows of created servers, whatever fails in between."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from strongroom import hosts
from strongroom.actions import hosting, servers
from strongroom.actions.leases import leased
from strongroom.core.credentials import digest
from strongroom.core.errors import Conflict, Invalid, Unavailable
from strongroom.core.vocabulary import Power, ServerState
from strongroom.db.models import Server, Space
from strongroom.hosts.memory import MemoryHost
from tests.world import World

pytestmark = pytest.mark.usefixtures("host")


def create(world: World, space: Space, name: str = "genomics-1") -> UUID:
    """A server that its host has not heard of yet."""
    return servers.create(world.owner(space), space.id, name=name, offering="linux-small").server.id


def row(server_id: UUID) -> Server:
    return Server.objects.get(id=server_id)


def due_now() -> None:
    """As if the pause after a failure were over."""
    Server.objects.filter(is_settled=False).update(next_try_at=timezone.now())


def test_a_created_server_runs_with_a_token_that_only_it_has_and_a_port(world: World, host: MemoryHost) -> None:
    server_id = create(world, world.space())
    assert hosting.run_due() == 1
    spec, found = host.specs[server_id], row(server_id)
    assert (found.observed, found.is_settled, found.last_error) == (Power.RUNNING, True, "")
    assert spec.joining is not None
    assert found.join_sha256 == digest(spec.joining.token)
    assert (spec.name, spec.offering, spec.ssh_port) == ("genomics-1", "linux-small", found.ssh_port)
    assert (found.ssh_host, found.ssh_port) == (host.ssh_host, host.ssh_ports[0])
    assert hosting.run_due() == 0


def test_each_server_has_a_port_of_its_own_and_gives_it_back(world: World, host: MemoryHost) -> None:
    host.ssh_ports = range(9500, 9502)
    space = world.space()
    first, second, third = (create(world, space, f"server-{number}") for number in range(3))
    hosting.run_due(3)
    assert {row(first).ssh_port, row(second).ssh_port} == {9500, 9501}
    assert (row(third).ssh_port, row(third).observed) == (None, Power.ABSENT)
    assert "STRONGROOM_SERVER_SSH_PORTS" in row(third).last_error
    servers.delete(world.owner(space), first, reason="over")
    hosting.run_due()
    assert row(first).ssh_port is None
    due_now()
    hosting.run_due()
    assert row(third).observed is not Power.ABSENT
    assert row(third).ssh_port in host.ssh_ports


def test_it_stands_still_runs_again_and_goes_as_its_row_says(world: World, host: MemoryHost) -> None:
    space = world.space()
    owner, server_id = world.owner(space), create(world, space)
    hosting.run_due()
    for deed, becomes in (
        (lambda: servers.stop(owner, server_id), Power.STOPPED),
        (lambda: servers.start(owner, server_id), Power.RUNNING),
        (lambda: servers.delete(owner, server_id, reason="over"), Power.ABSENT),
    ):
        deed()
        hosting.run_due()
        assert (host.state(server_id), row(server_id).observed) == (becomes, becomes)
    assert row(server_id).state == ServerState.DELETED
    assert hosting.watch() == 0


def test_what_fails_is_told_and_tried_again_less_and_less_often(world: World, host: MemoryHost) -> None:
    server_id = create(world, world.space())
    host.failing = "The disk of the host is full."
    delays = []
    for _ in range(12):
        due_now()
        hosting.run_due()
        found = row(server_id)
        assert found.next_try_at is not None
        delays.append((found.next_try_at - timezone.now()).total_seconds())
    assert found.failures == 12
    assert "disk" in found.last_error
    assert delays[0] < delays[-1] <= hosting.MAX_BACKOFF_SECONDS
    assert not found.is_settled
    host.failing = ""
    due_now()
    hosting.run_due()
    found = row(server_id)
    assert (found.observed, found.is_settled, found.last_error, found.failures) == (Power.RUNNING, True, "", 0)


def test_a_change_made_while_the_host_was_busy_is_not_overlooked(world: World, host: MemoryHost) -> None:
    space = world.space()
    owner, server_id = world.owner(space), create(world, space)

    class Slow(MemoryHost):
        def create(self, spec: hosts.ServerSpec) -> None:
            super().create(spec)
            servers.stop(owner, server_id)

    slow = Slow()
    hosts.use(lambda: slow)
    hosting.run_due()
    assert not row(server_id).is_settled
    hosting.run_due()
    assert (slow.state(server_id), row(server_id).observed) == (Power.STOPPED, Power.STOPPED)


def test_a_host_that_was_started_again_gets_its_servers_back(world: World, host: MemoryHost) -> None:
    space = world.space()
    runs, stands = create(world, space, "runs"), create(world, space, "stands")
    hosting.run_due(2)
    servers.stop(world.owner(space), stands)
    hosting.run_due()
    assert hosting.watch() == 0
    host.stop(runs)  # as after a restart of the machine
    host.start(stands)  # as somebody at the machine's own console might
    assert hosting.watch() == 2
    hosting.run_due(2)
    assert (host.state(runs), host.state(stands)) == (Power.RUNNING, Power.STOPPED)
    host.delete(runs)
    hosting.watch()
    hosting.run_due()
    assert host.state(runs) is Power.RUNNING


def test_a_host_that_does_not_answer_is_asked_again_later(world: World, host: MemoryHost) -> None:
    create(world, world.space())
    hosting.run_due()
    host.failing = "podman does not run"
    assert hosting.watch() == 0
    assert row(next(iter(host.specs))).is_settled


def test_a_machine_that_could_not_join_in_time_gets_another_token(world: World, host: MemoryHost) -> None:
    server_id = create(world, world.space())
    hosting.run_due()
    assert hosting.watch() == 0
    first = host.specs[server_id].joining
    Server.objects.filter(id=server_id).update(join_expires_at=timezone.now() - timedelta(seconds=1))
    assert hosting.watch() == 1
    hosting.run_due()
    second = host.specs[server_id].joining
    assert first and second and first.token != second.token
    assert row(server_id).join_sha256 == digest(second.token)


def test_a_server_that_has_joined_gets_no_further_token(world: World, host: MemoryHost) -> None:
    space = world.space()
    server_id = create(world, space)
    hosting.run_due()
    line = "ssh-ed25519 AAAA"
    Server.objects.filter(id=server_id).update(public_key=line, state=ServerState.ACTIVE, join_sha256="")
    servers.stop(world.owner(space), server_id)
    hosting.run_due()
    servers.start(world.owner(space), server_id)
    hosting.run_due()
    assert host.specs[server_id].joining is None
    assert row(server_id).join_sha256 == ""


def test_two_workers_do_not_work_on_one_server(world: World, host: MemoryHost) -> None:
    server_id = create(world, world.space())
    with leased(server_id, wait_seconds=0, rows=Server):
        assert hosting.run_due() == 0
        hosting.settle(server_id)
        assert host.specs == {}
    hosting.settle(server_id)
    assert host.state(server_id) is Power.RUNNING


def test_nothing_is_made_where_no_host_is_or_it_lacks_something(world: World, host: MemoryHost) -> None:
    space = world.space()
    with pytest.raises(Invalid, match="mainframe"):
        servers.create(world.owner(space), space.id, name="a", offering="mainframe")
    host.failing = "FUSE is missing"
    with pytest.raises(Unavailable, match="FUSE"):
        create(world, space)
    hosts.use(lambda: None)
    with pytest.raises(Conflict, match="no host"):
        create(world, space)
    assert not Server.objects.exists()
