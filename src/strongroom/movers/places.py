"""Where in a folder an object goes: never outside it, never through a link, and only under a name that fits there."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from dataclasses import dataclass, field

from strongroom.movers import names
from strongroom.movers.errors import Problem

_REPARSE_POINT = 0x400  # Source: Microsoft, "File Attribute Constants"


class Unholdable(Problem):
    """This system, or this folder, cannot hold a file under the name of the object."""


@dataclass
class Places:
    """The folder of one run, which exists. `is_windows`, `folds`: what the system there cannot hold, or keep apart."""

    folder: str
    is_windows: bool = sys.platform == "win32"
    folds: bool | None = None
    _taken: dict[str, str] = field(default_factory=dict)
    _folders: set[str] = field(default_factory=set)
    _known: dict[str, str] = field(default_factory=dict)  # how keys begin that were placed, to the last slash: its path

    def __post_init__(self) -> None:
        if self.folds is None:
            self.folds = folds_case(self.folder)

    def of(self, key: str, *, makes_folders: bool = True) -> str:
        """The path for a key, whose folders are there then. Raises: Unholdable; OSError where one cannot be made."""
        name = key.rpartition("/")[2]
        head = key[: len(key) - len(name)]  # with the slash: `/a` is no name, and not that of `a`
        if name and head in self._known:
            self._check(name)
            self._check_clash([key])
            return os.path.join(self._known[head], name)
        parts = key.rstrip("/").split("/") if key.endswith("/") else key.split("/")
        for part in parts:
            self._check(part)
        self._check_clash(parts)
        path = self.folder
        folders, name = (parts, "") if key.endswith("/") else (parts[:-1], parts[-1])
        for part in folders:
            path = os.path.join(path, part)
            if path not in self._folders:
                self._enter(path, makes_folders)
        if not name:
            return path
        if not folders or path in self._folders:
            self._known[head] = path
        return os.path.join(path, name)

    def is_taken(self, key: str) -> bool:
        """Whether the system takes a name that is there, however it is spelt, for that of a key that was placed."""
        return bool(self.folds) and names.folded(key) in self._taken

    def _check(self, part: str) -> None:
        if part in ("", ".", ".."):
            raise Unholdable(f"{part!r} is no name of a file or folder")
        if "\0" in part or os.sep in part or (self.is_windows and "\\" in part):
            raise Unholdable("its name holds a character that names of files cannot hold")
        if self.is_windows and any(ord(each) < 32 for each in part):
            raise Unholdable("its name holds a control character, which Windows cannot hold")
        reserved = names.reservation(part)
        if reserved and (self.is_windows or "Windows" not in reserved):
            raise Unholdable(reserved)

    def _check_clash(self, parts: list[str]) -> None:
        """Whether this system takes two names of objects for one: the second would overwrite the first."""
        if not self.folds:
            return
        for count in range(1, len(parts) + 1):
            name = "/".join(parts[:count])
            other = self._taken.setdefault(names.folded(name), name)
            if other != name:
                raise Unholdable(f"this system takes its name for that of {names.shown(other)!r}")

    def _enter(self, path: str, makes_folders: bool) -> None:
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            if not makes_folders:
                return
            os.mkdir(path)
        else:
            if is_link(found):
                raise Unholdable(f"{path} is a link, and nothing is written through links")
            if not stat.S_ISDIR(found.st_mode):
                raise Unholdable(f"{path} is a file where a folder must be")
        self._folders.add(path)


def is_link(found: os.stat_result) -> bool:
    """Whether it leads elsewhere: a symbolic link, or a junction of Windows."""
    return stat.S_ISLNK(found.st_mode) or bool(getattr(found, "st_file_attributes", 0) & _REPARSE_POINT)


def folds_case(folder: str) -> bool:
    """Whether the file system there takes `a` and `A` for one name."""
    handle, path = tempfile.mkstemp(prefix=".strongroom-", suffix="x", dir=folder)
    try:
        os.close(handle)
        head, tail = os.path.split(path)
        return os.path.lexists(os.path.join(head, tail.swapcase()))
    finally:
        os.unlink(path)
