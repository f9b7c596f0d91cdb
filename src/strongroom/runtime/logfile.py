"""A log file that cannot grow without end."""

import os
from pathlib import Path
from typing import BinaryIO

KEPT = 2
"""How many older files stay: `name.log.1` is younger than `name.log.2`."""


class BoundedLog:
    """Appends to `path`, readable by this user alone; puts it aside when it would exceed `max_bytes`."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._file = self._open()

    def write(self, data: bytes) -> None:
        """Append and flush."""
        if self._file.tell() + len(data) > self._max_bytes and self._file.tell():
            self._turn_over()
        self._file.write(data)

    def close(self) -> None:
        """Nothing can be written afterwards."""
        self._file.close()

    def tail(self, lines: int) -> list[str]:
        """The last lines, for a message about what went wrong."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - 8192))
            return file.read().decode(errors="replace").splitlines()[-lines:]

    def _open(self) -> BinaryIO:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "ab", buffering=0)
        file.seek(0, os.SEEK_END)
        return file

    def _turn_over(self) -> None:
        self._file.close()
        for number in range(KEPT, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path if number == 1 else self.path.with_name(f"{self.path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
        self._file = self._open()
