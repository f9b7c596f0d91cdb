"""Any single change, removal, swap, insertion or truncation of the ledger is found, in the rows and in an export."""

import json
import sqlite3
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.core import ledger
from strongroom.core.errors import Invalid
from strongroom.core.ledger import Entry, Head, Json
from strongroom.core.vocabulary import Outcome, Verb

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
FACTS = st.fixed_dictionaries(
    {
        "at": st.datetimes(timezones=st.just(UTC)),
        "verb": st.sampled_from([Verb.DATASET_FINALIZE, Verb.KEY_ISSUE]),
        "outcome": st.sampled_from(Outcome),
    },
    optional={
        "actor_id": st.none() | st.uuids(),
        "actor_email": TEXT,
        "address": TEXT,
        "request_id": TEXT,
        "space_id": st.none() | st.uuids(),
        "dataset_id": st.none() | st.uuids(),
        "subject": TEXT,
        "before": VALUES,
        "after": VALUES,
        "reason": TEXT,
    },
)


def chained(facts: list[dict[str, object]], start: Head = ledger.START) -> list[Entry]:
    entries: list[Entry] = []
    for each in facts:
        start = (entries[-1].sequence, entries[-1].hash) if entries else start
        entries.append(ledger.link(start, **each))  # type: ignore[arg-type]
    return entries


CHAINS = st.lists(FACTS, min_size=2, max_size=6).map(chained)


def head_of(entries: list[Entry]) -> Head:
    return entries[-1].sequence, entries[-1].hash


@given(CHAINS)
def test_a_chain_as_it_was_written_is_whole(entries: list[Entry]) -> None:
    report = ledger.verify(iter(entries), expected_head=head_of(entries))
    assert (report.count, report.head, report.faults, report.notes) == (len(entries), head_of(entries), [], [])
    assert report.is_whole
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))


@given(CHAINS, st.data())
def test_one_changed_value_of_one_entry_is_found(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(Entry)]))
    forged = altered(entries[place], name)
    assert not ledger.verify([*entries[:place], forged, *entries[place + 1 :]]).is_whole


@given(CHAINS, st.data())
def test_one_changed_value_is_found_even_when_its_own_hash_is_made_anew(
    entries: list[Entry], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    names = [field.name for field in fields(Entry) if field.name != "hash"]
    forged = altered(entries[place], data.draw(st.sampled_from(names)))
    forged = replace(forged, hash=ledger.hash_of(forged))
    tampered = [*entries[:place], forged, *entries[place + 1 :]]
    assert not ledger.verify(tampered, expected_head=head_of(entries)).is_whole


def altered(entry: Entry, name: str) -> Entry:
    value = getattr(entry, name)
    changed: dict[type, object] = {
        int: value + 1 if isinstance(value, int) else None,
        str: f"{value}x",
        datetime: NOW if value != NOW else NOW + timedelta(microseconds=1),
    }
    if name in {"actor_id", "space_id", "dataset_id"}:
        return replace(entry, **{name: UUID(int=1) if value != UUID(int=1) else None})
    if name in {"before", "after"}:
        return replace(entry, **{name: [value]})
    return replace(entry, **{name: changed[type(value)]})


@given(CHAINS, st.data())
def test_a_removed_entry_is_found(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    assert not ledger.verify(entries[:place] + entries[place + 1 :], expected_head=head_of(entries)).is_whole


@given(CHAINS, st.data())
def test_two_entries_that_changed_places_are_found(entries: list[Entry], data: st.DataObject) -> None:
    one, other = sorted(data.draw(st.lists(st.integers(0, len(entries) - 1), min_size=2, max_size=2, unique=True)))
    entries = list(entries)
    entries[one], entries[other] = entries[other], entries[one]
    assert not ledger.verify(entries).is_whole


@given(CHAINS, FACTS, st.data())
def test_an_inserted_entry_is_found_however_well_it_is_forged(
    entries: list[Entry], facts: dict[str, object], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries)))
    before = head_of(entries[:place]) if place else ledger.START
    (forged,) = chained([facts], before)
    doubled = entries[min(place, len(entries) - 1)]
    for inserted in (forged, doubled):
        tampered = [*entries[:place], inserted, *entries[place:]]
        assert not ledger.verify(tampered, expected_head=head_of(entries)).is_whole


@given(CHAINS, st.data())
def test_a_cut_off_end_is_found_by_a_known_head_or_anchor(entries: list[Entry], data: st.DataObject) -> None:
    kept = entries[: data.draw(st.integers(0, len(entries) - 1))]
    sequence, known = head_of(entries)
    assert not ledger.verify(kept, expected_head=(sequence, known)).is_whole
    assert not ledger.verify(kept, anchors={sequence: known}).is_whole


@given(CHAINS, FACTS, st.data())
def test_an_end_that_was_made_anew_is_found_by_an_anchor(
    entries: list[Entry], facts: dict[str, object], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    start = head_of(entries[:place]) if place else ledger.START
    forged = [*entries[:place], *chained([facts] * (len(entries) - place), start)]
    if forged == entries:
        return
    assert ledger.verify(forged).is_whole, "without an anchor a new end cannot be told from the old one"
    assert not ledger.verify(forged, anchors=dict([head_of(entries)])).is_whole


def test_a_chain_without_a_known_head_says_that_its_end_is_open() -> None:
    report = ledger.verify(chained([{"at": NOW, "verb": "key.issue", "outcome": "done"}]))
    assert report.is_whole
    assert "cut off" in report.notes[0]


@given(CHAINS, st.data())
def test_a_part_of_the_chain_can_be_checked_from_where_it_starts(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(entries) - 1))
    sequence, start = head_of(entries[:place])
    assert ledger.verify(entries[place:], start=start, start_sequence=sequence).is_whole
    assert not ledger.verify(entries[place:], start="1" * 64, start_sequence=sequence).is_whole


@given(CHAINS)
def test_an_entry_comes_back_from_its_line_as_it_was(entries: list[Entry]) -> None:
    for entry in entries:
        line = ledger.to_json(entry)
        assert "\n" not in line
        assert ledger.from_json(line) == ledger.from_json(line + "\n") == entry


@pytest.mark.parametrize(
    ("written", "respelled"),
    [
        ('"sequence":1', '"sequence": 1'),
        ('"verb":"key.issue"', '"verb":"\\u006bey.issue"'),
        ('"sequence":1', '"sequence":1,"sequence":1'),
        ('"sequence":1', '"sequence":1,"surplus":1'),
        ("123456Z", "123456+00:00"),
        ("00000000-0000-0000-0000-000000000001", "00000000000000000000000000000001"),
    ],
)
def test_a_line_with_the_same_facts_spelled_in_another_way_is_found(written: str, respelled: str) -> None:
    (entry,) = chained([{"at": NOW, "verb": "key.issue", "outcome": "done", "actor_id": UUID(int=1)}])
    line = ledger.to_json(entry)
    assert written in line
    with pytest.raises(Invalid):
        ledger.from_json(line.replace(written, respelled))
    assert not ledger.verify_export([line.replace(written, respelled)]).is_whole


@given(CHAINS, st.booleans(), st.data())
def test_any_changed_character_of_an_export_is_found(
    entries: list[Entry], has_header: bool, data: st.DataObject
) -> None:
    lines = [ledger.to_json(entry) for entry in entries]
    if has_header:
        lines.insert(0, ledger.export_header(after=ledger.START, head=head_of(entries)))
    assert ledger.verify_export(lines, expected_head=head_of(entries)).is_whole
    number = data.draw(st.integers(int(has_header), len(lines) - 1))
    line = lines[number]
    place = data.draw(st.integers(0, len(line) - 1))
    character = data.draw(st.sampled_from('x0 "\\,{}') | st.characters(exclude_categories=["Cs"]))
    kind = data.draw(st.sampled_from(["change", "insert", "remove"]))
    lines[number] = line[:place] + ("" if kind == "remove" else character) + line[place + (kind != "insert") :]
    if lines[number] != line:
        assert not ledger.verify_export(lines, expected_head=head_of(entries)).is_whole


@given(CHAINS, st.data())
def test_a_removed_line_of_an_export_is_found_by_its_header(entries: list[Entry], data: st.DataObject) -> None:
    lines = [ledger.to_json(entry) for entry in entries]
    header = ledger.export_header(after=ledger.START, head=head_of(entries))
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    assert not ledger.verify_export([header, *lines]).is_whole


def test_an_export_of_one_space_says_that_it_cannot_show_what_is_missing() -> None:
    one, other = UUID(int=1), UUID(int=2)
    spaces = [one, other, one, one, other, one]
    entries = chained([{"at": NOW, "verb": "key.issue", "outcome": "done", "space_id": space} for space in spaces])
    header = ledger.export_header(after=ledger.START, head=head_of(entries), space_id=one)
    lines = [ledger.to_json(entry) for entry in entries if entry.space_id == one]
    report = ledger.verify_export([header, *lines])
    assert report.is_whole
    assert report.is_partial
    assert report.count == 4
    assert "own hash" in report.notes[0]
    # What it can show: a changed fact, a changed order, and a replaced entry between neighbours (3 and 4).
    assert not ledger.verify_export([header, lines[0].replace("key.issue", "key.reset"), *lines[1:]]).is_whole
    assert not ledger.verify_export([header, lines[1], lines[0], *lines[2:]]).is_whole
    forged = replace(entries[2], reason="forged")
    forged = replace(forged, hash=ledger.hash_of(forged))
    assert not ledger.verify_export([header, lines[0], ledger.to_json(forged), *lines[2:]]).is_whole
    assert not ledger.verify_export([header, *lines], anchors={3: "1" * 64}).is_whole


def test_a_line_that_is_no_entry_is_reported_with_its_number_and_the_rest_is_read() -> None:
    lines = [ledger.to_json(entry) for entry in chained([{"at": NOW, "verb": "v", "outcome": "done"}] * 2)]
    report = ledger.verify_export(["nonsense", *lines])
    assert report.count == 2
    assert report.faults[0].startswith("Line 1 cannot be read")
    assert ledger.verify_export([]).count == 0


def test_a_file_full_of_faults_lists_a_hundred_and_counts_the_rest() -> None:
    report = ledger.verify_export(["nonsense"] * 150)
    assert len(report.faults) == ledger.FAULTS_LISTED + 1
    assert report.faults[-1].startswith("50 more")


@given(FACTS)
def test_the_hash_does_not_depend_on_the_order_of_keys_or_the_time_zone(facts: dict[str, object]) -> None:
    (entry,) = chained([facts])
    shuffled = replace(
        entry, before=turned(entry.before), after=turned(entry.after), verb=str(entry.verb), outcome=str(entry.outcome)
    )
    assert ledger.hash_of(shuffled) == entry.hash
    if datetime(2, 1, 1, tzinfo=UTC) < entry.at < datetime(9998, 1, 1, tzinfo=UTC):
        assert ledger.hash_of(replace(entry, at=entry.at.astimezone(timezone(timedelta(hours=-7))))) == entry.hash


def turned(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: turned(inner) for key, inner in reversed(value.items())}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


@given(CHAINS)
def test_the_hash_survives_the_columns_of_a_database(entries: list[Entry]) -> None:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table event (sequence integer, at text, before text, after text, reason text)")
        for entry in entries:
            row = (
                entry.sequence,
                entry.at.isoformat(),
                json.dumps(entry.before),
                json.dumps(entry.after),
                entry.reason,
            )
            database.execute("insert into event values (?, ?, ?, ?, ?)", row)
        rows = database.execute("select * from event order by sequence").fetchall()
    stored = [
        replace(
            entry, sequence=row[0], at=datetime.fromisoformat(row[1]), before=json.loads(row[2]),
            after=json.loads(row[3]), reason=row[4],
        )
        for entry, row in zip(entries, rows, strict=True)
    ]  # fmt: skip
    assert ledger.verify(stored, expected_head=head_of(entries)).is_whole


def test_words_and_tuples_are_stored_as_plain_texts_and_lists() -> None:
    class Colour(StrEnum):
        RED = "red"

    facts: dict[str, object] = {
        "at": NOW,
        "verb": Verb.KEY_ISSUE,
        "outcome": Outcome.DONE,
        "after": {"a": (Colour.RED,)},
    }
    (entry,) = chained([facts])
    assert entry.after == {"a": ["red"]}
    assert type(entry.verb) is type(entry.outcome) is str


@pytest.mark.parametrize("value", [1.5, float("nan"), b"x", NOW, UUID(int=1), {1: "x"}, {"a": {1, 2}}])
def test_a_value_that_databases_write_in_different_ways_is_a_bug(value: object) -> None:
    with pytest.raises((TypeError, AttributeError)):
        ledger.link(ledger.START, at=NOW, verb="v", outcome="done", after=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_a_text_that_some_database_cannot_hold_is_refused(text: str) -> None:
    for name in ("reason", "subject", "after", "before"):
        with pytest.raises(Invalid):
            chained([{"at": NOW, "verb": "v", "outcome": "refused", name: text}])
    with pytest.raises(Invalid):
        chained([{"at": NOW, "verb": "v", "outcome": "refused", "after": {text: 1}}])


def test_a_time_without_a_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="zone"):
        ledger.link(ledger.START, at=NOW.replace(tzinfo=None), verb="v", outcome="done")


def test_verifying_takes_constant_memory() -> None:
    def entries(count: int) -> Iterator[Entry]:
        head = ledger.START
        for _ in range(count):
            entry = ledger.link(head, at=NOW, verb="key.issue", outcome="done", after={"key": "x" * 100})
            head = (entry.sequence, entry.hash)
            yield entry

    def peak_bytes(count: int) -> int:
        tracemalloc.start()
        assert ledger.verify(entries(count)).count == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    # To keep 3,000 entries takes more than 1 MB; other threads of the process take some kB meanwhile.
    assert peak_bytes(3_000) < peak_bytes(300) + 200_000
