"""What transfers recorded of a data set, page after page."""

import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from typing import IO, TYPE_CHECKING

from strongroom.cli.lease import patiently
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.core import manifest
from strongroom.core.manifest import Entry
from strongroom.movers.listed import Listed, in_order
from strongroom.movers.retrying import Patience

if TYPE_CHECKING:
    from strongroom.cli.client import Api


def lines(api: "Api", dataset_id: str) -> Iterator[bytes]:
    """All of them, in the order of keys, many in a chunk. Raises Problem once they are forgotten: never a part."""
    for items in _pages(lambda after: _page(api, dataset_id, after)):
        yield b"".join(map(_line, items))


class Recorded:
    """What a run compares by. Asked for while it is read the first time, kept on the disk for what may read it again:
    the run may take days, and they are forgotten when the data set is finalized.
    """

    def __init__(self, api: "Api", dataset_id: str) -> None:
        self._api, self._dataset_id = api, dataset_id
        self._kept: IO[bytes] | None = None

    def __enter__(self) -> "Recorded":
        return self

    def __exit__(self, *_: object) -> None:
        if self._kept is not None:
            self._kept.close()

    def __call__(self, patience: Patience) -> Iterator[Listed]:
        """All of them, in the order of keys. Raises: Unreachable, Unreadable, Problem."""
        if self._kept is not None:
            self._kept.seek(0)
            pages: Iterator[list[Json]] = map(json.loads, self._kept)
        else:
            pages = self._asked(patience)
        return in_order(map(_listed, chain.from_iterable(pages)), "what was recorded")

    def _asked(self, patience: Patience) -> Iterator[list[Json]]:
        kept = tempfile.TemporaryFile()  # noqa: SIM115  closed at the end of the run, or here
        try:
            for items in _pages(lambda after: self._patiently(patience, after)):
                kept.write(json.dumps(items).encode() + b"\n")
                yield items
        except BaseException:
            kept.close()
            raise
        self._kept = kept

    def _patiently(self, patience: Patience, after: str | None) -> Json:
        def ask(_: float | None) -> Json:
            with patiently():
                return _page(self._api, self._dataset_id, after)

        return patience.of(ask)


def _page(api: "Api", dataset_id: str, after: str | None) -> Json:
    return api.get(path("datasets", dataset_id, "digests"), {"after": after})


def _pages(ask: Callable[[str | None], Json]) -> Iterator[list[Json]]:
    after: str | None = None
    while True:
        page = ask(after)
        yield page["items"]
        after = page["next_after"]
        if after is None:
            return


def _line(item: Json) -> bytes:
    at = datetime.fromisoformat(item["recorded_at"])
    return manifest.encode(Entry(item["key"], item["size_bytes"], item["etag"], at, f"sha256:{item['sha256']}"))


def _listed(item: Json) -> Listed:
    at = datetime.fromisoformat(item["recorded_at"])
    return Listed(item["key"], item["size_bytes"], item["etag"], at, f"sha256:{item['sha256']}")
