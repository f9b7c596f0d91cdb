"""The list of what one run found in place and what it did not bring, as JSON lines: files first, then troubles."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from strongroom.movers.journal import Journal, Unwritable


def check(file: Path) -> None:
    """See to it before anything is sent, not after days: it can be written there. Raises: Unwritable."""
    beside = _beside(file)
    try:
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        beside.open("wb").close()
        beside.unlink()
    except OSError as error:
        raise _unwritable(file, error) from error


def write(file: Path, journal: Journal, *, label: str = "") -> str:
    """Write it; its SHA-256 (hex). A label stands in a line before all others. Raises: Unwritable."""
    summed = hashlib.sha256()
    beside = _beside(file)
    try:
        with beside.open("wb") as out:
            for line in _lines(journal, label):
                content = (json.dumps(line, ensure_ascii=True) + "\n").encode()
                summed.update(content)
                out.write(content)
        beside.replace(file)
    except OSError as error:
        raise _unwritable(file, error) from error
    finally:
        beside.unlink(missing_ok=True)
    return summed.hexdigest()


def _beside(file: Path) -> Path:
    return file.with_name(f".{file.name}.{os.getpid()}")


def _unwritable(file: Path, error: OSError) -> Unwritable:
    return Unwritable(f"The transfer manifest {file} cannot be written: {error.strerror or error}.")


def _lines(journal: Journal, label: str) -> Iterator[dict[str, object]]:
    if label:
        yield {"label": label}
    for sent in journal.of_this_run():
        yield {"key": sent.key, "size_bytes": sent.size_bytes, "etag": sent.etag, "sha256": sent.sha256}
    for trouble in journal.troubles():
        yield {"key": trouble.key, "problem" if trouble.is_problem else "remark": trouble.reason}
