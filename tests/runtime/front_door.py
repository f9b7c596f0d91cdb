"""`up` as a real process: started from nothing on free ports, watched from outside."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx

from tests.ports import free_ports
from tests.processes import descendants, eventually, is_alive

READY_SECONDS = 150


@dataclass
class FrontDoor:
    """One home with ports of its own; `start` may be called again after it ended."""

    home: Path
    engine: str = "memory"
    more: dict[str, str] = field(default_factory=dict)
    first_port: int = field(default_factory=lambda: free_ports(30))
    process: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        listening = f"http://{self.more.get('STRONGROOM_WEB_HOST', '127.0.0.1')}:{self.first_port}"
        return self.more.get("STRONGROOM_PUBLIC_URL", listening)

    @property
    def environ(self) -> dict[str, str]:
        settings = {
            "STRONGROOM_HOME": str(self.home),
            "STRONGROOM_ENGINE": self.engine,
            "STRONGROOM_WEB_PORT": str(self.first_port),
            "STRONGROOM_GATEWAY_PORT": str(self.first_port + 1),
            "STRONGROOM_ENGINE_PORT": str(self.first_port + 2),
            "STRONGROOM_STORAGE_PROCESSES": "1",  # whatever the limit of open files here
            "STRONGROOM_SERVER_SSH_PORTS": f"{self.first_port + 22}-{self.first_port + 29}",
        }
        return {**os.environ, **settings, **self.more, "PYTHONUNBUFFERED": "1"}

    @property
    def output_file(self) -> Path:
        return self.home.with_suffix(".output")

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    def operate(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run an operator's command to its end."""
        command = [sys.executable, "-m", "strongroom.runtime", *words]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=150)

    def client(self, printed: str) -> "subprocess.CompletedProcess[str]":
        """Run a `strongroom …` command as it was printed, as a person with a configuration folder of their own."""
        words = shlex.split(printed)
        assert Path(words[0]).name == "strongroom", printed
        command = [sys.executable, "-m", "strongroom.cli", *words[1:]]
        environ = {**self.environ, "XDG_CONFIG_HOME": str(self.home.with_suffix(".config"))}
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=150)

    def with_tables(self) -> "FrontDoor":
        """A home whose database has its tables: making them is half of what a first start costs."""
        self.home.mkdir(mode=0o700)
        place = self.home / "strongroom.sqlite3"
        place.write_bytes(_empty_tables())
        place.chmod(0o600)
        return self

    def launch(self) -> "subprocess.Popen[str]":
        """Start `up` and do not wait."""
        with self.output_file.open("w") as output:
            command = [sys.executable, "-m", "strongroom.runtime", "up"]
            self.process = subprocess.Popen(
                command, env=self.environ, stdout=output, stderr=subprocess.STDOUT, text=True
            )
        return self.process

    def start(self) -> "FrontDoor":
        """Start `up` and wait until it says how to go on."""
        process = self.launch()
        assert eventually(lambda: "Ctrl-C stops" in self.output or process.poll() is not None, READY_SECONDS), (
            self.output
        )
        assert process.poll() is None, self.output
        return self

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait: the exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(120)

    def pids(self) -> list[int]:
        """Everything that `up` started, whoever started it in turn."""
        assert self.process is not None
        return descendants(self.process.pid)

    def readiness(self) -> httpx.Response:
        """What `/readyz` answers."""
        return httpx.get(f"{self.url}/readyz", timeout=60)

    def code(self) -> str | None:
        """The one-time code that was printed, or None."""
        found = re.search(r"--code (\S+)", self.output)
        return found[1] if found else None

    def printed(self, word: str) -> str:
        """The first line of the output that has this word, such as a command to copy."""
        return next(line.strip() for line in self.output.splitlines() if word in line)


@cache
def _empty_tables() -> bytes:
    """The database as `migrate` leaves it, made once for all tests of this process."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-tables-"))
    try:
        door = FrontDoor(folder / "home")
        made = door.operate("migrate")
        assert made.returncode == 0, made.stderr
        with contextlib.closing(sqlite3.connect(door.home / "strongroom.sqlite3")) as database:
            return database.serialize()
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def front_door(home: Path, **more: str) -> Iterator[FrontDoor]:
    """A front door that leaves nothing behind."""
    door = FrontDoor(home, **more)  # type: ignore[arg-type]
    try:
        yield door
    finally:
        if door.process is not None and door.process.poll() is None:
            left = door.pids()
            door.process.kill()
            door.process.wait(60)
            assert eventually(lambda: not any(is_alive(pid) for pid in left)), "something outlived its supervisor"
