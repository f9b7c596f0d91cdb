"""The end of a data set: which deeds need a request for it, which cannot be while there is one, and what forbids it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from strongroom.actions import closing
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Verb
from strongroom.db.models import Dataset


def check(verb: Verb, dataset: Dataset, actor: Actor, now: datetime) -> None:
    """Return if nothing of it stands in the way of the deed; lineage must be held by whoever then does it.

    Raises Conflict, Forbidden.
    """
    for rule in _RULES.get(verb, ()):
        rule(dataset, actor, now)


def _need_none(dataset: Dataset, *_: object) -> None:
    if dataset.deletion_requested_at:
        raise Conflict(
            say("The deletion of {dataset} has already been requested.", dataset=dataset.name),
            code="already-requested",
            way_out=say("Another owner or steward confirms it, or it is withdrawn."),
        )


def _need_one(dataset: Dataset, *_: object) -> None:
    if not dataset.deletion_requested_at:
        raise Conflict(
            say("Nobody has requested the deletion of {dataset}.", dataset=dataset.name),
            code="not-requested",
            way_out=say("First one person requests it with a reason, then a second one confirms."),
        )


def _need_somebody_else(dataset: Dataset, actor: Actor, _: datetime) -> None:
    if dataset.deletion_requested_by_id == actor.person_id:
        raise Forbidden(
            say("You asked for this deletion yourself; a second person must confirm it."),
            code="same-person",
            way_out=say("Ask another owner or steward of the space, or an administrator."),
        )


def _need_no_request(dataset: Dataset, *_: object) -> None:
    closing.refuse_while_ending(dataset)


def _need_no_lock(dataset: Dataset, _: Actor, now: datetime) -> None:
    closing.refuse_while_locked(dataset, now)


def _need_no_derivative(dataset: Dataset, *_: object) -> None:
    closing.refuse_while_source(dataset)


_RULES: Mapping[Verb, tuple[Callable[[Dataset, Actor, datetime], None], ...]] = {
    Verb.DATASET_PROMOTE: (_need_no_request,),
    Verb.DATASET_DELETE: (_need_no_derivative,),
    Verb.DATASET_REQUEST_DELETION: (_need_none, _need_no_lock, _need_no_derivative),
    Verb.DATASET_WITHDRAW_DELETION: (_need_one,),
    Verb.DATASET_CONFIRM_DELETION: (_need_one, _need_somebody_else, _need_no_lock, _need_no_derivative),
}
