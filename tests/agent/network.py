"""A machine of its own on the network: a namespace with its own loopback, and one cable to where the engine is."""

import contextlib
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENT = {"AWS_METADATA_SERVICE_TIMEOUT": "60", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "3"}
"""For clients on a machine that is busy with other tests: they would ask for credentials once, and wait a second."""


@dataclass(frozen=True)
class Machine:
    """`here` is this side of the cable, where the engine listens; `address` is the machine's side."""

    name: str
    here: str
    address: str

    def inside(self, argv: Sequence[str]) -> list[str]:
        """The command as it runs on the machine; it shares the file system, so that mounts are seen here as well."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *argv]

    def run(
        self, *argv: str, environ: Mapping[str, str] | None = None, seconds: float = 200, user: int | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run it there to its end, whatever that is."""
        command = list(argv) if user is None else [*as_user(user), *argv]
        return subprocess.run(
            self.inside(command), env=environ, capture_output=True, text=True, check=False, timeout=seconds
        )

    def start(self, *argv: str, environ: Mapping[str, str] | None = None, log: Path) -> "subprocess.Popen[bytes]":
        """Start it there; the caller ends it."""
        with log.open("ab") as output:
            return subprocess.Popen(
                self.inside(argv), env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )


@contextlib.contextmanager
def machine() -> Iterator[Machine]:
    """Lay the cable, on a network that nobody else uses; leave nothing behind."""
    name = f"strongroom-{secrets.token_hex(3)}"
    tail = name[-6:]
    third, fourth = secrets.randbelow(256), 4 * secrets.randbelow(63)
    made = Machine(name, f"10.213.{third}.{fourth + 1}", f"10.213.{third}.{fourth + 2}")
    _ip("netns", "add", name)
    try:
        _ip("link", "add", f"sh{tail}", "type", "veth", "peer", "name", f"st{tail}", "netns", name)
        _ip("addr", "add", f"{made.here}/30", "dev", f"sh{tail}")
        _ip("link", "set", f"sh{tail}", "up")
        _ip("-n", name, "addr", "add", f"{made.address}/30", "dev", f"st{tail}")
        _ip("-n", name, "link", "set", f"st{tail}", "up")
        _ip("-n", name, "link", "set", "lo", "up")
        yield made
    finally:
        _ip("netns", "delete", name)  # takes its end of the cable with it, and that this one


def as_user(user: int) -> list[str]:
    """What makes a command run as this uid."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def unmounted(folder: Path) -> None:
    """Unmount whatever is mounted below the folder, also what hangs."""
    below = os.path.realpath(folder) + "/"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4].encode().decode("unicode_escape")
        if point.startswith(below):
            subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
