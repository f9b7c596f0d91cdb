"""Processes seen from outside. One that ends while it is looked at is gone, and nothing else is wrong.

Source: proc(5); a file of `/proc/<pid>` that was opened in time answers ESRCH once the process is reaped.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def eventually(true: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def words(pid: int) -> list[str]:
    """What it was started with; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def children(pid: int) -> list[int]:
    """The processes that its main thread started."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> list[int]:
    """Every process below this one."""
    below = children(pid)
    return [*below, *(deeper for child in below for deeper in descendants(child))]


def sockets(pid: int) -> Iterator[str]:
    """The inodes of the sockets that it holds, as `/proc/net/tcp` names them."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            kind, _, inode = str(link.readlink()).partition(":")
            if kind == "socket":
                yield inode.strip("[]")
