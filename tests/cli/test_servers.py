"""The life of servers and grants as typed at a terminal; the machines are the agent's own code over real HTTP."""

import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.cli.live import Terminal

from strongroom.agent import signing
from strongroom.agent.control import Control
from strongroom.cli.exits import Exit
from strongroom.hosts.memory import MemoryHost


class Machine:
    """A machine that runs what its root was given to paste."""

    def __init__(self, folder: Path, command: str) -> None:
        said = shlex.split(command)
        self._url = said[said.index("--url") + 1]
        token = next(each.partition("=")[2] for each in said if each.startswith("join_token=")).rstrip(";")
        key = folder / "key"
        folder.mkdir()
        body = {"token": token, "public_key": signing.make_key(key), "os": "linux", **self._facts()}
        self._signer = signing.Signer(key)
        answer = Control(self._url, "join", self._signer).post("/join", body)
        self._control = Control(self._url, answer["server_id"], self._signer)

    def beat(self, *mounts: dict[str, Any]) -> dict[str, Any]:
        """Say how it is; what it may do."""
        return self._control.post("/heartbeat", {**self._facts(), "mounts": list(mounts)})

    def _facts(self) -> dict[str, str]:
        return {"hostname": "node-1", "os_version": "Debian GNU/Linux 12 (bookworm)", "agent_version": "1.0"}


@pytest.fixture
def enrolled(terminal: Terminal, tmp_path: Path) -> Machine:
    """The server genomics-1 of the space Heart study, joined."""
    terminal.ok("space", "create", "Heart study", "--risk", "high")
    return _join(terminal, tmp_path, "genomics-1")


def _join(terminal: Terminal, folder: Path, name: str, space: str = "Heart study") -> Machine:
    command = terminal.ok("server", "enrol", space, name, "--quiet")
    assert command.count("\n") == 1 and "| sudo sh -s -- " in command
    # The web server of the tests listens on a free port, which the settings do not know.
    return Machine(folder / f"{name} of {space}", command.replace("http://127.0.0.1:8400", terminal.url))


def _finalized(terminal: Terminal, name: str, kind: str = "original") -> dict[str, Any]:
    origin = ["--external-source", "a registry"] if kind == "derivative" else []
    made: dict[str, Any] = terminal.json("dataset", "create", "Heart study", name, "--kind", kind, *origin)
    terminal.ok("dataset", "finalize", made["id"], "--confirm", name, "--allow-empty")
    return made


def test_a_machine_is_enrolled_granted_cut_and_deleted(terminal: Terminal, enrolled: Machine) -> None:
    dataset = _finalized(terminal, "Cohort 2024")
    made = terminal("grant", "create", "Cohort 2024", "genomics-1", "--for", "30d", "--reason", "second analysis")
    assert "genomics-1 can read Cohort 2024 until 20" in made.stdout
    assert f"strongroom mount {dataset['repository']}" in made.stdout
    assert [each["repository"] for each in enrolled.beat()["datasets"]] == [dataset["repository"]]
    listed = terminal.ok("grant", "list", "--dataset", "Cohort 2024")
    assert "genomics-1" in listed and "works" in listed and "second analysis" in listed
    shown = terminal.ok("dataset", "show", "Cohort 2024")
    assert "Heart study (" in shown and "genomics-1 (read only, until 20" in shown

    assert "has no access to Cohort 2024 any more" in terminal.ok("grant", "revoke", "Cohort 2024", "genomics-1")
    assert enrolled.beat()["datasets"] == []
    assert terminal("grant", "revoke", "Cohort 2024", "genomics-1").exit_code == Exit.CONFLICT
    assert "revoked 20" in terminal.ok("grant", "list", "--server", "genomics-1", "--all")
    assert terminal.json("grant", "list", "--server", "genomics-1") == []

    terminal.ok("grant", "create", "Cohort 2024", "genomics-1", "--until", "2036-12-31")
    assert terminal.json("grant", "list", "--server", "genomics-1")[0]["expires_at"] == "2037-01-01T00:00:00Z"
    assert "has no end" in terminal.ok("grant", "edit", "Cohort 2024", "genomics-1", "--no-end")
    terminal.ok("server", "delete", "genomics-1", "--reason", "over", "--confirm", "genomics-1")
    assert "server-deleted" in terminal.ok("grant", "list", "--dataset", "Cohort 2024", "--all")
    assert terminal.json("server", "list") == []
    assert terminal.json("server", "list", "--state", "deleted")[0]["state_reason"] == "over"


def test_a_server_is_shown_on_one_screen(terminal: Terminal, enrolled: Machine) -> None:
    good, bad = _finalized(terminal, "Cohort 2024"), _finalized(terminal, "Means", "derivative")
    for name in ("Cohort 2024", "Means"):
        terminal.ok("grant", "create", name, "genomics-1")
    enrolled.beat(
        _mount(good, "/mnt/cohort"),
        _mount(bad, "/mnt/means", health="failing", detail="reading it gave Input/output error", is_read_only=False),
        _mount({"repository": "dataset-ss-gone"}, "/mnt/old", health="failing", detail="Permission denied"),
    )
    page = terminal.ok("server", "show", "genomics-1")
    lines = [" ".join(line.split()) for line in page.splitlines()]
    assert any(line.startswith("● active heard ") for line in lines)
    for fact in ("space Heart study", "address 127.0.0.1", "OS Debian GNU/Linux 12 (bookworm)", "host name node-1"):
        assert fact in lines
    assert "Access to 2 data sets" in lines
    assert any(line.startswith("Cohort 2024 read only no end dataset-") for line in lines)
    assert any(line.startswith("Means read and write no end dataset-") for line in lines)
    assert "✗ /mnt/means: reading it gave Input/output error" in lines
    assert (
        f"→ On the server: `strongroom umount /mnt/means`, then `strongroom mount {bad['repository']} /mnt/means`."
        in lines
    )
    assert "✗ /mnt/old: the server has no access to dataset-ss-gone any more" in lines
    assert not any(line.startswith("✗ /mnt/cohort") for line in lines)
    assert len(lines) <= 40


def test_a_disabled_server_reaches_nothing_until_it_is_enabled(terminal: Terminal, enrolled: Machine) -> None:
    _finalized(terminal, "Cohort 2024")
    terminal.ok("grant", "create", "Cohort 2024", "genomics-1")
    assert terminal("server", "disable", "genomics-1").exit_code == Exit.USAGE
    terminal.ok("server", "disable", "genomics-1", "--reason", "the laptop was stolen")
    page = terminal("server", "show", "genomics-1")
    assert "● disabled" in page.stdout and "the laptop was stolen" in page.stdout
    assert "suspended while it is disabled" in page.stdout
    assert "strongroom server enable genomics-1" in page.output
    assert "the server is disabled" in terminal.ok("dataset", "show", "Cohort 2024")
    assert "with access to 1 data set" in terminal.ok("server", "enable", "genomics-1")
    assert len(enrolled.beat()["datasets"]) == 1


def test_the_join_command_is_told_with_what_it_is_worth(terminal: Terminal) -> None:
    terminal.ok("space", "create", "Heart study", "--risk", "high")
    told = terminal(
        "server", "enrol", "Heart study", "desk-9", "--os", "windows", "--description", "The desk by the door"
    )
    assert "in an elevated PowerShell" in told.stdout and "irm '" in told.stdout
    assert "It works once, until 20" in told.stderr and "can join in the machine's place" in told.stderr
    page = terminal.ok("server", "show", "desk-9")
    assert "● joining  its join command works until 20" in page and "The desk by the door" in page
    first = terminal.json("server", "rejoin", "desk-9")
    assert first["join_token"] not in terminal.json("server", "rejoin", "desk-9")["join_command"]


def test_servers_are_known_by_name_in_the_space_of_the_data_set(
    terminal: Terminal, enrolled: Machine, tmp_path: Path
) -> None:
    terminal.ok("space", "create", "Lung study", "--risk", "high")
    _join(terminal, tmp_path, "genomics-1", space="Lung study")
    result = terminal("server", "show", "genomics-1")
    assert result.exit_code == Exit.USAGE
    assert "genomics-1 (enrolled, active) in Heart study, created 20" in result.stderr
    assert "genomics-1 (enrolled, active) in Lung study, created 20" in result.stderr
    _finalized(terminal, "Cohort 2024")
    made = terminal.json("grant", "create", "Cohort 2024", "genomics-1")
    assert made["server_id"] == next(
        each["id"] for each in terminal.json("server", "list") if each["space_name"] == "Heart study"
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--until", "2036-01-01", "--for", "3d"], "twice"),
        (["--for", "soon"], "is not a span of time"),
        (["--until", "2001-01-01"], "must lie in the future"),
    ],
)
def test_an_end_that_cannot_be_is_refused(terminal: Terminal, enrolled: Machine, options: list[str], says: str) -> None:
    _finalized(terminal, "Cohort 2024")
    result = terminal("grant", "create", "Cohort 2024", "genomics-1", *options)
    assert result.exit_code in (Exit.USAGE, Exit.INVALID) and says in result.stderr
    assert terminal.json("grant", "list", "--dataset", "Cohort 2024") == []


def test_what_is_pending_cannot_be_granted(terminal: Terminal, enrolled: Machine) -> None:
    terminal.ok("dataset", "create", "Heart study", "Cohort 2024", "--kind", "original")
    result = terminal("grant", "create", "Cohort 2024", "genomics-1")
    assert result.exit_code == Exit.CONFLICT and "pending" in result.stderr


def test_the_price_is_shown_before_a_server_is_made(terminal: Terminal, host: MemoryHost) -> None:
    terminal.ok("space", "create", "Heart study", "--risk", "high")
    listed = terminal.ok("server", "offerings")
    assert "linux-small" in listed and "2 GiB" in listed and "free of charge" in listed
    create = ("server", "create", "Heart study", "genomics-1")
    assert "Say --offering with one of: linux-small," in terminal(*create).stderr
    asked = terminal(*create, "--offering", "linux-small")
    assert asked.exit_code == Exit.USAGE and "free of charge. Nothing was done." in asked.stderr
    assert terminal.json("server", "list") == []
    made = terminal(*create, "--offering", "linux-small", "--yes", "--description", "For the heart")
    assert "free of charge" in made.stderr and "genomics-1 is being made" in made.stdout
    page = terminal.ok("server", "show", "genomics-1")
    assert "● joining" in page and "created, linux-small" in page and "For the heart" in page
    assert "genomics-1 is being stopped" in terminal.ok("server", "stop", "genomics-1")


def test_waiting_ends_when_the_machine_has_joined(terminal: Terminal, host: MemoryHost, tmp_path: Path) -> None:
    terminal.ok("space", "create", "Heart study", "--risk", "high")
    create = ("server", "create", "Heart study", "genomics-1", "--offering", "linux-small", "--yes", "--wait")
    late = terminal(*create, "--timeout", "1")
    assert late.exit_code == Exit.UNAVAILABLE and "Its host goes on with it" in late.stderr
    terminal.ok("server", "delete", "genomics-1", "--reason", "too slow", "--confirm", "genomics-1")
    with _booting(host, terminal.url, tmp_path):
        assert "genomics-1 is there, and has joined Heart study" in terminal.ok(*create)
    assert terminal.json("server", "show", "genomics-1")["is_online"]
    assert "genomics-1 is stopped" in terminal.ok("server", "stop", "genomics-1", "--wait")
    assert "● stopped  its machine does not run" in terminal.ok("server", "show", "genomics-1")
    assert "genomics-1 runs" in terminal.ok("server", "start", "genomics-1", "--wait")


def test_where_no_host_is_set_up_enrolling_is_the_way(terminal: Terminal) -> None:
    terminal.ok("space", "create", "Heart study", "--risk", "high")
    result = terminal("server", "create", "Heart study", "genomics-1", "--yes")
    assert result.exit_code == Exit.NOT_FOUND and "strongroom server enrol" in result.stderr
    assert "strongroom server enrol" in terminal("server", "offerings").stderr


@contextmanager
def _booting(host: MemoryHost, url: str, folder: Path) -> Iterator[None]:
    """The next machine that the host makes boots, and joins with the token that the host put into it."""
    known = set(host.specs)

    def boot() -> None:
        for _ in range(1200):
            if fresh := set(host.specs) - known:
                joins = host.specs[fresh.pop()].joining
                assert joins is not None
                Machine(folder / "booted", f"--url {url} join_token={joins.token}")
                break
            time.sleep(0.05)
        connection.close()

    thread = threading.Thread(target=boot)
    thread.start()
    yield
    thread.join()


def _mount(dataset: dict[str, Any], path: str, **differing: object) -> dict[str, Any]:
    return {
        "repository": dataset["repository"],
        "path": path,
        "tool": "rclone",
        "is_read_only": True,
        "is_persistent": True,
        "health": "ok",
        "detail": "",
        "checked_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **differing,
    }
