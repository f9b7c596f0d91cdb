"""The agent's own socket: who asks is known, and nobody can keep the others out."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from strongroom.agent import control_socket, moving
from strongroom.agent.callers import Callers
from strongroom.agent.config import Config
from strongroom.agent.problems import Trouble

_HOG = """
import os, socket, sys
os.setuid(65534)
held = []
for _ in range(200):
    held.append(socket.socket(socket.AF_UNIX))
    held[-1].connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def long(said: Mapping[str, Any]) -> Iterator[bytes]:
    """Pieces that end where they like; as a control plane that refuses, or goes away in the middle."""
    if said["dataset_id"] == "other":
        raise Trouble("This server was not granted other.", code="not-found")
    yield from (b'{"key": "a"}\n{"key"', b': "b"}\n')
    if said["dataset_id"] == "breaks":
        raise Trouble("It went away.", code="unreachable")


def wide(folder: Path) -> Iterator[bytes]:
    """A manifest that is longer than what waits between two programs; its files are there when it has gone."""
    for key in "abc":
        told = {"key": key, "size_bytes": 1, "etag": "", "checksum": None, "modified_at": "2026-01-31T00:00:00Z"}
        yield json.dumps({**told, "more": "x" * 1_000_000}).encode() + b"\n"
    (folder / "copy").mkdir()
    for key in "abc":
        (folder / "copy" / key).write_bytes(b"1")


@pytest.fixture
def config(open_folder: Path) -> Iterator[Config]:
    """A socket that answers, in a folder that everybody may enter."""
    folder = open_folder / "run"
    folder.mkdir(exist_ok=True)
    found = Config(file=folder / "agent.json", run=folder)
    granted = {"id": "wide", "repository": "wide", "name": "Wide"}
    answers = {"status": lambda: {"is": 1, "problems": [], "datasets": [granted]}}
    streams = {"manifest": lambda said: wide(folder) if said["dataset_id"] == "wide" else long(said)}
    with contextlib.closing(control_socket.start(found.control_socket, Callers(found), answers, streams)):
        yield found


@pytest.mark.skipif(os.geteuid() != 0, reason="acts as two users")
def test_nobody_can_keep_the_others_out_by_holding_lines(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "_SECONDS_TO_SAY_IT", 60.0)
    command = [sys.executable, "-I", "-c", _HOG, str(config.control_socket)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hog:
        assert hog.stdout is not None and hog.stdout.readline() == "held\n"
        assert len(list(Path("/proc/self/task").iterdir())) < 100
        assert control_socket.ask(config, "status")["is"] == 1
        hog.communicate("")


@pytest.mark.skipif(os.geteuid() != 0, reason="acts as another user")
def test_whom_root_did_not_choose_is_told_who_may(config: Config) -> None:
    ask = "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
    ask += 's.sendall(b\'{"ask": "status"}\\n\'); print(s.recv(9999).decode())'
    command = [sys.executable, "-I", "-c", ask, str(config.control_socket)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(said)["problem"]["code"] == "not-chosen"


def test_a_long_answer_comes_whole_or_is_told_to_have_broken_off(config: Config) -> None:
    assert list(control_socket.ask_long(config, "manifest", dataset_id="one")) == [b'{"key": "a"}\n', b'{"key": "b"}\n']
    with pytest.raises(Trouble, match="not granted other"):
        list(control_socket.ask_long(config, "manifest", dataset_id="other"))
    with pytest.raises(Trouble, match="broke off"):
        list(control_socket.ask_long(config, "manifest", dataset_id="breaks"))
    with pytest.raises(Trouble, match="knows no 'others'"):
        list(control_socket.ask_long(config, "others"))


def test_a_manifest_is_had_before_the_first_file_is_read(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"path": str(config.run / "copy"), "dataset": "Wide", "manifest": None, "allow_extra": False, "json": True}
    assert moving.check(config, argparse.Namespace(**told)) == 0
    assert json.loads(capsys.readouterr().out)["same_files"] == 3
