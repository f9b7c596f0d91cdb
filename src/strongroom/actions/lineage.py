"""What a data set was made from and what was made from it, several steps far; all in its own space."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from strongroom.actions.deeds import doing
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Verb
from strongroom.db.models import Dataset, DatasetSource

STEPS = 4
MOST = 60  # data sets; more is no picture any more


@dataclass(frozen=True, slots=True)
class Lineage:
    """`levels` tells each data set's distance: negative for sources, positive for derivatives, 0 for itself.

    `links` are pairs (source, derivative). `is_cut` says that there is more than is told here.
    """

    dataset: Dataset
    rows: list[Dataset]
    levels: dict[UUID, int]
    links: list[tuple[UUID, UUID]]
    is_cut: bool


def show(actor: Actor, dataset_id: UUID) -> Lineage:
    """The sources of the sources, and the derivatives of the derivatives. Raises NotFound."""
    with doing(actor, Verb.DATASET_SHOW) as deed:
        dataset = deed.dataset(dataset_id)
    levels = {dataset.id: 0}
    cuts = [_walk(levels, dataset.id, step) for step in (-1, 1)]
    rows = Dataset.objects.filter(id__in=levels).order_by("name", "id")
    links = DatasetSource.objects.filter(source__in=levels, derivative__in=levels)
    pairs = list(links.order_by("id").values_list("source_id", "derivative_id"))
    return Lineage(dataset, list(rows), levels, pairs, any(cuts))


def _walk(levels: dict[UUID, int], start: UUID, step: int) -> bool:
    """Note the data sets in one direction; whether there are more than were noted."""
    ahead = {start}
    for distance in range(1, STEPS + 1):
        found = sorted(set(_next(ahead, step)) - set(levels))
        room = MOST - len(levels)
        levels.update(dict.fromkeys(found[:room], distance * step))
        if len(found) > room:
            return True
        ahead = set(found)
    return bool(set(_next(ahead, step)) - set(levels))


def _next(ahead: Iterable[UUID], step: int) -> list[UUID]:
    if step < 0:
        return list(DatasetSource.objects.filter(derivative__in=ahead).values_list("source_id", flat=True))
    return list(DatasetSource.objects.filter(source__in=ahead).values_list("derivative_id", flat=True))
