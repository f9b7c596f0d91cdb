"""One process that is looked after: started, seen ready, logged, stopped with all its descendants."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from pathlib import Path

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import Sentence, say
from strongroom.engines.processes import ProcessSpec
from strongroom.runtime import launch
from strongroom.runtime.logfile import BoundedLog

_POLL_SECONDS = 0.05
_LAST_WORDS_SECONDS = 1.0
_LAUNCH = (sys.executable, "-I", "-S", str(Path(launch.__file__)))


class Child:
    """A running process of a spec. It leads a process group of its own, so that nothing of it stays behind."""

    def __init__(self, spec: ProcessSpec, process: Process, output: int, log: BoundedLog) -> None:
        self.spec = spec
        self.log = log
        self.started_at = time.monotonic()
        self._process = process
        self._pump = asyncio.create_task(self._keep_output(output))

    @classmethod
    async def start(cls, spec: ProcessSpec, log: BoundedLog) -> "Child":
        """Start it. Must be called from the main thread: the kernel ends it when that thread ends."""
        # A pipe of our own: with one of asyncio's, waiting for the process would wait for its descendants, too.
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *_LAUNCH,
                str(os.getpid()),
                *spec.argv,
                env=dict(spec.env),
                cwd=spec.cwd,
                stdin=DEVNULL,
                stdout=writing,
                stderr=STDOUT,
                start_new_session=True,  # a Ctrl-C at the terminal reaches the supervisor alone, which stops in order
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return cls(spec, process, reading, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def until_ready(self) -> None:
        """Return when the spec says it is ready and its `on_ready` has run.

        Raises: Unavailable when it ends before, or is not ready in time; whatever `on_ready` raises.
        """
        deadline = self.started_at + self.spec.ready_seconds
        while not await asyncio.to_thread(self.spec.is_ready):
            if self._process.returncode is not None:
                await self.ended()
                raise Unavailable(self._words(say("ended before it was ready ({how})", how=self.how_it_ended())))
            if time.monotonic() > deadline:
                raise Unavailable(
                    self._words(say("was not ready within {seconds:g} seconds", seconds=self.spec.ready_seconds))
                )
            await asyncio.sleep(_POLL_SECONDS)
        if self.spec.on_ready is not None:
            await asyncio.to_thread(self.spec.on_ready)

    async def ended(self) -> None:
        """Return when the process has ended; what it left behind in its group is gone then, too."""
        await self._process.wait()
        self._kill_group()
        # Whoever left the group may still hold the pipe: what they say is no longer ours to keep.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._pump), _LAST_WORDS_SECONDS)
        self._pump.cancel()

    async def stop(self) -> bool:
        """Ask it to end, and kill it when it has not within its time. Whether it ended by itself."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), self.spec.stop_seconds)
        except TimeoutError:
            self.kill()
            await self.ended()
            return False
        await self.ended()
        return True

    def kill(self) -> None:
        """End it and its descendants at once."""
        self._kill_group()

    def how_it_ended(self) -> str:
        """`exit 1`, or the name of the signal."""
        code = self._process.returncode
        if code is None:
            return "still running"
        return f"exit {code}" if code >= 0 else signal.Signals(-code).name

    def _words(self, what: Sentence) -> Sentence:
        last = "".join(f"\n    {line}" for line in self.log.tail(5))
        return say(
            "{name} {what}. Its log, {path}, ends with:{last}",
            name=self.spec.name,
            what=what,
            path=self.log.path,
            last=last or say(" (nothing)"),
        )

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _keep_output(self, output: int) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(output, "rb", buffering=0)
        )
        try:
            while data := await reader.read(65536):
                self.log.write(data)
        finally:
            transport.close()
