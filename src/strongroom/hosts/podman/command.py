"""Runs podman and reads what it says; every failure is a refusal that says what the operator can do."""

import json
import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import Sentence, say

PATIENCE_SECONDS = 120.0
_FILES, _PROCESSES = 20_000, 4_000
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
WITHOUT_PODMAN = say(
    "Install podman on the machine that runs Strongroom (apt-get install podman) or name it with STRONGROOM_PODMAN; "
    "or enrol a machine that is there: `strongroom server enrol`."
)


class Podman:
    """The podman of this machine. `words` is how it is started."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self._words = (*words, *_runtime()) if words == ("podman",) else words
        self._about: dict[str, Any] | None = None

    def run(self, *arguments: str, seconds: float = PATIENCE_SECONDS) -> str:
        """What it prints. Raises: Unavailable with its last words."""
        done = self.tried(*arguments, seconds=seconds)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit {done.returncode}"]
            raise Unavailable(
                say("podman {command} failed: {said}", command=arguments[0], said=said[-1]),
                way_out=_way_out(said[-1]),
            )
        return done.stdout

    def tried(self, *arguments: str, seconds: float = PATIENCE_SECONDS) -> "subprocess.CompletedProcess[str]":
        """What became of it. Raises: Unavailable when it is not there, or does not end."""
        try:
            return subprocess.run(
                [*self._words, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(
                say(
                    "podman {command} has not ended within {seconds:g} seconds.",
                    command=arguments[0],
                    seconds=seconds,
                ),
                way_out=say("See what the machine is busy with; it is tried again."),
            ) from None
        except OSError as error:
            raise Unavailable(
                say(
                    "Servers cannot be made here: {podman} does not run ({problem}).",
                    podman=self._words[0],
                    problem=error.strerror,
                ),
                way_out=WITHOUT_PODMAN,
            ) from None

    @property
    def about(self) -> dict[str, Any]:
        """What it says of itself and the machine, asked once. Raises: Unavailable."""
        if self._about is None:
            self._about = json.loads(self.run("info", "--format", "json", seconds=20))
        return self._about

    @property
    def is_rootless(self) -> bool:
        """Whether it runs without being root."""
        return bool(self.about["host"]["security"]["rootless"])

    @property
    def controllers(self) -> list[str]:
        """What can be limited here, such as `memory`."""
        return list(self.about["host"].get("cgroupControllers") or [])


def limits() -> list[str]:
    """Options that keep podman from asking for more files and processes than this process may have."""
    words = []
    for name, number, most in (
        ("nofile", resource.RLIMIT_NOFILE, _FILES),
        ("nproc", resource.RLIMIT_NPROC, _PROCESSES),
    ):
        _, hard = resource.getrlimit(number)
        allowed = most if hard == resource.RLIM_INFINITY else min(hard, most)
        words.append(f"--ulimit={name}={allowed}:{allowed}")
    return words


def _runtime() -> list[str]:
    """The usual runtime (crun) refuses machines whose control groups are half old, half new; runc does not."""
    is_mixed = Path("/sys/fs/cgroup/unified").exists()
    return ["--runtime", "runc"] if is_mixed and shutil.which("runc", path=_PATH) else []


def _way_out(said: str) -> Sentence:
    if "no space left" in said.lower():
        free = say("podman image prune") if os.geteuid() else say("podman image prune, as root")
        return say("Make room on the disk where podman keeps its containers ({free}); it is tried again.", free=free)
    return say("See `podman info`; it is tried again.")
