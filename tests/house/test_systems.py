"""The command line and the movers run on Windows and macOS, too: they name nothing that Python has on Unix alone.

Source: Python documentation, "os" and "signal" (availability), "Unix Specific Services".
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "strongroom"
MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NAMES = {
    "os": {
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "chown", "fchmod", "fchown", "fork", "getegid"),
        *("geteuid", "getgid", "getpgid", "getuid", "killpg", "lchown", "mkfifo", "posix_fadvise", "posix_fallocate"),
        *("pread", "preadv", "pwrite", "readv", "sendfile", "setsid", "statvfs", "sync", "uname", "writev"),
    },
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGUSR2", "pthread_sigmask"},
}
FILES = sorted(path for part in ("cli", "core", "movers") for path in (SOURCE / part).rglob("*.py"))
# Asked for with `hasattr` before.
GUARDED = {("movers/reading.py", "os.readv")}


def only_on_unix(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            yield from {node.module} & MODULES if node.module else ()
            taken = {each.name for each in node.names} & NAMES.get(node.module or "", set())
            yield from (f"{node.module}.{each}" for each in taken)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.attr in NAMES.get(node.value.id, ())
        ):
            yield f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_file_names_nothing_that_only_unix_has(path: Path) -> None:
    name = path.relative_to(SOURCE).as_posix()
    assert {(name, each) for each in only_on_unix(path.read_text())} <= GUARDED


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pwd", "pwd"),
        ("from fcntl import flock", "fcntl"),
        ("from os import fork", "os.fork"),
        ("import os\nos.killpg(1, 9)", "os.killpg"),
        ("signal.SIGHUP", "signal.SIGHUP"),
    ],
)
def test_what_only_unix_has_is_found(source: str, found: str) -> None:
    assert list(only_on_unix(source)) == [found]


def test_what_is_guarded_is_asked_for_first() -> None:
    for name, used in GUARDED:
        text = (SOURCE / name).read_text()
        module, _, attribute = used.partition(".")
        assert used in only_on_unix(text) and f'hasattr({module}, "{attribute}")' in text
