"""`up` with the embedded engine: the storage's own processes start, stop, die and come back with the rest."""

import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import eventually, is_alive, words
from tests.runtime.front_door import FrontDoor, front_door


@pytest.fixture
def door(tmp_path: Path) -> Iterator[FrontDoor]:
    with front_door(tmp_path / "var", engine="seaweedfs") as door:
        door.more["STRONGROOM_STORAGE_PROCESSES"] = "2"
        yield door


def engine_pids(door: FrontDoor) -> list[int]:
    return [pid for pid in door.pids() if any(word.endswith("weed") for word in words(pid))]


def test_the_engine_lives_and_dies_with_the_front_door_and_keeps_what_it_was_given(door: FrontDoor) -> None:
    door.start()
    answer = door.readiness()
    assert answer.status_code == 200, answer.text
    assert {"database", "storage", "storage-2", "public gateway"} <= set(answer.json()["parts"])
    assert httpx.get(f"http://127.0.0.1:{door.first_port + 1}/", timeout=60).status_code == 403, (
        "strangers stay outside"
    )
    assert len(engine_pids(door)) == 3

    assert door.client(door.printed("--code")).returncode == 0
    made = door.client("strongroom space create Sleep --risk high")
    assert made.returncode == 0, made.stderr
    made = door.client("strongroom dataset create Sleep Nights --kind original")
    assert made.returncode == 0, made.stderr

    started = door.pids()
    door.end(signal.SIGKILL)
    assert eventually(lambda: not any(is_alive(pid) for pid in started), 20), "weed outlived its supervisor"

    door.start()
    assert door.readiness().status_code == 200
    shown = door.client("strongroom dataset show Nights --json")
    assert shown.returncode == 0, shown.stderr
    # The store opens its own files to all; the folders they lie in are closed.
    data = {door.home / "engine" / name for name in ("data", "data-2")}
    for path in (door.home, *(each for each in door.home.rglob("*") if not data & set(each.parents))):
        assert not stat.S_IMODE(path.lstat().st_mode) & 0o077, path
    started = door.pids()
    assert door.end(signal.SIGINT) == 0
    assert not any(is_alive(pid) for pid in started)


def test_without_the_engines_program_the_way_out_is_named(door: FrontDoor) -> None:
    door.more["STRONGROOM_WEED"] = "/no/such/weed"
    refused = door.operate("up")
    assert refused.returncode == 1
    assert "STRONGROOM_WEED" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr


def test_an_engine_that_cannot_start_is_shown_with_its_last_words(door: FrontDoor, tmp_path: Path) -> None:
    broken = tmp_path / "weed"
    broken.write_text("#!/bin/sh\necho this machine is too old for me\nexit 7\n")
    broken.chmod(0o755)
    door.more["STRONGROOM_WEED"] = str(broken)
    refused = door.operate("up")
    assert refused.returncode == 1
    assert "ended before it was ready (exit 7)" in refused.stdout
    assert "this machine is too old for me" in refused.stdout
    left = subprocess.run(["pgrep", "-f", str(door.home)], capture_output=True, text=True, check=False).stdout
    assert left == ""
