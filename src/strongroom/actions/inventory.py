"""Reads what is in a bucket, and keeps what was read: the manifest's file lies in the engine's records bucket."""

import gzip
import hashlib
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from strongroom import engines
from strongroom.actions import digests
from strongroom.actions.configuration import settings
from strongroom.core import manifest, names
from strongroom.core.errors import Invalid, NotFound, Unavailable
from strongroom.core.names import ATTACHMENTS
from strongroom.core.sentences import say
from strongroom.db.models import Dataset, DigestList, Manifest
from strongroom.engines import StoredObject

PROGRESS_SECONDS = 1.0
DAMAGED = "manifest-damaged"  # the code of what is said of a list that is missing, or is not the one that was signed
_MD5_ETAG_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Inventory:
    """A manifest that was written: where it lies and what it sums up to."""

    object_key: str
    root_sha256: str
    object_count: int
    size_bytes: int


def records() -> str:
    """The bucket of manifests and of quarantined objects; only the control plane may touch it."""
    return names.records_repository(settings().org)


def write(dataset: Dataset, *, on_progress: Callable[[int], None]) -> Inventory:
    """List the bucket into the records bucket, in constant memory; `on_progress` gets the count about every second."""
    object_key = f"manifests/{dataset.id}/{dataset.revision}.jsonl.gz"
    writer = manifest.Writer()
    with tempfile.TemporaryFile(dir=settings().home) as spool:
        with gzip.GzipFile(fileobj=spool, mode="wb", compresslevel=1, mtime=0) as packed:
            due = time.monotonic() + PROGRESS_SECONDS
            for entry in digests.attached(dataset.id, entries(dataset.repository)):
                packed.write(writer.add(entry))
                if time.monotonic() > due:
                    on_progress(writer.count)
                    due = time.monotonic() + PROGRESS_SECONDS
        spool.seek(0)
        engines.current().put_object(records(), object_key, spool, content_type="application/gzip")
    return Inventory(object_key, writer.root, writer.count, writer.size_bytes)


def entries(repository: str) -> Iterator[manifest.Entry]:
    """What is in the bucket now, in key order, attachments left out: they stand in the receipt with their hashes."""
    for stored in engines.current().list_objects(repository):
        if not is_attachment(stored.key):
            yield entry_of(stored)


def entry_of(stored: StoredObject) -> manifest.Entry:
    """A listed object as the manifest writes it; an ETag without a part count is the MD5 of the content."""
    is_md5 = len(stored.etag) == _MD5_ETAG_LENGTH and "-" not in stored.etag
    return manifest.Entry(
        key=stored.key,
        size_bytes=stored.size_bytes,
        etag=stored.etag,
        modified_at=stored.modified_at,
        checksum=f"md5:{stored.etag}" if is_md5 else None,
    )


def is_attachment(key: str) -> bool:
    """Whether a key lies where only Strongroom writes."""
    return key == ATTACHMENTS or key.startswith(f"{ATTACHMENTS}/")


def read(recorded: Manifest) -> Iterator[bytes]:
    """The manifest as it was written, in chunks of uncompressed JSON lines. Raises as `read_file`."""
    return read_file(recorded.object_key, recorded.root_sha256)


def read_file(object_key: str, sha256: str) -> Iterator[bytes]:
    """A packed file of the records bucket, unpacked, in chunks.

    Raises Unavailable at once, not only when the first chunk is taken: by then an answer may have begun.
    """
    try:
        packed = engines.current().read_object(records(), object_key)
    except NotFound as error:
        raise Unavailable(
            say("The file of the manifest with the root {sha256} is missing in the storage engine.", sha256=sha256),
            code=DAMAGED,
            way_out=say("Whoever operates it can put it back from the backup: the signed root tells the right one."),
        ) from error
    return _unpacked(packed)


def _unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for chunk in packed:
        yield unpack.decompress(chunk)
    yield unpack.flush()


def verified(recorded: Manifest, listed: DigestList | None = None) -> IO[bytes]:
    """The lines of a manifest, or of its list of digests, in a file without a name; whoever asked closes it.

    They are known to be those that were signed before there is any. Raises: Unavailable where they are not, as
    `read_file`, and where there is no room for them.
    """
    key, sha256 = (listed.object_key, listed.digests_sha256) if listed else (recorded.object_key, recorded.root_sha256)
    summed = hashlib.sha256()
    with ExitStack() as open_until_given:
        spool = open_until_given.enter_context(_Spool())
        with suppress(zlib.error):  # what cannot be unpacked is not whole, either
            for chunk in read_file(key, sha256):
                summed.update(chunk)
                spool.add(chunk)
        if summed.hexdigest() != sha256:
            raise altered(sha256)
        file = spool.done()
        open_until_given.pop_all()
    return file


class _Spool:
    """A file of the home that has no name: it is gone with whoever holds it. Leaves the database room to write."""

    def __init__(self) -> None:
        self._home = settings().home
        with self._needing_room():
            self._file = tempfile.TemporaryFile(dir=self._home)  # noqa: SIM115 closed by whoever takes it, or at the end

    def __enter__(self) -> "_Spool":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what was not written yet may find no room; nobody wants it any more
            self._file.close()

    def add(self, chunk: bytes) -> None:
        """Raises: Unavailable, as the others."""
        if shutil.disk_usage(self._home).free < settings().disk_reserve_bytes:
            raise self._no_room(say("less is free than STRONGROOM_DISK_RESERVE_BYTES"))
        with self._needing_room():
            self._file.write(chunk)

    def done(self) -> IO[bytes]:
        """The file, at its beginning."""
        with self._needing_room():
            self._file.seek(0)
        return self._file

    @contextmanager
    def _needing_room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._no_room(error.strerror or str(error)) from error

    def _no_room(self, why: object) -> Unavailable:
        return Unavailable(
            say("The list cannot be put together in {folder}: {why}.", folder=self._home, why=why),
            way_out=say("Whoever operates Strongroom can make room there (`strongroom system status`)."),
        )


def lines(recorded: Manifest) -> Iterator[bytes]:
    """The manifest, one line at a time."""
    return split(read(recorded))


def proved(recorded: Manifest) -> Iterator[bytes]:
    """The same, and then Unavailable when they are not those that were signed: do nothing final before the end."""
    return proved_lines(lines(recorded), recorded.root_sha256)


def proved_entries(recorded: Manifest) -> Iterator[manifest.Entry]:
    """The same as entries; a line that cannot be read was not signed, either."""
    try:
        yield from manifest.read(proved(recorded))
    except Invalid:
        raise altered(recorded.root_sha256) from None


def proved_lines(found: Iterator[bytes], sha256: str) -> Iterator[bytes]:
    """The lines of any list with that signed hash. As `proved`."""
    summed = hashlib.sha256()
    with suppress(zlib.error):  # what cannot be unpacked is not whole, either
        for line in found:
            summed.update(line + b"\n")
            yield line
    if summed.hexdigest() != sha256:
        raise altered(sha256)


def altered(sha256: str) -> Unavailable:
    """What is said of a list that is not the one that was signed."""
    return Unavailable(
        say("The list of objects with the SHA-256 {sha256} was altered in the storage engine.", sha256=sha256),
        code=DAMAGED,
        way_out=say("Put it back from the backup: the signed receipt tells the right one."),
    )


def split(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without their ends."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
