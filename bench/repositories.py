"""How many repositories with something in them a machine holds, and their cost; stops where the engine refuses."""

import io
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from tests.engine_fixture import Running, start_embedded

from bench.figures import spread, timed
from strongroom.core.errors import Unavailable
from strongroom.core.policy import access_of, compile_policy
from strongroom.core.vocabulary import Kind, State

WANTED, SAMPLE = 10_000, 200
STEPS = (200, 1_000, 2_000, 5_000)


def measure() -> dict[str, object]:
    """Make them one by one, as a data set is made, each with one object of a kilobyte."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder:
        running = start_embedded(Path(folder) / "engine")
        try:
            return _filled(running)
        finally:
            running.stop()


def _filled(running: Running) -> dict[str, object]:
    steps, taken, refusal = [], list[float](), ""
    while len(taken) < WANTED and not refusal:
        try:
            taken.append(timed(lambda: _make(running, len(taken)))[0])
        except Unavailable as error:
            refusal = str(error)
        if len(taken) in STEPS or len(taken) == WANTED or refusal:
            steps.append(_cost(running, taken))
    return {
        "wanted": WANTED,
        "steps": steps,
        "refusal": refusal,
        "health": [f"{each.part}: {each.detail}" for each in running.engine.health() if not each.is_healthy],
        "restart_seconds": _restarted(running),
    }


def _make(running: Running, number: int) -> None:
    engine, name = running.engine, _name(number)
    engine.create_repository(name, tags={"strongroom:dataset": name})
    access = access_of(repository=name, generation=1, kind=Kind.ORIGINAL, state=State.PENDING, uploaders=(), servers=())
    engine.apply_policy(name, compile_policy(access, engine.dialect))
    engine.prove_policy(name, 1)
    engine.put_object(name, "first.csv", io.BytesIO(os.urandom(1000)))


def _name(number: int) -> str:
    return f"dataset-bench-{number:05}"


def _cost(running: Running, taken: list[float]) -> dict[str, object]:
    return {
        "count": len(taken),
        "make": spread(taken[-SAMPLE:]).shown(1000, 0),
        "memory_bytes": sum(_resident(pid) for pid in running.pids()),
        "open_files": max(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()) for pid in running.pids()),
        "disk_bytes": sum(path.stat().st_blocks * 512 for path in running.settings.home.rglob("*") if path.is_file()),
        "read": statistics.median(_read(running, number * 97 % len(taken)) for number in range(50)) * 1000,
    }


def _resident(pid: int) -> int:
    """Source: proc(5), VmRSS."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) * 1024


def _read(running: Running, number: int) -> float:
    return timed(lambda: b"".join(running.engine.read_object(_name(number), "first.csv")))[0]


def _restarted(running: Running) -> float:
    """Killed without a warning, until the storage takes writes and the gateway is open."""
    running.cut()
    began = time.perf_counter()
    running.restart()
    return time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps(measure()))
