"""Runs a program some of whose ports are sockets in its folder instead: nobody else on the machine finds them.

Usage: `python -I -S hiding.py PORT=SOCKET… -- PROGRAM ARGUMENT…`. Standard library only. The program's pages for
whoever asks (which volumes there are, how large, who asked for what) want no credential, and a port of the loopback is
every user's; a socket in a private folder is its owner's. The program knows nothing of it: the kernel asks this one,
which stands beside it, what each `bind` and `connect` shall be, and bytes then flow without anybody between.

Where the kernel does not offer that the program runs as it would without, and its log says so.
Source: seccomp_unotify(2), seccomp(2), linux/seccomp.h, linux/filter.h; Documentation/admin-guide/LSM/Yama.rst.
"""

import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import sys
from array import array
from collections.abc import Mapping
from pathlib import Path

_SYSTEM_CALLS = {  # seccomp, bind, connect, and how the kernel names the machine (linux/audit.h)
    "x86_64": (317, 49, 42, 0xC000003E),
    "aarch64": (277, 200, 203, 0xC00000B7),
}
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_PTRACER = 1, 38, 0x59616D61
_SET_MODE_FILTER, _NEW_LISTENER = 1, 1 << 3
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # of the filter's language
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_ASKED = struct.Struct("=QIIiIQQQQQQQ")  # id, thread, flags; then the call: number, machine, address, six arguments
_ANSWER = struct.Struct("=QqiI")  # id, value, error, flags
_GIVE = struct.Struct("=QIIII")  # id, flags, our descriptor, theirs, their flags
_RECEIVE_CALL = 3 << 30 | _ASKED.size << 16 | 0x2100
_ANSWER_CALL = 3 << 30 | _ANSWER.size << 16 | 0x2101
_GIVE_CALL = 1 << 30 | _GIVE.size << 16 | 0x2103
_GO_ON, _IN_PLACE_OF = 1, 1
_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> None:
    """Become the program, with the one that answers beside it."""
    if arguments[0] == "--answer":
        _answer_until_it_ends(int(arguments[1]), dict(_pair(each) for each in arguments[2:]))
        return
    cut = arguments.index("--")
    hidden, program = arguments[:cut], arguments[cut + 1 :]
    try:
        _put_beside(hidden)
    except OSError as error:
        sys.stderr.write(f"ports stay open to other users of this machine: {error}\n")
        for _, path in map(_pair, hidden):
            Path(path).unlink(missing_ok=True)
    os.execv(program[0], program)  # noqa: S606 an argument list, no shell


def _pair(word: str) -> tuple[int, str]:
    port, _, path = word.partition("=")
    return int(port), path


# On the side of the program


def _put_beside(hidden: list[str]) -> None:
    """Start who answers, and have the kernel ask it from now on. Raises OSError where the kernel does not."""
    mine, other = socket.socketpair()
    os.set_inheritable(other.fileno(), True)
    words = [sys.executable, "-I", "-S", __file__, "--answer", str(other.fileno()), *hidden]
    beside = os.posix_spawn(sys.executable, words, {})  # without the secrets of the program's environment
    other.close()
    with mine:
        if mine.recv(1) != b".":
            raise OSError(errno.EPIPE, "nobody answers for the ports")
        _libc.prctl(_PR_SET_PTRACER, beside, 0, 0, 0)  # it reads the addresses; only Yama has to be told
        listener = _install()
        mine.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [listener]))])
        os.close(listener)


class _Step(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


def _install() -> int:
    """From here on every `bind` and `connect` of this process is asked about; the descriptor to answer on."""
    if (calls := _SYSTEM_CALLS.get(os.uname().machine)) is None:
        raise OSError(errno.ENOSYS, f"unknown kind of machine {os.uname().machine}")
    seccomp, bind, connect, machine = calls
    steps = (
        _Step(_LOAD, 0, 0, 4),  # the machine
        _Step(_IF_EQUAL, 0, 3, machine),
        _Step(_LOAD, 0, 0, 0),  # the number of the call
        _Step(_IF_EQUAL, 2, 0, bind),
        _Step(_IF_EQUAL, 1, 0, connect),
        _Step(_RETURN, 0, 0, _ALLOW),
        _Step(_RETURN, 0, 0, _ASK),
    )
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")
    listener = int(_libc.syscall(seccomp, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(program)))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp does not ask")
    return listener


# On the side of who answers


def _answer_until_it_ends(channel: int, hidden: Mapping[int, str]) -> None:
    program = os.getppid()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    ended = os.pidfd_open(program)
    with socket.socket(fileno=channel) as other:
        other.send(b".")
        _, given, _, _ = other.recvmsg(1, socket.CMSG_SPACE(4))
    if not given:
        return  # it runs without, or has ended already
    [listener] = array("i", given[0][2])
    _guard(ended)
    while listener in _first_of(listener, ended):
        _answer_one(listener, hidden)


def _guard(program: int) -> None:
    """Have a third one end the program when this one ends: without an answer it would be refused every connection."""
    answering = os.pidfd_open(os.getpid())
    if os.fork() == 0:
        if program not in _first_of(answering, program):
            signal.pidfd_send_signal(program, signal.SIGKILL)
        os._exit(0)
    os.close(answering)


def _first_of(*descriptors: int) -> list[int]:
    """Wait; if the last of them is among those that have something to tell, that one alone."""
    waiting = select.poll()
    for each in descriptors:
        waiting.register(each, select.POLLIN)
    told = [each for each, _ in waiting.poll()]
    return [descriptors[-1]] if descriptors[-1] in told else told


def _answer_one(listener: int, hidden: Mapping[int, str]) -> None:
    asked = bytearray(_ASKED.size)
    try:
        fcntl.ioctl(listener, _RECEIVE_CALL, asked)
        question, thread, _, number, _, _, descriptor, address, length, *_ = _ASKED.unpack(asked)
        path = hidden.get(_port(thread, address, length))
        error = None if path is None else _exchange(listener, question, number, descriptor, path)
        answer = _ANSWER.pack(question, 0, 0, _GO_ON) if error is None else _ANSWER.pack(question, 0, -error, 0)
        fcntl.ioctl(listener, _ANSWER_CALL, answer)
    except OSError as problem:
        if problem.errno != errno.ENOENT:  # who asked was interrupted, and asks again, or has ended
            raise


def _port(thread: int, address: int, length: int) -> int:
    """Of an address on the loopback; 0 for any other, and where it may not be read."""
    try:
        with Path(f"/proc/{thread}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            content = memory.read(min(length, 16))
    except (OSError, OverflowError, ValueError):
        return 0
    if len(content) < 8 or struct.unpack_from("=H", content)[0] != socket.AF_INET or content[4] != 127:
        return 0
    port: int = struct.unpack_from(">H", content, 2)[0]
    return port


def _exchange(listener: int, question: int, number: int, descriptor: int, path: str) -> int | None:
    """Put a socket of the folder in the place of theirs: 0, the error that they get, or None to let them go on."""
    is_bind = number == _SYSTEM_CALLS[os.uname().machine][1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ours:
        ours.setblocking(False)
        try:
            if is_bind:
                Path(path).unlink(missing_ok=True)
                ours.bind(path)
            else:
                ours.connect(path)
        except FileNotFoundError:
            return None  # whoever listens there runs without
        except OSError as error:
            return errno.ECONNREFUSED if isinstance(error, BlockingIOError) else error.errno
        give = _GIVE.pack(question, _IN_PLACE_OF, ours.fileno(), descriptor & 0xFFFFFFFF, os.O_CLOEXEC)
        try:
            fcntl.ioctl(listener, _GIVE_CALL, give)
        except OSError as error:
            if error.errno != errno.EINVAL:  # Linux before 5.9 does not know the request
                raise
            if is_bind:
                Path(path).unlink(missing_ok=True)
            return None
    return 0


if __name__ == "__main__":
    main(sys.argv[1:])
