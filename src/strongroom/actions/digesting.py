"""The digests of a manifest: kept in pieces while they are found, then as one list with a receipt of its own."""

import gzip
import hashlib
import io
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest

from strongroom import __version__, engines
from strongroom.actions import inventory, pacing, signing
from strongroom.actions.configuration import settings
from strongroom.actions.pacing import Pace
from strongroom.core import bag, digest_receipt, manifest
from strongroom.core.errors import Invalid, Unavailable
from strongroom.core.manifest import Entry
from strongroom.core.sentences import say
from strongroom.db.models import Dataset, DigestList, FixityCheck, LedgerHead, Manifest

_ENDING = ".jsonl.gz"


@dataclass(frozen=True, slots=True)
class Assembled:
    """A list that was written: where it lies, and what it sums up to."""

    object_key: str
    digests_sha256: str
    bagit_sha256: str
    bagit_bytes: int
    sums_bytes: int
    file_count: int
    object_count: int


def keep_piece(check: FixityCheck, entries: Iterable[Entry]) -> str:
    """Store a segment as the piece of the check's number; what all pieces sum up to then.

    Its name tells the sums before and after it: a worker that lost its lease and finishes too late writes another
    one beside it, never over it.
    """
    content = b"".join(map(manifest.encode, entries))
    packed = gzip.compress(content, compresslevel=1, mtime=0)
    sums = _sum(check.pieces_sha256, hashlib.sha256(content))
    key = f"{_pieces_prefix(check)}{check.pieces:08}-{_short(check.pieces_sha256)}-{_short(sums)}{_ENDING}"
    engines.current().put_object(inventory.records(), key, io.BytesIO(packed), content_type="application/gzip")
    return sums


def forget_pieces(check: FixityCheck) -> None:
    """They are in the list, or nobody needs them any more."""
    engine, bucket = engines.current(), inventory.records()
    # By the listing: more may lie there than the row counts, of a worker that was killed or made to begin anew.
    for piece in list(engine.list_objects(bucket, prefix=_pieces_prefix(check))):
        engine.delete_object(bucket, piece.key)


def assemble(check: FixityCheck, pace: Pace) -> Assembled:
    """Write the pieces, and what could be read only later, as one list; constant memory.

    Raises Unavailable when a piece is missing, was altered, or does not fit the signed manifest. Raises Stopped.
    """
    object_key = f"digests/{check.dataset_id}/{check.manifest.revision}.jsonl.gz"
    writer, bagit, file_count, bagit_bytes, sums_bytes = manifest.Writer(), hashlib.sha256(), 0, 0, 0
    with tempfile.TemporaryFile(dir=settings().home) as spool:
        with gzip.GzipFile(fileobj=spool, mode="wb", compresslevel=1, mtime=0) as packed:
            for entry in _proved(check):
                packed.write(writer.add(entry))
                if writer.count % pacing.ASK_LINES == 0:
                    pace.rest(0)
                if (line := bag_line(entry)) is not None:
                    bagit.update(line)
                    bagit_bytes += len(line)
                    sums_bytes += len(sum_line(entry) or b"")
                    file_count += 1
        spool.seek(0)
        engines.current().put_object(inventory.records(), object_key, spool, content_type="application/gzip")
    return Assembled(
        object_key,
        digests_sha256=writer.root,
        bagit_sha256=bagit.hexdigest(),
        bagit_bytes=bagit_bytes,
        sums_bytes=sums_bytes,
        file_count=file_count,
        object_count=writer.count,
    )


def kept(check: FixityCheck) -> Iterator[bytes]:
    """The lines of its pieces: those of the manifest, with every digest that was found at once.

    Raises Unavailable when a piece is missing, and after the last when one was altered: nothing is sure before the end.
    """
    sums = ""
    for key in _piece_keys(check):
        summed = hashlib.sha256()
        try:
            for line in inventory.split(inventory.read_file(key, check.manifest.root_sha256)):
                summed.update(line + b"\n")
                yield line
        except zlib.error:
            raise altered() from None
        sums = _sum(sums, summed)
    if sums != check.pieces_sha256:
        raise altered()


def altered() -> Unavailable:
    """What is said of pieces that are not those that were kept."""
    return Unavailable(say("What was kept of the digests was altered in the storage engine."))


def adds_a_digest_at_most(signed: Entry, other: Entry) -> bool:
    """Whether it is the entry that was signed, but for the digest of an object that came without one."""
    if bag.of_checksum(signed.checksum) is not None or bag.of_checksum(other.checksum) is None:
        return signed == other
    return replace(signed, checksum=other.checksum) == other


def bag_line(entry: Entry) -> bytes | None:
    """Its line in `manifest-sha256.txt`; None for an object that only marks a folder."""
    return None if bag.is_folder(entry.key, entry.size_bytes) else bag.line(digest_of(entry), entry.key)


def sum_line(entry: Entry) -> bytes | None:
    """Its line for `sha256sum -c`; None as above."""
    return None if bag.is_folder(entry.key, entry.size_bytes) else bag.sum_line(digest_of(entry), entry.key)


def digest_of(entry: Entry) -> str:
    """The digest that an entry of a complete list has."""
    found = bag.of_checksum(entry.checksum)
    assert found is not None, f"no digest of {entry.key!r} in a list of digests"
    return found


def sign(dataset: Dataset, check: FixityCheck, made: Assembled, at: datetime) -> DigestList:
    """The list's row with its signed receipt; inside the transaction that records the fact."""
    head = LedgerHead.objects.select_for_update().get(id=1)
    recorded: Manifest = check.manifest
    text = digest_receipt.encode(
        digest_receipt.DigestReceipt(
            dataset_id=dataset.id,
            repository=dataset.repository,
            name=dataset.name,
            manifest_root_sha256=recorded.root_sha256,
            receipt_sha256=hashlib.sha256(recorded.receipt.encode()).hexdigest(),
            digests_sha256=made.digests_sha256,
            bagit_sha256=made.bagit_sha256,
            object_count=recorded.object_count,
            size_bytes=recorded.size_bytes,
            computed_count=check.read_count,
            completed_at=at,
            ledger_sequence=head.sequence,
            ledger_hash=head.hash,
            software_version=__version__,
        )
    )
    return DigestList.objects.create(
        manifest=recorded,
        object_key=made.object_key,
        digests_sha256=made.digests_sha256,
        bagit_sha256=made.bagit_sha256,
        bagit_bytes=made.bagit_bytes,
        sums_bytes=made.sums_bytes,
        file_count=made.file_count,
        receipt=text,
        signature=signing.sign_text(text),
        made_at=at,
    )


def lines(listed: DigestList) -> Iterator[bytes]:
    """The list, one line at a time. Raises Unavailable when its file is missing."""
    return inventory.split(inventory.read_file(listed.object_key, listed.digests_sha256))


def proved(listed: DigestList) -> Iterator[bytes]:
    """The same, and then Unavailable when they are not those that were signed: do nothing final before the end."""
    return inventory.proved_lines(lines(listed), listed.digests_sha256)


def _entries(check: FixityCheck) -> Iterator[Entry]:
    late = check.differences.order_by("position").values_list("position", "sha256").iterator(chunk_size=1000)
    at, sha256 = next(late, (-1, ""))
    try:
        for position, entry in enumerate(manifest.read(kept(check))):
            if position != at:
                yield entry
                continue
            yield replace(entry, checksum=f"sha256:{sha256}") if sha256 else entry
            at, sha256 = next(late, (-1, ""))
    except Invalid:
        raise altered() from None


def _proved(check: FixityCheck) -> Iterator[Entry]:
    """The entries, each beside the one that was signed: what the pieces say is signed for next."""
    for signed, entry in zip_longest(inventory.proved_entries(check.manifest), _entries(check)):
        if signed is None or entry is None or not adds_a_digest_at_most(signed, entry):
            named = signed or entry
            raise Unavailable(
                say("What was kept of the digests is not what the signed manifest says of {key}.", key=named.key)
                if named
                else say("What was kept of the digests is not what the signed manifest says.")
            )
        yield entry


def _sum(before: str, piece: "hashlib._Hash") -> str:
    return hashlib.sha256(f"{before}{piece.hexdigest()}".encode()).hexdigest()


def _piece_keys(check: FixityCheck) -> list[str]:
    """In their order. Found from the last one back, for only what all sum up to is written down where it is safe."""
    prefix, before = _pieces_prefix(check), {}
    for piece in engines.current().list_objects(inventory.records(), prefix=prefix):
        number, *sums_then = piece.key.removeprefix(prefix).removesuffix(_ENDING).split("-")
        if len(sums_then) == 2:
            before[number, sums_then[1]] = sums_then[0]
    sums, keys = _short(check.pieces_sha256), []
    for number in (f"{each:08}" for each in reversed(range(check.pieces))):
        follows = before.get((number, sums))
        if follows is None:  # kept by a version that named them by their number alone
            keys.append(f"{prefix}{number}{_ENDING}")
        else:
            keys.append(f"{prefix}{number}-{follows}-{sums}{_ENDING}")
        sums = follows or ""
    return keys[::-1]


def _short(sums: str) -> str:
    return sums[:16] or "first"


def _pieces_prefix(check: FixityCheck) -> str:
    return f"digests/{check.dataset_id}/{check.manifest.revision}/"
