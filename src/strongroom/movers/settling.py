"""When what was received lies on the disk, not in memory alone: only then a file gets the time that later runs trust.

A huge file waits for the disk by itself. To wait once for each of many small ones would take longer than to bring them:
they wait together, and have a time of 1980 until then, by which the next run knows them after a loss of power.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from strongroom.movers.errors import Problem

UNSETTLED = 315_576_002.0
"""The time that a file has until it is on the disk for certain (Unix seconds, in 1980; no file system is older)."""

_MOST = 4096  # files that wait together
_WRITE = 2  # SYNC_FILE_RANGE_WRITE


class Unwritable(Problem):
    """Nothing can be written to the folder, or not any more."""


@dataclass
class Settling:
    """The small files of a run. Any thread may call."""

    most: int = _MOST
    _waiting: list[tuple[str, float]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, path: str, at: float) -> None:
        """It is written; `at` (Unix seconds) is the time it gets. Now and then all are waited for.

        Raises: Unwritable.
        """
        with self._lock:
            self._waiting.append((path, at))
            is_enough = len(self._waiting) >= self.most
        if is_enough:
            self.settle()

    def settle(self) -> None:
        """Wait until all of them are on the disk, and give them their times. Raises: Unwritable."""
        with self._lock:
            settled, self._waiting = self._waiting, []
        try:
            _flush(path for path, _ in settled)
        except OSError as error:
            raise Unwritable(f"what came cannot be brought to the disk: {error.strerror or error}") from None
        for path, at in settled:
            with contextlib.suppress(OSError):  # moved or removed by now; the next run would look at its content
                os.utime(path, (at, at))


def begin(handle: int) -> None:
    """Have what was written to this file go to the disk while more is coming, where the system can be told so.

    Waiting for it in the end then takes no longer than the disk does; nothing is promised by this alone.
    """
    if _sync_file_range is not None:
        _sync_file_range(handle, 0, 0, _WRITE)


def _flush(paths: Iterable[str]) -> None:
    """Have everything of these files on the disk."""
    if _syncfs is None:
        for path in paths:
            _synced(path, os.fsync)
        return
    folders = {os.path.dirname(path) for path in paths}
    systems = {os.stat(folder).st_dev: folder for folder in folders if os.path.isdir(folder)}
    for folder in systems.values():
        _synced(folder, _all_of_system)


def _synced(path: str, sync: Any) -> None:
    try:
        handle = os.open(path, (os.O_RDONLY if _syncfs else os.O_RDWR) | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return
    try:
        sync(handle)
    finally:
        os.close(handle)


def _all_of_system(handle: int) -> None:
    if _syncfs(handle):
        raise OSError("the system could not write it")


def _found(name: str, *arguments: Any) -> Any:
    """A function of Linux; None elsewhere. Source: syncfs(2), sync_file_range(2)."""
    if os.name != "posix":
        return None
    try:
        import ctypes  # a few Pythons lack it

        found = getattr(ctypes.CDLL(None), name)
        found.argtypes = [getattr(ctypes, each) for each in arguments]
    except (ImportError, OSError, AttributeError):
        return None
    else:
        return found


_syncfs = _found("syncfs", "c_int")
_sync_file_range = _found("sync_file_range", "c_int", "c_int64", "c_int64", "c_uint")
