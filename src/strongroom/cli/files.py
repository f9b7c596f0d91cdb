"""Writes files that others must not read, or must not find half written."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from strongroom.cli.problems import usage


def write_private(path: Path, text: str) -> None:
    """Replace the file as a whole, mode 0600; a link is followed, so that a dotfile kept elsewhere stays there."""
    with replacing(path.resolve()) as out:
        out.write(text.encode())


def write_stream(path: Path, chunks: Iterable[bytes]) -> int:
    """Write a stream to a file, whole or not at all; how many bytes."""
    size_bytes = 0
    with replacing(path) as out:
        for chunk in chunks:
            size_bytes += out.write(chunk)
    return size_bytes


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path`, mode 0600, that takes its place when all went well."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def inside(folder: Path, filename: str) -> Path:
    """A path in `folder` for a name that a server gave. Raises Problem for one that would lead elsewhere."""
    is_plain = filename and filename not in (".", "..") and not set(filename) & set("/\\:\0")
    if not is_plain:
        raise usage(f"The server gave the file name {filename!r}, which is not a plain name; nothing was written.")
    return folder / filename


def refuse_overwrite(paths: Iterable[Path], *, option: str) -> None:
    """Raises Problem that names the files that are already there."""
    there = [str(path) for path in paths if path.exists()]
    if there:
        raise usage(f"Already there: {', '.join(there)}.", f"Choose another place, or say {option}.")
