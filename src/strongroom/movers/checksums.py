"""By which checksum a content can be compared with what is known of an object, and whether it is the same.

SHA-256 where the manifest has it, else the MD5 that an ETag is: of the whole, or of the MD5s of its parts, whose size
is tried among those that programs use. Source: Amazon S3 User Guide, "Checking object integrity".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Protocol

_MIB = 1024 * 1024
# Ours and rclone's later ones, AWS CLI and boto3, rclone, s5cmd, awscrt, and round numbers of people.
_USUAL_PARTS = tuple(_MIB * size for size in (16, 8, 5, 50, 10, 15, 20, 25, 32, 64, 100, 128, 256, 512, 1024))
_MOST_PARTS = 10_000
_MD5 = re.compile(r"[0-9a-f]{32}")
_OF_PARTS = re.compile(r"([0-9a-f]{32})-([0-9]{1,5})")


class Entry(Protocol):
    """What is known of an object; a line of a manifest is one."""

    @property
    def key(self) -> str:
        """Its name."""

    @property
    def size_bytes(self) -> int:
        """Of its content."""

    @property
    def etag(self) -> str:
        """Without quotes."""

    @property
    def checksum(self) -> str | None:
        """`sha256:…`, `md5:…` or None."""


class Check:
    """Takes a content in order and says whether it is the object's. `word`: what is compared, empty for nothing."""

    def __init__(self, entry: Entry) -> None:
        self.word, self._expected, self._hashes = _chosen(entry)
        self._size_bytes = entry.size_bytes
        self.count = 0

    def update(self, content: Any) -> None:
        """Any bytes-like object. Other threads run meanwhile where it is large."""
        self.count += len(content)
        for each in self._hashes:
            each.update(content)

    def part_bytes(self, most: int) -> int:
        """In pieces of which size the rest may be hashed by any thread, at most so large; 0 where only in order."""
        parts = self._hashes[0] if len(self._hashes) == 1 else None
        if isinstance(parts, _OfParts) and parts.bytes <= most and self.count % parts.bytes == 0:
            return parts.bytes
        return 0

    def add_part(self, md5: bytes, size_bytes: int) -> None:
        """Take the next of the pieces that `part_bytes` speaks of, by its MD5."""
        self.count += size_bytes
        self._hashes[0].add(md5)

    def holds(self) -> bool:
        """Whether all that came is the content of the object, as far as that can be said."""
        if self.count != self._size_bytes:
            return False
        return not self._hashes or any(each.hexdigest() == self._expected for each in self._hashes)


def _chosen(entry: Entry) -> tuple[str, str, list[Any]]:
    kind, _, value = (entry.checksum or "").partition(":")
    if kind == "sha256":
        return "SHA-256", value, [hashlib.sha256()]
    if kind == "md5":
        return "MD5", value, [md5_of()]
    if _MD5.fullmatch(entry.etag):
        return "MD5", entry.etag, [md5_of()]
    parts = _OF_PARTS.fullmatch(entry.etag)
    sizes = part_sizes(entry.size_bytes, int(parts[2])) if parts else ()
    return ("MD5 of its parts" if sizes else ""), entry.etag, [_OfParts(each) for each in sizes]


def part_sizes(size_bytes: int, count: int) -> Sequence[int]:
    """In which sizes an object of so many parts may have been sent, the last part excepted."""
    if count < 1 or count > _MOST_PARTS:
        return ()
    grown = -(-size_bytes // _MOST_PARTS)
    likely = (*_USUAL_PARTS, max(16 * _MIB, -(-grown // _MIB) * _MIB), size_bytes if count == 1 else 0)
    return tuple(dict.fromkeys(each for each in likely if each and max(1, -(-size_bytes // each)) == count))


class _OfParts:
    """The ETag of an object that was sent in parts of one size."""

    def __init__(self, part_bytes: int) -> None:
        self.bytes = part_bytes
        self._left = part_bytes
        self._count = 0
        self._all, self._part = md5_of(), md5_of()

    def update(self, content: Any) -> None:
        view = memoryview(content)
        while len(view):
            if not self._left:
                self._end()
            now = view[: self._left]
            self._part.update(now)
            self._left -= len(now)
            view = view[len(now) :]

    def add(self, md5: bytes) -> None:
        """The next part, whole."""
        if self._left < self.bytes:
            self._end()
        self._all.update(md5)
        self._count += 1

    def _end(self) -> None:
        self._all.update(self._part.digest())
        self._count += 1
        self._part, self._left = md5_of(), self.bytes

    def hexdigest(self) -> str:
        if self._left < self.bytes or not self._count:
            self._end()
        return f"{self._all.hexdigest()}-{self._count}"


def md5_of(content: Any = b"") -> Any:
    """The MD5 of any bytes-like object, to go on with."""
    return hashlib.md5(content, usedforsecurity=False)
