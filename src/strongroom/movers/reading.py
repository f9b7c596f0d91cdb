"""Reads files so that what is sent is what the file was at one moment: a file that changes meanwhile is noticed."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from typing import NamedTuple

from strongroom.movers.errors import Problem
from strongroom.movers.plan import MIB

_OPENING = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_READ_BYTES = MIB
_COARSEST_NS = 2_000_000_000  # between two times that a file system tells apart. Source: Microsoft, "File Times" (FAT)
_UNTOLD = -1


class Changed(Problem):
    """The file was written while it was read."""


class Unreadable(Problem):
    """The file is gone, may not be read, or is no file any more."""


class Look(NamedTuple):
    """What tells that a file has changed."""

    size_bytes: int
    mtime_ns: int
    identity: int

    def settled(self, began_ns: int) -> Look:
        """As it may be remembered by who began to read then: without a time of change so recent that the next change
        may have the same.
        """
        return self if self.mtime_ns < began_ns - _COARSEST_NS else self._replace(mtime_ns=_UNTOLD)


class Reader:
    """One file, open. Raises from every method: Unreadable."""

    def __init__(self, path: str) -> None:
        self._began_ns = time.time_ns()
        try:
            self._file = os.open(path, _OPENING)
        except OSError as error:
            raise unreadable(error) from None
        self.look = self._look()

    def fill(self, target: memoryview) -> None:
        """Read on until the target is full. Raises: Changed where the file ends before."""
        done = 0
        try:
            while done < len(target):
                count = _read_into(self._file, target[done:])
                if not count:
                    raise Changed("it became shorter while it was read")
                done += count
        except OSError as error:
            raise unreadable(error) from None

    def prove(self) -> None:
        """Raises: Changed where the file is not what it was when it was opened."""
        if self._look() != self.look:
            raise Changed("it was written while it was read")

    @property
    def remembered(self) -> Look:
        """What tells the next run that the file has changed."""
        return self.look.settled(self._began_ns)

    def close(self) -> None:
        """Once."""
        os.close(self._file)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look(self) -> Look:
        seen = os.fstat(self._file)
        if not stat.S_ISREG(seen.st_mode):
            os.close(self._file)
            raise Unreadable("it is no file any more")
        return Look(seen.st_size, seen.st_mtime_ns, seen.st_ino)


def whole(path: str, most_bytes: int) -> tuple[Look, bytes]:
    """A small file and its content. Raises: Changed, Unreadable; OverflowError where it is larger by now."""
    began_ns = time.time_ns()
    try:
        file = os.open(path, _OPENING)
        try:
            seen = os.fstat(file)
            if not stat.S_ISREG(seen.st_mode):
                raise Unreadable("it is no file any more")
            size = seen.st_size
            if size > most_bytes:
                raise OverflowError
            content = os.read(file, size + 1)
            while len(content) < size:
                more = os.read(file, size + 1 - len(content))
                if not more:
                    break
                content += more
            after = os.fstat(file)
        finally:
            os.close(file)
    except OSError as error:
        raise unreadable(error) from None
    if len(content) != size or after.st_size != size or after.st_mtime_ns != seen.st_mtime_ns:
        raise Changed("it was written while it was read")
    return Look(size, seen.st_mtime_ns, seen.st_ino).settled(began_ns), content


def digests(path: str, part_bytes: int) -> tuple[Look, str, list[bytes]]:
    """Read a file in order: its SHA-256 (hex), and the MD5 of each part, of the whole where `part_bytes` is 0.

    Raises: Changed, Unreadable.
    """
    room = memoryview(bytearray(_READ_BYTES))
    with Reader(path) as reader:
        summed = hashlib.sha256()
        md5s: list[bytes] = []
        left = reader.look.size_bytes
        while left or not md5s:
            md5, in_part = hashlib.md5(usedforsecurity=False), min(part_bytes or left, left)
            left -= in_part
            while in_part:
                piece = room[: min(in_part, _READ_BYTES)]
                reader.fill(piece)
                summed.update(piece)
                md5.update(piece)
                in_part -= len(piece)
            md5s.append(md5.digest())
        reader.prove()
        return reader.remembered, summed.hexdigest(), md5s


def unreadable(error: OSError) -> Unreadable:
    """What the system says of a file, for people."""
    if isinstance(error, FileNotFoundError):
        return Unreadable("it was removed before it was read")
    return Unreadable(f"it cannot be read: {error.strerror or error}")


def _read_into(file: int, target: memoryview) -> int:
    if hasattr(os, "readv"):
        return os.readv(file, [target])
    content = os.read(file, min(len(target), 8 * MIB))  # Windows has no way into a buffer of ours
    target[: len(content)] = content
    return len(content)
