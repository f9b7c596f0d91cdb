"""A store without a wire, for what is large: it takes what a mover sends, keeps digests, and discards the rest."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from strongroom.movers.answers import Part, Stored
from strongroom.movers.retrying import AT_ONCE, Patience
from strongroom.movers.s3 import etag_of_parts

_ZEROS: dict[int, tuple[bytes, str]] = {}


@dataclass
class Direct:
    """In the place of a `Repository`. `largest` is the most bytes that one request brought."""

    objects: dict[str, tuple[int, str]] = field(default_factory=dict)
    parts: dict[int, tuple[int, str]] = field(default_factory=dict)
    patience: Patience = AT_ONCE
    largest: int = 0

    def pace(self, pace: Callable[[int], object]) -> None:
        """Nothing goes over a line."""

    def put(self, key: str, body: bytes, *, metadata: Mapping[str, str], md5: bytes) -> str:
        """As a repository does."""
        self.objects[key] = (len(body), hashlib.md5(body).hexdigest())
        return self.objects[key][1]

    def create_upload(self, key: str) -> str:
        """One at a time is enough for the tests."""
        return "one"

    def list_parts(self, key: str, upload_id: str) -> list[Part]:
        """What is there."""
        return [Part(number, *held) for number, held in self.parts.items()]

    def put_part(self, key: str, upload_id: str, number: int, body: bytearray, *, md5: bytes) -> str:
        """The hash of nothing but zeros is known after the first."""
        if len(body) not in _ZEROS:
            _ZEROS[len(body)] = (bytes(len(body)), hashlib.md5(bytes(len(body))).hexdigest())
        zeros, known = _ZEROS[len(body)]
        etag = known if body == zeros else hashlib.md5(body).hexdigest()
        self.parts[number] = (len(body), etag)
        self.largest = max(self.largest, len(body))
        return etag

    def complete_upload(self, key: str, upload_id: str, parts: list[tuple[int, str]]) -> str:
        """As a repository does."""
        etag = etag_of_parts([etag for _, etag in parts])
        self.objects[key] = (sum(self.parts[number][0] for number, _ in parts), etag)
        return etag

    def abort_upload(self, key: str, upload_id: str) -> None:
        """As a repository does."""
        self.parts.clear()

    def list_uploads(self) -> list[object]:
        """None is left over in these tests."""
        return []

    def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """As a repository does."""
        for key, (size, etag) in sorted(self.objects.items()):
            yield Stored(key, size, etag, datetime.now(UTC))
