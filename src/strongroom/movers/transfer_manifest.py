"""The list of what one run found in place and what it did not bring, as JSON lines: files first, then troubles."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from strongroom.movers.journal import Journal, Unwritable


def write(file: Path, journal: Journal) -> str:
    """Write it; its SHA-256 (hex). Raises: Unwritable."""
    summed = hashlib.sha256()
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as out:
            for line in _lines(journal):
                content = (json.dumps(line, ensure_ascii=True) + "\n").encode()
                summed.update(content)
                out.write(content)
        beside.replace(file)
    except OSError as error:
        raise Unwritable(f"The transfer manifest {file} cannot be written: {error.strerror or error}.") from error
    finally:
        beside.unlink(missing_ok=True)
    return summed.hexdigest()


def _lines(journal: Journal) -> Iterator[dict[str, object]]:
    for sent in journal.of_this_run():
        yield {"key": sent.key, "size_bytes": sent.size_bytes, "etag": sent.etag, "sha256": sent.sha256}
    for trouble in journal.troubles():
        yield {"key": trouble.key, "problem" if trouble.is_problem else "remark": trouble.reason}
