"""Signed requests: taken once, from the key that joined, as they were signed, at about the time they say."""

import time
from dataclasses import replace

import pytest

from strongroom.actions import agents, machines, servers
from strongroom.actions.machines import Call
from strongroom.core import machine, sshsig
from strongroom.core.errors import WrongClock
from strongroom.core.machine import SignedRequest
from tests.machines import HEARTBEAT, Machine, refusal_of
from tests.world import World


def test_a_request_is_taken_once(world: World) -> None:
    here = world.machine(world.space())
    call = here.call()
    assert agents.authenticate(call).server.id == here.row.id
    assert refusal_of(call).code == "replay"


def test_a_request_that_was_overtaken_by_a_later_one_is_not_taken(world: World) -> None:
    here = world.machine(world.space())
    held_back, later = here.call(), here.call()
    agents.authenticate(later)
    assert refusal_of(held_back).code == "replay"


def test_a_replay_is_refused_also_when_the_first_was_refused_for_the_server_s_state(world: World) -> None:
    here, owner = world.machine(space := world.space()), world.owner(space)
    servers.disable(owner, here.row.id, reason="look into it")
    call = here.call()
    assert refusal_of(call).code == "server-disabled"
    servers.enable(owner, here.row.id)
    assert refusal_of(call).code == "replay"


def test_who_is_disabled_while_their_request_is_looked_at_is_told_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, owner = world.machine(space := world.space()), world.owner(space)
    prove = machines.prove

    def meanwhile(call: Call, request: SignedRequest, public_key: bytes) -> None:
        servers.disable(owner, here.row.id, reason="a laptop was lost")
        prove(call, request, public_key)

    monkeypatch.setattr(machines, "prove", meanwhile)
    assert "was disabled: a laptop was lost" in str(refusal_of(here.call()))


@pytest.mark.parametrize("skew", [-machine.CLOCK_TOLERANCE_SECONDS - 5, machine.CLOCK_TOLERANCE_SECONDS + 5])
def test_a_wrong_clock_is_told_how_wrong_it_is(skew: int, world: World) -> None:
    here = world.machine(world.space())
    refusal = refusal_of(here.call(skew_seconds=skew))
    assert isinstance(refusal, WrongClock)
    assert refusal.code == "clock"
    assert abs(refusal.time.timestamp() - time.time()) < 30
    assert ("behind" if skew < 0 else "ahead of") in str(refusal)
    assert agents.authenticate(here.call(skew_seconds=skew // 2))


@pytest.mark.parametrize("part", ["method", "target", "body", "sequence", "time", "server", "signature"])
def test_whatever_of_a_request_is_changed_on_the_way_it_is_refused(part: str, world: World) -> None:
    space = world.space()
    here, other = world.machine(space), world.machine(space)
    call = here.call(body=b'{"mounts": []}')
    headers = dict(call.headers)
    changed = {
        "method": replace(call, method="PUT"),
        "target": replace(call, target="/api/v1/agent/credentials"),
        "body": replace(call, body=b'{"mounts": [1]}'),
        "sequence": replace(call, headers={**headers, machine.SEQUENCE_HEADER: str(here.sequence + 1)}),
        "time": replace(call, headers={**headers, machine.TIME_HEADER: str(int(headers[machine.TIME_HEADER]) + 1)}),
        "server": replace(call, headers={**headers, machine.SERVER_HEADER: other.server_id}),
        "signature": replace(
            call, headers={**headers, machine.SIGNATURE_HEADER: other.call().headers[machine.SIGNATURE_HEADER]}
        ),
    }
    assert refusal_of(changed[part]).code == "signature"
    assert agents.authenticate(call)  # as it was signed it is good, and was not used up


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (machine.SIGNATURE_HEADER, ""),
        (machine.SIGNATURE_HEADER, "AAAA"),
        (machine.SIGNATURE_HEADER, "é"),
        (machine.SIGNATURE_HEADER, "A" * 100_000),
        (machine.SEQUENCE_HEADER, "-1"),
        (machine.SEQUENCE_HEADER, "9" * 19),
        (machine.TIME_HEADER, "now"),
        (machine.TIME_HEADER, "٣"),
    ],
)
def test_a_header_that_no_agent_sends_is_refused(header: str, value: str, world: World) -> None:
    call = world.machine(world.space()).call()
    assert refusal_of(replace(call, headers={**call.headers, header: value})).code == "signature"
    assert refusal_of(replace(call, headers={})).code == "signature"


@pytest.mark.parametrize("server_id", ["0d3e1b1c-6a58-4a3e-9a54-5d3d5a3f0c11", "join", "", "x" * 100, "\x00"])
def test_a_server_that_is_not_known_is_refused(server_id: str, world: World) -> None:
    stranger = Machine()
    stranger.server_id = server_id
    assert refusal_of(stranger.call()).code == "unknown-server"


def test_a_server_that_has_not_joined_cannot_speak(world: World) -> None:
    stranger = Machine()
    stranger.server_id = str(world.server(world.space()).id)
    assert refusal_of(stranger.call()).code == "unknown-server"


def test_a_signature_for_another_purpose_is_refused(world: World) -> None:
    here = world.machine(world.space())
    call = here.call()
    request = SignedRequest(
        "POST", HEARTBEAT, b"{}", here.server_id, here.sequence, int(call.headers[machine.TIME_HEADER])
    )
    key = here._key
    signature = sshsig.sign(
        "strongroom-receipt", request.message(), public_key=key.public_key().public_bytes_raw(), sign_raw=key.sign
    )
    assert refusal_of(replace(call, headers=request.headers(signature))).code == "signature"
