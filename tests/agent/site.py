"""A whole Strongroom, and a machine on a network of its own where the agent runs as it is served: one file, no venv."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.agent.network import PATIENT, Machine, as_user, machine, unmounted
from tests.agent.room import until
from tests.journeys.api import Study
from tests.journeys.system import System, running

IMDS = "http://169.254.169.254/latest"
TOKEN_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"
NOBODY = 65534
SESSION_SECONDS = 60
HEARTBEAT_SECONDS = 1
SCRIPTS = Path(sys.executable).parent

# An agent reports every mount of a data set on its machine. The mounts of other tests are not on this one.
_WITHOUT_MOUNTS = (
    "while read -r _ point kind _; do "
    'case $kind in fuse*) umount -l "$(printf %b "$point")" ;; esac; '
    'done </proc/mounts; exec "$@"'
)
_BY_ITSELF = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _WITHOUT_MOUNTS, "sh")


def oldest_python() -> str:
    """A Python of the oldest version the agent promises to run under, or the one at hand."""
    for known in sorted(Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob("versions/3.9.*/bin/python")):
        return str(known)
    return shutil.which("python3.9") or sys.executable


def python_for_everybody() -> str:
    """A Python that any local user may run."""
    for known in (PYTHON, sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        if (
            Path(known).exists()
            and not subprocess.run([*as_user(NOBODY), known, "-c", ""], capture_output=True).returncode
        ):
            return known
    raise AssertionError("no Python can be run by others than root: install Debian's python3")


PYTHON = oldest_python()


@dataclass(frozen=True)
class Reply:
    """What curl printed of an answer."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Site:
    """`folder` is where the machine keeps its files."""

    system: System
    machine: Machine
    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        """The control plane, as the machine reaches it."""
        return self.system.door.url

    @cached_property
    def program(self) -> Path:
        """The agent as the control plane serves it."""
        path = self.folder / "strongroom.pyz"
        path.write_bytes(self.system.owner.bytes("/agent/strongroom.pyz"))
        return path

    @cached_property
    def original(self) -> Study:
        """A finalized original with `first/0.csv` to `first/2.csv`."""
        study = self.system.uploaded()
        self.system.finalized(study)
        return study

    def server(self) -> "Server":
        """A server of the owner's space that has yet to join."""
        number = next(self._numbers)
        path = f"/spaces/{self.system.space_id}/enrolments"
        made = self.system.owner.post(path, name=f"server-{number}", os="linux")
        folder = self.folder / f"server-{number}"
        folder.mkdir()
        return Server(self, folder, made["server"]["id"], made["server"]["name"], made["join_token"])

    def ask(
        self, path: str, *options: str, token: str | None = None, user: int | None = None, base: str = IMDS
    ) -> Reply:
        """What the metadata service answers on the machine, with every header."""
        shown = ["-H", f"{TOKEN}: {token}"] if token is not None else []
        done = self.machine.run("curl", "-sS", "-i", "-m", "60", *shown, *options, f"{base}{path}", user=user)
        assert done.returncode == 0, done.stderr
        head, _, text = done.stdout.partition("\n\n")
        lines = head.splitlines()
        headers = dict(line.split(": ", 1) for line in lines[1:])
        return Reply(int(lines[0].split()[1]), headers, text)

    def token(self, seconds: int = 60, user: int | None = None) -> str:
        """A fresh token of the metadata service."""
        reply = self.ask("/api/token", "-X", "PUT", "-H", f"{TOKEN_TTL}: {seconds}", user=user)
        assert reply.status == 200, reply
        return reply.text

    def environ(self, **more: str) -> dict[str, str]:
        """What a shell on the machine has: no key, no profile, no endpoint of the metadata service."""
        (self.folder / "home").mkdir(exist_ok=True)
        (self.folder / "home").chmod(0o755)
        known = {"HOME": str(self.folder / "home"), "PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
        return {**known, **PATIENT, "AWS_REGION": "us-east-1", **more}


@dataclass
class Server:
    """One server as its root sees it."""

    site: Site
    folder: Path
    id: str
    name: str
    token: str
    wrapper: Sequence[str] = ()
    _agent: "subprocess.Popen[bytes] | None" = None

    @property
    def places(self) -> tuple[str, ...]:
        """The options that lead to this server's own folders."""
        etc, state, run = (str(self.folder / name) for name in ("agent.json", "state", "run"))
        return ("--config", etc, "--state", state, "--run", run)

    def command(self, *words: str) -> list[str]:
        """A command of the agent, with nothing installed but Python."""
        return [PYTHON, "-I", "-S", str(self.site.program), *words, *self.places]

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """One command of root's to its end."""
        return self.site.machine.run(*self.command(*words), environ=self.site.environ())

    def run_as(self, user: int, *words: str) -> "subprocess.CompletedProcess[str]":
        """The same as somebody else."""
        command = [python_for_everybody(), *self.command(*words)[1:]]
        return self.site.machine.run(*command, environ=self.site.environ(), user=user)

    def join(self, *words: str, url: str = "") -> "Server":
        """With the one-time token."""
        done = self.run("join", url or self.site.url, "--token", self.token, *words)
        assert done.returncode == 0, done.stderr
        return self

    def configure(self, **settings: Any) -> None:
        """What root writes into agent.json."""
        path = self.folder / "agent.json"
        path.write_text(json.dumps(settings))
        path.chmod(0o644)

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start the daemon and do not wait."""
        words = [*_BY_ITSELF, *self.wrapper, *self.command("run")]
        self._agent = self.site.machine.start(*words, environ=self.site.environ(), log=self.folder / "agent.log")
        return self._agent

    def start(self) -> "Server":
        """Start the daemon and wait until it has answered once."""
        agent = self.launch()
        until(lambda: self.run("status").returncode in (0, 1) or agent.poll() is not None, "the agent", more=self.log)
        assert agent.poll() is None, self.log()
        return self

    def started(self) -> "Server":
        """Start it and wait until all is well."""
        self.start()
        until(lambda: self.run("status").returncode == 0, "all to be well", more=lambda: f"{self.status()}{self.log()}")
        return self

    def stop(self) -> int:
        """As systemd does; the exit code."""
        assert self._agent is not None
        self._agent.terminate()
        code = self._agent.wait(90)
        self._agent = None
        return code

    def kill(self) -> None:
        """As the kernel does when there is no memory; nothing when it does not run."""
        if self._agent is not None:
            self._agent.kill()
            self._agent.wait(90)
            self._agent = None

    def pid(self) -> int:
        """Of the daemon."""
        assert self._agent is not None
        return self._agent.pid

    def status(self) -> Any:
        """What `strongroom status` tells programs."""
        return json.loads(self.run("status", "--json").stdout)

    def problems(self) -> list[str]:
        """The codes of what is wrong."""
        return [each["code"] for each in self.status()["problems"]]

    def show(self) -> Any:
        """The server as the control plane tells it."""
        return self.site.system.owner.get(f"/servers/{self.id}")

    def grant(self, study: Study) -> None:
        """Let it read or work in a data set; until the agent knows."""
        self.site.system.owner.post(f"{study.path}/grants", server_id=self.id, reason="a test")
        until(lambda: study.id in [each["id"] for each in self.status()["datasets"]], "the grant", more=self.log)

    def log(self) -> str:
        """What the daemon said."""
        path = self.folder / "agent.log"
        return path.read_text()[-4000:] if path.exists() else ""


@contextlib.contextmanager
def site(folder: Path, **settings: str) -> Iterator[Site]:
    """Everything started; nothing left behind. Other users must be able to enter the folder."""
    (folder / "strongroom").mkdir()
    with machine() as made:
        listening = {"web_host": made.here, "gateway_host": made.here}
        seconds = {"session_seconds": str(SESSION_SECONDS), "heartbeat_seconds": str(HEARTBEAT_SECONDS)}
        with running(folder / "strongroom", **{**listening, **seconds, **settings}) as system:
            (folder / "machine").mkdir()
            try:
                yield Site(system, made, folder / "machine")
            finally:
                unmounted(folder)


@contextlib.contextmanager
def agent(server: Server) -> Iterator[Server]:
    """The server while its daemon runs, whoever started it."""
    try:
        yield server
    finally:
        server.kill()
        server.site.machine.run("ip", "addr", "del", "169.254.169.254/32", "dev", "lo")
