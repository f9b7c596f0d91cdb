"""Brings one object into a file: written beside it, compared while it comes, renamed only when it is the object's.

What broke off is gone on with: the name of what is beside says of which object and version it is.
"""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from dataclasses import dataclass
from typing import NamedTuple

from strongroom.movers import settling
from strongroom.movers.checksums import Check, md5_of
from strongroom.movers.crew import Crew, Lane
from strongroom.movers.errors import Altered, Refused
from strongroom.movers.limiting import Limit
from strongroom.movers.listed import Listed
from strongroom.movers.s3 import Repository
from strongroom.movers.settling import Settling
from strongroom.movers.tally import Tally

MIB = 1024 * 1024
PARTIAL = ".strongroom-part"
"""How the name of a file ends that is not finished."""

WHOLE_BYTES = MIB  # up to here an object is one request and one write
RANGES_FROM_BYTES = 256 * MIB
_BLOCK_BYTES = MIB // 4
_RANGE_BYTES = 16 * MIB  # as large as the parts of most: the engine decrypts the pieces of a part whole
_AHEAD = 4
_LOCAL = threading.local()
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


class Task(NamedTuple):
    """An object and where it goes."""

    entry: Listed
    path: str


@dataclass(frozen=True)
class Receiver:
    """What all tasks of a run share."""

    repository: Repository
    crew: Crew
    tally: Tally
    limit: Limit
    settling: Settling
    ranges_from_bytes: int = RANGES_FROM_BYTES

    def receive(self, task: Task) -> str:
        """Make the file; what it was compared by. Raises: Altered, when a second try brings something else, too."""
        if task.entry.size_bytes <= WHOLE_BYTES:
            return self._whole(task)
        beside = beside_of(task)
        try:
            return self._streamed(task, beside)
        except Altered:
            os.unlink(beside)  # what was there from a run before may be what was wrong
        try:
            return self._streamed(task, beside)
        except Altered:
            os.unlink(beside)
            raise

    def _whole(self, task: Task) -> str:
        entry = task.entry
        view = _room()[: entry.size_bytes]
        word = self._fetched(entry, view)
        beside = beside_of(task)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o666)
        try:
            _write(handle, view)
        finally:
            os.close(handle)
        os.utime(beside, (settling.UNSETTLED, settling.UNSETTLED))
        os.replace(beside, task.path)
        self.settling.add(task.path, entry.modified_at.timestamp())
        return word

    def _fetched(self, entry: Listed, view: memoryview) -> str:
        for is_last in (False, True):
            check = Check(entry)
            if entry.size_bytes:
                self.limit.take(entry.size_bytes)
                count = self.repository.fill(entry.key, view, etag=entry.etag)
                self.tally.moved(count)
                check.update(view[:count])
            if check.holds():
                return check.word
            if is_last:
                raise _altered(check)
        raise AssertionError

    def _streamed(self, task: Task, beside: str) -> str:
        entry, check = task.entry, Check(task.entry)
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | _BINARY, 0o666)
        try:
            self._read_back(handle, check, entry.size_bytes)
            if entry.size_bytes - check.count > self.ranges_from_bytes:
                self._in_ranges(entry, handle, check)
            else:
                self._in_blocks(entry, handle, check)
            if not check.holds():
                raise _altered(check)
            os.fsync(handle)  # before it has the name: a loss of power must not leave the name over other bytes
        finally:
            os.close(handle)
        _finish(task, beside)
        return check.word

    def _read_back(self, handle: int, check: Check, most: int) -> None:
        """What a run before has brought."""
        view = _room()
        if os.fstat(handle).st_size > most:
            os.truncate(handle, 0)
        with os.fdopen(os.dup(handle), "rb", buffering=0) as content:
            content.seek(0)
            while True:
                count = content.readinto(view)
                if not count:
                    break
                check.update(view[:count])
                self.tally.spared(count)
        os.lseek(handle, check.count, os.SEEK_SET)

    def _in_blocks(self, entry: Listed, handle: int, check: Check) -> None:
        def take(block: memoryview) -> None:
            self.limit.take(len(block))
            self._write(handle, check, block)

        room = _room()[:_BLOCK_BYTES]
        self.repository.blocks(entry.key, room, take, start=check.count, end=entry.size_bytes, etag=entry.etag)

    def _in_ranges(self, entry: Listed, handle: int, check: Check) -> None:
        """Several connections at once; what they bring is written and hashed in order, while the next are coming."""
        part_bytes = check.part_bytes(_RANGE_BYTES)
        range_bytes = part_bytes or _RANGE_BYTES
        starts = range(check.count, entry.size_bytes, range_bytes)
        rooms = [memoryview(bytearray(range_bytes)) for _ in range(_AHEAD)]
        came: dict[int, tuple[int, bytes]] = {}
        refused: list[Refused] = []

        def fetch(index: int) -> None:
            view = rooms[index % _AHEAD][: entry.size_bytes - starts[index]]
            self.limit.take(len(view))
            count, md5 = 0, b""
            try:
                count = self.repository.fill(entry.key, view, start=starts[index], etag=entry.etag)
                md5 = md5_of(view[:count]).digest() if part_bytes else b""
            except Refused as refusal:  # raised where the others wait: it is about this object alone
                refused.append(refusal)
            self.crew.tell(lambda: came.update({index: (count, md5)}))

        asked = 0
        for index in range(len(starts)):
            while asked < min(len(starts), index + _AHEAD):
                self.crew.do(Lane.PARTS, functools.partial(fetch, asked))
                asked += 1
            self.crew.until(functools.partial(came.__contains__, index))
            if refused:
                raise refused[0]
            count, md5 = came.pop(index)
            self._write(handle, check, rooms[index % _AHEAD][:count], md5)

    def _write(self, handle: int, check: Check, block: memoryview, md5: bytes = b"") -> None:
        self.crew.check()
        if md5:
            check.add_part(md5, len(block))
        else:
            check.update(block)
        self.tally.moved(len(block))
        _write(handle, block)
        if check.count // _RANGE_BYTES > (check.count - len(block)) // _RANGE_BYTES:
            settling.begin(handle)


def beside_of(task: Task) -> str:
    """Where a file is written until it is whole."""
    entry = task.entry
    mark = hashlib.sha256(f"{entry.key}\n{entry.etag}\n{entry.size_bytes}".encode()).hexdigest()[:20]
    return os.path.join(os.path.dirname(task.path), f".{mark}{PARTIAL}")


def _finish(task: Task, beside: str) -> None:
    at = task.entry.modified_at.timestamp()
    os.utime(beside, (at, at))
    os.replace(beside, task.path)


def _write(handle: int, content: memoryview) -> None:
    while len(content):
        content = content[os.write(handle, content) :]


def _altered(check: Check) -> Altered:
    return Altered(f"what came is not what the data set holds: its {check.word or 'size'} is another one")


def _room() -> memoryview:
    """A buffer of the calling thread, used again and again."""
    try:
        found: memoryview = _LOCAL.room
    except AttributeError:
        found = _LOCAL.room = memoryview(bytearray(WHOLE_BYTES))
    return found
