"""The second receipt of a finalized data set: the SHA-256 of every object is known, and this is their list.

It names the first receipt by its hash, so that the two belong together. Refuses to know the signature.
"""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.core import canonical
from strongroom.core.errors import Invalid
from strongroom.core.sentences import say

FORM = "strongroom-digests/1"
_HASHES = ("manifest_root_sha256", "receipt_sha256", "digests_sha256", "bagit_sha256", "ledger_hash")
_NUMBERS = ("object_count", "size_bytes", "computed_count", "ledger_sequence")


@dataclass(frozen=True, slots=True)
class DigestReceipt:
    """What is promised once all digests are known. `completed_at` is aware UTC.

    `digests_sha256` is the hash of the manifest's lines with a SHA-256 in each, `bagit_sha256` that of the same list
    as `manifest-sha256.txt` of a bag. `computed_count`: how many objects were read for it; the digests of the others
    came with them. `receipt_sha256` is the hash of the first receipt's text, `ledger_*` a place in the ledger.

    Raises: Invalid when a hash is not 64 hexadecimal digits, or a count or size is below 0.
    """

    dataset_id: UUID
    repository: str
    name: str
    manifest_root_sha256: str
    receipt_sha256: str
    digests_sha256: str
    bagit_sha256: str
    object_count: int
    size_bytes: int
    computed_count: int
    completed_at: datetime
    ledger_sequence: int
    ledger_hash: str
    software_version: str

    def __post_init__(self) -> None:
        hashes, numbers = [getattr(self, name) for name in _HASHES], [getattr(self, name) for name in _NUMBERS]
        if not all(map(canonical.is_sha256, hashes)) or any(type(each) is not int or each < 0 for each in numbers):
            raise Invalid(say("A receipt needs hashes of 64 hexadecimal digits, and counts and sizes from 0 up."))
        if not all(isinstance(each, str) for each in (self.repository, self.name, self.software_version)):
            raise Invalid(say("A receipt needs texts for the repository, the name and the version."))


def encode(receipt: DigestReceipt) -> str:
    """Canonical JSON for people and programs: sorted keys, two spaces, a line break at the end. Its UTF-8 is signed."""
    values: dict[str, object] = {**asdict(receipt), "type": FORM, "dataset_id": str(receipt.dataset_id)}
    return canonical.page({**values, "completed_at": canonical.time(receipt.completed_at, "microseconds")})


def decode(text: str) -> DigestReceipt:
    """The receipt in a text. It says what was signed, not that the signature is good.

    Raises: Invalid unless the text is exactly what `encode` writes.
    """
    values = canonical.parse(text)
    if not is_one(values):
        raise Invalid(say("This is not a receipt of digests: its type is not {form}.", form=FORM))
    try:
        receipt = _read(values)
        is_canonical = encode(receipt) == text
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Invalid(say("This receipt is damaged: {problem}.", problem=problem)) from problem
    if not is_canonical:
        raise Invalid(say("This receipt was changed: it is not written the way Strongroom writes receipts."))
    return receipt


def is_one(values: object) -> bool:
    """Whether what was read says that it is such a receipt."""
    return isinstance(values, dict) and values.get("type") == FORM


def _read(values: dict[str, Any]) -> DigestReceipt:
    plain = {each.name: values[each.name] for each in fields(DigestReceipt)}
    completed_at = canonical.read_time(values["completed_at"])
    return DigestReceipt(**{**plain, "dataset_id": UUID(values["dataset_id"]), "completed_at": completed_at})
