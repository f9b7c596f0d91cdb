"""The receipt of a finalized data set: what was frozen, when, by whom, and where the ledger says so.

It is signed as it stands (core.sshsig), so it is written in one way only. Refuses to know the signature.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.core import canonical
from strongroom.core.errors import Invalid
from strongroom.core.sentences import say
from strongroom.core.vocabulary import AttachmentKind, Kind

FORM = "strongroom-receipt/1"


@dataclass(frozen=True, slots=True)
class Attached:
    """A document that was attached when the data set was finalized. `sha256` is hexadecimal."""

    id: UUID
    kind: AttachmentKind
    title: str
    filename: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """All that is promised about a finalized data set. Times are aware UTC; `finalized_by` is an e-mail address.

    `sources` are the ids of the data sets a derivative names. `ledger_sequence` and `ledger_hash` are a place in
    the ledger that `core.ledger.verify` takes as an anchor. `locked_until`: no object can be deleted before.

    Raises: Invalid when a hash is not 64 hexadecimal digits, or a count or size is below 0.
    """

    dataset_id: UUID
    repository: str
    name: str
    kind: Kind
    space_id: UUID
    manifest_root_sha256: str
    object_count: int
    size_bytes: int
    created_at: datetime
    finalized_at: datetime
    finalized_by: str
    promoted_from_derivative: bool
    sources: Sequence[UUID]
    external_source: str
    attachments: Sequence[Attached]
    locked_until: datetime | None
    ledger_sequence: int
    ledger_hash: str
    software_version: str

    def __post_init__(self) -> None:
        hashes = [self.manifest_root_sha256, self.ledger_hash, *(document.sha256 for document in self.attachments)]
        numbers = [self.object_count, self.size_bytes, self.ledger_sequence]
        numbers += [document.size_bytes for document in self.attachments]
        if not all(map(canonical.is_sha256, hashes)) or min(numbers) < 0:
            raise Invalid(say("A receipt needs hashes of 64 hexadecimal digits, and counts and sizes from 0 up."))
        # Lists compare and hash by identity or not at all; a receipt is a value.
        object.__setattr__(self, "sources", tuple(self.sources))
        object.__setattr__(self, "attachments", tuple(self.attachments))


def encode(receipt: Receipt) -> str:
    """Canonical JSON for people and programs: sorted keys, two spaces, a line break at the end. Its UTF-8 is signed."""
    return canonical.page(
        {
            "type": FORM,
            "dataset_id": str(receipt.dataset_id),
            "repository": receipt.repository,
            "name": receipt.name,
            "kind": receipt.kind.value,
            "space_id": str(receipt.space_id),
            "manifest_root_sha256": receipt.manifest_root_sha256,
            "object_count": receipt.object_count,
            "size_bytes": receipt.size_bytes,
            "created_at": _time(receipt.created_at),
            "finalized_at": _time(receipt.finalized_at),
            "finalized_by": receipt.finalized_by,
            "promoted_from_derivative": receipt.promoted_from_derivative,
            "sources": [str(source) for source in receipt.sources],
            "external_source": receipt.external_source,
            "attachments": [_document(document) for document in receipt.attachments],
            "locked_until": _time(receipt.locked_until) if receipt.locked_until else None,
            "ledger_sequence": receipt.ledger_sequence,
            "ledger_hash": receipt.ledger_hash,
            "software_version": receipt.software_version,
        }
    )


def decode(text: str) -> Receipt:
    """The receipt in a text. It says what was signed, not that the signature is good.

    Raises: Invalid unless the text is exactly what `encode` writes.
    """
    values = canonical.parse(text)
    if not isinstance(values, dict) or values.get("type") != FORM:
        raise Invalid(say("This is not a receipt: its type is not {form}.", form=FORM))
    try:
        receipt = _read(values)
        is_canonical = encode(receipt) == text
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Invalid(say("This receipt is damaged: {problem}.", problem=problem)) from problem
    if not is_canonical:
        raise Invalid(say("This receipt was changed: it is not written the way Strongroom writes receipts."))
    return receipt


def _read(values: dict[str, Any]) -> Receipt:
    return Receipt(
        dataset_id=UUID(values["dataset_id"]),
        repository=_text(values["repository"]),
        name=_text(values["name"]),
        kind=Kind(values["kind"]),
        space_id=UUID(values["space_id"]),
        manifest_root_sha256=values["manifest_root_sha256"],
        object_count=_whole(values["object_count"]),
        size_bytes=_whole(values["size_bytes"]),
        created_at=canonical.read_time(values["created_at"]),
        finalized_at=canonical.read_time(values["finalized_at"]),
        finalized_by=_text(values["finalized_by"]),
        promoted_from_derivative=_truth(values["promoted_from_derivative"]),
        sources=[UUID(source) for source in values["sources"]],
        external_source=_text(values["external_source"]),
        attachments=[_read_document(document) for document in values["attachments"]],
        locked_until=canonical.read_time(values["locked_until"]) if values["locked_until"] is not None else None,
        ledger_sequence=_whole(values["ledger_sequence"]),
        ledger_hash=values["ledger_hash"],
        software_version=_text(values["software_version"]),
    )


def _document(document: Attached) -> dict[str, object]:
    return {
        "id": str(document.id),
        "kind": document.kind.value,
        "title": document.title,
        "filename": document.filename,
        "sha256": document.sha256,
        "size_bytes": document.size_bytes,
    }


def _read_document(values: dict[str, Any]) -> Attached:
    return Attached(
        id=UUID(values["id"]),
        kind=AttachmentKind(values["kind"]),
        title=_text(values["title"]),
        filename=_text(values["filename"]),
        sha256=values["sha256"],
        size_bytes=_whole(values["size_bytes"]),
    )


def _time(at: datetime) -> str:
    return canonical.time(at, "microseconds")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value
