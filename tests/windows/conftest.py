"""An engine with one data set, and the real agent, which gives credentials by its container-credentials URL."""

import getpass
import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from tests.agent.plane import Plane, Server
from tests.engine_fixture import Running, embedded_engine
from tests.ports import free_ports
from tests.windows.drives import Drive

from strongroom.core.policy import access_of, compile_policy
from strongroom.core.vocabulary import Kind, State

__all__ = ["embedded_engine"]

SERVER = "srv-windows"


@dataclass
class Agent:
    """The agent as on Windows: no metadata service, credentials on 127.0.0.1 for whoever reads the token file.

    `lifetime` is of its sessions; `asked` counts those that it fetched.
    """

    running: Running
    folder: Path
    lifetime: timedelta = timedelta(hours=1)
    asked: int = 0
    _places: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._port = free_ports()
        self._plane = Server("127.0.0.1", Plane(self._credentials))
        self.folder.mkdir()
        config = {"imds_address": "off", "credentials_port": self._port, "users": [getpass.getuser()]}
        (self.folder / "agent.json").write_text(json.dumps(config))
        for name, place in (("--config", "agent.json"), ("--state", "state"), ("--run", "run")):
            self._places += [name, str(self.folder / place)]
        assert self._run("join", self._plane.url, "--token", "once").wait(120) == 0, (self.folder / "log").read_text()
        self.token_file = self.folder / "run" / "tokens" / "root"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def places(self) -> list[str]:
        """Its configuration, its state and its run folder."""
        return self._places[1::2]

    @property
    def url(self) -> str:
        """As `AWS_CONTAINER_CREDENTIALS_FULL_URI`."""
        return f"http://127.0.0.1:{self._port}/credentials"

    def start(self) -> None:
        """Run it, with a token of its own, until it listens."""
        self._process = self._run("run")
        while True:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, where it runs."""
        if self._process:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.stop()
        self._plane.shutdown()
        self._plane.server_close()

    def _run(self, *words: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "log").open("ab") as log:
            argv = [sys.executable, "-m", "strongroom.agent", *words, *self._places]
            return subprocess.Popen(argv, stdout=log, stderr=log, cwd=self.folder)

    def _credentials(self) -> dict[str, object]:
        made = self.running.engine.create_session(SERVER, lifetime=self.lifetime)
        self.asked += 1
        return {
            "access_key_id": made.access_key_id,
            "secret_access_key": made.secret,
            "session_token": made.token,
            "session_name": SERVER,
            "expires_at": made.expires_at.isoformat(),
        }


@dataclass
class Dataset:
    """A finalized data set of the real engine with two files and an attachment."""

    running: Running
    repository: str
    generation: int = 0

    def grant(self, kind: Kind, *servers: str) -> None:
        """Exactly these servers, from the moment this returns."""
        self.generation += 1
        access = access_of(
            repository=self.repository,
            generation=self.generation,
            kind=kind,
            state=State.FINALIZED,
            uploaders=[],
            servers=servers,
        )
        self.running.engine.apply_policy(self.repository, compile_policy(access, self.running.engine.dialect))
        self.running.engine.prove_policy(self.repository, self.generation)


@pytest.fixture
def dataset(embedded_engine: Running) -> Iterator[Dataset]:
    """With `scores.csv`, `wave/one.csv` and an attachment."""
    made = Dataset(embedded_engine, f"dataset-test-{secrets.token_hex(8)}")
    embedded_engine.engine.create_repository(made.repository, tags={"strongroom": "test"})
    for key, body in {"scores.csv": b"17", "wave/one.csv": b"x" * 5000, "_attachments/dua.pdf": b"agreement"}.items():
        embedded_engine.client().put_object(Bucket=made.repository, Key=key, Body=body)
    yield made
    embedded_engine.engine.delete_repository(made.repository)


@pytest.fixture
def agent(embedded_engine: Running, tmp_path: Path) -> Iterator[Agent]:
    """Joined, and not running yet."""
    made = Agent(embedded_engine, tmp_path / "agent")
    yield made
    made.close()


@pytest.fixture
def drive(dataset: Dataset, agent: Agent, tmp_path: Path) -> Drive:
    """As the module would make it for an original. The agent does not run yet."""
    settings = dataset.running.settings
    return Drive(
        tmp_path / "drive", dataset.repository, settings.endpoint, settings.region, agent.url, agent.token_file
    )


@pytest.fixture
def listening(agent: Agent) -> Agent:
    """The agent, answering."""
    agent.start()
    return agent
