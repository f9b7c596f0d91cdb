"""A receipt is written in one way only, comes back as it was, and shows any change."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.core import receipt
from strongroom.core.errors import Invalid
from strongroom.core.receipt import Attached, Receipt
from strongroom.core.vocabulary import AttachmentKind, Kind

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
TIMES = st.datetimes(timezones=st.just(UTC))
SIZES = st.integers(0, 2**60)
DOCUMENTS = st.builds(
    Attached, st.uuids(), st.sampled_from(AttachmentKind), title=TEXT, filename=TEXT, sha256=HASHES, size_bytes=SIZES
)
RECEIPTS = st.builds(
    Receipt,
    dataset_id=st.uuids(),
    repository=TEXT,
    name=TEXT,
    kind=st.sampled_from(Kind),
    space_id=st.uuids(),
    manifest_root_sha256=HASHES,
    object_count=SIZES,
    size_bytes=SIZES,
    created_at=TIMES,
    finalized_at=TIMES,
    finalized_by=TEXT,
    promoted_from_derivative=st.booleans(),
    sources=st.lists(st.uuids(), max_size=3),
    external_source=TEXT,
    attachments=st.lists(DOCUMENTS, max_size=2),
    locked_until=st.none() | TIMES,
    ledger_sequence=SIZES,
    ledger_hash=HASHES,
    software_version=TEXT,
)
ONE = Receipt(
    dataset_id=UUID(int=1),
    repository="dataset-uni-00000000-0000-0000-0000-000000000001",
    name="Größen",
    kind=Kind.ORIGINAL,
    space_id=UUID(int=2),
    manifest_root_sha256="a" * 64,
    object_count=3,
    size_bytes=12,
    created_at=NOW,
    finalized_at=NOW.astimezone(timezone(timedelta(hours=1))),
    finalized_by="owner@example.org",
    promoted_from_derivative=False,
    sources=[],
    external_source="",
    attachments=[Attached(UUID(int=3), AttachmentKind.OTHER, "Terms", "terms.pdf", "b" * 64, 7)],
    locked_until=None,
    ledger_sequence=17,
    ledger_hash="c" * 64,
    software_version="1.0.0",
)


@given(RECEIPTS)
def test_any_receipt_comes_back_as_it_was(one: Receipt) -> None:
    assert receipt.decode(receipt.encode(one)) == one


def test_a_receipt_is_readable_json_with_its_type_and_sorted_keys() -> None:
    text = receipt.encode(ONE)
    values = json.loads(text)
    assert values["type"] == "strongroom-receipt/1"
    assert list(values) == sorted(values)
    assert '\n  "name": "Größen",\n' in text
    assert values["finalized_at"] == "2026-01-31T12:00:00.123456Z"
    assert text.endswith("}\n")


@given(RECEIPTS, st.data())
def test_any_changed_character_is_refused_or_makes_another_receipt(one: Receipt, data: st.DataObject) -> None:
    text = receipt.encode(one)
    place = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.sampled_from(' \n"{}[],:\\0aA') | st.characters(exclude_categories=["Cs"]))
    kind = data.draw(st.sampled_from(["change", "insert", "remove"]))
    tampered = text[:place] + ("" if kind == "remove" else character) + text[place + (kind != "insert") :]
    if tampered == text:
        return
    with suppress(Invalid):
        assert receipt.decode(tampered) != one


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "strongroom-receipt/2"),
        ("kind", "copy"),
        ("object_count", -1),
        ("object_count", 3.0),
        ("size_bytes", True),
        ("promoted_from_derivative", 1),
        ("manifest_root_sha256", "A" * 64),
        ("manifest_root_sha256", "a" * 63),
        ("finalized_at", "2026-01-31T12:00:00.123456+00:00"),
        ("finalized_at", None),
        ("dataset_id", "00000000000000000000000000000001"),
        ("sources", None),
        ("attachments", [{}]),
        ("name", None),
        ("surplus", 1),
    ],
)
def test_a_value_that_cannot_be_is_refused(field: str, value: object) -> None:
    values = json.loads(receipt.encode(ONE))
    values[field] = value
    with pytest.raises(Invalid):
        receipt.decode(json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("field", sorted(json.loads(receipt.encode(ONE))))
def test_no_field_may_be_missing(field: str) -> None:
    values = json.loads(receipt.encode(ONE))
    del values[field]
    with pytest.raises(Invalid):
        receipt.decode(json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "nonsense"])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        receipt.decode(text)


def test_a_receipt_with_impossible_sums_cannot_be_made() -> None:
    for wrong in ({"object_count": -1}, {"ledger_hash": "x"}, {"manifest_root_sha256": ""}):
        with pytest.raises(Invalid):
            replace(ONE, **wrong)  # type: ignore[arg-type]
