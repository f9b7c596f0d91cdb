"""A folder is laid beside a manifest: what is missing, altered, too much or unreadable is found and named."""

import gzip
import hashlib
import os
import random
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from strongroom.core import bag, manifest
from strongroom.core.manifest import Entry
from strongroom.movers import listed, saved
from strongroom.movers.checksums import Check, part_sizes
from strongroom.movers.s3 import etag_of_parts
from strongroom.movers.verify import Difference, Kind, Report, check_folder, is_same

AT = datetime(2026, 1, 1, tzinfo=UTC)
CONTENTS = {"a": b"A", "d/b": b"", "d/c.txt": b"C" * 100_000, "d-e": b"x", "d.f": b"y", "z": b"Z"}
MIB = 1024 * 1024


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def entry(key: str, content: bytes, *, etag: str = "", checksum: str | None = None) -> Entry:
    return Entry(key, len(content), etag, AT, checksum)


def entries(contents: Mapping[str, bytes] = CONTENTS) -> list[Entry]:
    return [entry(key, contents[key], checksum=sha256(contents[key])) for key in sorted(contents, key=str.encode)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for key, content in CONTENTS.items():
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(content)
    return tmp_path


def check(folder: Path, known: list[Entry] | None = None, **how: bool) -> tuple[Report, list[tuple[Kind, str]]]:
    found: list[Difference] = []
    report = check_folder(folder, entries() if known is None else known, found=found.append, **how)
    return report, sorted(((each.kind, each.key) for each in found), key=lambda each: each[1])


def test_a_folder_that_is_as_it_should_be(folder: Path) -> None:
    report, found = check(folder)
    assert report.is_same and found == []
    assert (report.same_files, report.same_bytes) == (6, sum(map(len, CONTENTS.values())))
    assert report.compared == {"SHA-256": 6} and report.not_comparable == 0


def test_every_kind_of_difference_is_named(folder: Path) -> None:
    (folder / "a").unlink()
    (folder / "d" / "c.txt").write_bytes(b"C" * 99_999 + b"c")
    (folder / "d-e").write_bytes(b"longer")
    (folder / "extra").mkdir()
    (folder / "extra" / "file").write_bytes(b"")
    (folder / "z").unlink()
    (folder / "z").symlink_to("d.f")
    report, found = check(folder)
    assert found == [
        (Kind.MISSING, "a"),
        (Kind.ALTERED, "d-e"),
        (Kind.ALTERED, "d/c.txt"),
        (Kind.EXTRA, "extra/file"),
        (Kind.UNREADABLE, "z"),
    ]
    assert not report.is_same and report.same_files == 2
    assert (Kind.EXTRA, "extra/file") not in check(folder, allows_extra=True)[1]


def test_any_one_bit_is_noticed(folder: Path) -> None:
    content = bytearray(CONTENTS["d/c.txt"])
    for at in random.Random(7).sample(range(len(content) * 8), 20):
        content[at // 8] ^= 1 << at % 8
        (folder / "d" / "c.txt").write_bytes(content)
        assert check(folder)[1] == [(Kind.ALTERED, "d/c.txt")]
        content[at // 8] ^= 1 << at % 8


def test_a_folder_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    report, found = check(tmp_path / "none")
    assert report.counts[Kind.MISSING] == 6 and (Kind.UNREADABLE, "") in found


def test_folders_are_in_the_order_of_keys_whatever_they_are_called(tmp_path: Path) -> None:
    names = [
        "a",
        "a b/x",
        "a!/x",
        "a-",
        "a.b",
        "a/x",
        "a0",
        "a/b.c/d",
        "a/b/c",
        "ä/x",
        "é",
        "B",
        "z/z/z",
        "zz",
        "\U0001f600",
    ]
    contents = {name: name.encode() for name in names if name != "a"}
    for key, content in contents.items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content)
    assert check(tmp_path, entries(contents)) == (check(tmp_path, entries(contents))[0], [])


def test_what_the_entries_raise_ends_the_check(folder: Path) -> None:
    def broken() -> Iterator[Entry]:
        yield from entries()[:1]
        raise listed.Unreadable("line 2")

    with pytest.raises(listed.Unreadable, match="line 2"):
        check_folder(folder, broken())


def test_a_failing_listener_ends_the_check(folder: Path) -> None:
    (folder / "a").write_bytes(b"B")
    with pytest.raises(ZeroDivisionError):
        check_folder(folder, entries(), found=lambda _: 1 / 0)


@pytest.mark.parametrize("part_bytes", [5 * MIB, 8 * MIB, 16 * MIB])
@pytest.mark.parametrize("size", [17 * MIB, 32 * MIB, 3])
def test_the_etag_of_parts_is_compared(part_bytes: int, size: int) -> None:
    content = random.Random(size).randbytes(size)
    parts = [content[at : at + part_bytes] for at in range(0, size, part_bytes)]
    etag = etag_of_parts([hashlib.md5(part).hexdigest() for part in parts])
    for given, holds in ((content, True), (content[:-1] + b"\0", False), (content[:-1], False)):
        made = Check(entry("key", content, etag=etag))
        for at in range(0, len(given), 1_000_003):
            made.update(given[at : at + 1_000_003])
        assert (made.word, made.holds()) == ("MD5 of its parts", holds)


@pytest.mark.parametrize(
    ("etag", "checksum", "word"),
    [
        ("900150983cd24fb0d6963f7d28e17f72", None, "MD5"),
        ("anything", "md5:900150983cd24fb0d6963f7d28e17f72", "MD5"),
        ("anything", sha256(b"abc"), "SHA-256"),
        ("900150983cd24fb0d6963f7d28e17f72-7", None, ""),
        ("anything", None, ""),
    ],
)
def test_the_best_checksum_that_is_known_is_taken(tmp_path: Path, etag: str, checksum: str | None, word: str) -> None:
    made = Check(entry("key", b"abc", etag=etag, checksum=checksum))
    made.update(b"abc")
    assert (made.word, made.holds()) == (word, True)
    (tmp_path / "key").write_bytes(b"abc")
    assert is_same(str(tmp_path / "key"), entry("key", b"abc", etag=etag, checksum=checksum)) is bool(word)


def test_what_cannot_be_compared_is_counted(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"abc")
    report, found = check(tmp_path, [entry("key", b"abc")])
    assert (report.is_same, report.not_comparable, found) == (True, 1, [])


def test_parts_of_ten_thousand_are_the_most() -> None:
    assert part_sizes(1, 10_001) == () and part_sizes(5, 0) == ()
    assert 16 * MIB in part_sizes(160_000 * MIB, 10_000)


def test_a_manifest_is_read_as_it_is_written() -> None:
    written = [entry("a\u2028b", b"x", etag="e"), entry("ü", b"", checksum=sha256(b""))]
    lines = [manifest.encode(each) for each in written]
    assert [(each.key, each.size_bytes, each.etag, each.modified_at, each.checksum) for each in listed.read(lines)] == [
        (each.key, each.size_bytes, each.etag, each.modified_at, each.checksum) for each in written
    ]
    for bad in (
        [b"{}"],
        [b"x"],
        lines[::-1],
        [lines[0], lines[0]],
        [b"[1]"],
        [lines[0].replace(b'"size_bytes":1', b'"size_bytes":-1')],
    ):
        with pytest.raises(listed.Unreadable, match="line"):
            list(listed.read(bad))


def sums(contents: Mapping[str, bytes], *, folder: str = "") -> bytes:
    lines = [f"{hashlib.sha256(content).hexdigest()}  {folder}{key}\n" for key, content in contents.items()]
    return "".join(lines).encode()


def against(list_: Path, folder: Path) -> list[tuple[Kind, str]]:
    """What differs from a list that was saved."""
    where, is_bag = saved.payload(str(folder))
    return check(Path(where), list(saved.read(str(list_), is_of_bag=is_bag)))[1]  # type: ignore[arg-type]


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("name", ["sums.txt", "manifest-sha256.txt"])
def test_lists_of_bags_and_of_sha256sum_are_compared_with(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, name: str, is_packed: bool
) -> None:
    odd = (
        {"a%0Ab": b"1", "c\nd": b"2", "e 50%": b"3", "f\\g": b"4"}
        if name == "sums.txt"
        else {"c\nd": b"2", "50%": b"3"}
    )
    for key, content in odd.items():
        (folder / key).write_bytes(content)
    kept = tmp_path_factory.mktemp("kept") / name
    if name == "sums.txt":
        command = ["sha256sum", "--", *(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())]
        content = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
    else:
        everything = {**CONTENTS, **odd}
        content = b"".join(bag.line(hashlib.sha256(each).hexdigest(), key) for key, each in everything.items())
    kept.write_bytes(gzip.compress(content) if is_packed else content)
    assert against(kept, folder) == []
    (folder / "a").write_bytes(b"B")
    (folder / "z").unlink()
    (folder / "new").write_bytes(b"")
    assert against(kept, folder) == [(Kind.ALTERED, "a"), (Kind.EXTRA, "new"), (Kind.MISSING, "z")]


def test_a_list_may_come_through_a_pipe(folder: Path) -> None:
    with subprocess.Popen(["sha256sum", "--", *sorted(CONTENTS)], cwd=folder, stdout=subprocess.PIPE) as making:
        assert making.stdout is not None
        assert against(Path(f"/dev/fd/{making.stdout.fileno()}"), folder) == []


def test_a_bag_is_compared_with_its_own_manifest_and_with_sums_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "data" / "data").mkdir(parents=True)
    (tmp_path / "bagit.txt").touch()
    contents = {"a": b"A", "data/b": b"B"}
    for key, content in contents.items():
        (tmp_path / "data" / key).write_bytes(content)
    for name, folder in (("manifest-sha256.txt", "data/"), ("of the bag.txt", "./data/"), ("of its files.txt", "./")):
        (tmp_path / name).write_bytes(sums(contents, folder=folder))
        assert against(tmp_path / name, tmp_path) == [], name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a table,of numbers\n", "line 1 is not one of a manifest of Strongroom"),
        (sums({"a": b""}) + b"deadbeef  b\n", "line 2 is not one of"),
        (b"d41d8cd98f00b204e9800998ecf8427e  a\n", "line 1 has a digest of another kind"),
        (b"SHA256 (a) = " + b"0" * 64 + b"\n", "line 1 is in the form of `sha256sum --tag`"),
        (sums({"/etc/passwd": b""}), "make the list in the folder itself"),
        (sums({"a/../../b": b""}), "make the list in the folder itself"),
        (sums({"b": b"", "a": b""}) + sums({"b": b"1"}), "it names b twice"),
        (gzip.compress(sums({"a": b""}), mtime=0)[:-9], "packed .gzip., and damaged"),
        (b'{"key": 1}\n', "line 1 is not one of a manifest"),
        (b"", "it names no file"),
        (b"\r\n\n", "it names no file"),
        (gzip.compress(b"", mtime=0), "it names no file"),
    ],
)
def test_a_list_of_another_kind_is_refused_with_the_reason(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(listed.Unreadable, match=said):
        list(saved.read(str(tmp_path / "list"), is_of_bag=False))


def test_a_list_without_files_is_believed_only_in_a_bag_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "bagit.txt").touch()
    for oxum, name, is_believed in (
        ("0.0", "manifest-sha256.txt", True),
        ("1.1", "manifest-sha256.txt", False),
        ("10.0", "manifest-sha256.txt", False),
        ("0.0", "sums.txt", False),
    ):
        (tmp_path / "bag-info.txt").write_text(bag.info([("External-Identifier", "x"), ("Payload-Oxum", oxum)]))
        (tmp_path / name).touch()
        if is_believed:
            assert against(tmp_path / name, tmp_path) == []
        else:
            with pytest.raises(listed.Unreadable, match="names no file"):
                against(tmp_path / name, tmp_path)


def test_unreadable_files_are_named(folder: Path) -> None:
    if os.geteuid() == 0:
        (folder / "a").unlink()
        os.mkfifo(folder / "a")
    else:
        (folder / "a").chmod(0)
    assert check(folder)[1] == [(Kind.UNREADABLE, "a")]
