"""What every host promises; the same tests for each."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from strongroom.core.errors import NotFound
from strongroom.core.vocabulary import OperatingSystem, Power
from strongroom.hosts import Host, Joining, ServerSpec

pytestmark = pytest.mark.timeout(1200)  # the first test may have to build the image


@pytest.fixture
def specs(host: Host) -> Iterator[list[ServerSpec]]:
    """Two servers that nobody has made yet."""
    joining = Joining("http://127.0.0.1:1", "no-such-token")
    smallest = host.offerings()[0].name
    made = [ServerSpec(uuid4(), f"server-{port}", smallest, port, joining) for port in host.ssh_ports[-2:]]
    yield made
    for each in made:
        host.delete(each.id)


def test_a_server_comes_stands_still_runs_again_and_goes_and_each_may_be_repeated(
    host: Host, specs: list[ServerSpec]
) -> None:
    spec = specs[0]
    assert host.state(spec.id) is Power.ABSENT
    for deed, becomes in (
        (lambda: host.create(spec), Power.RUNNING),
        (lambda: host.stop(spec.id), Power.STOPPED),
        (lambda: host.start(spec.id), Power.RUNNING),
        (lambda: host.stop(spec.id), Power.STOPPED),
        (lambda: host.create(spec), Power.RUNNING),
        (lambda: host.delete(spec.id), Power.ABSENT),
    ):
        for _ in range(2):
            deed()
            assert host.state(spec.id) is becomes


def test_two_servers_are_two(host: Host, specs: list[ServerSpec]) -> None:
    first, second = specs
    host.create(first)
    host.create(second)
    host.stop(first.id)
    seen = host.states()
    assert (seen[first.id], seen[second.id]) == (Power.STOPPED, Power.RUNNING)
    host.delete(first.id)
    assert first.id not in host.states()
    assert host.state(second.id) is Power.RUNNING


def test_what_is_not_there_cannot_start_and_everything_else_is_fine_with_it(host: Host) -> None:
    unknown = uuid4()
    host.stop(unknown)
    host.delete(unknown)
    host.end_sessions(unknown, "somebody")
    with pytest.raises(NotFound):
        host.start(unknown)


def test_only_what_is_offered_is_made(host: Host) -> None:
    spec = ServerSpec(uuid4(), "huge", "mainframe", host.ssh_ports[0])
    with pytest.raises(NotFound, match="mainframe"):
        host.create(spec)
    assert host.state(spec.id) is Power.ABSENT


def test_what_is_offered_says_size_and_price_the_smallest_first(host: Host) -> None:
    found = host.offerings()
    assert found == sorted(found, key=lambda each: each.memory_bytes)
    assert OperatingSystem.LINUX in {each.os for each in found}
    for each in found:
        assert each.cpus >= 1
        assert each.memory_bytes >= 1024**3
        assert each.price_per_month >= 0
        assert each.description
        assert each.disk
        assert len(each.currency) == 3


def test_a_host_that_works_says_so(host: Host) -> None:
    host.check()
    assert [each for each in host.health() if not each.is_healthy] == []


def test_a_token_is_not_shown_by_accident() -> None:
    joining = Joining("http://127.0.0.1:1", "very-secret")
    assert "very-secret" not in repr(ServerSpec(uuid4(), "a", "b", 1, joining))
