"""A folder in the order of keys, so that it can be laid beside a manifest; memory is that of its largest folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from strongroom.movers import places
from strongroom.movers.checksums import Entry

_Known = TypeVar("_Known", bound=Entry)


class Local(NamedTuple):
    """Something below a folder. `trouble`: why it is no file that could be read; it has no size then.
    `is_folder`: a folder that could not be read, so that nobody knows what is in it.
    """

    key: str
    path: str
    size_bytes: int
    trouble: str = ""
    is_folder: bool = False


def walk(folder: str) -> Iterator[Local]:
    """All files below, by their keys' bytes. Links are not followed but told."""
    yield from _walk(folder, "")


def beside(known: Iterable[_Known], found: Iterable[Local]) -> Iterator[tuple[_Known | None, Local | None]]:
    """Both in one order: what is in both together, else with None."""
    left, right = iter(known), iter(found)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        mine = _bytes(one.key) if one is not None else None
        theirs = _bytes(other.key) if other is not None else None
        if theirs is None or (mine is not None and mine < theirs):
            yield one, None
            one = next(left, None)
        elif mine is None or theirs < mine:
            yield None, other
            other = next(right, None)
        else:
            yield one, other
            one, other = next(left, None), next(right, None)


def _walk(folder: str, prefix: str) -> Iterator[Local]:
    try:
        with os.scandir(folder) as entries:
            # A folder stands where the keys of what is in it stand: after `name.txt`, before `name0`.
            found = sorted((_bytes(each.name + "/" * _is_folder(each)), each) for each in entries)
    except OSError as problem:
        yield Local(prefix, folder, 0, f"the folder cannot be read: {problem.strerror}", is_folder=True)
        return
    for _, each in found:
        if _is_folder(each):
            yield from _walk(each.path, f"{prefix}{each.name}/")
        else:
            yield _local(each, prefix + each.name)


def _local(entry: os.DirEntry[str], key: str) -> Local:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as problem:
        return Local(key, entry.path, 0, f"it cannot be read: {problem.strerror}")
    if places.is_link(status):
        return Local(key, entry.path, 0, "it is a link, not a file")
    if not stat.S_ISREG(status.st_mode):
        return Local(key, entry.path, 0, "it is no file")
    return Local(key, entry.path, status.st_size)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        # Until Python 3.12 a junction of Windows is taken for a folder, and leads out of this one.
        return entry.is_dir(follow_symlinks=False) and not places.is_link(entry.stat(follow_symlinks=False))
    except OSError:
        return False


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
