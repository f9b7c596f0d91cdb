"""The run of all tests: what is said at its end, and that nothing goes on when it is stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes import eventually, is_alive


def run(folder: Path, make: str) -> "subprocess.Popen[str]":
    """All tests, with a program in place of make that is told the first goal."""
    program = folder / "make"
    program.write_text(f"#!/bin/sh\ncd {folder}\n{make}\n")
    program.chmod(0o700)
    command = [sys.executable, "-m", "tests.everything"]
    return subprocess.Popen(command, env={**os.environ, "MAKE": str(program)}, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("goal", ["check", "pytest"])
def test_the_last_line_says_which_part_failed(tmp_path: Path, goal: str) -> None:
    running = run(tmp_path, f'echo "$1 spoke"; [ "$1" != {goal} ] || exit 3')
    said, _ = running.communicate()
    assert running.returncode == 3
    assert {"check spoke", "pytest spoke"} < set(said.splitlines())
    assert f"status 3: make {goal}" in said.splitlines()[-1]


def test_what_failed_beside_is_named_again_at_the_end(tmp_path: Path) -> None:
    shown = "ERROR tests/test_a.py::test_a - locked"
    waits = "until [ -e shown ]; do sleep 0.1; done; sleep 1; echo pytest spoke"
    log = "ERROR    strongroom:leases.py:12 not renewed"
    running = run(tmp_path, f'if [ "$1" = check ]; then echo "{log}\n{shown}"; touch shown; exit 3; fi; {waits}')
    said, _ = running.communicate()
    lines = said.splitlines()
    assert lines[lines.index("pytest spoke") + 1] == shown
    assert (lines.count(shown), lines.count(log)) == (2, 1)


def test_when_all_is_well_nothing_is_said_of_failures(tmp_path: Path) -> None:
    running = run(tmp_path, 'echo "$1 spoke"')
    said, _ = running.communicate()
    assert running.returncode == 0
    assert sorted(said.splitlines()) == ["check spoke", "pytest spoke"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stopping_it_stops_both_parts_and_what_they_started(tmp_path: Path, how: signal.Signals) -> None:
    running = run(tmp_path, 'sleep 600 & echo "$$ $!" >"$1.new"; mv "$1.new" "$1.pids"; wait')
    places = [tmp_path / f"{goal}.pids" for goal in ("check", "pytest")]
    assert eventually(lambda: all(each.exists() for each in places))
    pids = [int(each) for place in places for each in place.read_text().split()]
    assert all(map(is_alive, pids))
    running.send_signal(how)
    running.communicate()
    assert running.returncode == 128 + how
    assert eventually(lambda: not any(map(is_alive, pids)))
