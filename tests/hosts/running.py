"""The podman host as tests use it: a real podman, the real relay, and two places that a server may reach.

The image is built once for each state of its recipe, and kept by podman; everything else goes with the tests.
"""

import contextlib
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from strongroom.hosts.podman import containers, folders, image
from strongroom.hosts.podman.command import Podman
from strongroom.hosts.podman.host import PodmanHost
from strongroom.hosts.podman.image import Building
from strongroom.hosts.podman.settings import PodmanSettings
from strongroom.hosts.protocol import Joining, ServerSpec
from strongroom.runtime import zipapp
from tests.ports import free_ports
from tests.runtime.front_door import eventually

SSH_PORTS = 8
IMAGE_SECONDS = 900


def build_image(podman: Podman) -> str:
    """The id of the image, built where it is not there; another test process may be at it."""
    can_make = os.geteuid() == 0 and shutil.which("debootstrap", path="/usr/sbin:/sbin:/usr/bin") is not None
    deadline = time.monotonic() + IMAGE_SECONDS
    while not image.built(podman):
        try:
            base = PodmanSettings.base_image
            image.build(podman, base, debootstrap=can_make, tell=lambda words: print(words, file=sys.stderr))
        except Building:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
    return image.built(podman)


class Place(socketserver.ThreadingTCPServer):
    """Something that listens on this machine: says its name to whoever connects, and then what they say."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, name: str, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _Echo)
        self.name = name
        self.visits = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Place)
        self.server.visits += 1
        with contextlib.suppress(OSError):
            self.request.sendall(f"{self.server.name}\n".encode())
            while data := self.request.recv(65536):
                self.request.sendall(data)


@dataclass
class Running:
    """A host, its relay, and the places `gateway` and `control_plane`."""

    home: Path
    gateway: Place = field(default_factory=lambda: Place("gateway"))
    control_plane: Place = field(default_factory=lambda: Place("control plane"))
    first_port: int = field(default_factory=lambda: free_ports(SSH_PORTS))
    made: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        ports = range(self.first_port, self.first_port + SSH_PORTS)
        self.settings = PodmanSettings(
            home=self.home / "servers",
            gateway_url=f"http://127.0.0.1:{self.gateway.port}",
            control_plane_url=f"http://127.0.0.1:{self.control_plane.port}",
            agent=zipapp.build,
            ssh_ports=ports,
        )
        self.host = PodmanHost(self.settings)
        self.podman = self.host.podman

    @contextlib.contextmanager
    def relaying(self) -> Iterator["subprocess.Popen[bytes]"]:
        """The real process, with the settings that belong to this host."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        environ = {
            **os.environ,
            "STRONGROOM_HOME": str(self.home),
            "STRONGROOM_GATEWAY_PORT": str(self.gateway.port),
            "STRONGROOM_WEB_PORT": str(self.control_plane.port),
            "STRONGROOM_SERVER_SSH_PORTS": f"{self.first_port}-{self.first_port + SSH_PORTS - 1}",
        }
        ready = self.home / "relay.ready"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "strongroom.runtime", "relay", "--ready-file", str(ready)]
        with subprocess.Popen(command, env=environ) as process:
            try:
                assert eventually(ready.exists)
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)

    def spec(self, *, name: str = "", offering: str = "linux-small", port: int | None = None) -> ServerSpec:
        """A server nobody has made, with a port nobody has."""
        server_id = uuid4()
        number = len(self.made) % SSH_PORTS
        self.made.append(server_id)
        joining = Joining(self.settings.control_plane_url, "no-such-token")
        return ServerSpec(server_id, name or f"server-{number}", offering, port or self.first_port + number, joining)

    def inside(self, server_id: UUID, *words: str, user: str = "root") -> "subprocess.CompletedProcess[str]":
        """Run a program in the server."""
        return self.podman.tried("exec", "--user", user, containers.name_of(server_id), *words, seconds=200)

    def said(self, server_id: UUID, script: str, user: str = "root") -> str:
        """What a shell script in the server says, errors among it."""
        done = self.inside(server_id, "sh", "-c", script, user=user)
        return (done.stdout + done.stderr).strip()

    def until_ready(self, spec: ServerSpec) -> ServerSpec:
        """Return when the server's way out is open."""
        probe = f"exec 3<>/dev/tcp/127.0.0.1/{self.gateway.port}"
        assert eventually(lambda: self.inside(spec.id, "bash", "-c", probe).returncode == 0), self.log(spec.id)
        return spec

    def log(self, server_id: UUID) -> str:
        """What the server has printed."""
        done = self.podman.tried("logs", containers.name_of(server_id))
        return done.stdout + done.stderr

    def folder(self, server_id: UUID) -> folders.ServerFolder:
        """Its folder on the host."""
        return folders.of(self.settings.home, server_id)

    def close(self) -> None:
        """Leave nothing behind."""
        for server_id in self.made:
            self.host.delete(server_id)
        for place in (self.gateway, self.control_plane):
            place.shutdown()
            place.server_close()


def asked(port: int, question: bytes = b"", *, path: str = "", until: Callable[[bytes], bool] | None = None) -> bytes:
    """What is answered at a port of this machine (or a unix socket), up to the end or until it is enough."""
    family: int = socket.AF_UNIX if path else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(60)
        answer = b""
        try:
            sock.connect(path or ("127.0.0.1", port))
            sock.sendall(question)
            while (data := sock.recv(65536)) and not (until and until(answer + data)):
                answer += data
            return answer + data
        except OSError:
            return answer
