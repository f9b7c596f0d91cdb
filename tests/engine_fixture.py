"""The embedded engine as tests use it: real processes in a temporary folder, on free ports, gone with the test run.

`embedded_engine` is one engine for a whole session; a test that breaks its engine starts one with `start_embedded`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from strongroom.engines.processes import ProcessSpec
from strongroom.engines.protocol import AccessKey, Session
from strongroom.engines.seaweedfs import embedded
from strongroom.engines.seaweedfs.clients import s3_client
from strongroom.engines.seaweedfs.engine import SeaweedEngine
from strongroom.engines.seaweedfs.settings import Ports, SeaweedSettings
from strongroom.runtime import launch
from tests.ports import free_ports

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONSOLE = "http://console.example:8400"
"""The one origin whose pages may speak to the gateway."""
_PORTS = 21


@dataclass
class Running:
    """An engine whose processes run. `requests` are the names of all requests that `engine` has sent."""

    settings: SeaweedSettings
    requests: list[str] = field(default_factory=list)
    _processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = SeaweedEngine(self.settings, on_request=self.requests.append)

    def start(self) -> None:
        """Start what does not run, in order, as the supervisor does.

        Raises: Unavailable as `on_ready` does; TimeoutError when a process is not ready in time.
        """
        for spec in embedded.processes(self.settings):
            if spec.name not in self._processes:
                self._processes[spec.name] = _started(spec)
                _until_ready(spec, self._processes[spec.name])
                if spec.on_ready:
                    spec.on_ready()

    def stop(self) -> None:
        """Stop all, the youngest first."""
        for name in reversed(list(self._processes)):
            process = self._processes.pop(name)
            process.terminate()
            try:
                process.wait(embedded.STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        for path in Path("/tmp").glob("seaweedfs-*.sock"):  # what is killed leaves its sockets behind
            if any(
                path.name.endswith(f"-{port}.sock")
                for port in range(self.settings.ports.base, self.settings.public_port)
            ):
                path.unlink(missing_ok=True)

    def kill9(self, name: str) -> None:
        """End one process without a warning."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """A process that takes connections and never answers."""
        self._processes[name].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._processes[name].send_signal(signal.SIGCONT)

    def cut(self) -> None:
        """End all processes without a warning."""
        for name in reversed(list(self._processes)):
            self.kill9(name)

    def start_only(self, name: str) -> None:
        """Start one of them and no other, as when the others do not come back."""
        [spec] = [each for each in embedded.processes(self.settings) if each.name == name]
        self._processes[name] = _started(spec)
        _until_ready(spec, self._processes[name])

    def is_running(self, name: str) -> bool:
        """Whether the process was started and not stopped since."""
        return name in self._processes

    def pids(self) -> list[int]:
        """Of all its processes."""
        return [process.pid for process in self._processes.values()]

    def restart(self) -> None:
        """Start again what was killed."""
        self.start()

    def log(self, name: str) -> str:
        """What a process has said so far."""
        return (self.settings.home / f"{name}.log").read_text(errors="replace")

    def client(self, key: AccessKey | Session | None = None, **config: object) -> "S3Client":
        """An S3 client on the public gateway with a key or a session; None: the control plane's own, private one."""
        if key is None:
            return self._administrator
        token = key.token if isinstance(key, Session) else None
        client: S3Client = boto3.session.Session(key.access_key_id, key.secret, token, self.settings.region).client(
            "s3",
            endpoint_url=self.settings.endpoint,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **config),  # type: ignore[arg-type]
        )
        return client

    @cached_property
    def _administrator(self) -> "S3Client":
        return s3_client(self.settings, lambda _: None)

    @contextlib.contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The requests sent inside the block; complete only when nobody else uses the engine."""
        before = len(self.requests)
        seen: list[str] = []
        yield seen
        seen.extend(self.requests[before:])


def start_embedded(folder: Path, public_host: str = "127.0.0.1", storage_processes: int = 1) -> Running:
    """Start an engine in the folder. The caller stops it. `storage_processes` 0: as the limit of open files demands."""
    base = free_ports(_PORTS)
    settings = SeaweedSettings(
        folder,
        org="test",
        public_port=base + _PORTS - 1,
        public_host=public_host,
        ports=Ports(base),
        allowed_origins=(CONSOLE,),
        storage_processes=storage_processes,
    )
    running = Running(settings)
    try:
        running.start()
    except BaseException:
        running.stop()
        raise
    return running


@pytest.fixture(scope="session")
def embedded_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One engine for all tests of a process, whose objects are shared out between two storage processes."""
    running = start_embedded(tmp_path_factory.mktemp("engine") / "home", storage_processes=2)
    yield running
    running.stop()


def _started(spec: ProcessSpec) -> "subprocess.Popen[bytes]":
    # As the supervisor does. Nothing may run between fork and exec here: the handlers that gRPC has for a fork start
    # its threads in the child, too, and they abort it when the descriptors that they wait for are closed.
    with (spec.cwd / f"{spec.name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), *spec.argv],
            env=dict(spec.env),
            cwd=spec.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _until_ready(spec: ProcessSpec, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + spec.ready_seconds
    while not spec.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            log = (spec.cwd / f"{spec.name}.log").read_text(errors="replace")[-2000:]
            raise TimeoutError(f"{spec.name} is not ready: {log}")
        time.sleep(0.02)
