"""Ports for what tests start: several test processes choose at the same moment, and none takes what another chose.

They lie below those that the system hands out by itself. Who chose a row of them has a lock on its file for as long as
their process lives, whether or not anything listens there at the moment: what is stopped may be started again.
"""

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

ROW = 40
_FIRST, _LAST = 12_000, 32_000
_ours: dict[int, int] = {}  # the file whose lock is ours, by the first port of its row
_begun: list[range] = []  # what is left of the row that is being given out


def free_ports(count: int = 1) -> int:
    """The first of so many ports in a row, which nobody else is given as long as this process lives."""
    assert count <= ROW
    if not _begun or len(_begun[0]) < count:
        _begun[:] = [_row()]
    given, _begun[0] = _begun[0][:count], _begun[0][count:]
    return given.start if all(map(_is_free, given)) else free_ports(count)


def _row() -> range:
    folder = Path(tempfile.gettempdir()) / f"strongroom-test-ports-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    rows = random.SystemRandom().sample(range(_FIRST, _LAST, ROW), (_LAST - _FIRST) // ROW)
    for first in rows:
        file = os.open(folder / str(first), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        _ours[first] = file
        return range(first, first + ROW)
    first = random.SystemRandom().choice(list(_ours))  # nothing is left but what was ours before
    return range(first, first + ROW)


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False
