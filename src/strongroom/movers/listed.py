"""What a data set holds, as its manifest or a listing tells it: one entry per object, in the order of keys.

A manifest has one JSON line per object. What wrote it is the core's; here is what an old Python reads of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from itertools import count
from typing import NamedTuple

from strongroom.movers.answers import Stored
from strongroom.movers.errors import Problem


class Listed(NamedTuple):
    """One object. `size_bytes` is -1 where a list of digests does not tell it; `etag` is without quotes; `checksum` is
    `sha256:…`, `md5:…`, or None where none is known.
    """

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime
    checksum: str | None = None


class Found(NamedTuple):
    """An object that the store or the manifest knows. `is_as_told`: both know it, as the very same."""

    entry: Listed
    is_there: bool
    is_as_told: bool


class Unreadable(Problem):
    """A manifest that is none."""


def read(lines: Iterable[bytes]) -> Iterator[Listed]:
    """The entries of a manifest, one at a time. Raises: Unreadable, naming the line, also where one is out of order."""
    return in_order(map(_parsed, count(1), lines), "the manifest")


def in_order(entries: Iterable[Listed], what: str) -> Iterator[Listed]:
    """The same. Raises: Unreadable, naming the line of `what`, where one is out of order: it would be passed over."""
    last = b""
    for number, found in enumerate(entries, start=1):
        key = found.key.encode()
        if key <= last:
            raise Unreadable(f"line {number} of {what} is out of order")
        last = key
        yield found


def of_stored(stored: Iterable[Stored]) -> Iterator[Listed]:
    """What a listing tells. Raises: Unreadable where it is out of order."""
    last = b""
    for each in stored:
        key = each.key.encode()
        if key <= last:
            raise Unreadable(f"the store lists {each.key!r} out of order")
        last = key
        yield Listed(each.key, each.size_bytes, each.etag, each.modified_at)


def with_checksums(found: Iterable[Listed], manifest: Iterable[Listed]) -> Iterator[Found]:
    """All of both, in order; with the manifest's checksum where it speaks of this very object (its size and ETag)."""
    known = iter(manifest)
    told = next(known, None)
    for each in found:
        while told is not None and told.key.encode() < each.key.encode():
            yield Found(told, False, False)
            told = next(known, None)
        is_this = False
        if told is not None and told.key == each.key:
            is_this = (told.size_bytes, told.etag) == (each.size_bytes, each.etag)
            each = Listed(each.key, each.size_bytes, each.etag, each.modified_at, told.checksum if is_this else None)
            told = next(known, None)
        yield Found(each, True, is_this)
    while told is not None:
        yield Found(told, False, False)
        told = next(known, None)


def _parsed(number: int, line: bytes) -> Listed:
    try:
        found = _entry(json.loads(line))
        found.key.encode()
    except (ValueError, KeyError, TypeError):
        raise Unreadable(f"line {number} is not one of a manifest of Strongroom") from None
    return found


def _entry(told: object) -> Listed:
    if not isinstance(told, dict):
        raise TypeError
    key, size, etag, checksum = told["key"], told["size_bytes"], told["etag"], told["checksum"]
    if not (isinstance(key, str) and key and type(size) is int and size >= 0 and isinstance(etag, str)):
        raise TypeError
    if not isinstance(checksum, (str, type(None))):
        raise TypeError
    return Listed(key, size, etag, _time(told["modified_at"]), checksum)


def _time(said: str) -> datetime:
    return datetime.fromisoformat(said.removesuffix("Z")).replace(tzinfo=timezone.utc)
