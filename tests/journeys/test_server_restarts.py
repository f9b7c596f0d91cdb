"""The control plane, the engine and the server itself go and come back: grants, mounts and agents do too."""

import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.journeys.api import Study
from tests.journeys.enrolled import Enrolled, enrolled
from tests.processes import descendants, is_alive, words


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enrolled]:
    """One of its own: everything is broken here."""
    with enrolled(tmp_path_factory.mktemp("restarted")) as made:
        made.join(made.system.owner, made.system.space_id)
        yield made


@pytest.fixture(scope="module")
def study(machine: Enrolled) -> Study:
    """Granted, and mounted for good."""
    made = machine.system.uploaded()
    machine.system.finalized(made)
    made.api.post(f"{made.path}/grants", server_id=machine.server_id)
    machine.knows(made)
    machine.ok(f"mkdir -p /srv/kept && strongroom mount {made.repository} /srv/kept --persist")
    assert machine.ok("cat /srv/kept/first/1.csv") == "row 1\n"
    return made


def _reads(machine: Enrolled, file: str) -> bool:
    return machine.run(f"cat /srv/kept/{file}").stdout.startswith("row")


def test_a_mount_works_on_while_the_control_plane_is_away(machine: Enrolled, study: Study) -> None:
    system = machine.system
    web = next(pid for pid in system.door.pids() if "strongroom.runtime web" in " ".join(words(pid)))
    gone = [web, *descendants(web)]  # who answers until they are gone, too, may break off at any moment
    os.kill(web, signal.SIGKILL)
    assert _reads(machine, "first/0.csv")
    system.until(lambda: not any(map(is_alive, gone)) and _is_ready(machine), "the web server")
    before = machine.shown(system.owner)["last_heartbeat_at"]
    system.until(lambda: machine.shown(system.owner)["last_heartbeat_at"] > before, "a heartbeat", more=machine.log)


def test_a_mount_reads_again_once_the_engine_is_back(machine: Enrolled, study: Study) -> None:
    system = machine.system
    killed = [pid for pid in system.door.pids() if any(word.endswith("weed") for word in words(pid)[:1])]
    assert len(killed) > 1, "the engine and its gateway"
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    system.until(lambda: not any(map(is_alive, killed)), "the end of the engine")
    system.until(lambda: _reads(machine, "first/0.csv"), "the mount to read again", more=machine.log)


def test_everything_restarted_keeps_grants_and_mounts(machine: Enrolled, study: Study) -> None:
    system = machine.system
    system.door.end()
    system.door.start()
    system.until(lambda: _reads(machine, "first/2.csv"), "the mount to read again", more=machine.log)
    assert machine.ok("strongroom credentials")


def test_a_server_that_lost_its_power_comes_back_with_its_mounts(machine: Enrolled, study: Study) -> None:
    machine.off()
    machine.boot()
    machine.start_agent()
    machine.system.until(lambda: _reads(machine, "first/1.csv"), "the mount to be back", more=machine.log)
    machine.system.until(
        lambda: _health(machine, "/srv/kept") == "ok", "the mount to be shown as well", 60, more=machine.log
    )


def _health(machine: Enrolled, path: str) -> str:
    """What the control plane last heard of a mount. Those of tests beside this one are seen by every agent."""
    mounts = machine.shown(machine.system.owner)["mounts"]
    return next((each["health"] for each in mounts if each["path"] == path), "absent")


def _is_ready(machine: Enrolled) -> bool:
    try:
        return machine.system.door.readiness().status_code == 200
    except httpx.TransportError:
        return False
