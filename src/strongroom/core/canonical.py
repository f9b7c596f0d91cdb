"""How a value is written so that its hash is the same everywhere: canonical JSON and times.

Refuses to know what the values mean; manifest, ledger and receipt share it.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any, Literal

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say

# Made once: json.dumps with options builds an encoder at every call, which costs as much as the encoding.
_LINE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_PAGE = json.JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{3}|\d{6})Z", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")

Precision = Literal["milliseconds", "microseconds"]


def one_line(value: object) -> str:
    """JSON with sorted keys, no spaces and no escapes but the required ones; no line break at the end."""
    return _LINE.encode(value)


def page(value: object) -> str:
    """The same, indented by two spaces for people, with a line break at the end."""
    return _PAGE.encode(value) + "\n"


def parse(text: str | bytes) -> Any:  # Any: a foreign border, the caller checks what came in
    """Read JSON; refuses doubled keys, NaN and infinities.

    Raises: Invalid when it is not JSON, or not UTF-8.
    """
    try:
        return json.loads(text, object_pairs_hook=_no_doubles, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise Invalid(say("This is not valid JSON: {problem}.", problem=problem)) from problem


def time(at: datetime, precision: Precision) -> str:
    """RFC 3339 in UTC with a `Z`. Raises: ValueError for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be written down: {at.isoformat()}")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def read_time(text: object) -> datetime:
    """Aware UTC from what `time` wrote. Raises: Invalid for any other form."""
    if isinstance(text, str) and _TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise Invalid(say("{text!r} is not a time such as 2026-01-31T12:00:00.000Z.", text=text))


def is_sha256(text: object) -> bool:
    """Whether this is 64 lower-case hexadecimal digits."""
    return isinstance(text, str) and _SHA256.fullmatch(text) is not None


def is_storable(text: str) -> bool:
    """Whether every store keeps this text as it is: UTF-8 without lone surrogates, and no NUL (PostgreSQL)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key is there twice")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
