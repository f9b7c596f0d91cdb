"""Listings in the order of the keys' bytes, complete, from an engine that lists folder by folder.

The engine walks folders: `a/x` comes before `a-b`, because the folder is called `a`. In byte order `a-b` is first,
`-` being smaller than `/`. The two orders differ only where a folder `a` has siblings that begin with `a` and go on
with a character below `/`: its *early siblings*. What was read is held back until no early sibling can come any
more; where a folder is too large for that, one request tells whether it has early siblings, which then go first.

Source: observation of SeaweedFS 4.48 by `tests/engines/test_listing.py`.
"""

import heapq
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from strongroom.engines.protocol import StoredObject

Page = tuple[list[StoredObject], str]
"""Objects in the engine's order, and where to go on; empty at the end."""

Fetch = Callable[[str, str, int], Page]
"""`fetch(prefix, start, limit)`: objects whose key begins with `prefix`, after `start` in the engine's order."""

PAGE = 1000
HOLD_BACK = 20_000
# No name in a folder comes after this: a name has at most 255 bytes.
_LAST_NAME = "\U0010ffff" * 63


def parse_page(body: bytes) -> Page:
    """A page of ListObjectsV2 with `encoding-type=url`."""
    root = ElementTree.fromstring(body)  # noqa: S314 - the engine's own answer
    space = root.tag[: root.tag.index("}") + 1] if root.tag.startswith("{") else ""
    found = [_object(each, space) for each in root.iter(f"{space}Contents")]
    if root.findtext(f"{space}IsTruncated") != "true" or not found:
        return found, ""
    last, token = found[-1].key, root.findtext(f"{space}NextContinuationToken") or ""
    # The token is the last key, with a slash where a folder of that name follows. XML cannot carry control
    # characters, so that a token which holds one arrives damaged: then it is made from the key.
    if token.rstrip("/") == last.rstrip("/"):
        return found, token
    return found, last if last.endswith("/") or not token.endswith("/") else f"{last}/"


def in_byte_order(
    fetch: Fetch, *, prefix: str = "", after: str = "", hold_back: int | None = None
) -> Iterator[StoredObject]:
    """All objects under the prefix whose key is greater than `after`, ascending by the bytes of the key.

    Holds about `hold_back` objects in memory (default: `HOLD_BACK`), whatever the number of objects.
    """
    hold_back = HOLD_BACK if hold_back is None else hold_back
    if not after:
        return _reordered(fetch, prefix, "", hold_back)
    folders = [folder for folder in _folders_behind(after) if folder.startswith(prefix) or prefix.startswith(folder)]
    streams = [_reordered(fetch, max(folder, prefix, key=len), "", hold_back) for folder in folders]
    rest = (each for each in _reordered(fetch, prefix, after, hold_back) if each.key > after)
    return heapq.merge(rest, *streams, key=lambda each: each.key)


def _reordered(
    fetch: Fetch, prefix: str, start: str, hold_back: int, is_end: Callable[[str], bool] = lambda _: False
) -> Iterator[StoredObject]:
    """The objects after `start` in the engine's order, up to the first key for which `is_end`, in byte order."""
    held: list[StoredObject] = []
    # Folders whose early siblings are dealt with: those of `start` are all behind it.
    clear = dict.fromkeys(_folders_of(start), False)
    while True:
        page, start = fetch(prefix, start, PAGE)
        taken = len(page)
        for position, each in enumerate(page):
            if is_end(each.key):
                taken, start = position, ""
                break
        frontier = page[-1].key if page else ""
        held.extend(each for each in page[:taken] if not _was_early(each.key, clear))
        held.sort(key=lambda each: each.key)
        if not start:
            yield from held
            return
        clear = {folder: had for folder, had in clear.items() if frontier.startswith(folder)}
        # A folder that holds the whole prefix has no sibling here; one among early siblings was listed with them.
        folders = [
            folder for folder in _folders_of(frontier) if len(folder) >= len(prefix) and not _was_early(folder, clear)
        ]
        for folder in folders:
            if folder in clear or len(held) <= hold_back:
                continue
            # What sorts before the folder goes before its early siblings.
            yield from _release(held, folder)
            clear[folder] = yield from _early_siblings(fetch, folder, hold_back)
        yield from _release(held, next((folder for folder in folders if folder not in clear), frontier))


def _release(held: list[StoredObject], bound: str) -> list[StoredObject]:
    """Take out of what is held all up to the bound."""
    count = bisect_right(held, bound, key=lambda each: each.key)
    released, held[:] = held[:count], held[count:]
    return released


def _early_siblings(fetch: Fetch, folder: str, hold_back: int) -> Generator[StoredObject, None, bool]:
    """The siblings of a folder that sort before what it holds; returns whether there were any."""
    behind = f"{folder}/{_LAST_NAME}"

    def is_late(key: str) -> bool:
        return key[len(folder) : len(folder) + 1] >= "/"

    found, _ = fetch(folder, behind, 1)
    if not found or is_late(found[0].key):
        return False
    yield from _reordered(fetch, folder, behind, hold_back, is_late)
    return True


def _was_early(key: str, clear: dict[str, bool]) -> bool:
    return any(
        had and key.startswith(folder) and key[len(folder) : len(folder) + 1] < "/" and len(key) > len(folder)
        for folder, had in clear.items()
    )


def _folders_of(key: str) -> list[str]:
    """`a/b/c` is in `a` and in `a/b`."""
    return [key[:position] for position, character in enumerate(key) if character == "/"]


def _folders_behind(key: str) -> Iterator[str]:
    """Prefixes of folders that the engine lists before `key` (or with it), but whose keys are greater."""
    for position, character in enumerate(key):
        if character < "/" and position and key[position - 1] != "/":
            yield f"{key[:position]}/"
    if not key.endswith("/"):
        yield f"{key}/"


def _object(element: ElementTree.Element, space: str) -> StoredObject:
    return StoredObject(
        key=unquote_plus(element.findtext(f"{space}Key") or ""),
        size_bytes=int(element.findtext(f"{space}Size") or 0),
        etag=(element.findtext(f"{space}ETag") or "").strip('"'),
        modified_at=datetime.fromisoformat(element.findtext(f"{space}LastModified") or ""),
    )
