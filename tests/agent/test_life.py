"""The agent joins once, runs alone, lives through restarts and outages, and says what is wrong."""

import json
import os
import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from strongroom.agent import config as configuration
from tests.agent.room import until
from tests.agent.site import NOBODY, PYTHON, SESSION_SECONDS, Server, Site, python_for_everybody
from tests.cli.servers import self_signed
from tests.ports import free_ports

ROLE = "/meta-data/iam/security-credentials/strongroom"


def document(place: Site) -> dict[str, Any]:
    """What the metadata service hands out now."""
    found = json.loads(place.ask(ROLE, token=place.token()).text)
    assert isinstance(found, dict)
    return found


def seconds_left(handed_out: dict[str, Any]) -> float:
    return (datetime.fromisoformat(handed_out["Expiration"]) - datetime.now(UTC)).total_seconds()


def addresses(place: Site) -> str:
    return place.machine.run("ip", "-o", "address", "show", "dev", "lo").stdout


def test_a_machine_joins_once_with_a_key_that_it_keeps(fresh: Server) -> None:
    said = fresh.run("join", fresh.site.url, "--token", fresh.token, "--user", "nobody")
    assert said.returncode == 0, said.stderr
    assert f"is now the server “{fresh.name}”" in said.stdout and "strongroom install" in said.stdout
    assert "Credentials are for: root, nobody." in said.stdout
    state = fresh.folder / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    assert {each.name: each.stat().st_mode & 0o077 for each in state.glob("key*")} == {"key": 0, "key.pub": 0o44}
    shown = fresh.show()
    assert (shown["state"], shown["address"]) == ("active", fresh.site.machine.address)
    again = fresh.run("join", fresh.site.url, "--token", fresh.token)
    assert again.returncode == 1
    assert f"has already joined {fresh.site.url} as “{fresh.name}”" in again.stderr and "--again" in again.stderr


def test_a_token_works_once_and_a_refused_join_leaves_nothing_that_counts(fresh: Server, place: Site) -> None:
    fresh.join()
    thief = place.server()
    thief.token = fresh.token
    refused = thief.run("join", place.url, "--token", thief.token)
    assert refused.returncode == 1 and refused.stderr.startswith("strongroom: ")
    assert not (thief.folder / "state" / "identity.json").exists()
    assert "has not joined" in thief.run("status").stdout
    assert thief.run("status").returncode == 3
    assert thief.run("run").returncode == 3


def test_the_token_may_come_on_standard_input(fresh: Server) -> None:
    command = fresh.site.machine.inside(fresh.command("join", fresh.site.url))
    done = subprocess.run(command, input=f"{fresh.token}\n", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_joining_is_for_root(fresh: Server) -> None:
    words = fresh.command("join", fresh.site.url, "--token", fresh.token)[: -len(fresh.places)]
    done = fresh.site.machine.run(python_for_everybody(), *words[1:], user=NOBODY)
    assert (done.returncode, done.stderr) == (2, "strongroom: Joining needs root. Run it with sudo.\n")


def test_an_address_that_is_not_strongrooms_is_said_in_one_line(fresh: Server, place: Site) -> None:
    for url, code, words in (
        ("ftp://example.org", 2, "is not the address of a control plane"),
        ("http://127.0.0.1:9", 1, "cannot be reached: Connection refused"),
        (place.system.gateway, 1, "does not answer as Strongroom does"),
        (f"unix:{place.folder}/nothing.sock", 1, "cannot be reached: No such file or directory"),
    ):
        done = fresh.run("join", url, "--token", fresh.token)
        assert done.returncode == code and words in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_the_control_plane_may_be_behind_a_unix_socket(fresh: Server, place: Site) -> None:
    path = fresh.folder / "control.sock"
    with relayed(fresh, str(path)):
        until(path.exists, "the relay")
        fresh.join(url=f"unix:{path}").started()
    assert fresh.show()["state"] == "active"


def test_a_certificate_counts_only_where_its_authority_does(fresh: Server, tmp_path: Path) -> None:
    with self_signed(tmp_path) as url:
        command = fresh.command("join", url, "--token", fresh.token)
        refused = subprocess.run(command, capture_output=True, text=True)
        assert f"The certificate of {url} is not trusted" in refused.stderr and "--ca-file" in refused.stderr
        authority = tmp_path / "authority.pem"
        authority.write_text(ssl.get_server_certificate(("127.0.0.1", int(url.rsplit(":", 1)[1]))))
        trusted = subprocess.run([*command, "--ca-file", str(authority)], capture_output=True, text=True)
        # That server hangs up once it was believed.
        assert "is not trusted" not in trusted.stderr and "cannot be reached" in trusted.stderr


def test_one_identity_has_one_agent(fresh: Server) -> None:
    fresh.join().started()
    second = fresh.run("run")
    assert second.returncode == 1 and "already running" in second.stderr
    assert fresh.run("status").returncode == 0


def test_it_stops_when_told_and_takes_the_address_with_it(fresh: Server, place: Site) -> None:
    fresh.join().started()
    assert "169.254.169.254/32" in addresses(place)
    assert fresh.stop() == 0
    assert "169.254" not in addresses(place)
    assert fresh.run("status").returncode == 4
    assert "The agent is not running." in fresh.run("status").stdout


def test_a_killed_agent_starts_again_with_a_higher_number_and_still_cleans_up(fresh: Server, place: Site) -> None:
    fresh.join().started()
    fresh.kill()
    sequence = fresh.folder / "state" / "sequence"
    last = json.loads(sequence.read_text())["last"]
    assert "169.254.169.254/32" in addresses(place)
    # As if the clock had been ahead by a day before the restart.
    sequence.write_text(json.dumps({"last": last + 86_400 * 10**9}))
    fresh.started()
    assert json.loads(sequence.read_text())["last"] > last + 86_400 * 10**9
    assert "replay" not in fresh.log()
    fresh.stop()
    assert "169.254" not in addresses(place)


def test_status_is_one_screen_and_tells_what_matters(fresh: Server, place: Site) -> None:
    fresh.join().started()
    fresh.grant(place.original)
    screen = fresh.run("status").stdout
    for words in (fresh.name, place.url, "answers, last heartbeat", "Credentials    until", "for          root"):
        assert words in screen, screen
    for words in ("http://169.254.169.254:80 (IMDS)", place.system.gateway, "Clock          right", "original, read"):
        assert words in screen, screen
    assert place.original.name in screen and len(screen.splitlines()) <= 24
    refused = fresh.run_as(NOBODY, "status")
    assert refused.returncode == 1 and "answers root, not nobody" in refused.stderr


def test_a_disabled_server_says_so_where_people_look_and_comes_back(fresh: Server, place: Site) -> None:
    fresh.join().started()
    owner = place.system.owner
    owner.post(f"/servers/{fresh.id}/disable", reason="a laptop was lost")
    until(lambda: "server-disabled" in fresh.problems(), "the agent to know", more=fresh.log)
    told = document(place)
    assert told["Code"] == "AssumeRoleUnauthorizedAccess" and "AccessKeyId" not in told
    assert "was disabled: a laptop was lost" in told["Message"]
    done = fresh.run("status")
    assert done.returncode == 1 and "a laptop was lost" in done.stdout
    assert "a laptop was lost" in fresh.run("credentials").stderr
    owner.post(f"/servers/{fresh.id}/enable")
    until(lambda: document(place)["Code"] == "Success", "credentials to come back", more=fresh.log)


@contextmanager
def relayed(server: Server, listen: str) -> Iterator[None]:
    """The agent's own relay, from there on the machine to the control plane."""
    routes = server.folder / "routes.json"
    routes.write_text(json.dumps([{"listen": listen, "connect": server.site.url.removeprefix("http://")}]))
    command = [PYTHON, "-I", "-S", str(server.site.program), "relay", str(routes)]
    relay = server.site.machine.start(*command, log=server.folder / "relay.log")
    try:
        yield
    finally:
        relay.terminate()
        relay.wait(60)


@contextmanager
def way(server: Server) -> Iterator[tuple[str, Any, Any]]:
    """The control plane by a relay on the machine: its URL there, and how to cut and to mend the way."""
    port = free_ports(1)
    stack = ExitStack()

    def mend() -> None:
        stack.enter_context(relayed(server, f"127.0.0.1:{port}"))
        asked = ("curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}/healthz")
        until(lambda: server.site.machine.run(*asked).returncode == 0, "the relay")

    mend()
    with stack:
        yield f"http://127.0.0.1:{port}", stack.close, mend


def test_credentials_outlive_an_outage_until_they_run_out_and_then_it_says_why(fresh: Server, place: Site) -> None:
    with way(fresh) as (url, cut, mend):
        fresh.join(url=url).started()
        # Renewed ahead of time: at no moment are there none, nor any that are about to end.
        first = now = document(place)
        while now["AccessKeyId"] == first["AccessKeyId"]:
            assert seconds_left(now) > SESSION_SECONDS / 3
            time.sleep(0.5)
            now = document(place)
        cut()
        until(lambda: "unreachable" in fresh.problems(), "the agent to notice", more=fresh.log)
        held = document(place)
        assert held["Code"] == "Success"
        assert fresh.run("status").returncode == 1 and "DOES NOT ANSWER" in fresh.run("status").stdout
        until(lambda: document(place)["Code"] != "Success", "the credentials to run out", SESSION_SECONDS + 90)
        # By the clock of the control plane, as the agent knows it from the answers.
        assert seconds_left(held) <= fresh.status()["clock_offset_seconds"]
        assert f"ran out at {held['Expiration']}" in document(place)["Message"]
        assert "cannot be reached: Connection refused" in document(place)["Message"]
        assert "ran out" in fresh.run("credentials").stderr
        mend()
        until(lambda: document(place)["Code"] == "Success", "credentials to come back", more=fresh.log)
        until(lambda: fresh.run("status").returncode == 0, "all to be well", more=fresh.log)


def test_a_wrong_clock_is_named_with_its_seconds_and_a_right_one_heals_it(fresh: Server, place: Site) -> None:
    fresh.join()
    offset = fresh.folder / "offset"
    offset.write_text("-1000\n")
    fake = {"FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    fresh.wrapper = ["env", f"LD_PRELOAD={library}", *(f"{key}={value}" for key, value in fake.items())]
    fresh.start()
    until(lambda: "clock" in fresh.problems(), "the agent to notice", more=fresh.log)
    assert 980 <= fresh.status()["clock_offset_seconds"] <= 1002
    told = re.search(r"clock is (\d+) s slow", fresh.run("status").stdout)
    assert told and 980 <= int(told[1]) <= 1002
    assert "clock" in document(place)["Message"]
    offset.write_text("+0\n")
    until(lambda: fresh.run("status").returncode == 0, "all to be well", more=fresh.log)
    assert document(place)["Code"] == "Success"


def test_the_metadata_service_of_a_cloud_is_left_alone(fresh: Server, place: Site) -> None:
    cloud = f"{place.machine.name}-m"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    ip("netns", "add", cloud)
    serving = None
    try:
        ip("-n", place.machine.name, "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", cloud)
        ip("-n", place.machine.name, "addr", "add", "10.98.0.1/30", "dev", "up0")
        ip("-n", place.machine.name, "link", "set", "up0", "up")
        ip("-n", cloud, "addr", "add", "10.98.0.2/30", "dev", "eth0")
        ip("-n", cloud, "addr", "add", "169.254.169.254/32", "dev", "eth0")
        ip("-n", cloud, "link", "set", "eth0", "up")
        ip("-n", place.machine.name, "route", "add", "169.254.169.254/32", "via", "10.98.0.2")
        server = ["nsenter", f"--net=/run/netns/{cloud}", PYTHON, "-m", "http.server", "-b", "169.254.169.254", "80"]
        serving = subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=fresh.folder)
        asked = ("curl", "-s", "-o", "/dev/null", "http://169.254.169.254/")
        until(lambda: place.machine.run(*asked).returncode == 0, "the other service")
        fresh.join().start()
        assert fresh.problems() == ["imds"] and fresh.status()["imds"] == "off"
        assert "Another metadata service answers" in fresh.run("status").stdout
        assert "169.254" not in addresses(place)
        until(lambda: fresh.run("credentials").returncode == 0, "credentials by the command", more=fresh.log)
    finally:
        if serving is not None:
            serving.kill()
            serving.wait()
        ip("netns", "delete", cloud)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"user": []}', "'user' is not known; known are"),
        ('{"users": "alice"}', "users: must be a list of names"),
        ('{"imds_address": "here"}', "is not like 127.0.0.1:8333"),
        ('{"imds_hop_limit": 0}', "must be a whole number from 1 to 64"),
        ('{"imds_v1": "no"}', "must be true or false"),
    ],
)
def test_a_wrong_configuration_is_named_with_its_file(fresh: Server, text: str, words: str) -> None:
    path = fresh.folder / "agent.json"
    path.write_text(text)
    path.chmod(0o644)
    done = fresh.run("status")
    assert done.returncode == 1 and words in done.stderr and str(path) in done.stderr


def test_a_configuration_that_others_may_change_is_refused(fresh: Server) -> None:
    fresh.configure(users=["nobody"])
    path = fresh.folder / "agent.json"
    path.chmod(0o666)
    assert "can be changed by others" in fresh.run("status").stderr
    path.chmod(0o644)
    os.chown(path, NOBODY, -1)
    assert "can be changed by others" in fresh.run("status").stderr
    os.chown(path, 0, -1)
    assert "has not joined" in fresh.run("status").stdout


def test_the_guide_names_every_key_of_the_configuration() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "servers.md").read_text()
    assert {key for key in configuration.KEYS if f"`{key}`" not in guide} == set()
