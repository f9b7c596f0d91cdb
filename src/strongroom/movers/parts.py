"""Sends a huge file in parts: read once in order, several parts under way, and none that is there already."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from typing import Callable

from strongroom.movers import plan
from strongroom.movers.crew import Crew, Lane, Memory
from strongroom.movers.errors import Altered, Refused
from strongroom.movers.journal import Journal, Sent
from strongroom.movers.reading import Changed, Reader, Unreadable
from strongroom.movers.s3 import Repository, etag_of_parts
from strongroom.movers.tally import Tally
from strongroom.movers.walk import File

Ask = Callable[[Callable[[], str]], str]

_BLOCK = plan.MIB
_ZEROS = bytes(_BLOCK)


class Vanished(Exception):
    """The upload is not there any more: somebody aborted it."""


@dataclass
class _Job:
    """One upload that is under way. `there` are parts of an earlier run, `etags` those that are known to be right."""

    key: str
    upload_id: str
    part_bytes: int
    there: dict[int, str]
    etags: dict[int, str] = field(default_factory=dict)
    under_way: int = 0
    failure: Exception | None = None


@dataclass(frozen=True)
class Parts:
    """How huge files are sent. `ask` puts a question to the store, and says when it answers again."""

    repository: Repository
    journal: Journal
    crew: Crew
    memory: Memory
    tally: Tally
    ask: Ask

    def send(self, file: File) -> Sent:
        """Send it; once more when it changes meanwhile.

        Raises: Changed, Unreadable, Altered, Refused.
        """
        try:
            return self._once(file)
        except Vanished:
            self.journal.end(file.key)
        except Changed:
            pass
        return self._once(file)

    def _once(self, file: File) -> Sent:
        with Reader(file.path) as reader:
            job = self._begin(file.key, reader.look.size_bytes)
            try:
                sha256 = self._read(reader, job)
                reader.prove()
            except (Changed, Unreadable):
                self._settle(job)
                self._abort(job)
                raise
            self._settle(job)
            if job.failure:
                raise job.failure
            etag = self._complete(job)
            return Sent(file.key, reader.look.size_bytes, reader.remembered.mtime_ns, etag, sha256)

    def _begin(self, key: str, size_bytes: int) -> _Job:
        part_bytes = plan.part_bytes(size_bytes)
        known = self.journal.unfinished().get(key)
        if known:
            try:
                parts = self.repository.list_parts(key, known)
            except Refused as refusal:
                if refusal.code != "NoSuchUpload":
                    raise
            else:
                return _Job(key, known, part_bytes, {part.number: part.etag for part in parts})
        self.journal.begin(key)
        upload_id = self.ask(lambda: self.repository.create_upload(key))
        self.journal.begin(key, upload_id)
        return _Job(key, upload_id, part_bytes, {})

    def _read(self, reader: Reader, job: _Job) -> str:
        """Read it, and hand part after part to those who send; the SHA-256 of all."""
        summed = hashlib.sha256()
        left, number = reader.look.size_bytes, 0
        while left and not job.failure:
            number, size = number + 1, min(job.part_bytes, left)
            buffer = self.memory.lend(size)
            body = memoryview(buffer)
            try:
                reader.fill(body)
            except BaseException:
                self.memory.give_back(buffer)
                raise
            self.crew.tell(lambda: _count(job, 1))
            summed.update(body)  # before it is handed on: whoever has sent it gives the buffer to the next
            self.crew.do(Lane.PARTS, lambda number=number, buffer=buffer: self._part(job, number, buffer))  # type: ignore[misc]
            left -= size
        return summed.hexdigest()

    def _part(self, job: _Job, number: int, buffer: bytearray) -> None:
        try:
            self._sent(job, number, buffer)
        except (Refused, Altered) as problem:
            is_gone = isinstance(problem, Refused) and problem.code == "NoSuchUpload"
            job.failure = Vanished() if is_gone else problem
        finally:
            self.memory.give_back(buffer)
            self.crew.tell(lambda: _count(job, -1))

    def _sent(self, job: _Job, number: int, buffer: bytearray) -> None:
        if job.failure:
            return
        md5 = _md5(buffer)
        if job.there.get(number) == md5.hex():
            self.tally.spared(len(buffer))
        else:
            etag = self.ask(lambda: self.repository.put_part(job.key, job.upload_id, number, buffer, md5=md5))
            if etag != md5.hex():
                raise Altered("the store holds something else than what was sent")
        job.etags[number] = md5.hex()

    def _settle(self, job: _Job) -> None:
        self.crew.until(lambda: not job.under_way)

    def _complete(self, job: _Job) -> str:
        etags = [job.etags[number] for number in sorted(job.etags)]
        expected = etag_of_parts(etags)
        try:
            etag = self.ask(lambda: self.repository.complete_upload(job.key, job.upload_id, list(enumerate(etags, 1))))
        except Refused as refusal:
            if refusal.code == "NoSuchUpload":
                raise Vanished from None
            raise
        if etag != expected:
            raise Altered("the store holds something else than what was sent")
        self.journal.end(job.key)
        return etag

    def _abort(self, job: _Job) -> None:
        self.repository.abort_upload(job.key, job.upload_id)
        self.journal.end(job.key)


def _md5(buffer: bytearray) -> bytes:
    """Holes of sparse files are read as zeros: their hash is known after the first."""
    if all(buffer.startswith(_ZEROS[: len(buffer) - at], at) for at in range(0, len(buffer), _BLOCK)):
        return _md5_of_zeros(len(buffer))
    return hashlib.md5(buffer, usedforsecurity=False).digest()


@functools.lru_cache(maxsize=8)
def _md5_of_zeros(size: int) -> bytes:
    return hashlib.md5(bytes(size), usedforsecurity=False).digest()


def _count(job: _Job, more: int) -> None:
    job.under_way += more
