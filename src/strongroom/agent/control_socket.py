"""Where local programs ask the agent: a unix socket that knows who asks.

One line of JSON each way: `{"ask": "status"}`, answered by an object, or by `{"problem": {...}}`. What is long comes as
many lines, of which the last is `{"end": "SHA-256 of those before"}`.
Source: unix(7), SO_PEERCRED.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from strongroom.agent import problems
from strongroom.agent.callers import Callers, name_of
from strongroom.agent.config import Config
from strongroom.agent.log import log
from strongroom.agent.problems import Trouble

_LARGEST_QUESTION = 4096
_SECONDS_TO_SAY_IT = 5.0
_SECONDS_TO_ANSWER = 30.0
_LINES_OF_ONE = 32

Answers = Mapping[str, Callable[[], Mapping[str, Any]]]
Streams = Mapping[str, Callable[[Mapping[str, Any]], Iterator[bytes]]]


def ask(config: Config, question: str) -> dict[str, Any]:
    """What the running agent answers: `status`, `credentials`, or `report` (a heartbeat now, with fresh mounts).

    Raises: Trouble, the agent's own or that it does not run.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_SECONDS_TO_ANSWER)
        try:
            _connect(line, str(config.control_socket))
            line.sendall(json.dumps({"ask": question}).encode() + b"\n")
            answer = json.loads(_line(line, 16 << 20))
        except (OSError, ValueError):
            raise problems.not_running() from None
    if "problem" in answer:
        raise Trouble(**answer["problem"])
    return dict(answer)


def ask_long(config: Config, question: str, **arguments: str) -> Iterator[bytes]:
    """The lines of a long answer: `manifest` of `dataset_id`. Raises: Trouble, also in the middle."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_SECONDS_TO_ANSWER)
        try:
            _connect(line, str(config.control_socket))
            line.sendall(json.dumps({"ask": question, **arguments}).encode() + b"\n")
            with line.makefile("rb") as lines:
                yield from _whole(lines)
        except OSError:
            raise problems.not_running() from None


def _whole(lines: Iterable[bytes]) -> Iterator[bytes]:
    """All lines but the last, which proves them. One is held back: it may be the last."""
    digest, held = hashlib.sha256(), b""
    for number, each in enumerate(lines):
        if number == 0 and each.startswith(b'{"problem"'):
            raise Trouble(**json.loads(each)["problem"])
        if held:
            digest.update(held)
            yield held
        held = each
    if held != _end(digest.hexdigest()):
        raise Trouble("The answer of the agent broke off.", "Try again; its log says why.", "broken")


def _end(sha256: str) -> bytes:
    return json.dumps({"end": sha256}).encode() + b"\n"


def _connect(line: socket.socket, path: str) -> None:
    """Connect; where too many wait already, wait as well, which a line with a time limit does not by itself."""
    deadline = time.monotonic() + _SECONDS_TO_SAY_IT
    while (problem := line.connect_ex(path)) == errno.EAGAIN and time.monotonic() < deadline:
        time.sleep(0.01)
    if problem:
        raise OSError(problem, os.strerror(problem))


def start(path: Path, who: Callers, answers: Answers, streams: Streams) -> socket.socket:
    """Answer until the socket is closed that this returns. Raises: Trouble when another agent answers there."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    try:
        listening.bind(str(path))
        path.chmod(0o666)  # whoever asks is told who may
        listening.listen(64)
    except OSError as problem:
        raise Trouble(f"The control socket {path} cannot be made: {problem.strerror}.", code="socket") from None
    threading.Thread(
        target=_accept, args=(listening, who, answers, streams), name="control socket", daemon=True
    ).start()
    return listening


class _Held:
    """How many lines each user holds: each takes a thread, and none may take them all."""

    def __init__(self) -> None:
        self._count: dict[int, int] = {}
        self._lock = threading.Lock()

    def take(self, uid: int) -> bool:
        """Whether the user may hold one more."""
        with self._lock:
            count = self._count.get(uid, 0)
            if count < _LINES_OF_ONE:
                self._count[uid] = count + 1
            return count < _LINES_OF_ONE

    def give(self, uid: int) -> None:
        """It is over."""
        with self._lock:
            self._count[uid] -= 1


def _accept(listening: socket.socket, who: Callers, answers: Answers, streams: Streams) -> None:
    held = _Held()
    while True:
        try:
            line, _ = listening.accept()
        except OSError:
            return
        uid = _uid(line)
        if held.take(uid):
            threading.Thread(target=_serve, args=(line, uid, held, who, answers, streams), daemon=True).start()
        else:
            line.close()


def _uid(line: socket.socket) -> int:
    return int(struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])


def _serve(line: socket.socket, uid: int, held: _Held, who: Callers, answers: Answers, streams: Streams) -> None:
    with contextlib.ExitStack() as parts:
        parts.callback(held.give, uid)
        parts.enter_context(line)
        parts.enter_context(contextlib.suppress(OSError))
        line.settimeout(_SECONDS_TO_SAY_IT)
        try:
            said = _question(line, uid, who)
            if isinstance(said.get("ask"), str) and said["ask"] in streams:
                _send_long(line, streams[said["ask"]](said))
                return
            answer = dict(_answer(said, answers))
        except Trouble as trouble:
            answer = {"problem": trouble.as_json()}
        except Exception as problem:  # noqa: BLE001  a defect in one answer must not leave the asker waiting
            log("question not answered", why=repr(problem))
            answer = {"problem": {"detail": f"The agent made a mistake: {problem!r}.", "code": "bug"}}
        line.sendall(json.dumps(answer).encode() + b"\n")


def _send_long(line: socket.socket, pieces: Iterator[bytes]) -> None:
    """What breaks off in the middle lacks its end; before the first piece it is a problem like any other."""
    first = next(pieces, b"")
    line.settimeout(_SECONDS_TO_ANSWER)
    digest = hashlib.sha256()
    try:
        for piece in itertools.chain([first], pieces):
            digest.update(piece)
            line.sendall(piece)
    except Trouble as trouble:
        log("answer broke off", why=str(trouble))
        return
    line.sendall(_end(digest.hexdigest()))


def _question(line: socket.socket, uid: int, who: Callers) -> Mapping[str, Any]:
    # Read first, whoever it is: who is answered before having asked may see a broken line instead of the answer.
    said = _line(line, _LARGEST_QUESTION)
    if uid != os.geteuid() and not who.may(uid):
        raise Trouble(
            f"The agent answers {who.who_may}, not {name_of(uid)}.", f"Root chooses in {who.file}.", "not-chosen"
        )
    try:
        found = json.loads(said)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _answer(said: Mapping[str, Any], answers: Answers) -> Mapping[str, Any]:
    question = said.get("ask")
    if not isinstance(question, str) or question not in answers:
        raise Trouble(f"The agent knows no {question!r}.", "Update it.", "protocol")
    return answers[question]()


def _line(line: socket.socket, limit: int) -> bytes:
    content = bytearray()
    while not content.endswith(b"\n") and len(content) < limit:
        piece = line.recv(65536)
        if not piece:
            break
        content += piece
    return bytes(content)
