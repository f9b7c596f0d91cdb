"""What the forms of this area hold, as values of the actions."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from django.http import QueryDict

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say

Word = TypeVar("Word", bound=StrEnum)


def one_of(words: type[Word], form: QueryDict, name: str) -> Word:
    """One word of an enumeration. Raises: Invalid."""
    try:
        return words(form.get(name, ""))
    except ValueError:
        raise Invalid(
            say("Choose one of those that are offered."),
            fields={name: say("one of: {words}", words=", ".join(words))},
        ) from None


def id_of(form: QueryDict, name: str) -> UUID | None:
    """An id; None where nothing was chosen. Raises: Invalid."""
    text = form.get(name, "").strip()
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid(
            say("Choose one of those that are offered."), fields={name: say("choose one from the list")}
        ) from None


def end_of_day(form: QueryDict, name: str) -> datetime | None:
    """The end of a day (UTC) that a field of the type `date` holds; None where it is empty. Raises: Invalid."""
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        return datetime.combine(day + timedelta(days=1), time(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Invalid(
            say("“{text}” is not a day.", text=text), fields={name: say("a day such as 2036-12-31")}
        ) from None
