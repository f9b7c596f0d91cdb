"""What all shapes of the API have in common: how bodies are read, how rows are shown, how lists are paged."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from strongroom.actions.paging import MAX_LIMIT

Item = TypeVar("Item", bound="Shown")


class Written(BaseModel):
    """A body somebody sends. A field that is not known is refused rather than passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def given(self) -> dict[str, object]:
        """Only the fields that were sent: those of a PATCH that are to be changed."""
        return self.model_dump(exclude_unset=True)


def unsent() -> Any:
    """The default of a field of a PATCH that may be left out, but not be null."""
    return Field(default=None)


class Shown(BaseModel):
    """Something that is answered; read from the attributes of a row."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Listing(Shown, Generic[Item]):
    """One page of a list. `next_cursor` is null on the last page."""

    items: list[Item]
    next_cursor: str | None = None


class Paging(BaseModel):
    """Which page of a list."""

    cursor: str | None = Field(None, description="`next_cursor` of the page before", max_length=2000)
    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="how many items at most")


def _written_out(value: object) -> object:
    """Not a number of seconds, which JSON Schema would not call a date either."""
    if isinstance(value, str) and "-" in value[1:]:
        return value
    if isinstance(value, date):
        return value
    raise ValueError("must be written as in ISO 8601, such as 2031-12-31T00:00:00Z")


def _utc(value: datetime) -> datetime:
    if not 1970 <= value.year <= 9000:
        raise ValueError("a year between 1970 and 9000 is needed")
    return value.astimezone(UTC)


Day = Annotated[date, BeforeValidator(_written_out)]
"""A day of the calendar."""

Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_utc)]
"""A time with its zone, from 1970 to 9000, in UTC."""
