"""The engine's own command line: the only way to some of its switches."""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say
from strongroom.engines.seaweedfs.settings import SeaweedSettings

_TIMEOUT_SECONDS = 30
# The shell waits for ever for an engine that went away; when whoever started it is killed, nobody would end it.
# Source: prctl(2), PR_SET_PDEATHSIG is 1.
_DIE_WITH_PARENT = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); os.execv(sys.argv[2], sys.argv[2:])"
)


def configure(settings: SeaweedSettings, prefix: str, *options: str) -> None:
    """Change the rule for all paths with this prefix, in every gateway and for writes under way.

    Raises: Unavailable when the engine does not confirm.
    """
    # The command reads all rules, changes one and writes all: two at once would undo each other.
    with _alone(settings):
        answer = _run(settings, f"fs.configure -locationPrefix={prefix} {' '.join(options)} -apply")
    if has_rule(answer, prefix) == ("-delete" in options):
        raise Unavailable(
            say(
                "The storage engine did not change its rule for {prefix}: {answer}",
                prefix=prefix,
                answer=answer.strip()[-300:],
            )
        )


def has_rule(answer: str, prefix: str) -> bool:
    """Whether a rule for exactly this prefix is among those that the command tells after it has changed them.

    Raises: Unavailable for anything else: the shell ends well, and tells nothing, when it does not know an option.
    """
    try:
        return any(each["locationPrefix"] == prefix for each in json.loads(answer)["locations"])
    except (ValueError, LookupError, TypeError) as error:
        said = answer.strip()[-300:] or "nothing"
        raise Unavailable(
            say("The storage engine did not confirm its rule for {prefix}; it said {said}.", prefix=prefix, said=said)
        ) from error


def _run(settings: SeaweedSettings, command: str) -> str:
    ports = settings.ports
    _refuse_to_wait(ports.filer + 1)
    argv = [
        *(sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())),
        str(settings.weed_program()),
        "shell",
        f"-master=127.0.0.1:{ports.master}.{ports.master + 1}",
        f"-filer=127.0.0.1:{ports.filer}.{ports.filer + 1}",
    ]
    try:
        done = subprocess.run(  # the certificates are found from the working directory
            argv,
            input=f"{command}\n",
            text=True,
            capture_output=True,
            cwd=settings.home,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(
            say(
                "The storage engine's shell did not carry out `{command}`: {error}.",
                command=command.partition(" ")[0],
                error=error,
            ),
            way_out=say("See whether the storage process runs; what was asked is tried again by itself."),
        ) from error
    return done.stdout


def _refuse_to_wait(port: int) -> None:
    """The shell waits for ever for an engine that is not there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError as error:
        raise Unavailable(
            say("The storage engine does not answer at 127.0.0.1:{port}.", port=port),
            way_out=say("See whether the storage process runs; what was asked is tried again by itself."),
        ) from error


@contextlib.contextmanager
def _alone(settings: SeaweedSettings) -> Iterator[None]:
    descriptor = os.open(settings.home / ".shell.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
