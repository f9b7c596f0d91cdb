"""Processes killed with SIGKILL at every engine call, on the real engine; a fresh worker then makes everything true."""

import json
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from strongroom.engines.seaweedfs.settings import Ports, SeaweedSettings
from tests.engine_fixture import Running
from tests.runtime.front_door import FrontDoor, eventually

DEEDS = {"create": 4, "issue": 4, "reset": 4, "revoke": 3, "finalize": 10, "promote": 10, "delete": 7, "end of life": 6}
"""Each with the number of moments at which a process must have died at least."""


@contextmanager
def _engine(door: FrontDoor) -> Iterator[None]:
    """The engine's processes alone: nobody but the test's own processes works on what it finds."""
    port = door.first_port
    home = door.home / "engine"
    running = Running(SeaweedSettings(home, "ss", public_port=port + 1, ports=Ports(port + 2)))
    try:
        running.start()
        yield
    finally:
        running.stop()


def _run(door: FrontDoor, *words: str) -> None:
    command = [sys.executable, "-m", "tests.journeys.deaths", *words]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, env=door.environ, cwd=root, capture_output=True, text=True, timeout=600)
    (door.home / "deaths.log").write_text(done.stderr)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]


def _unsettled(door: FrontDoor) -> int:
    """How many are left, after everything that waits was made due; a lease that somebody holds is let be."""
    with sqlite3.connect(door.home / "strongroom.sqlite3", timeout=20) as rows:
        rows.execute("UPDATE strongroom_dataset SET next_try_at = NULL WHERE is_settled = 0 AND lease IS NULL")
        left: int = rows.execute(
            "SELECT (SELECT count(*) FROM strongroom_dataset WHERE is_settled = 0)"
            " + (SELECT count(*) FROM strongroom_uploadkey WHERE status = 'issuing')"
        ).fetchone()[0]
    return left


def _work(door: FrontDoor) -> None:
    """A fresh worker until nothing is left to do."""
    command = [sys.executable, "-m", "strongroom.runtime", "worker"]
    with (door.home / "worker.log").open("w") as log:
        worker = subprocess.Popen(command, env=door.environ, stdout=log, stderr=log)
        try:
            assert eventually(lambda: time.sleep(0.5) or _unsettled(door) == 0, 400), (  # type: ignore[func-returns-value]
                door.home / "worker.log"
            ).read_text()[-6000:]
        finally:
            worker.terminate()
            worker.wait(90)


@pytest.mark.timeout(1700)
def test_a_process_may_be_killed_at_every_engine_call_of_every_deed(tmp_path: Path) -> None:
    """One test, so that several pytest processes do not each bring everybody to death."""
    door = FrontDoor(tmp_path / "home", engine="seaweedfs")
    door.home.mkdir(mode=0o700)
    with _engine(door):
        assert door.operate("migrate").returncode == 0
        report = door.home / "deaths.json"
        _run(door, "die", str(report))
        _work(door)
        _run(door, "check", str(report))
    died = json.loads(report.read_text())
    print({deed: [each["moment"] for each in died if each["deed"] == deed] for deed in DEEDS})
    assert [each["wrong"] for each in died if each["wrong"]] == []
    counted = Counter(each["deed"] for each in died)
    assert {deed: counted[deed] for deed in DEEDS if counted[deed] < DEEDS[deed]} == {}
