"""Becomes another program that dies with the process that started it. Standard library only: it runs with `-I -S`.

Usage: `python -I -S launch.py PARENT_PID PROGRAM ARGUMENT...`
Source: prctl(2), PR_SET_PDEATHSIG: the setting survives execve(2), and is given when the parent's thread ends.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, how: int = signal.SIGKILL) -> None:
    """Have the kernel send `how` to this process when `parent` ends; when it has ended already, end now."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, how, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # The parent may have ended between the fork and the line above; then nobody will ever send the signal.
    if os.getppid() != parent:
        os.kill(os.getpid(), how)


def stop_with_parent() -> None:
    """Have this process asked to end (SIGTERM) when the one that started it ends."""
    die_with_parent(os.getppid(), signal.SIGTERM)


def main(arguments: list[str]) -> None:
    """Set the mask and the signal, then become the program."""
    os.umask(0o077)
    die_with_parent(int(arguments[0]))
    os.execvp(arguments[1], arguments[1:])  # noqa: S606 an argument list, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
