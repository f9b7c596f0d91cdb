"""The list of what was in a data set when it was frozen: one canonical JSON line per object, in key order.

The root is the SHA-256 of the whole file, so that `sha256sum manifest.jsonl` is the whole check of it.
Refuses to know where the lines are written to or where the objects come from.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from strongroom.core import canonical
from strongroom.core.errors import Invalid
from strongroom.core.sentences import say

_FIELDS = frozenset({"checksum", "etag", "key", "modified_at", "size_bytes"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One object. `etag` is without quotes; `checksum` is `md5:…` or `sha256:…` where one is known.

    `modified_at` is aware and kept in UTC to the millisecond, which is all that S3 tells.

    Raises: Invalid when the key is empty, a text is not Unicode, the size is below 0, or the time has no zone.
    """

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime
    checksum: str | None = None

    def __post_init__(self) -> None:
        try:
            f"{self.key}{self.etag}{self.checksum}".encode()
        except UnicodeEncodeError as problem:
            raise Invalid(
                say("The object {key!r} has a key, ETag or checksum that is not Unicode.", key=self.key)
            ) from problem
        if not self.key or self.size_bytes < 0 or self.modified_at.tzinfo is None:
            raise Invalid(say("The object {key!r} has no key, a size below 0, or a time without a zone.", key=self.key))
        at = self.modified_at.astimezone(UTC)
        object.__setattr__(self, "modified_at", at.replace(microsecond=at.microsecond // 1000 * 1000))


class Change(StrEnum):
    """What happened to an object since it was recorded."""

    ADDED = "added"
    MISSING = "missing"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not as it was recorded; `recorded` is None when added, `found` when missing."""

    change: Change
    key: str
    recorded: Entry | None
    found: Entry | None


class Writer:
    """Makes the lines and keeps the sums, in constant memory. The caller writes each line where it belongs."""

    def __init__(self) -> None:
        self.count = 0
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._last: bytes | None = None

    def add(self, entry: Entry) -> bytes:
        """The line of this entry, to be written as it is.

        Raises: Invalid when its key does not come after the one before, in the order of UTF-8 bytes.
        """
        self._last = _next_key(self._last, entry)
        line = encode(entry)
        self._hash.update(line)
        self.count += 1
        self.size_bytes += entry.size_bytes
        return line

    @property
    def root(self) -> str:
        """Hexadecimal SHA-256 of all lines so far."""
        return self._hash.hexdigest()


def encode(entry: Entry) -> bytes:
    """One line of UTF-8 that ends in `\\n` and holds no other `\\n`: keys sorted, no spaces, times to the millisecond.

    Split a manifest at `\\n` bytes only: `str.splitlines` also splits at U+2028, which a key may hold.
    """
    fields = {
        "checksum": entry.checksum,
        "etag": entry.etag,
        "key": entry.key,
        "modified_at": canonical.time(entry.modified_at, "milliseconds"),
        "size_bytes": entry.size_bytes,
    }
    return canonical.one_line(fields).encode() + b"\n"


def decode(line: bytes) -> Entry:
    """The entry of one line, with or without its `\\n`.

    Raises: Invalid unless the line is exactly what `encode` writes: there is one line for an entry, and no other.
    """
    fields = canonical.parse(line)
    if not isinstance(fields, dict) or fields.keys() != _FIELDS or not _has_types(fields):
        raise Invalid(say("This is not a line of a manifest: {line}.", line=line[:200]))
    entry = Entry(
        key=fields["key"],
        size_bytes=fields["size_bytes"],
        etag=fields["etag"],
        modified_at=canonical.read_time(fields["modified_at"]),
        checksum=fields["checksum"],
    )
    if encode(entry).removesuffix(b"\n") != line.removesuffix(b"\n"):
        raise Invalid(say("This line of the manifest is not in canonical form: {line}.", line=line[:200]))
    return entry


def read(lines: Iterable[bytes]) -> Iterator[Entry]:
    """The entries of a manifest, one at a time.

    Raises: Invalid, naming the line, when one cannot be read or is out of order.
    """
    last: bytes | None = None
    for number, line in enumerate(lines, start=1):
        try:
            entry = decode(line)
            last = _next_key(last, entry)
        except Invalid as problem:
            raise Invalid(
                say("Line {number} of the manifest: {problem}", number=number, problem=problem.sentence)
            ) from problem
        yield entry


def compare(recorded: Iterable[Entry], found: Iterable[Entry]) -> Iterator[Difference]:
    """Merge two streams in key order and yield what differs, in key order and constant memory.

    Size, ETag and time must be equal; checksums too where both sides know one of the same kind.

    Raises: Invalid when a stream is not in ascending order of UTF-8 key bytes.
    """
    left, right = _keyed(recorded), _keyed(found)
    was, now = next(left, None), next(right, None)
    while was or now:
        if now is None or (was is not None and was[0] < now[0]):
            assert was is not None
            yield Difference(Change.MISSING, was[1].key, was[1], None)
            was = next(left, None)
        elif was is None or now[0] < was[0]:
            yield Difference(Change.ADDED, now[1].key, None, now[1])
            now = next(right, None)
        else:
            if not _is_same(was[1], now[1]):
                yield Difference(Change.ALTERED, was[1].key, was[1], now[1])
            was, now = next(left, None), next(right, None)


def _keyed(entries: Iterable[Entry]) -> Iterator[tuple[bytes, Entry]]:
    last: bytes | None = None
    for entry in entries:
        last = _next_key(last, entry)
        yield last, entry


def _next_key(last: bytes | None, entry: Entry) -> bytes:
    key = entry.key.encode()
    if last is not None and key <= last:
        raise Invalid(
            say(
                "{key!r} comes after {last!r}, but keys must ascend by their UTF-8 bytes.",
                key=entry.key,
                last=last.decode(),
            )
        )
    return key


def _is_same(was: Entry, now: Entry) -> bool:
    if (was.size_bytes, was.etag, was.modified_at) != (now.size_bytes, now.etag, now.modified_at):
        return False
    if was.checksum is None or now.checksum is None:
        return True
    return was.checksum == now.checksum or was.checksum.partition(":")[0] != now.checksum.partition(":")[0]


def _has_types(fields: dict[str, object]) -> bool:
    return (
        isinstance(fields["key"], str)
        and type(fields["size_bytes"]) is int
        and isinstance(fields["etag"], str)
        and isinstance(fields["checksum"], str | None)
    )
