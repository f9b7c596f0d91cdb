"""How a server becomes a container: every option that podman is given, and why."""

import hashlib
import json
from pathlib import Path

from strongroom.hosts.podman import seccomp
from strongroom.hosts.podman.command import Podman, limits
from strongroom.hosts.podman.doors import Door
from strongroom.hosts.podman.folders import HOST_FOLDER, IDS, Made, ServerFolder
from strongroom.hosts.protocol import Offering

STOP_SECONDS = 10
_PROCESSES = 2048
_CAPABILITIES = (
    # Accounts, homes and logins.
    *("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SYS_CHROOT"),
    "NET_BIND_SERVICE",  # sshd, and the metadata service where every client expects it
    "SYS_ADMIN",  # FUSE; within the container's own user namespace, so of nothing outside
    *("NET_ADMIN", "SETPCAP"),  # for the address of the metadata service; given up before anything else starts
)
_VOLUMES = {"home": "/home", "state": "/var/lib/strongroom", "etc": "/etc/strongroom"}


def name_of(server_id: object) -> str:
    """What podman calls a server."""
    return f"strongroom-{server_id}"


def volumes_of(server_id: object) -> dict[str, str]:
    """What of a server's disk outlives its container: volume by the path inside."""
    return {path: f"{name_of(server_id)}-{word}" for word, path in _VOLUMES.items()}


def version_of(made: Made, offering: Offering, image_id: str, doors: list[Door]) -> str:
    """Changes when the container must be made anew to be what it should be."""
    parts = [image_id, made.name, offering.cpus, offering.memory_bytes, *(str(door) for door in doors)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def run_words(
    podman: Podman, folder: ServerFolder, made: Made, offering: Offering, *, version: str, doors: list[Door], label: str
) -> list[str]:
    """The arguments of `podman run`, without the operator's own options."""
    return [
        *("run", "--detach", "--name", name_of(made.id), "--hostname", made.name),
        *("--label", f"strongroom.home={label}", "--label", f"strongroom.version={version}"),
        # No network at all: what a server may reach is sockets in a folder. Nothing has to be kept closed.
        *("--network=none", *_names(doors)),
        *_identity(made),
        *("--cap-drop=all", *(f"--cap-add={each}" for each in _CAPABILITIES)),
        # SELinux lets no container speak to a socket of a process outside, whatever the file's label.
        "--security-opt=label=disable",
        *_seccomp(podman, folder.path / "seccomp.json"),
        *("--device=/dev/fuse", "--systemd=false", f"--stop-timeout={STOP_SECONDS}"),
        *limits(),
        *_sizes(podman, offering),
        *("--log-driver=k8s-file", "--log-opt=max-size=10mb"),
        "--tmpfs=/run:rw,nosuid,nodev,mode=755,size=256m",
        *("--volume", f"{folder.host}:{HOST_FOLDER}:ro", "--volume", f"{folder.ssh}:/run/strongroom/ssh:rw"),
        *(word for path, volume in volumes_of(made.id).items() for word in ("--volume", f"{volume}:{path}")),
        *("--env", f"STRONGROOM_ADDRESSES={' '.join(door.address for door in doors if door.address)}"),
    ]


def _identity(made: Made) -> list[str]:
    """Root inside is nobody outside: a range of ids of its own; without root, podman sees to that by itself."""
    if made.owner is None:
        return []
    return [f"--uidmap=0:{made.owner}:{IDS}", f"--gidmap=0:{made.owner}:{IDS}"]


def _names(doors: list[Door]) -> list[str]:
    return [f"--add-host={door.name}:{door.listen.rpartition(':')[0]}" for door in doors if door.name]


def _sizes(podman: Podman, offering: Offering) -> list[str]:
    """What the machine can limit; a podman that is not root often can limit less."""
    wanted = {
        "memory": f"--memory={offering.memory_bytes}",
        "cpu": f"--cpus={offering.cpus}",
        "pids": f"--pids-limit={_PROCESSES}",
    }
    return [word for controller, word in wanted.items() if controller in podman.controllers]


def _seccomp(podman: Podman, path: Path) -> list[str]:
    default = podman.about["host"]["security"].get("seccompProfilePath") or ""
    return [f"--security-opt=seccomp={path}"] if default and seccomp.write(Path(default), path) else []
