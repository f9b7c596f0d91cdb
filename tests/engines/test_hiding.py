"""A program whose port is a socket of a folder: it knows nothing of it, others find no port, nothing is left over."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.ports import free_ports

from strongroom.engines.seaweedfs import hiding

HIDING = [sys.executable, "-I", "-S", hiding.__file__]
PORT = free_ports(2)
OTHER = PORT + 1
# Listens, calls itself over both ports, and says how and what came.
PROGRAM = f"""
import socket
for port in ({PORT}, {OTHER}):
    door = socket.create_server(("127.0.0.1", port))
    caller = socket.create_connection(("127.0.0.1", port))
    answering, _ = door.accept()
    caller.sendall(b"hello")
    kind = answering.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN)
    print(port, "socket" if kind == socket.AF_UNIX else "port", answering.recv(5).decode())
"""


def run(folder: Path, *before: str, program: str = PROGRAM) -> "subprocess.CompletedProcess[str]":
    words = [*before, sys.executable, "-I", "-S", "-c", program]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_a_port_is_a_socket_in_the_folder_and_any_other_stays_a_port(tmp_path: Path) -> None:
    done = run(tmp_path, *HIDING, f"{PORT}=hidden.sock", "--")
    assert done.stdout == f"{PORT} socket hello\n{OTHER} port hello\n", done.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "hidden.sock").is_socket()


def test_what_a_dead_one_left_behind_is_nobody_to_connect_to_and_is_replaced(tmp_path: Path) -> None:
    run(tmp_path, *HIDING, f"{PORT}=hidden.sock", "--")
    call = f"import socket; socket.create_connection(('127.0.0.1', {PORT}))"
    done = run(tmp_path, *HIDING, f"{PORT}=hidden.sock", "--", program=call)
    assert "ConnectionRefusedError" in done.stderr
    assert f"{PORT} socket hello" in run(tmp_path, *HIDING, f"{PORT}=hidden.sock", "--").stdout


def test_where_the_kernel_does_not_ask_the_program_runs_with_its_ports_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "hidden.sock").touch()
    # The kernel takes one who answers for each process; the second is refused as any is by a kernel without this.
    done = run(tmp_path, *HIDING, "1=first.sock", "--", *HIDING, f"{PORT}=hidden.sock", "--")
    assert done.stdout == f"{PORT} port hello\n{OTHER} port hello\n"
    assert "ports stay open to other users of this machine" in done.stderr
    assert not (tmp_path / "hidden.sock").exists()


@pytest.mark.parametrize("how", ["raise SystemExit(7)", "import os; os.kill(os.getpid(), 9)"])
def test_the_program_keeps_its_own_end_and_leaves_nobody_behind(tmp_path: Path, how: str) -> None:
    done = run(tmp_path, *HIDING, f"{PORT}={tmp_path}/hidden.sock", "--", program=how)
    assert done.returncode in (7, -9)
    # Its output was read to the end above: who answers holds it open for as long as it lives.
    left = subprocess.run(["pgrep", "-f", f"{tmp_path}/hidden"], capture_output=True, text=True, check=False)
    assert left.stdout == ""


def test_without_who_answers_the_program_ends_so_that_it_is_started_again(tmp_path: Path) -> None:
    words = [*HIDING, f"{PORT}={tmp_path}/hidden.sock", "--", "/bin/sleep", "600"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as program:
        answering = _beside(program.pid)
        os.kill(answering, signal.SIGKILL)
        assert program.wait(60) == -signal.SIGKILL


def _beside(pid: int) -> int:
    """The child of a process, once it is there and has a child of its own: from then on it answers."""
    while True:
        for child in _children(pid):
            if _children(child):
                return child
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    told = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(each) for each in told.split()]
