"""What is mounted here, as the kernel tells it, and which program serves it; never touches a mount itself.

Source: proc_pid_mountinfo(5). A path there has `\\040` for a space.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ESCAPE = re.compile(r"\\([0-7]{3})")
_REPOSITORY = re.compile(r"dataset-[a-z0-9]{1,18}-[0-9a-z-]{1,40}")
_PROGRAMS = {"rclone": "rclone", "s3fs": "s3fs", "mount-s3": "mount-s3", "mount.rclone": "rclone"}


@dataclass(frozen=True)
class Mounted:
    """One mount of a data set. `owner` is the uid that made it, `pid` of its program, 0 where it was not found."""

    repository: str
    path: str
    tool: str
    is_read_only: bool
    is_shared: bool
    owner: int
    pid: int


@dataclass(frozen=True)
class Entry:
    """One line of mountinfo."""

    path: str
    kind: str
    source: str
    options: tuple[str, ...]
    super_options: tuple[str, ...]


def entries(text: str | None = None) -> list[Entry]:
    """Everything that is mounted, in order; the last of one path is the one that is seen."""
    if text is None:
        # Anybody may have mounted something at a path that is no text.
        text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    found = []
    for line in filter(None, text.split("\n")):  # the kernel escapes no other line break than this one
        before, _, after = line.partition(" - ")
        fields, kind_source_options = before.split(" "), after.split(" ")
        found.append(
            Entry(
                path=_plain(fields[4]),
                kind=kind_source_options[0],
                source=_plain(kind_source_options[1]),
                options=tuple(fields[5].split(",")),
                super_options=tuple(kind_source_options[2].split(",")) if len(kind_source_options) > 2 else (),
            )
        )
    return found


def at(path: str) -> Entry | None:
    """What is mounted exactly there; asks the kernel's table only, so that a dead mount cannot hold it up."""
    found = [each for each in entries() if each.path == path]
    return found[-1] if found else None


def owner(entry: Entry) -> int:
    """The uid that mounted it, as the kernel wrote it down; 0 for what is not FUSE."""
    for option in entry.super_options:
        if option.startswith("user_id="):
            return int(option[8:])
    return 0


def mounted() -> list[Mounted]:
    """Every data set that is mounted here by one of the tools, also by their plain commands."""
    serving = list(_programs())
    found: dict[str, Mounted] = {}
    for entry in entries():
        if not (entry.kind == "fuse" or entry.kind.startswith("fuse.")):
            continue
        tool, repository, pid = _served_by(entry, serving)
        if tool:
            found[entry.path] = Mounted(
                repository,
                entry.path,
                tool,
                "ro" in entry.options or "ro" in entry.super_options,
                "allow_other" in entry.super_options,
                owner(entry),
                pid,
            )
    return list(found.values())


def real(path: str) -> str:
    """The path as mountinfo tells it. Only its folder is looked at: the last part may be a mount that hangs."""
    whole = Path(os.path.normpath(Path(path).expanduser().absolute()))
    return str(whole.parent.resolve() / whole.name)


def _served_by(entry: Entry, serving: list[tuple[str, str, int, list[str]]]) -> tuple[str, str, int]:
    for tool, repository, pid, words in serving:
        if entry.path in words and entry.source in (repository, tool, f":s3:{repository}"):
            return tool, repository, pid
    if _REPOSITORY.fullmatch(entry.source):  # its program is gone, or hidden from us
        return ("rclone" if entry.kind == "fuse.rclone" else "s3fs"), entry.source, 0
    return "", "", 0


def _programs() -> Iterator[tuple[str, str, int, list[str]]]:
    """Tool, repository, pid and words of every program that may serve a mount; relative paths made whole."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
        except OSError:
            continue
        tool = _PROGRAMS.get(Path(words[0]).name) if words else None
        if tool is None:
            continue
        named = [found[0] for word in words[1:] if (found := _REPOSITORY.search(word)) is not None]
        if named:
            yield tool, named[0], int(folder.name), [*words, *_whole(words[1:])]


def _whole(words: list[str]) -> Iterator[str]:
    """Those that may be paths; what anybody wrote there may be none."""
    for word in words:
        if word[:1] in (".", "/", "~"):
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                yield real(word)


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)
