"""How values read for people: sizes, times, ids, and text that must not steer a terminal."""

import unicodedata
from datetime import UTC, datetime

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (among them bidi overrides), line separators


def plain(value: object) -> str:
    """Text in which every control and direction character is spelled out, so that no name can draw on a terminal."""
    return "".join(_visible(char) for char in str(value))


def plain_lines(value: str) -> str:
    """As `plain`, for text of several lines: line ends and tabs stay."""
    return "".join(char if char in "\n\t" else _visible(char) for char in value.replace("\r\n", "\n"))


def _visible(char: str) -> str:
    if unicodedata.category(char) not in _INVISIBLE:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def size(count: object) -> str:
    """Bytes in decimal units: `1.3 GB`; empty for None."""
    if not isinstance(count, int):
        return ""
    amount, unit = float(count), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    if unit == 0:
        return "1 byte" if count == 1 else f"{count} bytes"
    return f"{amount:.1f} {_UNITS[unit]}" if amount < 99.95 else f"{amount:.0f} {_UNITS[unit]}"


def memory(count: int) -> str:
    """Bytes of memory in binary units, as it is sold: `2 GiB`."""
    return f"{count / 1024**3:g} GiB"


def number(count: object) -> str:
    """`12,345`; empty for None."""
    return f"{count:,}" if isinstance(count, int) else ""


def counted(count: int, one: str, many: str = "") -> str:
    """`1 object`, `12 objects`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(value: object) -> str:
    """An ISO 8601 time as `2026-01-31 14:05 UTC`; a plain date as it is; empty for None."""
    text = str(value or "")
    if "T" not in text:
        return text
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return plain(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def ago(value: object, now: datetime | None = None) -> str:
    """How long since an ISO 8601 time: `12 s ago`, `3 h ago`, `5 days ago`; empty for None."""
    if not value:
        return ""
    when = datetime.fromisoformat(str(value))
    seconds = int(((now or datetime.now(UTC)) - when).total_seconds())
    if seconds < 1:  # a clock that is a little ahead of ours
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    return f"{seconds // 3600} h ago" if seconds < 86400 else f"{counted(seconds // 86400, 'day')} ago"


def is_past(value: object, now: datetime | None = None) -> bool:
    """Whether an ISO 8601 time is over."""
    return datetime.fromisoformat(str(value)) <= (now or datetime.now(UTC))


def elapsed(seconds: float) -> str:
    """`4 s`, `2 min 05 s`, `1 h 12 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def short_id(value: object) -> str:
    """The first eight characters of an id: enough to name a thing in a command."""
    return str(value or "")[:8]


def yes_no(value: object) -> str:
    """A truth in a word."""
    return "yes" if value else "no"
