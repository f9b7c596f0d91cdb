"""The request that a finalized data set be deleted: which deeds need one, which cannot be while there is one."""

from collections.abc import Callable, Mapping

from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden
from strongroom.core.vocabulary import Verb
from strongroom.db.models import Dataset


def check(verb: Verb, dataset: Dataset, actor: Actor) -> None:
    """Return if the deed goes with the request that there is, or with there being none. Raises Conflict, Forbidden."""
    for rule in _RULES.get(verb, ()):
        rule(dataset, actor)


def _need_none(dataset: Dataset, _: Actor) -> None:
    if dataset.deletion_requested_at:
        raise Conflict(
            f"The deletion of {dataset.name} has already been requested.",
            code="already-requested",
            way_out="Another owner or steward confirms it, or it is withdrawn.",
        )


def _need_one(dataset: Dataset, _: Actor) -> None:
    if not dataset.deletion_requested_at:
        raise Conflict(
            f"Nobody has requested the deletion of {dataset.name}.",
            code="not-requested",
            way_out="First one person requests it with a reason, then a second one confirms.",
        )


def _need_somebody_else(dataset: Dataset, actor: Actor) -> None:
    if dataset.deletion_requested_by_id == actor.person_id:
        raise Forbidden(
            "You asked for this deletion yourself; a second person must confirm it.",
            code="same-person",
            way_out="Ask another owner or steward of the space, or an administrator.",
        )


_RULES: Mapping[Verb, tuple[Callable[[Dataset, Actor], None], ...]] = {
    Verb.DATASET_REQUEST_DELETION: (_need_none,),
    Verb.DATASET_WITHDRAW_DELETION: (_need_one,),
    Verb.DATASET_CONFIRM_DELETION: (_need_one, _need_somebody_else),
}
