"""Signs what the agent asks, with `ssh-keygen` and the key of this machine: the standard library signs nothing.

Source: ssh-keygen(1), `-Y sign`, which OpenSSH has since 8.1 and Windows 10 with its own OpenSSH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from strongroom.agent import state
from strongroom.agent.config import IS_WINDOWS
from strongroom.agent.problems import Trouble
from strongroom.core.machine import NAMESPACE, SignedRequest, next_sequence

_LIMIT_SECONDS = 30


class Signer:
    """The key of this machine, and the count of what it signed.

    The count is on the disk before a signature leaves, so that none is used twice, not even by a clock set back.
    """

    def __init__(self, key: Path, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._sequence_file = key.with_name("sequence")
        self._clock = clock

    def sign(self, method: str, target: str, body: bytes, server: str) -> dict[str, str]:
        """The headers that make a request ours. Raises: Trouble."""
        now = self._clock()
        request = SignedRequest(method, target, body, server, self._next(int(now * 1e9)), int(now))
        return request.headers(_signature(self._key, request.message()))

    def _next(self, now_nanoseconds: int) -> int:
        last = (state.read(self._sequence_file) or {}).get("last", 0)
        sequence = next_sequence(int(last), now_nanoseconds)
        state.write(self._sequence_file, {"last": sequence})
        return sequence


def make_key(path: Path) -> str:
    """Make the key pair of this machine at `path`; the public line. Raises: Trouble."""
    for old in (path, path.with_suffix(".pub")):
        if old.exists():
            old.unlink()
    _run("-q", "-t", "ed25519", "-N", "", "-C", "strongroom-agent", "-f", str(path))
    path.chmod(0o600)
    return path.with_suffix(".pub").read_text(encoding="utf-8").strip()


def _signature(key: Path, message: bytes) -> str:
    return _run("-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key), given=message)


def _run(*arguments: str, given: bytes = b"") -> str:
    program = _ssh_keygen()
    # Nothing of the caller's may choose another key or ask a question.
    environ = {key: value for key, value in os.environ.items() if not key.startswith("SSH_")}
    try:
        done = subprocess.run(
            [program, *arguments], input=given, capture_output=True, env=environ, timeout=_LIMIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Trouble(f"{program} did not run: {problem}.", code="ssh-keygen") from None
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == 0:
        return done.stdout.decode(errors="replace")
    if "illegal option" in said or "unknown option" in said or "nsupported" in said:
        raise Trouble(
            f"{program} on this machine cannot sign: that came with OpenSSH 8.1.",
            "Update OpenSSH, then try again.",
            "ssh-keygen",
        )
    raise Trouble(f"{program} failed: {said.splitlines()[-1] if said else done.returncode}.", code="ssh-keygen")


def _ssh_keygen() -> str:
    found = shutil.which("ssh-keygen") or (shutil.which("ssh-keygen", path="/usr/bin:/usr/local/bin:/bin"))
    if found:
        return found
    way_out = (
        "Add it in Settings, Optional features, “OpenSSH Client”."
        if IS_WINDOWS
        else "Install it: apt-get install openssh-client, or dnf install openssh."
    )
    raise Trouble("ssh-keygen is missing; the agent signs with it.", way_out, "ssh-keygen")
