"""A digest as a mover reports it: the SHA-256 of an object, good for one size and ETag. Refuses to know who sent it."""

import re
from dataclasses import dataclass

from strongroom.core.errors import Invalid
from strongroom.core.names import ATTACHMENTS
from strongroom.core.sentences import Sentence, say

KEY_LIMIT_BYTES = 1024  # Source: Amazon S3 User Guide, "Naming Amazon S3 objects".
LARGEST_BYTES = 2**63 - 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ETAG = re.compile(r"[\x21\x23-\x7e]{1,100}")


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of one object. `etag` is without quotes, `sha256` 64 hexadecimal digits in lower case.

    Raises: Invalid when the key cannot be one of a data set's objects, the size is below 0, or a text is no such text.
    """

    key: str
    size_bytes: int
    etag: str
    sha256: str

    def __post_init__(self) -> None:
        _refuse_key(self.key)
        if not 0 <= self.size_bytes <= LARGEST_BYTES:
            raise _invalid("size_bytes", say("of {key!r} is no size in bytes", key=self.key))
        if not _ETAG.fullmatch(self.etag):
            raise _invalid("etag", say("of {key!r} is no ETag without its quotes", key=self.key))
        check_sha256("sha256", self.sha256)


def check_sha256(field: str, text: str) -> str:
    """The text. Raises: Invalid unless it is 64 hexadecimal digits in lower case."""
    if not _SHA256.fullmatch(text):
        raise _invalid(field, say("is not 64 hexadecimal digits in lower case"))
    return text


def check_count(field: str, number: int | None) -> int | None:
    """The number. Raises: Invalid unless it is 0 or more and fits a column."""
    if number is not None and not 0 <= number <= LARGEST_BYTES:
        raise _invalid(field, say("is below 0, or too large"))
    return number


def _refuse_key(key: str) -> None:
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise _invalid("key", say("is not Unicode")) from None
    if not 1 <= size <= KEY_LIMIT_BYTES or "\0" in key:
        raise _invalid("key", say("must be 1 to {most} bytes of UTF-8 without NUL", most=KEY_LIMIT_BYTES))
    if key == ATTACHMENTS or key.startswith(f"{ATTACHMENTS}/"):
        raise _invalid("key", say("{key!r} lies where only Strongroom writes", key=key))


def _invalid(field: str, problem: Sentence) -> Invalid:
    return Invalid(say("The {field} {problem}.", field=field, problem=problem), fields={field: problem})
