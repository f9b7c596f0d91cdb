"""The lines of a bag and of `sha256sum` hold every key that S3 can, and are read back as they were written."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.core import bag
from strongroom.core.errors import Invalid

DIGEST = "ab" * 32
keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda key: not key.endswith("/")
)


@given(keys)
def test_every_key_is_read_from_a_bag_as_it_was_written(key: str) -> None:
    line = bag.line(DIGEST, key)
    assert line.count(b"\n") == 1 and b"\r" not in line
    path = key.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")  # RFC 8493, 2.1.3: these three alone
    assert line == f"{DIGEST}  data/{path}\n".encode()
    assert list(bag.read([line], is_bag=True)) == [(DIGEST, key)]


@given(keys)
def test_every_key_is_read_from_a_list_of_sha256sum_as_it_was_written(key: str) -> None:
    line = bag.sum_line(DIGEST, key)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert list(bag.read([line], is_bag=False)) == [(DIGEST, key)]


@pytest.mark.parametrize(
    "key", ["a.csv", "with space", "new\nline", "back\\slash", "both\\\n", "été", " lead", "50%", "cr\r"]
)
def test_sha256sum_itself_writes_such_a_line_and_checks_ours(tmp_path: Path, key: str) -> None:
    (tmp_path / key).write_bytes(b"content")
    theirs = subprocess.run(["sha256sum", "--", key], cwd=tmp_path, capture_output=True, check=True).stdout
    ours = bag.sum_line(hashlib.sha256(b"content").hexdigest(), key)
    assert ours == theirs
    subprocess.run(["sha256sum", "-c", "--strict"], cwd=tmp_path, input=ours, check=True, capture_output=True)


@pytest.mark.parametrize("line", [b"no digest", b"abc  data/x", b"\xff", f"{DIGEST}data/x".encode()])
def test_a_line_that_is_none_is_named(line: bytes) -> None:
    with pytest.raises(Invalid, match="Line 2"):
        list(bag.read([bag.line(DIGEST, "a"), line], is_bag=True))


def test_an_object_that_marks_a_folder_is_no_file() -> None:
    assert bag.is_folder("a/", 0)
    assert not bag.is_folder("a/", 1)
    assert not bag.is_folder("a", 0)


def test_the_tag_files_are_as_the_standard_says() -> None:
    assert bag.DECLARATION == "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    assert bag.info([("Payload-Oxum", bag.oxum(12, 3)), ("External-Description", "two\nlines"), ("Empty", " ")]) == (
        "Payload-Oxum: 12.3\nExternal-Description: two lines\n"
    )
    assert bag.tag_manifest({"b": "2" * 64, "a": "1" * 64}) == f"{'1' * 64}  a\n{'2' * 64}  b\n"


def test_only_a_sha256_counts_as_a_digest() -> None:
    assert bag.of_checksum(f"sha256:{DIGEST}") == DIGEST
    assert [bag.of_checksum(each) for each in (None, f"md5:{DIGEST}", "sha256:short", "")] == [None] * 4
