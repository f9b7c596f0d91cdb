"""What transfers recorded of a data set, page after page, in lines as a manifest has them."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.core import manifest
from strongroom.core.manifest import Entry

if TYPE_CHECKING:
    from strongroom.cli.client import Api


def lines(api: "Api", dataset_id: str) -> Iterator[bytes]:
    """All of them, in the order of keys, many in a chunk. Raises Problem once they are forgotten: never a part."""
    after: str | None = None
    while True:
        page = api.get(path("datasets", dataset_id, "digests"), {"after": after})
        yield b"".join(map(_line, page["items"]))
        after = page["next_after"]
        if after is None:
            return


def _line(item: Json) -> bytes:
    at = datetime.fromisoformat(item["recorded_at"])
    return manifest.encode(Entry(item["key"], item["size_bytes"], item["etag"], at, f"sha256:{item['sha256']}"))
