"""Looking into a repository by folder finds everything once, in every engine, also where folders are skipped."""

import io
from collections.abc import Iterator

import pytest

from strongroom import engines
from strongroom.actions import folders
from strongroom.engines import Engine
from strongroom.engines.memory import MemoryEngine

KEYS = (
    *(f"a/{number}" for number in range(6)),
    "a-b",
    "a.csv",
    "a0",
    *(f"b/deep/{number}" for number in range(5)),
    "b/top",
    "é/x",
    "é/y",
    "é/😀",
    "é/z",
    "z",
    "_attachments/contract.pdf",
)


@pytest.fixture
def filled(engine: Engine, repository: str) -> Iterator[str]:
    """A repository with these keys, in the engine that this process uses while the test runs."""
    engines.use(lambda: engine)
    for key in KEYS:
        engine.put_object(repository, key, io.BytesIO(b"12"))
    yield repository
    for key in KEYS:
        engine.delete_object(repository, key)
    engines.use(MemoryEngine)


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("counted", [2, 3, 1000])
def test_every_page_size_finds_every_entry_once(
    filled: str, limit: int, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "COUNTED", counted)
    assert sorted(_all(filled, "", limit)) == ["a-b", "a.csv", "a/", "a0", "b/", "z", "é/"]
    assert sorted(_all(filled, "b/", limit)) == ["b/deep/", "b/top"]
    assert sorted(_all(filled, "é/", limit)) == ["é/x", "é/y", "é/z", "é/😀"]


def _all(repository: str, prefix: str, limit: int) -> list[str]:
    found, after = list[str](), ""
    while True:
        part = folders.walk(repository, prefix=prefix, after=after, limit=limit)
        found += [each.prefix for each in part.folders] + [each.key for each in part.files]
        if part.next_after is None:
            return found
        after = part.next_after
