"""How many repositories with something in them a machine holds, and their cost; stops where the engine refuses."""

import io
import json
import os
import resource
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.engine_fixture import Running, start_embedded

from bench.figures import spread, timed
from strongroom.core.errors import Unavailable
from strongroom.core.policy import access_of, compile_policy
from strongroom.core.vocabulary import Kind, State
from strongroom.engines import Engine

STEPS, SAMPLE = (1_000, 2_500, 5_000, 7_500, 10_000, 11_000), 50
THREADS = 8


def measure() -> dict[str, object]:
    """Make them as data sets are made, each with one object of a kilobyte, several at a time between the samples."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder:
        running = start_embedded(Path(folder) / "engine", storage_processes=0)
        try:
            return _filled(running)
        finally:
            running.stop()


def _filled(running: Running) -> dict[str, object]:
    steps, count, refusal = [], 0, ""
    for step in STEPS:
        count, refusal = _fill(running, count, step)
        if refusal:
            break
        steps.append({"count": step, **_cost(running, step)})
    if refusal:
        steps.append({"count": count, **_cost(running, count, makes=False)})
    return {
        "wanted": STEPS[-1],
        "reached": count,
        "steps": steps,
        "refusal": refusal,
        "unwell": [f"{each.part}: {each.detail}" for each in running.engine.health() if not each.is_healthy],
        "storage_processes": len(running.settings.storages),
        "most_open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "restart_seconds": _restarted(running),
    }


def _fill(running: Running, start: int, stop: int) -> tuple[int, str]:
    """How many there are then, and why there are no more."""
    refusals: list[str] = []

    def make(number: int) -> bool:
        if refusals:
            return False
        try:
            _make(running, number)
        except Unavailable as error:
            refusals.append(str(error))
            return False
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        made = sum(threads.map(make, range(start, stop)))
    return start + made, refusals[0] if refusals else ""


def _make(running: Running, number: int) -> tuple[float, float]:
    """The seconds that the data set takes, and those that its first object takes."""
    engine, name = running.engine, _name(number)
    return timed(lambda: _create(engine, name))[0], timed(
        lambda: engine.put_object(name, "first.csv", io.BytesIO(os.urandom(1000)))
    )[0]


def _create(engine: Engine, name: str) -> None:
    engine.create_repository(name, tags={"strongroom:dataset": name})
    access = access_of(repository=name, generation=1, kind=Kind.ORIGINAL, state=State.PENDING, uploaders=(), servers=())
    engine.apply_policy(name, compile_policy(access, engine.dialect))
    engine.prove_policy(name, 1)


def _name(number: int) -> str:
    return f"dataset-bench-{number:05}"


def _cost(running: Running, count: int, *, makes: bool = True) -> dict[str, object]:
    """What the machine gives for them; and what one more takes, one at a time."""
    samples = range(count + STEPS[-1], count + STEPS[-1] + (SAMPLE if makes else 0))
    taken = [_make(running, number) for number in samples]
    told = {
        "memory_bytes": sum(_resident(pid) for pid in running.pids()),
        "open_files": max(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()) for pid in running.pids()),
        "disk_bytes": sum(path.stat().st_blocks * 512 for path in running.settings.home.rglob("*") if path.is_file()),
        "read": spread([_read(running, number * 97 % count) for number in range(SAMPLE)]).shown(1000),
        "create": spread([each for each, _ in taken]).shown(1000, 0) if taken else "",
        "first_object": spread([each for _, each in taken]).shown(1000, 0) if taken else "",
    }
    for number in samples:
        running.engine.delete_repository(_name(number))
    return told


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
