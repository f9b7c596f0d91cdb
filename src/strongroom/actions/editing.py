"""How the record of a data set changes: which fields are open, what differs, and where it says it came from."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from strongroom.actions import catalogue
from strongroom.actions.deeds import Deed
from strongroom.core import lifecycle
from strongroom.core.errors import Conflict, Invalid
from strongroom.core.ledger import Json
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Kind, State
from strongroom.db.models import Dataset, DatasetChange, DatasetSource


def apply(deed: Deed, dataset: Dataset, changes: Mapping[str, object]) -> None:
    """Write what differs, one row of history a field, and one entry in the ledger. Raises Conflict, Invalid."""
    check_editable(dataset, changes)
    before, after = change_columns(dataset, changes)
    if touches_origin(changes):
        change_sources(dataset, changes, before, after)
    dataset.modified_at, dataset.modified_by_id = deed.now, deed.actor.person_id
    dataset.save(update_fields=[*(set(after) - {"source_ids"}), "modified_at", "modified_by"])
    DatasetChange.objects.bulk_create(
        DatasetChange(
            dataset=dataset,
            field=field,
            before=before[field],
            after=after[field],
            changed_at=deed.now,
            changed_by_id=deed.actor.person_id,
        )
        for field in after
    )
    deed.record(before=before, after=after)


def touches_origin(changes: Mapping[str, object]) -> bool:
    """Whether it changes where a data set says it came from; then lineage must be held."""
    return "source_ids" in changes or "external_source" in changes


def check_editable(dataset: Dataset, changes: Mapping[str, object]) -> None:
    known = {*catalogue.FIELDS, "source_ids"}
    if unknown := sorted(set(changes) - known):
        raise Invalid(
            say("A data set has no field {unknown}.", unknown=unknown[0]), fields=dict.fromkeys(unknown, say("unknown"))
        )
    if closed := sorted(set(changes) - lifecycle.editable_fields(State(dataset.state))):
        still = ", ".join(sorted(lifecycle.editable_fields(State(dataset.state))))
        raise Conflict(
            say(
                "{dataset} is {state}: {closed} cannot be changed any more.",
                dataset=dataset.name,
                state=State(dataset.state),
                closed=", ".join(closed),
            ),
            code="state",
            way_out=say("Still open: {still}.", still=still)
            if still
            else say("Nothing about it can be changed any more."),
        )


def change_columns(dataset: Dataset, changes: Mapping[str, object]) -> tuple[dict[str, Json], dict[str, Json]]:
    """Set what differs on the row; before and after of just that."""
    before: dict[str, Json] = {}
    after: dict[str, Json] = {}
    for field, value in catalogue.clean({f: v for f, v in changes.items() if f != "source_ids"}).items():
        if (old := getattr(dataset, field)) != value:
            before[field], after[field] = plain(old), plain(value)
            setattr(dataset, field, value)
    return before, after


def plain(value: object) -> Json:
    return value.isoformat() if isinstance(value, date) else value  # type: ignore[return-value]  # columns hold JSON


def change_sources(
    dataset: Dataset, changes: Mapping[str, object], before: dict[str, Json], after: dict[str, Json]
) -> None:
    links = dataset.source_links.order_by("source_id").values_list("source_id", flat=True)
    old = [str(source_id) for source_id in links]
    wanted = changes.get("source_ids", old)
    ids = [UUID(str(each)) for each in wanted] if isinstance(wanted, Sequence) else []
    chosen = catalogue.sources(dataset.space_id, ids, but=dataset.id)
    catalogue.check_origin(Kind(dataset.kind), len(chosen), dataset.external_source)
    catalogue.check_lineage(dataset.id, chosen)
    new = sorted(str(row.id) for row in chosen)
    if new != old:
        before["source_ids"], after["source_ids"] = list(old), list(new)
        dataset.source_links.all().delete()
        DatasetSource.objects.bulk_create(DatasetSource(derivative=dataset, source=source) for source in chosen)
