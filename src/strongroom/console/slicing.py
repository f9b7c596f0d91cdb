"""Lists that an action gives whole, a part at a time: `?cursor=50` is what begins after 50 rows."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlencode

Row = TypeVar("Row")


def beginning(word: str) -> int:
    """Where a part begins, as an address says it; 0 for what is no number."""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 9 else 0


def part(rows: Sequence[Row], start: int, size: int) -> tuple[Sequence[Row], str]:
    """At most `size` rows from `start` on, and the query of the next part; empty after the last."""
    end = start + size
    return rows[start:end], urlencode({"cursor": end}) if end < len(rows) else ""
