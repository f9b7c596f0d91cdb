"""Sends one file, and says how it went: in the store, proved by its ETag, or in one line why not."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import NamedTuple, Union

from strongroom.movers import plan, reading
from strongroom.movers.errors import Altered, Problem, Refused, Unreachable
from strongroom.movers.journal import Journal, Known, Sent
from strongroom.movers.parts import Ask, Parts, Vanished
from strongroom.movers.reading import Changed
from strongroom.movers.s3 import Repository, etag_of_parts
from strongroom.movers.tally import Tally
from strongroom.movers.walk import File, Trouble

_IN_MEMORY = 16  # files of more than a mebibyte that are in memory at once


class Task(NamedTuple):
    """A file, and what is known of its key."""

    file: File
    known: Known | None


class Done(NamedTuple):
    """A file is in the store. `is_new`: this run sent it."""

    sent: Sent
    is_new: bool


class Deleted(NamedTuple):
    """An object that the folder does not hold is gone."""

    key: str


Outcome = Union[Done, Deleted, Trouble]


@dataclass(frozen=True)
class Sender:
    """How files are sent."""

    repository: Repository
    parts: Parts
    tally: Tally
    ask: Ask
    _room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_IN_MEMORY))

    def small(self, task: Task) -> Outcome:
        """A file that goes in one piece: read, both hashes, one request. Raises: OverflowError where it is larger."""
        try:
            if task.file.size_bytes > plan.MIB:
                with self._room:
                    return self._small(task)
            return self._small(task)
        except Unreachable:
            raise
        except Problem as problem:
            return Trouble(task.file.key, _said(problem))

    def huge(self, task: Task) -> Outcome:
        """A file that goes in parts, or is compared with an object of its size first."""
        try:
            return self._compared(task) or self._in_parts(task)
        except Unreachable:
            raise
        except Problem as problem:
            return Trouble(task.file.key, _said(problem))
        except OverflowError:
            return Trouble(task.file.key, _said(Changed("it grows while it is read")))
        except Vanished:
            return Trouble(task.file.key, "its upload was aborted by somebody, twice")

    def delete(self, key: str) -> Outcome:
        """Remove an object that the folder does not hold."""
        try:
            self.ask(lambda: self._gone(key))
        except Refused as problem:
            return Trouble(key, f"it cannot be deleted: {_said(problem)}")
        return Deleted(key)

    def _gone(self, key: str) -> str:
        self.repository.delete(key)
        return key

    def _small(self, task: Task) -> Outcome:
        key = task.file.key
        look, content = _stable(task.file.path)
        md5 = hashlib.md5(content, usedforsecurity=False)
        etag, sha256 = md5.hexdigest(), hashlib.sha256(content).hexdigest()
        sent = Sent(key, look.size_bytes, look.mtime_ns, etag, sha256)
        stored = task.known and task.known.stored
        if stored and (stored.size_bytes, stored.etag) == (look.size_bytes, etag):
            return Done(sent, is_new=False)
        told = self._put(key, content, sha256, md5.digest())
        if told != etag:
            raise Altered("the store holds something else than what was sent")
        return Done(sent, is_new=True)

    def _put(self, key: str, content: bytes, sha256: str, md5: bytes) -> str:
        return self.ask(lambda: self.repository.put(key, content, metadata={"sha256": sha256}, md5=md5))

    def _compared(self, task: Task) -> Done | None:
        """The file as it is stored already; None where it is not."""
        file, stored = task.file, task.known and task.known.stored
        if not stored or stored.size_bytes != file.size_bytes:
            return None
        part_bytes = plan.parts_of_etag(stored.etag, stored.size_bytes)
        if not part_bytes and "-" in stored.etag:
            return None
        try:
            look, sha256, md5s = reading.digests(file.path, part_bytes)
        except Changed:
            return None
        hexes = [md5.hex() for md5 in md5s]
        if stored.etag != (etag_of_parts(hexes) if part_bytes else hexes[0]):
            return None
        return Done(Sent(file.key, look.size_bytes, look.mtime_ns, stored.etag, sha256), is_new=False)

    def _in_parts(self, task: Task) -> Outcome:
        if _is_small(task.file.path):
            return self.small(task)
        return Done(self.parts.send(task.file), is_new=True)


def settle(repository: Repository, journal: Journal) -> None:
    """Before anything is sent: know which of the uploads that were begun can go on."""
    begun = journal.unfinished()
    if not begun:
        return
    there = [(upload.key, upload.upload_id) for upload in repository.list_uploads() if upload.key in begun]
    for key, upload_id in begun.items():
        if not upload_id:
            # The mover was ended while it asked for the upload: its id is not known, and no part was sent.
            for found in (found for at, found in there if at == key):
                repository.abort_upload(key, found)
        if (key, upload_id) not in there:
            journal.end(key)


def abort_left_over(repository: Repository, journal: Journal) -> int:
    """Abort the uploads that were begun and will not go on; how many."""
    begun = journal.unfinished()
    for key, upload_id in begun.items():
        if upload_id:
            repository.abort_upload(key, upload_id)
        journal.end(key)
    return len(begun)


def _stable(path: str) -> tuple[reading.Look, bytes]:
    try:
        return reading.whole(path, plan.ONE_PIECE_BYTES)
    except Changed:
        return reading.whole(path, plan.ONE_PIECE_BYTES)


def _is_small(path: str) -> bool:
    with reading.Reader(path) as reader:
        return reader.look.size_bytes <= plan.ONE_PIECE_BYTES


def _said(problem: Problem) -> str:
    if isinstance(problem, Refused):
        return f"the store refuses it: {problem}"
    if isinstance(problem, Changed):
        return f"{problem}, and so it was not sent; run the command again when it is written"
    return str(problem)
