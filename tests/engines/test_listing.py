"""Listings of the real engine are complete and in byte order, whatever the keys are called."""

import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine_fixture import Running
from tests.engines.conftest import new_repository

from strongroom.engines.protocol import StoredObject
from strongroom.engines.seaweedfs import listing
from strongroom.engines.seaweedfs.configuration import load_credentials

# `/` among its neighbours in byte order, what XML and URLs trip over, and what is longer than a byte in UTF-8.
ODD = [
    " ",
    "!",
    "+",
    "%",
    "%2F",
    "-",
    ".",
    "0",
    "a",
    "b",
    "&",
    "<",
    "'",
    "\t",
    "\n",
    "\r",
    "\x01",
    "\x7f",
    "é",
    "€",
    "😀",
]
TRICKY = [
    *[
        "a",
        "a/b",
        "a/b/c",
        "a-b",
        "a.b",
        "a b",
        "a+b",
        "a!/x",
        "a-/x",
        "a-/y-z",
        "a-b/c",
        "a/b-c",
        "a/b.c/d",
        "a0",
        "aa/b",
    ],
    *[
        "c/1",
        "c/1/2",
        "c/1-",
        "dir/",
        "dir/x",
        "dir-",
        "é",
        "é/ö",
        "é-",
        "ä/😀",
        "ä-😀",
        "m\x01",
        "m\x01/n",
        "m\x01-",
        "z\nz/y",
    ],
    *["%2e/x", "%", "q?x=1", "q#y", "q&z", "~", "_attachments/x", ".hidden/.x", "last\U0010ffff/a", "last\U0010ffff"],
]


@pytest.fixture(scope="module")
def tricky(embedded_engine: Running) -> Iterator[tuple[Running, str, list[str]]]:
    """A repository with tricky and random keys, filled through the real engine."""
    chance = random.Random(7)
    made = {
        "/".join("".join(chance.choices(ODD, k=chance.randint(1, 3))) for _ in range(chance.randint(1, 4)))
        for _ in range(400)
    }
    dots = {key for key in made if any(name in {".", ".."} for name in key.split("/"))}
    keys = sorted({*TRICKY, *made} - dots)
    repository = new_repository()
    embedded_engine.engine.create_repository(repository, tags={})
    _fill(embedded_engine, repository, keys)
    yield embedded_engine, repository, keys
    embedded_engine.engine.delete_repository(repository)


def _fill(running: Running, repository: str, keys: list[str]) -> None:
    def put(key: str) -> None:
        running.client().put_object(Bucket=repository, Key=key, Body=b"x")

    # One by one what is also a folder of others: SeaweedFS 4.48 may lose `a/b`, or `a/b/`, when `a/b/c` is first
    # written in the very same moment (docs/guide/upload.md).
    folders = {"/".join(key.split("/")[:depth]) for key in keys for depth in range(1, key.count("/") + 1)}
    alone = [key for key in keys if key in folders or key.endswith("/")]
    for key in alone:
        put(key)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(put, sorted({*keys} - {*alone})))


def _copy_folder(running: Running, folder: Path, repository: str) -> None:
    """Many small files at once, by a client that is fast at it."""
    admin = load_credentials(running.settings).admin
    subprocess.run(
        [
            *(Path(sys.executable).parent / "s5cmd", "--endpoint-url", running.settings.private_endpoint),
            *("cp", f"{folder}/", f"s3://{repository}/"),
        ],
        env={
            "AWS_ACCESS_KEY_ID": admin.access_key_id,
            "AWS_SECRET_ACCESS_KEY": admin.secret,
            "AWS_REGION": "us-east-1",
        },
        check=True,
        capture_output=True,
    )


def _keys(found: Iterator[StoredObject]) -> list[str]:
    return [each.key for each in found]


@pytest.mark.parametrize("hold_back", [0, 5, 100_000])
@pytest.mark.parametrize("page", [2, 7, 1000])
def test_every_key_is_listed_once_and_in_byte_order(
    tricky: tuple[Running, str, list[str]], page: int, hold_back: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, repository, keys = tricky
    monkeypatch.setattr(listing, "PAGE", page)
    monkeypatch.setattr(listing, "HOLD_BACK", hold_back)
    found = _keys(running.engine.list_objects(repository))
    assert found == sorted(found, key=str.encode)
    assert found == keys


def test_a_listing_goes_on_after_any_key(tricky: tuple[Running, str, list[str]]) -> None:
    running, repository, keys = tricky
    for position in range(0, len(keys), 8):
        found = _keys(running.engine.list_objects(repository, after=keys[position]))
        assert found == keys[position + 1 :], keys[position]


def test_a_listing_goes_on_after_a_key_that_is_not_there(tricky: tuple[Running, str, list[str]]) -> None:
    running, repository, keys = tricky
    for after in ["a-", "a/", "a/zzz", "a-b/", "a-0/x", "b", "c/1/", "c/0", "é/", "\x00", "zzzz/zzz", "m\x01."]:
        assert _keys(running.engine.list_objects(repository, after=after)) == [key for key in keys if key > after], (
            after
        )


def test_a_listing_keeps_to_its_prefix(tricky: tuple[Running, str, list[str]]) -> None:
    running, repository, keys = tricky
    for prefix in ["a", "a/", "a/b", "a-", "c/1", "é", "dir/", "_attachments/", "m\x01", "nothing", "%", " "]:
        matching = [key for key in keys if key.startswith(prefix)]
        assert _keys(running.engine.list_objects(repository, prefix=prefix)) == matching, prefix
        for after in matching[::2]:
            rest = [key for key in matching if key > after]
            assert _keys(running.engine.list_objects(repository, prefix=prefix, after=after)) == rest, (prefix, after)


def test_three_thousand_keys_are_listed_completely_with_what_is_known_of_each(
    embedded_engine: Running, tmp_path: Path
) -> None:
    repository = new_repository()
    embedded_engine.engine.create_repository(repository, tags={})
    keys = sorted(f"{number % 3}/{number:05d}" for number in range(3000))
    for key in keys:
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(b"x")
    _copy_folder(embedded_engine, tmp_path, repository)
    found = list(embedded_engine.engine.list_objects(repository))
    assert [each.key for each in found] == keys
    assert {(each.size_bytes, each.etag) for each in found} == {(1, "9dd4e461268c8034f5c8564e155c67a6")}
    assert all(each.modified_at.tzinfo for each in found)
    embedded_engine.engine.delete_repository(repository)


def _walked(keys: list[str]) -> list[str]:
    """The engine's order: folder by folder."""
    return sorted(keys, key=lambda key: key.split("/"))


def _fetch_of(keys: list[str], page: int) -> listing.Fetch:
    """An engine in a line: what the real one was observed to do, including the folder skipped after its own name."""
    walked = _walked(keys)

    def fetch(prefix: str, start: str, limit: int) -> listing.Page:
        begin = start.rstrip("/") if start.endswith("/") else start
        rest = [key for key in walked if key.startswith(prefix)]
        if start:
            parts = begin.split("/")
            rest = [
                key
                for key in rest
                if key.split("/") > parts and (start.endswith("/") or not key.startswith(f"{start}/"))
            ]
        found = [StoredObject(key, 1, "e", NOW) for key in rest[: min(limit, page)]]
        if len(rest) <= len(found):
            return found, ""
        last, following = found[-1].key, rest[len(found)]
        return found, f"{last}/" if following.startswith(f"{last}/") else last

    return fetch


NOW = datetime.now(UTC)
NAMES = st.text(st.sampled_from("-!a"), max_size=3).map("a".__add__)


@settings(max_examples=500, suppress_health_check=list(HealthCheck), deadline=None, derandomize=True)
@given(
    keys=st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), min_size=1, max_size=30),
    page=st.integers(1, 5),
    hold_back=st.integers(0, 6),
    data=st.data(),
)
def test_any_keys_come_in_byte_order_with_any_page_and_memory(
    keys: set[str], page: int, hold_back: int, data: st.DataObject
) -> None:
    ordered = sorted(keys)
    fetch = _fetch_of(ordered, page)
    found = _keys(listing.in_byte_order(fetch, hold_back=hold_back))
    assert found == ordered
    after = data.draw(st.sampled_from(ordered) | st.lists(NAMES, min_size=1, max_size=3).map("/".join))
    prefix = data.draw(st.sampled_from(["", "a", "a/", "a-", "a-/a", "a/a"]))
    expected = [key for key in ordered if key > after and key.startswith(prefix)]
    assert _keys(listing.in_byte_order(fetch, prefix=prefix, after=after, hold_back=hold_back)) == expected


def test_memory_stays_bounded_in_one_large_folder_with_early_siblings() -> None:
    keys = sorted([*(f"a/{number:06d}" for number in range(5000)), "a-1", "a.csv", "b"])
    seen: list[int] = []
    fetch = _fetch_of(keys, 100)
    emitted = 0

    def counted(prefix: str, start: str, limit: int) -> listing.Page:
        page = fetch(prefix, start, limit)
        seen.append(len(page[0]))
        assert sum(seen) - emitted < 1000
        return page

    for _ in listing.in_byte_order(counted, hold_back=300):
        emitted += 1
    assert emitted == len(keys)
