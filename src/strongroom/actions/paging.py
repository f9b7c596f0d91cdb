"""Pages by key, not by number: page 10,000 costs what page 1 costs."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say

Row = TypeVar("Row", bound=Model)
MAX_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the cursor of the next page (None: this is the last)."""

    rows: Sequence[Row]
    next_cursor: str | None


def page(rows: QuerySet[Row], *, by: Sequence[str], cursor: str | None, limit: int) -> Page[Row]:
    """One page of `rows` ordered by the columns `by` (a leading `-` on the first turns all around).

    Raises: Invalid for a cursor that this list did not give, or a limit outside 1..500.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(
            say("limit must be between 1 and {most}.", most=MAX_LIMIT),
            fields={"limit": say("1 to {most}", most=MAX_LIMIT)},
        )
    columns = [column.lstrip("-") for column in by]
    is_descending = by[0].startswith("-")
    if cursor:
        values = _decode(cursor, [rows.model._meta.get_field(column) for column in columns])
        rows = rows.filter(_beyond(columns, values, "lt" if is_descending else "gt"))
    found = list(rows.order_by(*(f"-{column}" if is_descending else column for column in columns))[: limit + 1])
    is_last = len(found) <= limit
    kept = found[:limit]
    return Page(kept, None if is_last else _encode([getattr(kept[-1], column) for column in columns]))


def _beyond(columns: list[str], values: list[Any], compare: str) -> Q:
    condition = Q()
    for index, column in enumerate(columns):
        same = dict(zip(columns[:index], values[:index], strict=True))
        condition |= Q(**same, **{f"{column}__{compare}": values[index]})
    # Says the same once more, in the one form from which a database finds the place to begin in the index.
    return Q(**{f"{columns[0]}__{compare}e": values[0]}) & condition


def _encode(values: list[object]) -> str:
    return base64.urlsafe_b64encode(json.dumps([str(value) for value in values]).encode()).decode()


def _decode(cursor: str, columns: "list[Field[Any, Any] | Any]") -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if not isinstance(values, list) or not all(isinstance(value, str) and "\0" not in value for value in values):
            raise ValueError("not a list of texts")
        return [column.to_python(value) for column, value in zip(columns, values, strict=True)]
    except (ValueError, RecursionError, ValidationError):
        raise Invalid(
            say("This cursor was not given by this list."), fields={"cursor": say("take it from the page before")}
        ) from None
