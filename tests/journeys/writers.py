"""Clients that write all the time, watched from a test."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.journeys.api import Study

WRITER = Path(__file__).with_name("writer.py")


@dataclass(frozen=True)
class Put:
    """One attempt; times are seconds of the system's monotonic clock. `status` 0: no answer."""

    key: str
    md5: str
    began: float
    ended: float
    status: int

    @property
    def is_acknowledged(self) -> bool:
        return self.status == 200


@dataclass
class Writers:
    """What was tried so far; complete after the block."""

    puts: list[Put] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[Put]:
        return [each for each in self.puts if each.is_acknowledged]


@contextmanager
def writing(study: Study, *, processes: int, threads: int, size_bytes: int) -> Iterator[Writers]:
    """Processes that write with the data set's key while the block lasts."""
    command = [sys.executable, str(WRITER), study.endpoint, study.repository, study.access_key_id, study.secret]
    started = [
        subprocess.Popen(
            [*command, str(threads), str(size_bytes), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    seen = Writers()
    readers = [threading.Thread(target=_read, args=(process, seen)) for process in started]
    try:
        for reader in readers:
            reader.start()
        yield seen
    finally:
        for process in started:
            if process.stdin:
                process.stdin.close()
        for reader in readers:
            reader.join(60)
        for process in started:
            process.kill()
            process.wait()


def _read(process: "subprocess.Popen[str]", seen: Writers) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        seen.puts.append(Put(**json.loads(line)))
