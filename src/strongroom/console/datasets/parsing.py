"""What people wrote into the forms of data sets, as the actions take it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from uuid import UUID

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say


def ids(field: str, values: Iterable[str]) -> list[UUID]:
    """Raises: Invalid for what is no id."""
    try:
        return [UUID(value) for value in values]
    except ValueError:
        raise Invalid(say("What was picked is not in the list."), fields={field: say("pick from the list")}) from None


def day(field: str, text: str) -> date | None:
    """A day as `<input type=date>` sends it; empty is None. Raises: Invalid."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(
            say("“{text}” is not a date.", text=text), fields={field: say("write it as 2031-12-31")}
        ) from None


def end_of(field: str, text: str) -> datetime | None:
    """The last second of that day, UTC; empty is None. Raises: Invalid."""
    chosen = day(field, text)
    return datetime.combine(chosen, time(23, 59, 59), UTC) if chosen else None


def whole(field: str, text: str) -> int | None:
    """A whole number; empty is None. Raises: Invalid."""
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise Invalid(
            say("“{text}” is not a whole number.", text=text), fields={field: say("a whole number")}
        ) from None


def words(text: str) -> list[str]:
    """What stands between commas or line breaks."""
    return [word.strip() for word in text.replace("\n", ",").split(",") if word.strip()]
