"""Checks what people write about a data set: one table of fields, used by create and by edit."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from uuid import UUID

from strongroom.core.errors import Invalid
from strongroom.core.names import clean_text
from strongroom.core.sentences import Sentence, say
from strongroom.core.vocabulary import Kind, State
from strongroom.db.models import Dataset, Space

MAX_CLASSIFICATIONS = 20
MAX_SOURCES = 100


def _classifications(value: object) -> list[str]:
    words = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else None
    if words is None or len(words) > MAX_CLASSIFICATIONS:
        raise Invalid(
            say(
                "Give at most {most} data classifications, as a list of words.",
                most=MAX_CLASSIFICATIONS,
            ),
            fields={"data_classifications": say("a list of at most {most} words", most=MAX_CLASSIFICATIONS)},
        )
    return sorted({clean_text("data_classifications", str(word), max_length=60) for word in words})


def _needed_until(value: object) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid(
            say("needed_until is not a date."), fields={"needed_until": say("write it as 2031-12-31")}
        ) from error


def _text(field: str, max_length: int, *, required: bool = False, is_multiline: bool = False) -> "Cleaner":
    return lambda value: clean_text(
        field, str(value or ""), max_length=max_length, required=required, is_multiline=is_multiline
    )


Cleaner = Callable[[object], object]
FIELDS: Mapping[str, Cleaner] = {
    "name": _text("name", 200, required=True),
    "description": _text("description", 10_000, is_multiline=True),
    "data_classifications": _classifications,
    "data_format": _text("data_format", 200),
    "external_source": _text("external_source", 2_000, is_multiline=True),
    "owner_contact": _text("owner_contact", 200),
    "needed_until": _needed_until,
}


def clean(values: Mapping[str, object]) -> dict[str, object]:
    """The values as they may be stored. Raises Invalid naming the field; all wrong fields at once."""
    cleaned: dict[str, object] = {}
    wrong: dict[str, Sentence] = {}
    for field, value in values.items():
        try:
            cleaned[field] = FIELDS[field](value)
        except Invalid as problem:
            wrong.update(problem.fields)
    if wrong:
        raise Invalid(say("Some fields cannot be taken: {fields}.", fields=", ".join(sorted(wrong))), fields=wrong)
    return cleaned


def hold_lineage(dataset_id: UUID) -> None:
    """Nobody else names or removes a source in the data set's space until the transaction ends: creating locks it too.

    Called before the data set itself is locked: whoever changes members locks the space first, and then data sets.
    """
    Space.objects.select_for_update(of=("self",), no_key=True).filter(datasets=dataset_id).first()


def sources(space_id: UUID, source_ids: Iterable[UUID], *, but: UUID | None = None) -> list[Dataset]:
    """The data sets of the space with these ids, that can still be a source.

    Raises: Invalid for ids that are not data sets of this space, were deleted, are too many, or are `but` itself.
    """
    wanted = set(source_ids)
    if not wanted:
        return []
    alive = Dataset.objects.filter(space_id=space_id, id__in=wanted).exclude(state__in=[State.DELETING, State.DELETED])
    found = [] if len(wanted) > MAX_SOURCES else list(alive.order_by("name", "id"))
    if len(wanted) > MAX_SOURCES or but in wanted or len(found) != len(wanted):
        missing = sorted(str(each) for each in wanted - {row.id for row in found})
        raise Invalid(
            say(
                "These are not data sets of this space that can be a source: {missing}.",
                missing=", ".join(missing[:5]) or str(but),
            ),
            fields={"source_ids": say("at most {most} other data sets of the same space", most=MAX_SOURCES)},
            way_out=say("Name the source in external_source when it is not in this space."),
        )
    return found


def check_origin(kind: Kind, source_count: int, external_source: str) -> None:
    """An original has no sources; a derivative says what it was made from. Raises Invalid."""
    if kind is Kind.ORIGINAL and source_count:
        raise Invalid(
            say("An original has no source data sets."),
            fields={"source_ids": say("only a derivative names sources")},
            way_out=say("Create a derivative, or leave source_ids empty."),
        )
    if kind is Kind.DERIVATIVE and not source_count and not external_source:
        raise Invalid(
            say("A derivative must say what it is made from."),
            fields={"source_ids": say("name data sets of this space, or say in external_source where it comes from")},
            way_out=say("Give source_ids, external_source, or both."),
        )


def check_lineage(dataset_id: UUID, chosen: Iterable[Dataset]) -> None:
    """A data set must not end up being made from itself. Raises Invalid."""
    seen, ahead = set(), {row.id for row in chosen}
    while ahead:
        if dataset_id in ahead:
            raise Invalid(
                say("These sources are themselves made from this data set."),
                fields={"source_ids": say("would make a circle")},
            )
        seen |= ahead
        parents = Dataset.objects.filter(derivative_links__derivative_id__in=ahead)
        ahead = set(parents.values_list("id", flat=True)) - seen
