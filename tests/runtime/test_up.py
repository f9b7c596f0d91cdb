"""`up` from outside: real processes, a home of its own, free ports."""

import contextlib
import ctypes
import os
import pty
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from strongroom.core import credentials
from tests import postgres
from tests.processes import children, eventually, is_alive, words
from tests.runtime.front_door import FrontDoor, front_door

_WEB = "strongroom.runtime web"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[FrontDoor]:
    """With nothing there."""
    with front_door(tmp_path / "var") as door:
        yield door


@pytest.fixture
def door(bare: FrontDoor) -> FrontDoor:
    """With the tables, for what is not about the first start."""
    return bare.with_tables()


def rows(door: FrontDoor, query: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(door.home / "strongroom.sqlite3")
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def answers(door: FrontDoor) -> bool:
    """Whether the web server does."""
    try:
        return door.readiness().status_code == 200
    except httpx.TransportError:
        return False


def test_from_nothing_it_becomes_ready_and_ctrl_c_stops_all_of_it(bare: FrontDoor) -> None:
    bare.start()
    answer = bare.readiness()
    assert answer.status_code == 200
    assert answer.json()["parts"]["database"] == "ok"
    started = bare.pids()
    assert len(started) >= 4, "web with two workers, and the background worker"
    assert bare.end(signal.SIGINT) == 0
    assert not any(is_alive(pid) for pid in started)
    assert "killed" not in bare.output
    assert "Traceback" not in bare.output


def test_a_killed_supervisor_leaves_no_orphan_and_the_next_start_works(door: FrontDoor) -> None:
    door.start()
    started = door.pids()
    assert door.end(signal.SIGKILL) == -signal.SIGKILL
    assert eventually(lambda: not any(is_alive(pid) for pid in started), 20)
    door.start()
    assert door.readiness().status_code == 200


def test_a_killed_web_worker_is_replaced_and_none_outlives_the_web_server(door: FrontDoor) -> None:
    door.more["STRONGROOM_WEB_WORKERS"] = "1"
    door.start()
    assert door.process is not None
    [(server, worker)] = [(pid, *below) for pid in children(door.process.pid) if (below := children(pid))]
    os.kill(worker, signal.SIGKILL)
    assert eventually(lambda: worker not in children(server) and len(children(server)) == 1)
    assert eventually(lambda: answers(door))
    [worker] = children(server)
    door.process.send_signal(signal.SIGSTOP)  # it would end what the web server left
    os.kill(server, signal.SIGKILL)
    assert eventually(lambda: not is_alive(worker))
    door.process.send_signal(signal.SIGCONT)
    assert eventually(lambda: answers(door))


def test_up_that_is_stopped_while_it_starts_ends_in_order(door: FrontDoor) -> None:
    door.more["STRONGROOM_WEB_WORKERS"] = "1"
    supervisor = door.launch()
    forked: list[int] = []
    while not forked:
        assert supervisor.poll() is None, door.output
        forked = [each for pid in children(supervisor.pid) if _WEB in " ".join(words(pid)) for each in children(pid)]
    supervisor.terminate()
    assert supervisor.wait(60) == 0
    assert not any(map(is_alive, forked))
    log = (door.home / "log" / "web.log").read_text()
    assert "Stopped worker-1" in log and "refused to gracefully stop" not in log
    assert "by force" not in door.output and "Traceback" not in door.output + log


def test_a_web_worker_ends_whichever_of_its_threads_is_told_to(door: FrontDoor) -> None:
    door.more["STRONGROOM_WEB_WORKERS"] = "1"
    door.start()
    assert door.process is not None
    [worker] = [each for pid in children(door.process.pid) for each in children(pid)]
    [other, *_] = [int(each.name) for each in Path(f"/proc/{worker}/task").iterdir() if int(each.name) != worker]
    assert ctypes.CDLL(None).tgkill(worker, other, signal.SIGTERM) == 0
    assert eventually(lambda: not is_alive(worker), 30)


def test_a_web_worker_that_is_told_again_and_again_ends_in_order(door: FrontDoor) -> None:
    door.more["STRONGROOM_WEB_WORKERS"] = "1"
    door.start()
    assert door.process is not None
    [worker] = [each for pid in children(door.process.pid) for each in children(pid)]
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, each)
        time.sleep(0.05)
    assert eventually(lambda: not is_alive(worker), 10)


@pytest.mark.parametrize("moment", ["just forked", "loading", "about to serve"])
def test_a_web_worker_that_is_still_starting_ends_when_it_is_told_to(door: FrontDoor, moment: str) -> None:
    door.more["STRONGROOM_WEB_WORKERS"] = "1"
    there = door.home / "there"
    command = [sys.executable, "-c", _WITH_A_SLOW_WORKER, moment, str(there)]
    with subprocess.Popen(command, env=door.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        assert eventually(lambda: there.exists() or server.poll() is not None)
        server.terminate()
        assert server.stdout is not None
        log = server.stdout.read().decode()
    assert server.returncode == 0
    assert "Stopped worker-1" in log and "refused to gracefully stop" not in log and "Traceback" not in log


@pytest.mark.parametrize("moment", ["about to wait", "about to forget"])
def test_a_web_server_ends_when_it_is_told_to_at_any_moment(door: FrontDoor, moment: str) -> None:
    door.more["STRONGROOM_WEB_WORKERS"] = "1"
    command = [sys.executable, "-c", _TOLD_AT_A_MOMENT, moment]
    done = subprocess.run(command, env=door.environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Stopped worker-1" in done.stdout + done.stderr


_TOLD_AT_A_MOMENT = """
import os, signal, sys, time
from granian.server.common import AbstractServer
from strongroom.runtime import __main__

serve_loop = AbstractServer._serve_loop

def told(server, *arguments):
    if sys.argv[1] == "about to wait":
        with server.main_loop_interrupt._cond:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.5)
    else:  # granian clears the event when it has seen to a worker that died
        clear = server.main_loop_interrupt.clear
        def forget():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.5)
            clear()
        server.main_loop_interrupt.clear = forget
        os.kill(server.wrks[0].inner.pid, signal.SIGKILL)
    serve_loop(server, *arguments)

AbstractServer._serve_loop = told
__main__.main(["web"])
"""

_WITH_A_SLOW_WORKER = """
import os, sys, time
from pathlib import Path
from granian import _signals
from strongroom.runtime import __main__, launch

moment, there = sys.argv[1], Path(sys.argv[2])

def slowly(deed):
    def slow(*arguments):
        done = deed(*arguments)
        there.touch()
        time.sleep(2)  # meanwhile it is told
        return done
    return slow

if moment == "just forked":
    os.register_at_fork(after_in_child=slowly(lambda: None))
elif moment == "loading":
    launch.die_with_parent = slowly(launch.die_with_parent)
else:
    _signals.set_sync_signals = slowly(_signals.set_sync_signals)
__main__.main(["web"])
"""


def test_sigterm_and_a_closed_terminal_stop_it_like_ctrl_c(door: FrontDoor) -> None:
    for how in (signal.SIGTERM, signal.SIGHUP):
        door.start()
        started = door.pids()
        assert door.end(how) == 0
        assert not any(is_alive(pid) for pid in started)


def test_a_second_start_keeps_everything_and_prints_no_second_code(bare: FrontDoor) -> None:
    bare.start()
    assert bare.code() is not None
    people = rows(bare, "SELECT id, email FROM strongroom_person")
    secrets = {each.name: each.read_bytes() for each in (bare.home / "secrets").iterdir()}
    bare.end()
    bare.start()
    assert bare.code() is None
    assert rows(bare, "SELECT id, email FROM strongroom_person") == people
    assert {each.name: each.read_bytes() for each in (bare.home / "secrets").iterdir()} == secrets


def test_the_first_administrators_code_is_stored_only_as_a_digest(bare: FrontDoor) -> None:
    bare.more["STRONGROOM_ADMIN_EMAIL"] = "Dean@University.Example"
    bare.start()
    code = bare.code()
    assert code is not None
    assert rows(bare, "SELECT email, staff_role FROM strongroom_person") == [
        ("dean@university.example", "administrator")
    ]
    assert rows(bare, "SELECT code_sha256 FROM strongroom_signincode") == [(credentials.digest(code),)]
    bare.end()
    for file in (each for each in bare.home.rglob("*") if each.is_file()):
        assert code.encode() not in file.read_bytes(), file


def test_the_commands_that_are_printed_work_as_they_stand(door: FrontDoor) -> None:
    door.start()
    for command in ("--code", "space create", "--help"):
        done = door.client(door.printed(command))
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert door.client(door.printed("--code")).returncode != 0, "the code should have worked once only"


def test_an_operator_gets_a_new_code_and_the_old_one_ends(door: FrontDoor) -> None:
    door.start()
    asked = door.operate("sign-in-code", "admin@localhost")
    assert asked.returncode == 0, asked.stderr
    assert door.client(door.printed("--code")).returncode != 0, "the first code should have ended"
    signed_in = door.client(asked.stdout.strip())
    assert signed_in.returncode == 0, signed_in.stderr
    unknown = door.operate("sign-in-code", "nobody@localhost")
    assert unknown.returncode == 1
    assert "nobody@localhost" in unknown.stdout


def test_a_second_copy_on_the_same_home_is_refused_and_told_where_the_first_is(door: FrontDoor) -> None:
    door.start()
    assert door.process is not None
    second = door.operate("up")
    assert second.returncode == 1
    assert f"process {door.process.pid} at {door.url}" in second.stdout
    assert door.readiness().status_code == 200, "the first goes on"


def test_a_taken_port_is_named_with_the_setting_that_moves_it(door: FrontDoor) -> None:
    with socket.create_server(("127.0.0.1", door.first_port)):
        refused = door.operate("up")
    assert refused.returncode == 1
    assert f"Port {door.first_port} (web) is taken" in refused.stdout
    assert "STRONGROOM_WEB_PORT=" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr


def test_a_wrong_setting_is_a_sentence_and_not_a_traceback(door: FrontDoor) -> None:
    door.more["STRONGROOM_WEB_WORKERS"] = "many"
    refused = door.operate("up")
    assert refused.returncode == 1
    assert "STRONGROOM_WEB_WORKERS is 'many': it must be a whole number from 1 to 64" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr


def test_everything_in_the_home_is_private(bare: FrontDoor) -> None:
    bare.start()
    bare.end()
    for path in (bare.home, *bare.home.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert not mode & 0o077, f"{path} has mode {mode:o}"


def test_a_crashed_web_server_comes_back_by_itself(door: FrontDoor) -> None:
    door.start()
    assert door.process is not None
    web = next(pid for pid in door.pids() if _WEB in " ".join(words(pid)))
    os.kill(web, signal.SIGKILL)
    assert eventually(lambda: "web                runs again" in door.output), door.output
    assert door.readiness().status_code == 200


def test_up_ends_in_order_when_the_program_that_started_it_is_killed(door: FrontDoor) -> None:
    command = "exec 3>&1; python=$1; shift; $python -m strongroom.runtime up --with-parent & wait"
    with door.output_file.open("w") as output:
        python = Path(sys.executable)
        door.process = subprocess.Popen(
            ["sh", "-c", command, "sh", str(python)], env=door.environ, stdout=output, stderr=output, text=True
        )
    assert eventually(lambda: "Ctrl-C stops" in door.output, 150), door.output
    started = door.pids()
    assert len(started) >= 5
    door.end(signal.SIGKILL)
    assert eventually(lambda: not any(is_alive(pid) for pid in started))
    assert "Stopped. Everything is kept" in door.output


def test_on_a_terminal_it_looks_the_part_and_in_a_file_it_is_plain(door: FrontDoor) -> None:
    door.start()
    assert "\x1b" not in door.output
    door.end()
    seen = b""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, "-m", "strongroom.runtime", "up"], {**door.environ, "TERM": "xterm"})
    while b"Ctrl-C stops" not in seen:
        seen += os.read(terminal, 65536)
    os.write(terminal, b"\x03")
    while True:
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            break
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert "✓".encode() in seen
    assert b"Stopped. Everything is kept" in seen


def test_on_postgresql_it_starts_and_comes_back_with_everything(bare: FrontDoor) -> None:
    with postgres.cluster() as url:
        bare.more["STRONGROOM_DATABASE_URL"] = url
        bare.start()
        assert bare.readiness().json()["parts"]["database"] == "ok"
        signed_in = bare.client(bare.printed("--code"))
        assert signed_in.returncode == 0, signed_in.stderr
        bare.end()
        bare.start()
        assert bare.code() is None
        assert bare.client("strongroom whoami").returncode == 0
        assert bare.end() == 0
    password = url.split(":")[2].split("@")[0]
    assert password not in bare.output
    assert not (bare.home / "strongroom.sqlite3").exists()
    assert all(password.encode() not in log.read_bytes() for log in (bare.home / "log").iterdir())
