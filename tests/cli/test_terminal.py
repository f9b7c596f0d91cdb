"""What people see: calm tables that fit a narrow terminal, and nothing of that where no terminal is."""

import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
from tests.cli import servers
from tests.cli.live import Run

from strongroom.cli import words
from strongroom.cli.exits import Exit

PENDING = {
    "id": str(uuid4()),
    "space_id": str(uuid4()),
    "space_name": "Heart study",
    "name": "A cohort with a name that is far too long for any terminal of eighty columns to hold in one line",
    "kind": "derivative",
    "state": "finalizing",
    "repository": f"dataset-ss-{uuid4()}",
    "object_count": 1_234_567,
    "size_bytes": 98_765_432_109,
    "step": "listing",
    "progress_objects": 4100,
    "last_error": "",
}


def on_terminal(
    *argv: str, columns: int, home: Path, url: str, typed: str = "", asked: bytes = b"Type the name"
) -> tuple[int, str]:
    """Run a command on a real pseudo terminal; `typed` once it `asked`. Its exit code, and what it drew."""
    parent, child = pty.openpty()
    environ = {
        **os.environ,
        "STRONGROOM_URL": url,
        "STRONGROOM_TOKEN": "t",
        "HOME": str(home),
        "TERM": "xterm-256color",
    }
    environ["COLUMNS"] = str(columns)
    command = [sys.executable, "-m", "strongroom.cli", *argv]
    # setsid --ctty: the pseudo terminal becomes the one that Ctrl-C is typed at.
    # A runner in the background may ignore Ctrl-C, and what it starts would inherit that.
    running = subprocess.Popen(
        ["env", "--default-signal=INT", "setsid", "--ctty", "--wait", *command],
        stdin=child,
        stdout=child,
        stderr=child,
        env=environ,
    )
    os.close(child)
    drawn: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(parent, drawn))
    reader.start()
    try:
        if typed:
            _wait_for(asked, drawn)
            os.write(parent, typed.encode())
        code = running.wait(timeout=120)
    finally:
        running.kill()
        os.close(parent)
        reader.join()
    return code, b"".join(drawn).decode()


def _wait_for(words: bytes, drawn: list[bytes]) -> None:
    for _ in range(1200):
        if words in b"".join(drawn):
            return
        time.sleep(0.1)
    raise AssertionError(f"{words!r} was never shown: {drawn}")


def _read_all(parent: int, drawn: list[bytes]) -> None:
    while True:
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # Linux: the other end is closed
            return
        if not chunk:
            return
        drawn.append(chunk)


def _plain(drawn: str) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in drawn.replace("\r", "").split("\n")]


@pytest.mark.parametrize("columns", [80, 120])
def test_a_table_fits_the_terminal_and_cuts_only_what_may_be_cut(home: Path, columns: int) -> None:
    with servers.answering(
        200, json.dumps({"items": [PENDING], "next_cursor": None}).encode(), "application/json"
    ) as url:
        code, drawn = on_terminal("dataset", "list", columns=columns, home=home, url=url)
    lines = [line.rstrip() for line in _plain(drawn) if line.strip()]
    assert code == Exit.OK and len(lines) == 2
    assert all(len(line) <= columns for line in lines)
    for whole in (PENDING["id"][:8], "derivative", "finalizing", "1,234,567", "98.8 GB", "…"):
        assert str(whole) in lines[1]
    assert "\x1b[" in drawn


def test_an_id_and_a_repository_are_never_wrapped(home: Path) -> None:
    with servers.answering(200, json.dumps(PENDING).encode(), "application/json") as url:
        _, drawn = on_terminal("dataset", "show", PENDING["id"], columns=80, home=home, url=url)
    lines = _plain(drawn)
    assert any(line.rstrip().endswith(PENDING["id"]) for line in lines)
    assert any(line.rstrip().endswith(PENDING["repository"]) for line in lines)


def test_a_name_typed_wrong_on_a_terminal_destroys_nothing(home: Path) -> None:
    with servers.answering(200, json.dumps(PENDING).encode(), "application/json") as url:
        code, drawn = on_terminal("dataset", "delete", PENDING["id"], columns=80, home=home, url=url, typed="cohort\n")
    assert code == Exit.INVALID
    assert "Everything in" in drawn and "Nothing was done" in drawn


@pytest.mark.parametrize(("typed", "code"), [("n\n", Exit.INVALID), ("\n", Exit.INVALID), ("y\n", Exit.OK)])
def test_a_server_is_made_after_a_yes_to_its_size_and_price(home: Path, typed: str, code: Exit) -> None:
    offering = {
        "name": "linux-small", "os": "linux", "description": "", "cpus": 2, "memory_bytes": 8 * 1024**3,
        "disk": "40 GB", "price_per_month": "25.00", "currency": "EUR",
    }  # fmt: skip
    answer = {"id": str(uuid4()), "name": "Heart study", "items": [offering]}  # of the space, and of the offerings
    create = ("server", "create", answer["id"], "genomics-1")
    with servers.answering(200, json.dumps(answer).encode(), "application/json") as url:
        ended, drawn = on_terminal(*create, columns=160, home=home, url=url, typed=typed, asked=b"Go on?")  # type: ignore[arg-type]
    assert ended == code
    assert (
        "genomics-1 in Heart study: linux-small (linux, 2 CPUs, 8 GiB memory; disk: 40 GB), 25.00 EUR a month." in drawn
    )
    assert ("is being made" in drawn) == (code == Exit.OK)


def test_ctrl_c_at_the_question_ends_with_130(home: Path) -> None:
    with servers.answering(200, json.dumps(PENDING).encode(), "application/json") as url:
        code, drawn = on_terminal("dataset", "delete", PENDING["id"], columns=80, home=home, url=url, typed="\x03")
    assert code == Exit.INTERRUPTED
    assert "Traceback" not in drawn


def test_waiting_shows_state_step_and_objects(home: Path) -> None:
    wait = ("dataset", "finalize", PENDING["id"], "--confirm", PENDING["name"], "--timeout", "1")
    with servers.answering(200, json.dumps(PENDING).encode(), "application/json") as url:
        code, drawn = on_terminal(*wait, columns=120, home=home, url=url)
    assert code == Exit.UNAVAILABLE
    assert "finalizing, listing, 4,100 objects, 0 s" in "".join(_plain(drawn))
    assert "the server goes on with it" in "".join(_plain(drawn))


def test_without_a_terminal_each_step_is_one_line(run: Run) -> None:
    wait = ("dataset", "finalize", PENDING["id"], "--confirm", PENDING["name"], "--timeout", "1")
    with servers.answering(200, json.dumps(PENDING).encode(), "application/json") as url:
        result = run(*wait, STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.stderr.splitlines()[0] == "finalizing, listing, 4,100 objects"
    assert result.stderr.count("listing") == 1


def test_a_data_set_that_falls_back_ends_the_wait(run: Run) -> None:
    fallen = {**PENDING, "state": "pending", "last_error": "the engine is full"}
    with servers.answering(200, json.dumps(fallen).encode(), "application/json") as url:
        result = run(
            *("dataset", "promote", fallen["id"], "--confirm", fallen["name"]),
            STRONGROOM_URL=url,
            STRONGROOM_TOKEN="t",
        )
    assert result.exit_code == Exit.CONFLICT and "the engine is full" in result.stderr


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (999_950, "1.0 MB"), (123_456_789, "123 MB")],
)
def test_sizes_are_decimal_and_short(count: int, shown: str) -> None:
    assert words.size(count) == shown


def test_times_are_utc_whatever_zone_they_came_in() -> None:
    assert words.moment("2026-01-31T14:05:06.7+02:00") == "2026-01-31 12:05 UTC"
    assert words.moment(None) == ""


@pytest.mark.parametrize(("seconds", "shown"), [(4.9, "4 s"), (125, "2 min 05 s"), (4320, "1 h 12 min")])
def test_waiting_times_read_well(seconds: float, shown: str) -> None:
    assert words.elapsed(seconds) == shown
