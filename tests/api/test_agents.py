"""What servers ask over HTTP, and what must not be believed: every signature is made by the real `ssh-keygen`."""

import base64
import hashlib
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.utils import timezone

from strongroom.actions import grants, servers
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import OperatingSystem, ServerState, SystemFact
from strongroom.db.models import Event, Manifest, Server, Space
from tests.api.callers import Caller, calling
from tests.api.keyed import KeyedMachine, send
from tests.api.test_datasets import load
from tests.api.test_problems import FIELDS, problem
from tests.world import World

MOUNT = {
    "repository": "dataset-ss-1", "path": "/mnt/a", "tool": "rclone", "is_read_only": True, "is_persistent": False,
    "health": "failing", "detail": "Input/output error", "checked_at": "2026-11-23T12:00:00Z",
}  # fmt: skip


@pytest.fixture
def space(world: World) -> Space:
    return world.space()


@pytest.fixture
def owner(world: World, space: Space) -> Actor:
    return world.owner(space)


@pytest.fixture
def machine(tmp_path: Path, owner: Actor, space: Space) -> KeyedMachine:
    return joined(tmp_path / "machine", owner, space)


def joined(folder: Path, owner: Actor, space: Space, name: str = "genomics-1") -> KeyedMachine:
    machine = KeyedMachine(folder)
    load(machine.join(enrolled(owner, space, name)))
    return machine


def enrolled(owner: Actor, space: Space, name: str = "genomics-1") -> str:
    return servers.enrol(owner, space.id, name=name, os=OperatingSystem.LINUX).token


def test_a_machine_joins_by_its_command_is_heard_and_is_given_credentials(
    world: World, tmp_path: Path, owner: Actor, space: Space
) -> None:
    enrolment = load(calling(owner)("POST", f"/spaces/{space.id}/enrolments", {"name": "genomics-1"}))
    token, command = str(enrolment["join_token"]), str(enrolment["join_command"])
    assert command.startswith(f"(echo join_token={token}; curl -fsSL "), "where no list of processes shows it"
    assert token not in command.partition("|")[2]
    machine = KeyedMachine(tmp_path)
    told = load(machine.join(token))
    assert (told["name"], told["space"]) == ("genomics-1", space.name)
    dataset = world.finalized(world.dataset(space))
    grants.create(owner, dataset.id, Server.objects.get().id)
    standing = load(machine.heartbeat(mounts=[{**MOUNT, "repository": dataset.repository}]))
    assert standing["server"] == {"id": told["server_id"], "name": "genomics-1", "state": "active"}
    assert standing["datasets"] == [
        {
            "id": str(dataset.id), "name": dataset.name, "repository": dataset.repository, "kind": "original",
            "access": "read", "granted_until": None,
        }
    ]  # fmt: skip
    session = load(machine.ask("credentials"))
    assert session["session_name"] == told["session_name"]
    assert {"access_key_id", "secret_access_key", "session_token", "expires_at"} <= set(session)
    shown = load(calling(owner)("GET", f"/servers/{told['server_id']}"))
    assert (shown["state"], shown["is_online"], shown["address"]) == ("active", True, "127.0.0.1")
    assert shown["mounts"] == [{**MOUNT, "repository": dataset.repository}]
    assert [each["dataset_name"] for each in shown["grants"]] == [dataset.name]  # type: ignore[attr-defined]


def test_a_request_that_is_sent_again_is_refused(machine: KeyedMachine) -> None:
    body = b"{}"
    headers = machine.signed("credentials", body)
    assert send("credentials", body, headers).status_code == 200
    found = refused(send("credentials", body, headers), "replay")
    assert "later request" in str(found["detail"])


def test_an_older_request_that_was_held_back_is_refused_after_a_newer_one(machine: KeyedMachine) -> None:
    held_back = machine.signed("credentials", b"{}")
    load(machine.heartbeat())
    refused(send("credentials", b"{}", held_back), "replay")


def test_a_body_that_was_changed_on_the_way_is_refused(machine: KeyedMachine) -> None:
    said = {"hostname": "node-1", "os_version": "Debian 12", "agent_version": "1", "mounts": []}
    body = json.dumps(said).encode()
    headers = machine.signed("heartbeat", body)
    refused(send("heartbeat", body.replace(b"node-1", b"node-2"), headers), "signature")
    assert Server.objects.get().hostname == "node-1"
    load(send("heartbeat", body, headers))  # what was signed is still good: nothing of it was used up


def test_a_signature_over_one_path_does_not_open_another(machine: KeyedMachine) -> None:
    refused(send("credentials", b"{}", machine.signed("heartbeat", b"{}")), "signature")


@pytest.mark.parametrize("header", ["Strongroom-Sequence", "Strongroom-Time"])
def test_a_number_that_was_changed_on_the_way_is_refused(machine: KeyedMachine, header: str) -> None:
    headers = machine.signed("credentials", b"{}")
    refused(send("credentials", b"{}", {**headers, header: str(int(headers[header]) + 1)}), "signature")


@pytest.mark.parametrize(
    "header", ["Strongroom-Server", "Strongroom-Sequence", "Strongroom-Time", "Strongroom-Signature"]
)
@pytest.mark.parametrize("value", [None, "", "x", "-1", "A" * 5000])
def test_a_header_that_is_missing_or_damaged_is_refused(machine: KeyedMachine, header: str, value: str | None) -> None:
    headers = machine.signed("credentials", b"{}")
    kept = {name: each for name, each in headers.items() if name != header}
    answer = send("credentials", b"{}", kept if value is None else {**kept, header: value})
    assert json.loads(answer.content)["code"] in ("signature", "unknown-server")
    assert answer.status_code == 401


def test_a_server_cannot_speak_for_another(machine: KeyedMachine, tmp_path: Path, owner: Actor, space: Space) -> None:
    other = joined(tmp_path / "other", owner, space, "genomics-2")
    other.server = machine.server
    refused(other.ask("credentials"), "signature")


def test_a_server_that_nobody_knows_is_refused(machine: KeyedMachine) -> None:
    for server in ("00000000-0000-0000-0000-000000000000", "join", "nonsense"):
        machine.server = server
        refused(machine.ask("credentials"), "unknown-server")


@pytest.mark.parametrize(("skew_seconds", "says"), [(-400, "behind"), (400, "ahead of")])
def test_a_wrong_clock_is_told_the_right_time(
    tmp_path: Path, owner: Actor, space: Space, skew_seconds: int, says: str
) -> None:
    machine = KeyedMachine(tmp_path, clock=lambda: time.time() + skew_seconds)
    answer = machine.join(enrolled(owner, space))
    found = json.loads(answer.content)
    assert (answer.status_code, found["code"], set(found)) == (401, "clock", {*FIELDS, "time"})
    assert says in found["detail"]
    assert abs(datetime.fromisoformat(found["time"]) - datetime.now(UTC)) < timedelta(seconds=60)
    assert Server.objects.get().state == ServerState.JOINING


def test_a_join_token_works_once(machine: KeyedMachine, tmp_path: Path, owner: Actor, space: Space) -> None:
    token = enrolled(owner, space, "genomics-2")
    load(KeyedMachine(tmp_path / "first").join(token))
    thief = KeyedMachine(tmp_path / "thief")
    found = refused(thief.join(token), "join-refused")
    assert "disable the server" in str(found["way_out"])
    assert Event.objects.filter(verb="server.joined", outcome="refused").exists()


def test_a_join_token_that_has_expired_works_no_more(tmp_path: Path, owner: Actor, space: Space) -> None:
    token = enrolled(owner, space)
    Server.objects.update(join_expires_at=timezone.now() - timedelta(seconds=1))
    refused(KeyedMachine(tmp_path).join(token), "join-refused")


def test_a_join_that_is_signed_with_another_key_than_it_names_is_refused(
    tmp_path: Path, owner: Actor, space: Space
) -> None:
    victim = KeyedMachine(tmp_path / "victim")
    refused(KeyedMachine(tmp_path).join(enrolled(owner, space), public_key=victim.public_key), "signature")
    assert Server.objects.get().state == ServerState.JOINING


def test_who_guesses_join_tokens_is_stopped(tmp_path: Path, space: Space) -> None:
    machine = KeyedMachine(tmp_path)
    statuses = [machine.join("srj_" + "x" * 49).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]


def test_a_body_that_is_too_large_is_refused_before_its_signature_is_looked_at(machine: KeyedMachine) -> None:
    for what in ("heartbeat", "credentials", "join"):
        problem(send(what, b" " * 256_001, {}), 413, "too-large")
    load(machine.heartbeat(mounts=[MOUNT] * 200))
    problem(machine.heartbeat(mounts=[MOUNT] * 201), 422, "too-many-mounts")


def test_what_is_signed_and_no_json_cannot_be_read(machine: KeyedMachine) -> None:
    body = b'{"hostname": NaN}'
    problem(send("heartbeat", body, machine.signed("heartbeat", body)), 400, "malformed")


def test_a_token_of_a_person_opens_nothing_here(world: World, machine: KeyedMachine) -> None:
    root = calling(world.administrator)
    for what in ("heartbeat", "credentials"):
        answer = root("POST", f"/agent/{what}", {})
        refused(answer, "signature")


def test_a_signature_of_a_machine_opens_nothing_of_the_peoples(machine: KeyedMachine) -> None:
    headers = machine._signer.sign("GET", "/api/v1/servers", b"", machine.server)
    problem(Caller().client.get("/api/v1/servers", headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize("deed", ["disable", "delete"])
def test_a_server_that_was_ended_is_told_so(machine: KeyedMachine, owner: Actor, deed: str) -> None:
    getattr(servers, deed)(owner, Server.objects.get().id, reason="the laptop was stolen")
    for what in ("heartbeat", "credentials"):
        found = problem(machine.ask(what), 403, f"server-{deed}d")
        assert "the laptop was stolen" in str(found["detail"])


def test_who_asks_for_credentials_too_often_waits(machine: KeyedMachine) -> None:
    assert machine.ask("credentials").status_code == 200
    answer = machine.ask("credentials")
    problem(answer, 429, "too-many")
    assert int(answer.headers["Retry-After"]) > 0


def test_the_agent_is_served_with_its_hash_and_runs(world: World, tmp_path: Path, owner: Actor, space: Space) -> None:
    program = Caller()("GET", "/agent/strongroom.pyz").content
    digest = hashlib.sha256(program).hexdigest()
    assert Caller()("GET", "/agent/strongroom.pyz.sha256").content == f"{digest}  strongroom.pyz\n".encode()
    for os in ("linux", "windows"):
        body = {"name": f"on-{os}", "os": os}
        assert digest in str(load(calling(owner)("POST", f"/spaces/{space.id}/enrolments", body))["join_command"])
    (tmp_path / "strongroom.pyz").write_bytes(program)
    ran = subprocess.run([sys.executable, tmp_path / "strongroom.pyz", "--version"], capture_output=True, check=True)
    assert b"strongroom agent" in ran.stdout


@pytest.mark.parametrize(("name", "begins"), [("install.sh", b"#!/bin/sh\n"), ("install.ps1", b"")])
def test_the_scripts_that_install_it_are_served(world: World, name: str, begins: bytes) -> None:
    answer = Caller()("GET", f"/agent/{name}")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.startswith(begins) and len(answer.content) > 500


def test_nothing_else_is_served_there(world: World) -> None:
    problem(Caller()("GET", "/agent/config.json"), 422, "invalid")
    problem(Caller()("GET", "/agent/join"), 405, "method-not-allowed")


def refused(answer: HttpResponse, code: str) -> dict[str, object]:
    assert answer.headers["WWW-Authenticate"] == 'Strongroom-Signature realm="strongroom"'
    return problem(answer, 401, code)


def test_a_server_reads_the_manifest_of_what_it_was_granted_and_of_nothing_else(
    world: World, owner: Actor, space: Space, machine: KeyedMachine
) -> None:
    granted, other = (world.finalized(world.dataset(space)) for _ in range(2))
    server = Server.objects.get()
    grants.create(owner, granted.id, server.id)
    answer = machine.ask("manifest", {"dataset_id": str(granted.id)})
    found = Manifest.objects.get(dataset=granted)
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert hashlib.sha256(content).hexdigest() == found.root_sha256
    assert answer.headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(bytes.fromhex(found.root_sha256)).decode()}:"
    assert answer.headers["Content-Length"] == str(len(content))
    told = Event.objects.get(verb=SystemFact.SERVER_MANIFEST)
    assert (told.dataset_id, told.subject, told.after["manifest_sha256"]) == (
        granted.id,
        "genomics-1",
        found.root_sha256,
    )
    problem(machine.ask("manifest", {"dataset_id": str(other.id)}), 404, "not-found")
    grants.revoke(owner, granted.id, server.id)
    problem(machine.ask("manifest", {"dataset_id": str(granted.id)}), 404, "not-found")
