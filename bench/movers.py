"""The programs that move a folder into a data set and back: ours and those that people would use instead.

Each is a process of its own with a home of its own, given the same key pair or, for ours, a sign-in; none is tuned
beyond what its manual says about this kind of store.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_VENV = Path(sys.executable).parent
# The AWS CLI of the second version is a package of Debian; only there can it be told to use the common runtime (CRT).
_AWS_2 = Path("/usr/bin/aws")
OURS = "strongroom"


@dataclass(frozen=True)
class Target:
    """One data set as a mover is told of it."""

    dataset_id: str
    repository: str
    endpoint: str
    environ: dict[str, str]


@dataclass(frozen=True)
class Mover:
    """`up` and `down` give the command that moves a folder into the data set, and it into an empty folder."""

    name: str
    up: Callable[[Path, Target], Sequence[str]]
    down: Callable[[Path, Target], Sequence[str]]
    settings: str = ""

    def run(self, command: Sequence[str], target: Target, home: Path) -> None:
        """To its end. Raises: RuntimeError with what it said, unless it exits 0."""
        if self.settings:
            (home / ".aws").mkdir(exist_ok=True)
            (home / ".aws" / "config").write_text(self.settings)
        environ = {**target.environ, "HOME": str(home), "PATH": os.environ["PATH"]}
        done = subprocess.run(list(command), env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} exited {done.returncode}: {done.stdout[-2000:]}")


def movers(*, is_on_port_80: bool) -> list[Mover]:
    """What is installed, ours first. The common runtime speaks to port 80 whatever the endpoint says."""
    found = [_ours(), _aws(f"aws {_version(_VENV / 'aws')} s3 sync", _VENV / "aws")]
    if _AWS_2.exists():
        name = f"aws {_version(_AWS_2)} s3 sync"
        found.append(_aws(name, _AWS_2))
        if is_on_port_80:
            runtime = "[default]\ns3 =\n    preferred_transfer_client = crt\n"
            found.append(_aws(f"{name}, CRT", _AWS_2, runtime))
    return [*found, _rclone(), _s5cmd()]


def _ours() -> Mover:
    program = str(_VENV / "strongroom")
    return Mover(
        OURS,
        lambda folder, target: [program, "upload", str(folder), target.dataset_id],
        lambda folder, target: [program, "download", target.dataset_id, str(folder)],
    )


def _aws(name: str, program: Path, settings: str = "[default]\n") -> Mover:
    def words(target: Target) -> list[str]:
        return [str(program), "--endpoint-url", target.endpoint, "s3", "sync", "--only-show-errors"]

    return Mover(
        name,
        lambda folder, target: [*words(target), str(folder), f"s3://{target.repository}/"],
        lambda folder, target: [*words(target), f"s3://{target.repository}/", str(folder)],
        settings,
    )


def _rclone() -> Mover:
    program = shutil.which("rclone", path=f"{_VENV}:{os.environ['PATH']}") or "rclone"

    def words(target: Target) -> list[str]:
        where = f"--s3-endpoint={target.endpoint}"
        same = ["--config=/dev/null", "--s3-provider=Other", "--s3-env-auth", "--s3-no-check-bucket", where]
        return [program, "copy", *same, "--transfers=16", "--checkers=16"]

    return Mover(
        f"rclone {_version(Path(program))} copy",
        lambda folder, target: [*words(target), str(folder), f":s3:{target.repository}"],
        lambda folder, target: [*words(target), f":s3:{target.repository}", str(folder)],
    )


def _s5cmd() -> Mover:
    program = str(_VENV / "s5cmd")

    def words(target: Target) -> list[str]:
        return [program, "--log", "error", "--endpoint-url", target.endpoint, "cp"]

    return Mover(
        f"s5cmd {_version(Path(program))} cp",
        lambda folder, target: [*words(target), f"{folder}/", f"s3://{target.repository}/"],
        lambda folder, target: [*words(target), f"s3://{target.repository}/*", f"{folder}/"],
    )


def _version(program: Path) -> str:
    word = "version" if program.name in ("rclone", "s5cmd") else "--version"
    said = subprocess.run([str(program), word], capture_output=True, text=True, check=True).stdout
    first = said.split()[0] if program.name in ("aws", "s5cmd") else said.split()[1]
    return first.rpartition("/")[2].removeprefix("v").partition("-")[0]
