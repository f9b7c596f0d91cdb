"""A list of files that was saved: a manifest of Strongroom, that of a bag, or what `sha256sum` prints, packed or not.

Refuses to know where it came from, and so refuses one that names no file: whether it was cut off, or is of a data set
that holds none, is said only in a bag (`Payload-Oxum`). The lists of Strongroom are read in constant memory; another
whose lines are in no order is sorted in memory, some 300 bytes a file.
Source: RFC 8493, sections 2.1.3 and 2.2.2; GNU coreutils, manual of `md5sum`.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timezone

from strongroom.movers import listed, names
from strongroom.movers.listed import Listed, Unreadable

_PACKED = b"\x1f\x8b"
_BAG, _PAYLOAD, _OF_BAGS = "bagit.txt", "data", "manifest-sha256"
_INFO, _MOST_INFO = "bag-info.txt", 1 << 20
_NOTHING = re.compile(rb"^Payload-Oxum:[ \t]*0+\.0+[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
_LINE = re.compile(rb"(\\?)([0-9A-Fa-f]{64})(?: [ *]|[ \t]+)(.+)", re.DOTALL)
_OTHER = re.compile(rb"\\?(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{56}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})[ \t]")
_TAGGED = re.compile(rb"\\?[A-Z0-9-]+ \(.+\) = [0-9A-Fa-f]+")
_UNESCAPED = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}
_UNTOLD = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FORMS = "a manifest of Strongroom (JSON lines), manifest-sha256.txt of a bag, or what sha256sum prints"


def payload(folder: str) -> tuple[str, bool]:
    """Where in a folder the files lie, and whether it is a bag: its files lie below `data`."""
    inside = os.path.join(folder, _PAYLOAD)
    is_bag = os.path.isfile(os.path.join(folder, _BAG)) and os.path.isdir(inside)
    return (inside, True) if is_bag else (folder, False)


def read(file: str, *, is_of_bag: bool) -> Iterator[Listed]:
    """What the list says, in the order of keys; the size is -1 where it tells none. `is_of_bag`: of what is in a bag.

    Raises: Unreadable, naming the line, or because no file is named; OSError.
    """
    with _to_be_read_twice(file) as kept:
        is_empty = True
        for each in _read(kept, is_of_bag=is_of_bag):
            is_empty = False
            yield each
        if is_empty and not _is_of_empty_bag(file):
            raise Unreadable("it names no file; to compare with a data set that holds none, use --dataset")


def _is_of_empty_bag(file: str) -> bool:
    """Whether it lies in a bag that says that nothing is in it."""
    try:
        with open(os.path.join(os.path.dirname(file), _INFO), "rb") as info:
            return _is_encoded(file) and _NOTHING.search(info.read(_MOST_INFO)) is not None
    except OSError:
        return False


@contextlib.contextmanager
def _to_be_read_twice(file: str) -> Iterator[str]:
    """The file, or a copy of what a pipe brings."""
    if os.path.isfile(file):
        yield file
        return
    with tempfile.NamedTemporaryFile() as kept:
        with open(file, "rb") as given:
            shutil.copyfileobj(given, kept)
        kept.flush()
        yield kept.name


def _read(file: str, *, is_of_bag: bool) -> Iterator[Listed]:
    first = next(_lines(file), b"")
    if first.startswith(b"{"):
        yield from listed.read(_lines(file))
        return
    is_bag = (is_of_bag or _is_encoded(file)) and re.search(rb"[ \t*](?:\./+)*data/", first) is not None
    for key, sha256 in _in_order(file, is_bag=is_bag):
        yield Listed(key.decode("utf-8", "surrogateescape"), -1, "", _UNTOLD, f"sha256:{sha256.decode()}")


def _in_order(file: str, *, is_bag: bool) -> Iterator[tuple[bytes, bytes]]:
    """All of it is read once before the first is told: a line that is none shall not show after hours."""
    last, is_sorted = b"", True
    for key, _ in _sums(file, is_bag=is_bag):
        is_sorted, last = is_sorted and key > last, key
    if is_sorted:
        yield from _sums(file, is_bag=is_bag)
        return
    last = b""
    for key, sha256 in sorted(_sums(file, is_bag=is_bag)):
        if key == last:
            raise Unreadable(f"it names {names.shown(key.decode('utf-8', 'surrogateescape'))} twice")
        last = key
        yield key, sha256


def _sums(file: str, *, is_bag: bool) -> Iterator[tuple[bytes, bytes]]:
    """Key and digest of each line; empty ones are passed over."""
    is_encoded = _is_encoded(file)
    for number, line in enumerate(_lines(file), start=1):
        text = line.rstrip(b"\r\n")
        if not text:
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            raise Unreadable(f"line {number} {_reason(text)}")
        path = found[3]
        if is_encoded:
            path = re.sub(rb"%(?:25|0[AaDd])", lambda each: bytes([int(each[0][1:], 16)]), path)
        elif found[1]:
            path = re.sub(rb"\\[\\nr]", lambda each: _UNESCAPED[each[0]], path)
        yield _key(number, path, is_bag=is_bag), found[2].lower()


def _is_encoded(file: str) -> bool:
    """Whether line ends in names are written as bags do it, and not as `sha256sum`."""
    return os.path.basename(file).startswith(_OF_BAGS)


def _key(number: int, path: bytes, *, is_bag: bool) -> bytes:
    """The path from the folder that is compared."""
    while path.startswith(b"./"):
        path = path[2:].lstrip(b"/")
    if is_bag:
        if not path.startswith(b"data/"):
            raise Unreadable(f"line {number} names a file outside of `data`, where the files of a bag lie")
        path = path[len(b"data/") :]
    if path.startswith(b"/") or b".." in path.split(b"/") or not path:
        shown = names.shown(path.decode("utf-8", "surrogateescape"))
        raise Unreadable(f"line {number} names {shown!r}: make the list in the folder itself, as `sha256sum *` does")
    return path


def _reason(text: bytes) -> str:
    if _OTHER.match(text):
        return "has a digest of another kind: only SHA-256 is compared"
    if _TAGGED.fullmatch(text):
        return "is in the form of `sha256sum --tag`: make the list without it"
    return f"is not one of {_FORMS}"


def _lines(file: str) -> Iterator[bytes]:
    with open(file, "rb") as plain:
        is_packed = plain.read(2) == _PACKED
        plain.seek(0)
        try:
            yield from gzip.GzipFile(fileobj=plain) if is_packed else plain
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise Unreadable("it is packed (gzip), and damaged") from None
