"""A manifest holds any object key, its root is the hash of the file, and any tampering is found."""

import hashlib
import io
import json
import subprocess
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.core.errors import Invalid
from strongroom.core.manifest import Change, Entry, Writer, compare, decode, encode, read

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.text(
    st.sampled_from('\n\r"\\\0\u2028\u2029\u0085é🙂/ a'), min_size=1, max_size=6
)
ENTRIES = st.builds(
    Entry,
    key=KEYS,
    size_bytes=st.integers(0, 2**60),
    etag=TEXT,
    modified_at=st.datetimes(timezones=st.just(UTC)),
    checksum=st.none() | st.sampled_from(["md5:0123", "sha256:4567"]),
)
LISTS = st.lists(ENTRIES, min_size=1, max_size=8, unique_by=lambda entry: entry.key).map(
    lambda entries: sorted(entries, key=lambda entry: entry.key.encode())
)


def written(entries: list[Entry]) -> tuple[bytes, str]:
    writer = Writer()
    file = b"".join(map(writer.add, entries))
    return file, writer.root


@given(ENTRIES)
def test_any_entry_comes_back_from_its_line_as_it_was(entry: Entry) -> None:
    line = encode(entry)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == decode(line[:-1]) == entry
    assert json.loads(line)["key"] == entry.key


def test_a_line_is_canonical_json() -> None:
    entry = Entry("ä\n.csv", 5, "abc", NOW.astimezone(timezone(timedelta(hours=2))), "md5:00")
    assert encode(entry).decode() == (
        '{"checksum":"md5:00","etag":"abc","key":"ä\\n.csv","modified_at":"2026-01-31T12:00:00.123Z","size_bytes":5}\n'
    )


@given(LISTS)
def test_the_root_is_the_sha256_of_the_file_and_the_sums_are_right(entries: list[Entry]) -> None:
    writer = Writer()
    file = b"".join(map(writer.add, entries))
    assert writer.root == hashlib.sha256(file).hexdigest()
    assert (writer.count, writer.size_bytes) == (len(entries), sum(entry.size_bytes for entry in entries))
    assert list(read(io.BytesIO(file))) == entries


def test_sha256sum_tells_the_root(tmp_path: Path) -> None:
    file, root = written([Entry("a", 1, "x", NOW), Entry("b", 2, "y", NOW)])
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(file)
    assert subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0] == root


@given(LISTS, st.data())
def test_any_changed_inserted_or_removed_byte_changes_the_root_or_is_refused(
    entries: list[Entry], data: st.DataObject
) -> None:
    file, root = written(entries)
    place = data.draw(st.integers(0, len(file) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    kind = data.draw(st.sampled_from(["change", "insert", "remove"]))
    tampered = file[:place] + (b"" if kind == "remove" else byte) + file[place + (kind != "insert") :]
    if tampered == file:
        return
    assert hashlib.sha256(tampered).hexdigest() != root
    try:
        kept = list(read(io.BytesIO(tampered)))
    except Invalid:
        return
    # The only way to read the same entries is to have lost the last line break; nothing else has two spellings.
    assert kept != entries or tampered == file[:-1]


@given(LISTS, LISTS)
def test_comparing_tells_exactly_what_was_added_is_missing_and_was_altered(was: list[Entry], now: list[Entry]) -> None:
    before = {entry.key: entry for entry in was}
    after = {entry.key: entry for entry in now}
    found = {difference.key: difference for difference in compare(was, now)}
    keys = [difference.key.encode() for difference in compare(was, now)]
    assert keys == sorted(keys)
    assert {
        key for key, difference in found.items() if difference.change is Change.ADDED
    } == after.keys() - before.keys()
    assert {
        key for key, difference in found.items() if difference.change is Change.MISSING
    } == before.keys() - after.keys()
    for key in before.keys() & after.keys():
        if replace(before[key], checksum=None) != replace(after[key], checksum=None):
            assert found[key].change is Change.ALTERED
            assert (found[key].recorded, found[key].found) == (before[key], after[key])


@given(LISTS)
def test_comparing_a_list_with_itself_finds_nothing(entries: list[Entry]) -> None:
    assert list(compare(entries, entries)) == []
    assert list(compare(entries, [replace(entry, checksum=None) for entry in entries])) == []


@pytest.mark.parametrize(
    "altered",
    [
        Entry("k", 6, "e", NOW, "md5:1"),
        Entry("k", 5, "f", NOW, "md5:1"),
        Entry("k", 5, "e", NOW + timedelta(milliseconds=1), "md5:1"),
        Entry("k", 5, "e", NOW, "md5:2"),
    ],
)
def test_one_changed_property_is_an_alteration(altered: Entry) -> None:
    assert [difference.change for difference in compare([Entry("k", 5, "e", NOW, "md5:1")], [altered])] == [
        Change.ALTERED
    ]


def test_checksums_of_two_kinds_are_not_compared() -> None:
    assert list(compare([Entry("k", 5, "e", NOW, "md5:1")], [Entry("k", 5, "e", NOW, "sha256:2")])) == []


def test_keys_ascend_by_their_utf8_bytes_and_not_by_utf16() -> None:
    # U+FF5E comes before U+1F642 in UTF-8, after it in UTF-16 (Java, Windows).
    written([Entry("\uff5e", 1, "x", NOW), Entry("\U0001f642", 1, "x", NOW)])
    for first, second in [("b", "a"), ("a", "a"), ("\U0001f642", "\uff5e")]:
        with pytest.raises(Invalid, match="ascend"):
            written([Entry(first, 1, "x", NOW), Entry(second, 1, "x", NOW)])
        with pytest.raises(Invalid, match="ascend"):
            list(compare([Entry(first, 1, "x", NOW), Entry(second, 1, "x", NOW)], []))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]\n",
        b"{}\n",
        b"\xff\n",
        encode(Entry("k", 5, "e", NOW)).replace(b":5", b":5.0"),
        encode(Entry("k", 5, "e", NOW)).replace(b":5", b":-5"),
        encode(Entry("k", 5, "e", NOW)).replace(b":5", b":true"),
        encode(Entry("k", 5, "e", NOW)).replace(b"123Z", b"123456Z"),
        encode(Entry("k", 5, "e", NOW)).replace(b"123Z", b"123+00:00"),
        encode(Entry("k", 5, "e", NOW)).replace(b'"k"', b'"\\u006b"'),
        encode(Entry("k", 5, "e", NOW)).replace(b'"k"', b'"\\ud800"'),
        encode(Entry("k", 5, "e", NOW)).replace(b'"key"', b'"key":"other","key"'),
        encode(Entry("k", 5, "e", NOW)).replace(b":5", b": 5"),
    ],
)
def test_a_line_that_is_not_exactly_as_written_is_refused(line: bytes) -> None:
    with pytest.raises(Invalid):
        decode(line)


def test_a_bad_line_is_named_by_its_number() -> None:
    with pytest.raises(Invalid, match="Line 2"):
        list(read([encode(Entry("a", 1, "x", NOW)), b"nonsense\n"]))


@pytest.mark.parametrize(
    ("key", "size_bytes", "modified_at"),
    [("", 1, NOW), ("\ud800", 1, NOW), ("k", -1, NOW), ("k", 1, datetime(2026, 1, 1))],  # noqa: DTZ001
)
def test_an_entry_that_no_engine_could_list_is_refused(key: str, size_bytes: int, modified_at: datetime) -> None:
    with pytest.raises(Invalid):
        Entry(key, size_bytes, "x", modified_at)


def test_writing_and_comparing_take_constant_memory() -> None:
    def entries(count: int) -> Iterator[Entry]:
        return (Entry(f"folder/{number:09}.csv", number, "0" * 32, NOW) for number in range(count))

    def peak_bytes(count: int) -> int:
        tracemalloc.start()
        writer = Writer()
        for entry in entries(count):
            writer.add(entry)
        assert sum(1 for _ in compare(entries(count), entries(count))) == 0
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    # To keep 5,000 entries takes more than 1 MB; other threads of the process take some kB meanwhile.
    assert peak_bytes(5_000) < peak_bytes(500) + 200_000
