"""Where the podman host keeps what is its own, what its servers may reach, and where people come in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BASE_IMAGE = "docker.io/library/debian:bookworm-slim"


@dataclass(frozen=True)
class PodmanSettings:
    """All the podman host needs to know. `home` is its own folder, private to the user.

    `gateway_url` and `control_plane_url` are reached from inside a server by the very same URLs as from outside.
    `agent` gives the program that servers run. `authorities` is a PEM file that servers trust besides the usual ones.
    """

    home: Path
    gateway_url: str
    control_plane_url: str
    agent: Callable[[], bytes]
    podman: tuple[str, ...] = ("podman",)
    options: tuple[str, ...] = ()
    base_image: str = BASE_IMAGE
    ssh_host: str = "127.0.0.1"
    ssh_ports: range = range(9500, 9600)
    offerings: Path | None = None
    authorities: Path | None = None
