"""Starts processes in order, keeps them running, stops them in reverse; refuses to know what they do.

A crashed process is started again, later and later while it keeps crashing. When the supervisor itself is killed, the
kernel ends every process it started (`launch`).
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from strongroom.core.errors import Unavailable
from strongroom.engines.processes import ProcessSpec
from strongroom.runtime.child import Child
from strongroom.runtime.logfile import BoundedLog

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""After running this long, a crash counts as the first again."""


class Supervisor:
    """`say` gets one line for people at each change: the name of the process and what happened to it."""

    def __init__(self, logs: Path, *, log_max_bytes: int, say: Callable[[str, str], None]) -> None:
        self._logs = logs
        self._log_max_bytes = log_max_bytes
        self._say = say
        self._children: dict[str, Child] = {}
        self._watches: list[asyncio.Task[None]] = []
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Holds a sentence as soon as something is so wrong that everything must stop."""

    async def start(self, spec: ProcessSpec) -> float:
        """Start a process, return when it is ready: seconds it took. Raises: Unavailable."""
        began = time.monotonic()
        log = BoundedLog(self._logs / f"{spec.name}.log", self._log_max_bytes)
        child = await self._started(spec, log)
        await child.until_ready()
        watch = asyncio.create_task(self._keep_running(spec, log))
        watch.add_done_callback(self._watch_ended)
        self._watches.append(watch)
        return time.monotonic() - began

    async def stop(self) -> None:
        """Stop everything, the youngest first, each within its time."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        for name, child in reversed(list(self._children.items())):
            began = time.monotonic()
            by_itself = await child.stop()
            child.log.close()
            how = "stopped" if by_itself else f"ended by force after {child.spec.stop_seconds:g} s; nothing is lost"
            self._say(name, f"{how} ({time.monotonic() - began:.1f} s)")
        self._children.clear()

    def kill(self) -> None:
        """End everything at once, for people in a hurry."""
        for child in self._children.values():
            child.kill()

    def pids(self) -> dict[str, int]:
        """The process ids by name, oldest first."""
        return {name: child.pid for name, child in self._children.items()}

    async def _started(self, spec: ProcessSpec, log: BoundedLog) -> Child:
        child = await Child.start(spec, log)
        self._children[spec.name] = child
        return child

    async def _keep_running(self, spec: ProcessSpec, log: BoundedLog) -> None:
        delay = FIRST_DELAY_SECONDS
        while True:
            child = self._children[spec.name]
            await child.ended()
            if time.monotonic() - child.started_at > STEADY_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self._say(spec.name, f"ended unexpectedly ({child.how_it_ended()}), starts again in {delay:g} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)
            await self._start_again(spec, log)

    async def _start_again(self, spec: ProcessSpec, log: BoundedLog) -> None:
        child = await self._started(spec, log)
        try:
            await child.until_ready()
        except Unavailable as refusal:
            if await asyncio.to_thread(spec.is_ready):  # it runs, and its own check says that it must not
                self._fail(str(refusal))
            child.kill()
            return
        self._say(spec.name, "runs again")

    def _watch_ended(self, watch: "asyncio.Task[None]") -> None:
        if not watch.cancelled() and (error := watch.exception()):
            self._fail(f"The supervisor cannot go on: {error!r}")

    def _fail(self, sentence: str) -> None:
        if not self.failed.done():
            self.failed.set_result(sentence)
