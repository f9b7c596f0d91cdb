"""The second receipt is written in one way only, and read only when it is written that way."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.core import digest_receipt, receipt
from strongroom.core.digest_receipt import DigestReceipt
from strongroom.core.errors import Invalid

HASH = "ab" * 32
GOOD = DigestReceipt(
    dataset_id=UUID(int=1),
    repository="dataset-ss-x",
    name="Cohort 2024",
    manifest_root_sha256=HASH,
    receipt_sha256=HASH,
    digests_sha256=HASH,
    bagit_sha256=HASH,
    object_count=2,
    size_bytes=8,
    computed_count=1,
    completed_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
    ledger_sequence=7,
    ledger_hash=HASH,
    software_version="0.1.0",
)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 2**63), st.datetimes(timezones=st.just(UTC)))
def test_what_was_written_is_read(name: str, count: int, at: datetime) -> None:
    made = replace(GOOD, name=name, object_count=count, completed_at=at.replace(year=max(at.year, 1000)))
    assert digest_receipt.decode(digest_receipt.encode(made)) == made


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"object_count": 2', '"object_count": 02'),
        ('"object_count": 2', '"object_count": true'),
        ('"object_count": 2', '"object_count": -2'),
        ("strongroom-digests/1", "strongroom-receipt/1"),
        (HASH, "AB" * 32),
        ('"name"', '"title"'),
        ("{\n", "{ \n"),
    ],
)
def test_what_was_changed_is_refused(old: str, new: str) -> None:
    text = digest_receipt.encode(GOOD)
    assert old in text
    with pytest.raises(Invalid):
        digest_receipt.decode(text.replace(old, new, 1))


def test_neither_kind_is_taken_for_the_other() -> None:
    with pytest.raises(Invalid, match="not a receipt"):
        receipt.decode(digest_receipt.encode(GOOD))
