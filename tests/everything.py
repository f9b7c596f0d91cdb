"""`python -m tests.everything`: all tests at once, on SQLite and on PostgreSQL, beside what else `make test` looks at.

Those on SQLite wait a good deal for processes that they start. What runs beside them waits for nothing, and would
otherwise come after; it is shown at the end, or at once where something is wrong with it. The last lines say what
failed.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from typing import IO

BESIDE = ("check", "postgresql")
TESTS = ("pytest",)
# What runs beside should be done long before the tests are.
_PATIENCE_SECONDS = 30 * 60
# For pytest to take down what it has started.
_STOP_SECONDS = 30
_NAME = re.compile(r"(FAILED|ERROR) \S+(::| - |$)")  # and no line of a log
_STOPPING = (signal.SIGTERM, signal.SIGINT)

Part = subprocess.Popen[bytes]


class Stopped(BaseException):
    """Somebody asked this run to end."""


def main() -> int:
    """The status of whichever failed; 0 when neither did. SIGTERM and SIGINT end both parts and all they started."""
    parts: list[Part] = []
    for each in _STOPPING:
        signal.signal(each, _stop)
    try:
        with tempfile.TemporaryFile() as said:
            return _run(parts, said)
    except Stopped as stopped:
        _end(parts)
        print(f"\nStopped by {signal.Signals(stopped.args[0]).name}; nothing runs any more.", flush=True)
        return 128 + int(stopped.args[0])


def _run(parts: list[Part], said: IO[bytes]) -> int:
    parts.append(beside := _start(BESIDE, said))

    def show() -> None:
        said.seek(0)
        sys.stdout.buffer.write(said.read())
        sys.stdout.flush()

    watch = threading.Thread(target=lambda: beside.wait() and not said.closed and show(), daemon=True)
    watch.start()
    parts.append(tests := _start(TESTS))
    failures = [f"ended with status {tests.returncode}: make {' '.join(TESTS)}"] if tests.wait() else []
    try:
        beside.wait(_PATIENCE_SECONDS)
        late = ""
    except subprocess.TimeoutExpired:
        late = f"had not ended {_PATIENCE_SECONDS // 60} minutes after the tests, and was stopped"
        _end([beside])
    watch.join()
    if beside.returncode == 0:
        show()
    if late or beside.returncode:
        failures.append(f"{late or f'ended with status {beside.returncode}'}: make {' '.join(BESIDE)} (shown above)")
    for each in _failed(said) if beside.returncode else ():
        print(each, flush=True)
    for each in failures:
        print(f"FAILED, {each}", flush=True)
    return tests.returncode or beside.returncode or bool(late)


def _failed(said: IO[bytes]) -> Iterator[str]:
    """The lines in which pytest names what failed: they were shown long ago, before whatever the other part said."""
    said.seek(0)
    for line in said.read().decode(errors="replace").splitlines():
        if _NAME.match(line):
            yield line


def _start(goals: Iterable[str], said: IO[bytes] | None = None) -> Part:
    """In a process group of its own, so that it ends with all that it started."""
    words = [os.environ.get("MAKE", "make"), *goals]
    error = subprocess.STDOUT if said else None
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=error, process_group=0)


def _stop(number: int, _: object) -> None:
    for each in _STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


def _end(parts: Iterable[Part]) -> None:
    """As Ctrl-C does it, upon which pytest takes down what it has started; then by force whatever is left."""
    for part in parts:
        _tell(part, signal.SIGINT)
    for part in parts:
        with contextlib.suppress(subprocess.TimeoutExpired):
            part.wait(_STOP_SECONDS)
        _tell(part, signal.SIGKILL)
        part.wait()


def _tell(part: Part, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(part.pid, how)


if __name__ == "__main__":
    sys.exit(main())
