"""A stream that refuses to be longer than it may."""

from typing import BinaryIO, cast

from strongroom.core.errors import Invalid
from strongroom.core.sentences import Sentence, say


class Limited:
    """Reads through to `body` and raises Invalid once more than `limit_bytes` were read."""

    def __init__(self, body: BinaryIO, limit_bytes: int, *, what: Sentence) -> None:
        self._body = body
        self._limit_bytes = limit_bytes
        self._what = what
        self._read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; all of them in one piece are never asked for."""
        chunk = self._body.read(size if size >= 0 else self._limit_bytes - self._read_bytes + 1)
        self._read_bytes += len(chunk)
        if self._read_bytes > self._limit_bytes:
            raise Invalid(
                say("This {what} is larger than {most:,} bytes.", what=self._what, most=self._limit_bytes),
                code="too-large",
                fields={"file": say("at most {most:,} bytes", most=self._limit_bytes)},
                way_out=say("Send a smaller file, or have the operator raise STRONGROOM_ATTACHMENT_MAX_BYTES."),
            )
        return chunk


def limited(body: BinaryIO, limit_bytes: int, *, what: Sentence) -> BinaryIO:
    """`body`, refusing to give more than `limit_bytes`."""
    return cast("BinaryIO", Limited(body, limit_bytes, what=what))
