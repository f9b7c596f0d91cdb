"""A server as mounts find it: a real engine and a real agent on a network of their own, and data sets to grant."""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strongroom.core.policy import access_of, compile_policy
from strongroom.core.vocabulary import Kind, State
from strongroom.engines.seaweedfs.settings import DIALECT
from strongroom.runtime import zipapp
from tests.agent.network import PATIENT, Machine, machine, unmounted
from tests.agent.plane import Plane, Server
from tests.engine_fixture import Running, start_embedded

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SESSION = "srv-mountstest0001"
SCRIPTS = Path(sys.executable).parent


@dataclass
class Dataset:
    """A finalized data set; `is_granted` says what the engine and the control plane should say of it."""

    name: str
    kind: Kind
    repository: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_granted: bool = False
    generation: int = 0

    def told(self) -> dict[str, Any]:
        """As the heartbeat's answer lists it."""
        access = "read" if self.kind is Kind.ORIGINAL else "write"
        shown = {"id": self.id, "name": self.name, "repository": self.repository}
        return {**shown, "kind": self.kind.value, "access": access, "granted_until": None}


@dataclass
class Room:
    """`folder` is the machine's: its mounts, the agent's state and logs. The agent serves root and the users named."""

    engine: Running
    machine: Machine
    folder: Path
    plane: Plane
    plane_url: str
    session_seconds: int = 3600
    datasets: list[Dataset] = field(default_factory=list)
    _agent: "subprocess.Popen[bytes] | None" = None

    @property
    def gateway(self) -> str:
        return self.engine.settings.endpoint

    @property
    def s3(self) -> "S3Client":
        """The control plane's own client."""
        return self.engine.client()

    # Data sets

    def dataset(self, kind: Kind = Kind.ORIGINAL, *, name: str = "", is_granted: bool = True, **files: str) -> Dataset:
        """A new one; each keyword is a file `<word>.txt` with that content."""
        made = Dataset(name or f"Data {secrets.token_hex(3)}", kind, f"dataset-test-{uuid.uuid4()}")
        self.engine.engine.create_repository(made.repository, tags={})
        self.datasets.append(made)
        for word, content in files.items():
            self.put(made, f"{word}.txt", content)
        self.grant(made) if is_granted else self.revoke(made)
        return made

    def put(self, dataset: Dataset, key: str, content: str) -> None:
        """As another tool would have written it: no header but the usual."""
        self.s3.put_object(Bucket=dataset.repository, Key=key, Body=content.encode())

    def listing(self, dataset: Dataset) -> dict[str, int]:
        """Sizes by key, as the engine has them."""
        return {each.key: each.size_bytes for each in self.engine.engine.list_objects(dataset.repository)}

    def grant(self, dataset: Dataset) -> None:
        """In the engine, and in what the agent is told."""
        self._apply(dataset, is_granted=True)

    def revoke(self, dataset: Dataset, *, is_told: bool = True) -> None:
        """The same way; with `is_told` False the agent is left in its belief."""
        self._apply(dataset, is_granted=False, is_told=is_told)

    def _apply(self, dataset: Dataset, *, is_granted: bool, is_told: bool = True) -> None:
        dataset.generation += 1
        access = access_of(
            repository=dataset.repository,
            generation=dataset.generation,
            kind=dataset.kind,
            state=State.FINALIZED,
            uploaders=(),
            servers=(SESSION,) if is_granted else (),
        )
        self.engine.engine.apply_policy(dataset.repository, compile_policy(access, DIALECT))
        self.engine.engine.prove_policy(dataset.repository, dataset.generation)
        if is_told:
            dataset.is_granted = is_granted
            self.tell()

    def tell(self) -> None:
        """What the control plane answers from now on, and wait until the agent has heard it."""
        self.plane.answer = {
            "server": {"id": "0d5cbd0e-4b2f-4c53-a0c4-111111111111", "name": "genomics-1", "state": "active"},
            "datasets": [each.told() for each in self.datasets if each.is_granted],
            "endpoint": self.gateway,
            "region": "us-east-1",
        }
        if self._agent is not None:
            self.heard()

    def heard(self, beats: int = 2) -> None:
        """Wait for whole heartbeats."""
        seen = self.plane.beats
        until(lambda: self.plane.beats >= seen + beats, "the agent's heartbeat", more=self.log)

    def credentials(self) -> dict[str, Any]:
        """What the control plane hands out."""
        session = self.engine.engine.create_session(SESSION, lifetime=timedelta(seconds=self.session_seconds))
        return {
            "access_key_id": session.access_key_id,
            "secret_access_key": session.secret,
            "session_token": session.token,
            "expires_at": session.expires_at.isoformat(),
            "session_name": session.name,
        }

    # The agent

    @property
    def program(self) -> tuple[str, ...]:
        """The agent as servers have it."""
        return (_PYTHON, "-I", "-S", str(self.folder / "strongroom"))

    @property
    def places(self) -> tuple[str, ...]:
        """The options that lead every command to this machine's folders."""
        etc, state, run = (str(self.folder / name) for name in ("agent.json", "state", "run"))
        return ("--config", etc, "--state", state, "--run", run)

    def start_agent(self, **settings: Any) -> None:
        """The daemon, until `stop_agent`; `settings` go into agent.json."""
        (self.folder / "agent.json").write_text(json.dumps(settings))
        (self.folder / "agent.json").chmod(0o644)
        if not (self.folder / "state" / "identity.json").exists():
            joined = self.run("join", self.plane_url, "--token", "srj_test")
            assert joined.returncode == 0, joined.stderr
        log = self.folder / "agent.log"
        self._agent = self.machine.start(*self.program, "run", *self.places, environ=self.environ(), log=log)
        until(lambda: self.run("status").returncode in (0, 1), "the agent", more=self.log)
        until(lambda: self.run("credentials").returncode == 0, "credentials", more=self.log)
        self.heard()

    def stop_agent(self) -> None:
        """Mounts outlive it."""
        if self._agent is not None:
            self._agent.terminate()
            self._agent.wait(90)
            self._agent = None

    def run(self, command: str, *words: str, user: int | None = None) -> "subprocess.CompletedProcess[str]":
        """One command of the agent, as root or as a user."""
        return self.machine.run(*self.program, command, *words, *self.places, environ=self.environ(), user=user)

    def log(self) -> str:
        """What the agent said."""
        return (self.folder / "agent.log").read_text()[-3000:]

    # Mount points

    def point(self, name: str = "") -> Path:
        """A new empty folder."""
        made = self.folder / "mnt" / (name or secrets.token_hex(4))
        made.mkdir(parents=True)
        return made

    def health(self, path: Path) -> str:
        """What the control plane last heard of a mount, `absent` if nothing."""
        return next((str(each["health"]) for each in self.plane.mounts if each["path"] == str(path)), "absent")

    def environ(self) -> dict[str, str]:
        """What a person's shell on the machine has: no key anywhere."""
        return {
            "HOME": str(self.folder),
            "PATH": f"{SCRIPTS}:{os.environ['PATH']}",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.gateway,
            "BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE": "true",
            **PATIENT,
        }


# The system's own Python, which every user may run; the file is what servers fetch.
_PYTHON = next(each for each in ("/usr/bin/python3", sys.executable) if Path(each).exists())


def until(true: Callable[[], object], what: str, seconds: float = 90, more: Callable[[], str] = str) -> None:
    """Wait. Raises: AssertionError."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}\n{more()}"
        time.sleep(0.05)


@contextlib.contextmanager
def room(folder: Path) -> Iterator[Room]:
    """Everything started; nothing left behind, mounts included."""
    with machine() as made, contextlib.ExitStack() as stack:
        running = start_embedded(folder / "engine", public_host=made.here)
        stack.callback(running.stop)
        (folder / "machine").mkdir()
        (folder / "machine" / "strongroom").write_bytes(zipapp.build())
        here = Room(running, made, folder / "machine", Plane(lambda: here.credentials()), "")
        server = Server(made.here, here.plane)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        here.plane_url = server.url
        here.tell()
        stack.callback(unmounted, folder)
        stack.callback(here.stop_agent)  # first: it brings back what is to be kept
        here.start_agent()
        yield here
