"""The audit ledger as a chain: each entry's hash covers its facts, its number and the hash before it.

Refuses to know where entries are kept. What a chain alone cannot show is that its whole end was cut off or made
anew; `verify` therefore takes heads that were noted elsewhere, in signed receipts or at an earlier verification.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from strongroom.core import canonical
from strongroom.core.errors import Invalid
from strongroom.core.sentences import say

GENESIS = "0" * 64
FORM = "strongroom-ledger/1"
EXPORT_FORM = "strongroom-ledger-export/1"
FAULTS_LISTED = 100

Head: TypeAlias = tuple[int, str]
"""A place in the chain: sequence and hash. `(0, GENESIS)` is the place before the first entry."""

START: Head = (0, GENESIS)

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | bool | None"
"""No fractions: PostgreSQL writes 1e2 back as 100, and the hash would be another."""

_TEXTS = ("verb", "outcome", "actor_email", "address", "request_id", "subject", "reason", "previous_hash", "hash")
_IDS = ("actor_id", "space_id", "dataset_id")
_FIELDS = frozenset({"sequence", "at", "before", "after", *_TEXTS, *_IDS})


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact, as the row of the ledger holds it. `at` is aware, to the microsecond; hashes are SHA-256 in hex."""

    sequence: int
    at: datetime
    verb: str
    outcome: str
    actor_id: UUID | None
    actor_email: str
    address: str
    request_id: str
    space_id: UUID | None
    dataset_id: UUID | None
    subject: str
    before: Json
    after: Json
    reason: str
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found. `head` is the last entry read; `notes` says what this check could not show."""

    count: int
    head: Head
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_partial: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found that is changed, missing, inserted or out of order."""
        return not self.faults


def link(
    previous: Head,
    *,
    at: datetime,
    verb: str,
    outcome: str,
    actor_id: UUID | None = None,
    actor_email: str = "",
    address: str = "",
    request_id: str = "",
    space_id: UUID | None = None,
    dataset_id: UUID | None = None,
    subject: str = "",
    before: Json = None,
    after: Json = None,
    reason: str = "",
) -> Entry:
    """The entry that follows `previous` (sequence, hash), with its own hash. Store its values as they are.

    Raises: Invalid when a text cannot be stored by every database as it is (NUL, lone surrogates).
        TypeError when `before` or `after` holds anything but JSON's objects, lists, texts, whole numbers, true,
        false and null. ValueError when `at` has no zone.
    """
    sequence, previous_hash = previous
    unsealed = Entry(
        sequence=sequence + 1,
        at=_utc(at),
        verb=_stored(str(verb)),
        outcome=_stored(str(outcome)),
        actor_id=actor_id,
        actor_email=_stored(actor_email),
        address=_stored(address),
        request_id=_stored(request_id),
        space_id=space_id,
        dataset_id=dataset_id,
        subject=_stored(subject),
        before=_plain(before),
        after=_plain(after),
        reason=_stored(reason),
        previous_hash=previous_hash,
        hash="",
    )
    return _sealed(unsealed)


def hash_of(entry: Entry) -> str:
    """What `entry.hash` must be: SHA-256 over the canonical JSON of everything else, in hexadecimal.

    The same for an entry that went through SQLite, PostgreSQL or an export: times are UTC to the microsecond,
    and the order of keys in `before` and `after` does not count.
    """
    facts = _facts(entry) | {"type": FORM}
    del facts["hash"]
    # surrogatepass: an entry that somebody altered into broken text must be reported, not crash the check.
    return hashlib.sha256(canonical.one_line(facts).encode("utf-8", "surrogatepass")).hexdigest()


def to_json(entry: Entry) -> str:
    """One line of canonical JSON, without a line break."""
    return canonical.one_line(_facts(entry))


def from_json(line: str) -> Entry:
    """The entry of one line, with or without its line break. The hash is read, not checked.

    Raises: Invalid unless the line is exactly what `to_json` writes.
    """
    body = line.removesuffix("\n").removesuffix("\r")
    values = canonical.parse(body)
    if not isinstance(values, dict) or values.keys() != _FIELDS:
        raise Invalid(say("This is not an entry of the ledger."))
    entry = _read(values)
    if to_json(entry) != body:
        raise Invalid(say("This entry of the ledger is not in canonical form."))
    return entry


def verify(
    entries: Iterable[Entry],
    *,
    start: str = GENESIS,
    start_sequence: int = 0,
    expected_head: Head | None = None,
    anchors: Mapping[int, str] | None = None,
) -> Report:
    """Walk a chain in constant memory and tell what is changed, missing, inserted, out of order or cut off.

    `start` is the hash, `start_sequence` the number of the entry before the first one given. The chain must end at
    `expected_head` and pass `anchors` (sequence to hash), noted for example in signed receipts.
    """
    walk = _Walk((start_sequence, start), expected_head, anchors or {}, is_partial=False)
    for entry in entries:
        walk.take(entry)
    return walk.report()


def export_header(*, after: Head, head: Head, space_id: UUID | None = None, count: int | None = None) -> str:
    """The first line of an export: which entries it follows, where it ends, of which space (None: all entries).

    `count` is how many entries come: what breaks off on its way may end like any other answer.
    """
    header = {
        "after": {"hash": after[1], "sequence": after[0]},
        "head": {"hash": head[1], "sequence": head[0]},
        "space_id": str(space_id) if space_id else None,
        "type": EXPORT_FORM,
    }
    return canonical.one_line(header if count is None else {**header, "count": count})


def announced(first: str) -> int | None:
    """How many entries follow the first line of an export; None where it does not say."""
    try:
        header = canonical.parse(first)
    except Invalid:
        return None
    count = header.get("count") if isinstance(header, dict) and header.get("type") == EXPORT_FORM else None
    return count if type(count) is int else None


def verify_export(
    lines: Iterable[str], *, expected_head: Head | None = None, anchors: Mapping[int, str] | None = None
) -> Report:
    """Check JSON lines offline, in constant memory. Without a header they must be the whole chain from its start.

    The entries of one space cannot chain, for those between belong to others: each is checked against its own hash,
    neighbours against each other, and the report is partial and says what that leaves open.
    """
    numbered = enumerate(lines, start=1)
    number, first = next(numbered, (1, ""))
    walk, is_header = _opened(first, expected_head, anchors or {})
    walk.announced = announced(first)
    if not is_header:
        _take_line(walk, number, first)
    for number, line in numbered:
        if walk.announced is not None and not line.endswith("\n") and _is_cut(line):
            break  # in the middle of it, which is no fault of the ledger
        _take_line(walk, number, line)
    return walk.report()


def _is_cut(line: str) -> bool:
    try:
        from_json(line)
    except Invalid:
        return True
    return False


class _Walk:
    """How far a verification is, and what it found."""

    def __init__(self, start: Head, end: Head | None, anchors: Mapping[int, str], *, is_partial: bool) -> None:
        self.head = start
        self.end = end
        self.anchors = {sequence: noted for sequence, noted in anchors.items() if sequence > start[0]}
        self.is_partial = is_partial
        self.count = 0
        self.announced: int | None = None
        self.faults: list[str] = []
        self.unlisted = 0

    def take(self, entry: Entry) -> None:
        self.count += 1
        if hash_of(entry) != entry.hash:
            self.fault(f"Entry {entry.sequence} was changed: its facts do not make its hash.")
        self._follows(entry)
        noted = self.anchors.pop(entry.sequence, entry.hash)
        if noted != entry.hash:
            self.fault(f"Entry {entry.sequence} was replaced: another hash of it was noted elsewhere.")
        self.head = (entry.sequence, entry.hash)

    def fault(self, text: str) -> None:
        if len(self.faults) < FAULTS_LISTED:
            self.faults.append(text)
        else:
            self.unlisted += 1

    def report(self) -> Report:
        if self.end is not None and not self.is_partial and self.head != self.end:
            self.fault(self._wrong_end(self.end))
        if self.announced is not None and self.count < self.announced and not self.faults[1:]:
            self.fault(
                f"The export broke off: {self.announced} entries were to come, and {self.count} came. Export it again."
            )
        if not self.is_partial:
            for sequence in sorted(self.anchors):
                self.fault(f"Entry {sequence} is missing: it was noted elsewhere.")
        more = [f"{self.unlisted} more faults are not listed."] if self.unlisted else []
        return Report(self.count, self.head, self.faults + more, self._notes(), self.is_partial)

    def _follows(self, entry: Entry) -> None:
        sequence, previous_hash = self.head
        if entry.sequence <= sequence:
            self.fault(f"Entry {entry.sequence} stands after entry {sequence}: it was moved, doubled or inserted.")
        elif entry.sequence == sequence + 1:
            if entry.previous_hash != previous_hash:
                self.fault(f"Entry {entry.sequence} does not follow entry {sequence}: one of them was replaced.")
        elif not self.is_partial:
            self.fault(f"{_entries(sequence + 1, entry.sequence - 1, 'is', 'are')} missing.")

    def _wrong_end(self, end: Head) -> str:
        if self.head[0] < end[0]:
            return f"The end is cut off: the last entry is {self.head[0]}, but entry {end[0]} is known."
        if self.head[0] > end[0]:
            return f"{_entries(end[0] + 1, self.head[0], 'was', 'were')} added after the known end."
        return f"Entry {end[0]} was replaced: the known end has another hash."

    def _notes(self) -> list[str]:
        if self.is_partial:
            return [
                "These are some entries of the ledger, not the chain: each was checked against its own hash. That "
                "none is missing, and that none was made anew with a new hash, only the whole ledger can show."
            ]
        if self.end is None:
            return ["The chain holds up to its last entry; that nothing after it was cut off, this check cannot show."]
        return []


def _entries(first: int, last: int, one: str, several: str) -> str:
    return f"Entry {first} {one}" if first == last else f"Entries {first} to {last} {several}"


def _opened(first: str, expected_head: Head | None, anchors: Mapping[int, str]) -> tuple[_Walk, bool]:
    try:
        header = canonical.parse(first)
        if not isinstance(header, dict) or header.get("type") != EXPORT_FORM:
            raise Invalid(say("This is no header."))
        after, head = _head(header["after"]), _head(header["head"])
        is_partial = header["space_id"] is not None
    except (Invalid, KeyError, TypeError):
        return _Walk(START, expected_head, anchors, is_partial=False), False
    return _Walk(after, expected_head or head, anchors, is_partial=is_partial), True


def _head(value: Any) -> Head:
    sequence, noted = value["sequence"], value["hash"]
    if type(sequence) is not int or not canonical.is_sha256(noted):
        raise Invalid(say("This is no place in the chain."))
    return sequence, noted


def _take_line(walk: _Walk, number: int, line: str) -> None:
    if not line.strip():
        return
    try:
        entry = from_json(line)
    except Invalid as problem:
        walk.fault(f"Line {number} cannot be read: {problem}")
        return
    walk.take(entry)


def _sealed(unsealed: Entry) -> Entry:
    return replace(unsealed, hash=hash_of(unsealed))


def _facts(entry: Entry) -> dict[str, object]:
    facts: dict[str, object] = {name: getattr(entry, name) for name in _TEXTS}
    facts.update({name: str(value) if (value := getattr(entry, name)) else None for name in _IDS})
    facts.update(sequence=entry.sequence, before=entry.before, after=entry.after)
    facts["at"] = canonical.time(entry.at, "microseconds")
    return facts


def _read(values: dict[str, Any]) -> Entry:
    texts = {name: values[name] for name in _TEXTS}
    sequence = values["sequence"]
    if not all(isinstance(text, str) for text in texts.values()) or type(sequence) is not int:
        raise Invalid(say("A field of this entry of the ledger is of the wrong type."))
    try:
        ids = {name: UUID(values[name]) if values[name] is not None else None for name in _IDS}
    except (ValueError, TypeError, AttributeError) as problem:
        raise Invalid(say("An id of this entry of the ledger is not a UUID.")) from problem
    at = canonical.read_time(values["at"])
    return Entry(
        sequence=sequence,
        at=at,
        before=values["before"],
        after=values["after"],
        actor_id=ids["actor_id"],
        space_id=ids["space_id"],
        dataset_id=ids["dataset_id"],
        **texts,
    )


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"an audit event needs a time with a zone, not {at.isoformat()}")
    return at.astimezone(UTC)


def _stored(text: str) -> str:
    if not canonical.is_storable(text):
        raise Invalid(say("A text holds a NUL or a broken character. Remove it and try again."))
    return text


def _plain(value: Json) -> Json:
    if isinstance(value, str):
        return _stored(str(value))
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_stored(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    raise TypeError(f"the ledger cannot hold a {type(value).__name__}: {value!r}")
