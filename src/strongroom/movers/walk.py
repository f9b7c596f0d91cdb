"""What is in a folder: its files with their keys, and whatever of it cannot be an object, each said once.

Refuses to know what is stored. Memory is that of the largest folder, not of the tree.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Union

from strongroom.movers import names
from strongroom.movers.patterns import EVERYTHING, Selection

REPORT, FOLLOW, SKIP = "report", "follow", "skip"  # what to do with links
LARGEST_BYTES = 5 * 1024**4  # Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits"

_SPECIAL = {
    stat.S_IFIFO: "it is a named pipe (FIFO), not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
}


class File(NamedTuple):
    """A file to be an object. `path` is how this system opens it."""

    key: str
    path: str
    size_bytes: int
    mtime_ns: int


class Trouble(NamedTuple):
    """Something that is not, or not quite, as it should be. `is_problem`: a file that is not in the data set."""

    key: str
    reason: str
    is_problem: bool = True


Found = Union[File, Trouble]


@dataclass
class Walk:
    """One walk through `folder`, or to a single file. `left_out` and `skipped_links` count what was meant to be left
    out; `is_whole`: all was seen.
    """

    folder: str
    selection: Selection = EVERYTHING
    links: str = REPORT
    prefix: str = ""
    left_out: int = 0
    skipped_links: int = 0
    is_whole: bool = True
    _inside: list[tuple[int, int]] = field(default_factory=list)

    def found(self) -> Iterator[Found]:
        """Everything, folder by folder, in the order of names. Raises OSError where the folder cannot be read."""
        if Path(self.folder).is_file():
            yield from _single(Path(self.folder), self.prefix)
            return
        with os.scandir(self.folder):
            pass
        yield from self._folder(_openable(self.folder), self.prefix)

    def _folder(self, path: str, prefix: str) -> Iterator[Found]:
        try:
            here = Path(path).stat()
            with os.scandir(path) as entries:
                inside = sorted(entries, key=_name)
        except OSError as error:
            yield self._unread(prefix[:-1], error)
            return
        identity = (here.st_dev, here.st_ino)
        if here.st_ino and identity in self._inside:
            yield Trouble(names.shown(prefix[:-1]), "it is a link to a folder that holds it: a circle")
            return
        if not inside and prefix != self.prefix:
            yield Trouble(names.shown(prefix), "the folder is empty, and S3 keeps no folders", is_problem=False)
        yield from _clashing(inside, prefix)
        self._inside.append(identity)
        for entry in inside:
            yield from self._entry(entry, prefix + entry.name)
        self._inside.pop()

    def _entry(self, entry: os.DirEntry[str], key: str) -> Iterator[Found]:
        if not self.selection.enters(key[len(self.prefix) :]):  # what fits a folder fits a file of that name, too
            self.left_out += 1
            return
        try:
            if _is_link(entry) and self.links != FOLLOW:
                yield from self._link(key)
            elif entry.is_dir():
                yield from self._remarks(entry.name, key)
                refused = names.refusal(key + "/x")
                if refused:
                    yield Trouble(names.shown(key) + "/", refused)
                else:
                    yield from self._folder(entry.path, key + "/")
            elif not self.selection.takes(key[len(self.prefix) :]):
                self.left_out += 1
            else:
                yield from self._file(entry, key)
        except OSError as error:
            yield self._unread(key, error)

    def _link(self, key: str) -> Iterator[Found]:
        if self.links == SKIP:
            self.skipped_links += 1
        else:
            self.is_whole = False
            yield Trouble(names.shown(key), "it is a link: say --follow-links or --skip-links")

    def _file(self, entry: os.DirEntry[str], key: str) -> Iterator[Found]:
        seen = entry.stat()
        refused = names.refusal(key) or _not_a_file(seen)
        if refused:
            yield Trouble(names.shown(key), refused)
            return
        yield from self._remarks(entry.name, key)
        yield File(key, entry.path, seen.st_size, seen.st_mtime_ns)

    def _remarks(self, name: str, key: str) -> Iterator[Trouble]:
        reserved = names.reservation(name)
        if reserved:
            yield Trouble(names.shown(key), reserved, is_problem=False)

    def _unread(self, key: str, error: OSError) -> Trouble:
        self.is_whole = False
        if isinstance(error, FileNotFoundError):
            return Trouble(names.shown(key), "it was there and is gone, or it is a link to nothing")
        return Trouble(names.shown(key), f"it cannot be read: {error.strerror or error}")


def _single(path: Path, prefix: str) -> Iterator[Found]:
    seen = path.stat()
    key = prefix + path.absolute().name
    refused = names.refusal(key) or _not_a_file(seen)
    yield Trouble(names.shown(key), refused) if refused else File(key, str(path), seen.st_size, seen.st_mtime_ns)


def _clashing(inside: list[os.DirEntry[str]], prefix: str) -> Iterator[Trouble]:
    for name, other in names.clashes(entry.name for entry in inside):
        reason = f"macOS and Windows take it for the same as `{names.shown(other)}` beside it"
        yield Trouble(names.shown(prefix + name), reason, is_problem=False)


def _not_a_file(seen: os.stat_result) -> str:
    if not stat.S_ISREG(seen.st_mode):
        return _SPECIAL.get(stat.S_IFMT(seen.st_mode), "it is not a file")
    return "it is larger than the 5 TiB that S3 holds" if seen.st_size > LARGEST_BYTES else ""


def _is_link(entry: os.DirEntry[str]) -> bool:
    # A junction is the other kind of link on Windows; Python knows it since 3.12.
    return entry.is_symlink() or bool(getattr(entry, "is_junction", bool)())


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _openable(folder: str) -> str:
    """On Windows in the form in which paths may be long. Source: Microsoft, "Maximum Path Length Limitation"."""
    if os.name != "nt":
        return folder
    whole = str(Path(folder).absolute())
    if whole.startswith("\\\\?\\"):
        return whole
    return "\\\\?\\UNC\\" + whole[2:] if whole.startswith("\\\\") else "\\\\?\\" + whole
