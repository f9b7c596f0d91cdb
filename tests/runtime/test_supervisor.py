"""The supervisor on real processes: order, crashes, stopping, and that nothing outlives it."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from strongroom.core.errors import Unavailable
from strongroom.engines.processes import ProcessSpec
from strongroom.runtime import supervisor as supervising
from strongroom.runtime.supervisor import Supervisor
from tests.processes import eventually, is_alive

# A process with a child of its own in the same group, as web servers have: both must go.
FAMILY = """
import os, pathlib, signal, subprocess, sys, time
here = pathlib.Path(sys.argv[1])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
(here / "pids").write_text(f"{os.getpid()} {child.pid}")
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("hello from the process", flush=True)
(here / "ready").touch()
time.sleep(300)
"""


def spec(folder: Path, *words: str, name: str = "family", program: str = FAMILY, **more: object) -> ProcessSpec:
    folder.mkdir(exist_ok=True)
    (folder / "ready").unlink(missing_ok=True)
    return ProcessSpec(
        name=name,
        argv=(sys.executable, "-c", program, str(folder), *words),
        env=dict(os.environ),
        cwd=folder,
        is_ready=(folder / "ready").exists,
        **more,  # type: ignore[arg-type]
    )


def pids(folder: Path) -> list[int]:
    return [int(each) for each in (folder / "pids").read_text().split()]


async def supervisor(folder: Path, said: list[str] | None = None) -> Supervisor:
    lines = said if said is not None else []
    return Supervisor(folder, log_max_bytes=100_000, say=lambda name, what: lines.append(f"{name} {what}"))


def test_a_process_is_started_logged_and_stopped_with_its_children(tmp_path: Path) -> None:
    async def story() -> None:
        watching = await supervisor(tmp_path)
        await watching.start(spec(tmp_path / "a"))
        assert all(is_alive(pid) for pid in pids(tmp_path / "a"))
        await watching.stop()

    asyncio.run(story())
    assert eventually(lambda: not any(is_alive(pid) for pid in pids(tmp_path / "a")))
    assert "hello from the process" in (tmp_path / "family.log").read_text()


def test_processes_stop_in_reverse_order(tmp_path: Path) -> None:
    said: list[str] = []

    async def story() -> None:
        watching = await supervisor(tmp_path, said)
        for name in ("engine", "web", "worker"):
            await watching.start(spec(tmp_path / name, name=name))
        await watching.stop()

    asyncio.run(story())
    assert [line.split()[0] for line in said] == ["worker", "web", "engine"]


def test_a_process_that_ignores_the_request_is_killed_after_its_time(tmp_path: Path) -> None:
    said: list[str] = []

    async def story() -> None:
        watching = await supervisor(tmp_path, said)
        await watching.start(spec(tmp_path / "a", "stubborn", stop_seconds=0.3))
        await watching.stop()

    asyncio.run(story())
    assert eventually(lambda: not any(is_alive(pid) for pid in pids(tmp_path / "a")))
    assert "ended by force after 0.3 s" in said[0]


def test_a_process_that_ends_before_it_is_ready_is_reported_with_its_last_words(tmp_path: Path) -> None:
    async def story() -> None:
        watching = await supervisor(tmp_path)
        try:
            with pytest.raises(Unavailable, match=r"family ended before it was ready \(exit 3\)(.|\n)*no such licence"):
                await watching.start(
                    spec(tmp_path / "a", program="print('no such licence', flush=True); raise SystemExit(3)")
                )
        finally:
            await watching.stop()

    asyncio.run(story())


def test_a_process_that_is_not_ready_in_time_is_reported_and_does_not_stay(tmp_path: Path) -> None:
    async def story() -> int:
        watching = await supervisor(tmp_path)
        slow = spec(tmp_path / "a", program="import time; time.sleep(300)", ready_seconds=0.3)
        with pytest.raises(Unavailable, match=r"was not ready within 0.3 seconds"):
            await watching.start(slow)
        pid = watching.pids()["family"]
        await watching.stop()
        return pid

    pid = asyncio.run(story())
    assert eventually(lambda: not is_alive(pid))


def test_what_is_to_happen_once_ready_happens_before_the_start_is_done(tmp_path: Path) -> None:
    happened: list[bool] = []

    async def story() -> None:
        watching = await supervisor(tmp_path)
        ready = tmp_path / "a" / "ready"
        await watching.start(spec(tmp_path / "a", on_ready=lambda: happened.append(ready.exists())))
        assert happened == [True]
        await watching.stop()

    asyncio.run(story())


def test_a_crashed_process_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []

    async def story() -> None:
        watching = await supervisor(tmp_path, said)
        await watching.start(spec(tmp_path / "a"))
        first = pids(tmp_path / "a")
        (tmp_path / "a" / "ready").unlink()
        os.kill(first[0], signal.SIGKILL)
        assert await asyncio.to_thread(eventually, lambda: any("runs again" in line for line in said))
        second = pids(tmp_path / "a")
        assert second[0] != first[0]
        assert is_alive(second[0])
        assert eventually(lambda: not any(is_alive(pid) for pid in first)), "the crashed process left a child behind"
        await watching.stop()

    asyncio.run(asyncio.wait_for(story(), 200))
    assert "ended unexpectedly (SIGKILL), starts again in 0.5 s" in said[0]


def test_a_process_that_keeps_crashing_is_started_later_and_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "FIRST_DELAY_SECONDS", 0.01)
    said: list[str] = []
    once_then_never = "import pathlib,sys; p = pathlib.Path(sys.argv[1], 'ready'); p.touch()"

    async def story() -> None:
        watching = await supervisor(tmp_path, said)
        await watching.start(spec(tmp_path / "a", program=once_then_never))
        assert await asyncio.to_thread(eventually, lambda: sum("ended unexpectedly" in line for line in said) >= 4)
        await watching.stop()

    asyncio.run(asyncio.wait_for(story(), 200))
    waits = [line.split("again in ")[1] for line in said if "again in" in line]
    assert waits[:4] == ["0.01 s", "0.02 s", "0.04 s", "0.08 s"]


def test_a_check_that_fails_after_a_restart_stops_everything_with_its_words(tmp_path: Path) -> None:
    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise Unavailable("the key-encryption key is not the one the data was written with")

    async def story() -> str:
        watching = await supervisor(tmp_path)
        await watching.start(spec(tmp_path / "a", on_ready=check))
        os.kill(pids(tmp_path / "a")[0], signal.SIGKILL)
        try:
            return await watching.failed
        finally:
            await watching.stop()

    assert "key-encryption key" in asyncio.run(asyncio.wait_for(story(), 200))


def test_a_supervisor_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    """The direct children die by the kernel's hand; their own children are asked for in `test_up`."""
    program = f"""
        import asyncio, os, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from tests.runtime.test_supervisor import spec, supervisor

        async def story():
            watching = await supervisor(Path({str(tmp_path)!r}))
            for name in ("a", "b"):
                folder = Path({str(tmp_path)!r}) / name
                await watching.start(spec(folder, name=name, program=ALONE))
            print("started", flush=True)
            await asyncio.sleep(300)

        ALONE = "import os,pathlib,sys,time; p=pathlib.Path(sys.argv[1]); (p/'pids').write_text(str(os.getpid()));" \\
            "(p/'ready').touch(); time.sleep(300)"
        asyncio.run(story())
    """
    killed = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "started\n"
    alive = [*pids(tmp_path / "a"), *pids(tmp_path / "b")]
    assert all(is_alive(pid) for pid in alive)
    killed.kill()
    killed.communicate()
    assert eventually(lambda: not any(is_alive(pid) for pid in alive))
