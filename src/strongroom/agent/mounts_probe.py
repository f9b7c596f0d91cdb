"""How a mount is, found without being held up: whoever touches it is a process of its own that may be left behind.

A mount whose program or network died can stop a process where no signal reaches it. So the agent never touches one.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from strongroom.agent.mounts_kernel import Mounted

OK, FAILING, MISSING = "ok", "failing", "missing"
_SECONDS = 4.0
_ROOT = Path(__file__).parents[2]  # the folder of the package, or the zip file
_CHILD = "import sys; sys.path.insert(0, sys.argv[1]); from strongroom.agent.mounts_probe import main; main()"
_HANGING: set[str] = set()  # whose probe has not come back: a further one would only hang beside it
_LOOKED_AT = 400
_WORDS = {
    errno.EIO: "the storage refuses or does not answer",
    errno.EPERM: "the storage refuses",
    errno.EACCES: "the storage refuses",
    errno.ENOTCONN: "the program that served it has ended",
    errno.ETIMEDOUT: "the storage does not answer",
}


@dataclass(frozen=True)
class Found:
    """`health` is ok, failing or missing; `read` the file whose first bytes were read, empty when there was none."""

    health: str
    detail: str
    read: str = ""


def look(mounts: Iterable[Mounted], *, is_reading: bool = False, seconds: float = _SECONDS) -> dict[str, Found]:
    """Each by its path. Takes no longer than `seconds`, whatever hangs."""
    by_owner: dict[int, list[str]] = {}
    for each in mounts:
        # Not even root may look into what a user mounted for themselves.
        by_owner.setdefault(0 if each.is_shared else each.owner, []).append(each.path)
    threads, found = [], {}
    for owner, paths in by_owner.items():
        found.update(dict.fromkeys(paths, Found(FAILING, f"no answer within {seconds:g} s")))
        asked = [path for path in paths if path not in _HANGING]
        thread = threading.Thread(target=_ask, args=(owner, asked, is_reading, seconds, found), daemon=True)
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(seconds + 1)
    return dict(found)


def _ask(owner: int, paths: list[str], is_reading: bool, seconds: float, found: dict[str, Found]) -> None:
    user = {"user": owner, "group": _group(owner), "extra_groups": []} if owner != os.geteuid() == 0 else {}
    # Only this module: a whole start of the agent would cost more than the look.
    command = [sys.executable, "-I", "-S", "-c", _CHILD, str(_ROOT), "read" if is_reading else "look", *paths]
    with contextlib.suppress(OSError):
        # It may outlive us: whoever reads what we print must not wait for it, so it holds nothing of ours open.
        child = subprocess.Popen(  # type: ignore[call-overload]
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **user
        )
        killer = threading.Timer(seconds, child.kill)
        killer.start()
        _HANGING.update(paths)
        for line in child.stdout:
            told = json.loads(line)
            _HANGING.discard(told["path"])
            found[told["path"]] = Found(told["health"], told["detail"], told["read"])
        killer.cancel()
        child.wait()  # in the kernel, where no signal reaches it, it may hang as long as its mount does
        _HANGING.difference_update(paths)


def program() -> list[str]:
    """This very program, cut off from everybody's environment."""
    itself = Path(sys.argv[0])
    if itself.suffix == ".py" or not itself.exists():
        return [sys.executable, "-m", "strongroom.agent"]
    return [sys.executable, "-I", "-S", str(itself.absolute())]


def main() -> None:
    """What the child does: a line of JSON for each path, as soon as it answered. It may hang for good."""
    for found in _probed(sys.argv[3:], is_reading=sys.argv[2] == "read"):
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
    os._exit(0)  # a thread that hangs in a mount must not keep this process


def _probed(paths: list[str], *, is_reading: bool) -> Iterator[Mapping[str, str]]:
    done: dict[str, Found] = {}
    ready = threading.Condition()

    def touch(path: str) -> None:
        found = _touched(path, is_reading)
        with ready:
            done[path] = found
            ready.notify()

    for path in paths:
        threading.Thread(target=touch, args=(path,), daemon=True).start()
    told: set[str] = set()
    while len(told) < len(paths):
        with ready:
            while not (new := [path for path in done if path not in told]):
                ready.wait()
        for path in new:
            told.add(path)
            yield {"path": path, **done[path].__dict__}


def _touched(path: str, is_reading: bool) -> Found:
    began = time.monotonic()
    try:
        os.statvfs(path)
        names = []
        with os.scandir(path) as entries:
            for entry in entries:
                names.append(entry)
                if len(names) >= (_LOOKED_AT if is_reading else 1):
                    break
        read = _read_one(names) if is_reading else ""
    except OSError as problem:
        why = _WORDS.get(problem.errno or 0, os.strerror(problem.errno or 0).lower())
        return Found(FAILING, f"{why} ({errno.errorcode.get(problem.errno or 0, '?')})")
    seconds = time.monotonic() - began
    return Found(OK, f"slow: listing took {seconds:.1f} s" if seconds > _SECONDS / 2 else "", read)


def _read_one(entries: list[os.DirEntry[str]], depth: int = 3) -> str:
    """The first bytes of the first file that is found; s3fs tells a file it may not read as empty."""
    folders = []
    for entry in entries:
        if entry.is_file(follow_symlinks=False):
            size = entry.stat().st_size
            with Path(entry.path).open("rb") as file:
                if size and not file.read(min(size, 512)):
                    raise OSError(errno.EIO, "a file with contents reads as empty")
            return entry.path
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.path)
    for path in folders[:5] if depth else []:
        with os.scandir(path) as inside:
            below = [each for _, each in zip(range(_LOOKED_AT), inside)]
        if read := _read_one(below, depth - 1):
            return read
    return ""


def _group(uid: int) -> int:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid
