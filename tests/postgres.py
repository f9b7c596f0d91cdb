"""A PostgreSQL cluster of its own in a temporary folder, for as long as a command runs.

    python -m tests.postgres pytest tests/actions tests/api

runs the command with STRONGROOM_TEST_DATABASE set; its exit status is the command's. The server listens on
127.0.0.1 only, on a free port, and forgets everything: nothing is synced to disk.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_ports

UNPRIVILEGED = "nobody"  # initdb and postgres refuse to run as root
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60", "shared_buffers=64MB")


@contextmanager
def cluster(*, is_durable: bool = False) -> Iterator[str]:
    """The URL of a fresh cluster; a durable one waits for the disk as PostgreSQL does unless told otherwise.

    Raises: FileNotFoundError where PostgreSQL's server is not installed.
    """
    home = Path(tempfile.mkdtemp(prefix="strongroom-postgres-"))
    server = None
    try:
        password = secrets.token_hex(16)
        secret = home / "password"
        secret.write_text(password)
        _give_away(home, secret)
        data, port = home / "data", free_ports()
        init = ["--username=strongroom", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]
        _run(["initdb", f"--pgdata={data}", *init])
        server = _start(data, port, home, () if is_durable else _FAST)
        yield f"postgresql://strongroom:{password}@127.0.0.1:{port}/postgres"
    finally:
        if server is not None:
            _stop(server)
        shutil.rmtree(home, ignore_errors=True)


def main(command: Sequence[str]) -> int:
    """Run `command` (default: pytest over everything that reaches the database) against a cluster."""
    with cluster() as url:
        words = list(command) or ["pytest", "tests/actions", "tests/api"]
        if words[0] == "pytest":
            words[:1] = [sys.executable, "-m", "pytest"]
        return subprocess.run(words, env={**os.environ, "STRONGROOM_TEST_DATABASE": url}, check=False).returncode


def _program(name: str) -> str:
    """The newest installed; Debian keeps the server's programs out of the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(versions[-1]) if versions else shutil.which(name)
    if not found:
        raise FileNotFoundError(f"PostgreSQL's {name} is not installed; tests/system-packages.sh installs it")
    return found


def _as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={UNPRIVILEGED}", "--regid=nogroup", "--clear-groups", "--pdeathsig=INT", "--"]


def _give_away(*paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, UNPRIVILEGED, "nogroup")


def _run(words: list[str]) -> None:
    done = subprocess.run(
        [*_as_nobody(), _program(words[0]), *words[1:]], capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed: {done.stdout}{done.stderr}")


def _start(data: Path, port: int, home: Path, settings: Sequence[str]) -> "subprocess.Popen[bytes]":
    options = [each for option in settings for each in ("-c", option)]
    words = [_program("postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(home), *options]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen([*_as_nobody(), *words], stdout=log, stderr=log, cwd="/")
    for _ in range(900):
        ready = subprocess.run(
            [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "1"], check=False
        )
        if ready.returncode == 0:
            return server
        if server.poll() is not None:
            break
        time.sleep(0.1)
    _stop(server)
    raise RuntimeError(f"PostgreSQL did not start: {(home / 'log').read_text()}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGINT)  # SIGTERM would wait for every session to end
    try:
        server.wait(timeout=60)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
