"""Mounts of one data set by each tool, side by side with the AWS CLI on the same data: speed, memory, honesty.

Everything runs on a machine of its own network with credentials from its metadata service, as on a server. The tools
are started as the agent starts them.
"""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.agent.room import SCRIPTS, Dataset, Room, room, until

from strongroom.agent import mounts_deeds, mounts_kernel, mounts_tools
from strongroom.agent.config import Config
from strongroom.agent.mounts_tools import Plan
from strongroom.core.vocabulary import Kind

ROUNDS = 3
BIG_BYTES = 1 << 30
LISTED, READ, WRITTEN, OPENED = 10_000, 2_000, 200, 40
AWS = "aws"


@dataclass(frozen=True)
class Tool:
    """`name` is what the table calls it; `program` its path."""

    name: str
    kind: str
    program: str


def tools() -> list[Tool]:
    """What is installed; BENCH_RCLONE names a second rclone."""
    path = f"{SCRIPTS}:{os.environ['PATH']}"
    found = [(kind, kind, shutil.which(kind, path=path)) for kind in mounts_tools.TOOLS]
    found.append(("rclone", "rclone", os.environ.get("BENCH_RCLONE")))
    named = [Tool(f"{name} {_version(program)}", kind, program) for name, kind, program in found if program]
    chosen = [each for each in named if each.name.split()[-1] != "?"]
    assert mounts_tools.DEFAULT in {each.kind for each in chosen}, "the default is not installed, of all tools"
    return chosen


@contextlib.contextmanager
def mounted(here: Room, dataset: Dataset, tool: Tool) -> Iterator[tuple[Path, int]]:
    """A fresh mount and the pid of its program; as the agent makes it."""
    point = here.point()
    plan = Plan(
        repository=dataset.repository,
        path=str(point),
        tool=tool.kind,
        umask="002",
        uid=0,
        gid=0,
        is_read_only=dataset.kind is Kind.ORIGINAL,
        is_shared=True,
        is_original=dataset.kind is Kind.ORIGINAL,
        endpoint=here.gateway,
        region="us-east-1",
    )
    environ = mounts_tools.environment(Config(), str(here.folder))
    log = here.folder / f"{tool.kind}.log"
    process = here.machine.start(*mounts_tools.command(plan, tool.program), environ=environ, log=log)
    try:
        until(lambda: mounts_kernel.at(str(point)), tool.name, more=log.read_text)
        yield point, process.pid
    finally:
        mounts_deeds.end(str(point), process.pid, is_forced=True)
        process.wait()


def seconds(*command: str) -> float:
    """How long a command takes, which must go well."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def reading(here: Room, original: Dataset, tool: Tool) -> dict[str, float]:
    """One round of reading."""
    with mounted(here, original, tool) as (point, pid):
        found = {
            "list": seconds("ls", "-l", str(point / "many")),
            "find": seconds("find", str(point / "many"), "-type", "f", "-size", "+1k"),
            "read": seconds("dd", f"if={point}/big.bin", "of=/dev/null", "bs=1M", "status=none"),
            "small": seconds("sh", "-c", f"cat {point}/few/*"),
            "first": statistics.median(_first_byte(point / "many" / f"{n:05d}") for n in range(0, LISTED, 250)),
        }
        return {**found, "memory": _peak(pid)}


def writing(here: Room, derivative: Dataset, tool: Tool, big: Path, small: Path) -> dict[str, float]:
    """One round of writing; a write counts when the file is closed."""
    with mounted(here, derivative, tool) as (point, pid):
        return {
            "write": seconds("dd", f"if={big}", f"of={point}/big.bin", "bs=1M", "status=none"),
            "small_write": seconds("cp", "-r", str(small), str(point / "copied")),
            "write_memory": _peak(pid),
        }


def aws(here: Room, original: Dataset, derivative: Dataset, big: Path, small: Path) -> dict[str, float]:
    """The same by the AWS CLI."""
    target = here.folder / "fetched"

    def do(*words: str) -> float:
        command = here.machine.inside(["aws", "s3", *words])
        began = time.perf_counter()
        subprocess.run(command, env=here.environ(), check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    bucket, work = f"s3://{original.repository}", f"s3://{derivative.repository}"
    found = {
        "list": do("ls", f"{bucket}/many/"),
        "read": do("cp", "--quiet", f"{bucket}/big.bin", str(target / "big.bin")),
        "small": do("sync", "--quiet", f"{bucket}/few", str(target / "few")),
        "write": do("cp", "--quiet", str(big), f"{work}/aws.bin"),
        "small_write": do("sync", "--quiet", str(small), f"{work}/aws"),
    }
    shutil.rmtree(target)
    return found


def honesty(here: Room, tool: Tool) -> dict[str, str]:
    """What a program is told when access was taken away under it, and when it is back."""
    made = here.dataset(Kind.DERIVATIVE, one="11", two="22")
    with mounted(here, made, tool) as (point, _):
        _said(lambda: (point / "one.txt").read_text())
        here.revoke(made, is_told=False)  # the agent would end a mount of s3fs
        found = {
            "read before": _said(lambda: (point / "one.txt").read_text()),
            "not read before": _said(lambda: (point / "two.txt").read_text()),
            "write": _said(lambda: str((point / "new").write_text("x" * 9))),
            "append": _said(lambda: _append(point / "one.txt")),
            "list": _said(lambda: str(len(list(point.iterdir())))),
        }
        if found["list"].isdigit():
            until(lambda: not _said(lambda: str(len(list(point.iterdir())))).isdigit(), "names to be forgotten", 90)
            found["list"] = "names for some seconds"
        here.grant(made)
        found["after a new grant"] = _said(lambda: (point / "one.txt").read_text())
    return {**found, "lost or late": "yes" if "new" in here.listing(made) else "no"}


def measure() -> dict[str, Any]:
    """Everything, in turn."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder, room(Path(folder)) as here:
        here.plane.heartbeat_seconds = 5  # the agent looks at mounts, too
        here.heard()
        big, small = Path(folder) / "big.bin", Path(folder) / "small"
        original, derivative = _filled(here, big, small)
        chosen = tools()
        values: dict[str, list[dict[str, float]]] = {name: [] for name in (AWS, *(each.name for each in chosen))}
        for _ in range(ROUNDS):
            values[AWS].append(aws(here, original, derivative, big, small))
            for tool in chosen:
                found = reading(here, original, tool)
                values[tool.name].append({**found, **writing(here, derivative, tool, big, small)})
                _emptied(here, derivative)
        medians = {name: _medians(rounds) for name, rounds in values.items()}
        return {
            "tools": medians,
            "honesty": {each.name: honesty(here, each) for each in chosen},
            "big_bytes": BIG_BYTES,
            "counts": {"listed": LISTED, "read": READ, "written": WRITTEN},
            "rounds": ROUNDS,
        }


def _filled(here: Room, big: Path, small: Path) -> tuple[Dataset, Dataset]:
    original, derivative = here.dataset(Kind.ORIGINAL), here.dataset(Kind.DERIVATIVE)
    block = os.urandom(1 << 26)
    big.write_bytes(block * (BIG_BYTES >> 26))
    small.mkdir()
    for number in range(WRITTEN):
        (small / f"{number:04d}").write_bytes(os.urandom(4096))
    keys = [f"many/{number:05d}" for number in range(LISTED)] + [f"few/{number:04d}" for number in range(READ)]

    def put(key: str) -> None:
        here.s3.put_object(Bucket=original.repository, Key=key, Body=os.urandom(4096))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, keys))
    here.s3.upload_file(str(big), original.repository, "big.bin")
    return original, derivative


def _emptied(here: Room, derivative: Dataset) -> None:
    for each in list(here.engine.engine.list_objects(derivative.repository)):
        here.engine.engine.delete_object(derivative.repository, each.key)


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(each[name] for each in rounds), 4) for name in rounds[0]}


def _first_byte(path: Path) -> float:
    began = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        file.read(1)
    return time.perf_counter() - began


def _append(path: Path) -> str:
    with path.open("a") as file:
        file.write("x")
    return "done"


def _said(deed: Callable[[], str]) -> str:
    try:
        return repr(deed()).strip("'") or "empty, no error"
    except OSError as problem:
        return (problem.strerror or "error").lower()


def _peak(pid: int) -> float:
    """MB at most so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise ValueError("no VmHWM")


def _version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = [word.lstrip("vV") for word in said.split() if word.lstrip("vV")[:1].isdigit() and "." in word]
    return found[0].split("-")[0] if found else "?"


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)
