"""What somebody still holds when they lose a role: access keys whose secret they were shown."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from strongroom.actions import converge
from strongroom.actions.deeds import Deed
from strongroom.core import authz
from strongroom.core.vocabulary import KeyStatus, Role, Verb
from strongroom.db.models import Dataset, UploadKey
from strongroom.db.models.keys import LIVE


def end_keys_of(deed: Deed, person_id: UUID, *, space_id: UUID | None = None, role: Role | None = None) -> list[UUID]:
    """End the person's live keys in the rows (of one space, or everywhere); the data sets that must now be `cut`.

    With a `role`, keys that somebody of this role may still hold are kept.
    """
    rule, ended = authz.RULES[Verb.KEY_ISSUE], list[UUID]()
    for key in _held_by(person_id, space_id):
        is_creator = key.dataset.created_by_id == person_id
        if role is not None and rule.admits(role, None, is_creator=is_creator):
            continue
        if _end(deed, key):
            ended.append(key.dataset_id)
    return ended


def cut(dataset_ids: Iterable[UUID]) -> None:
    """After the transaction: return when none of those keys works any more. Raises Unavailable as `converge.cut`."""
    for dataset_id in dataset_ids:
        converge.cut(dataset_id)


def _end(deed: Deed, key: UploadKey) -> bool:
    """End one key in the rows, its data set locked first as everywhere; False when it ended meanwhile."""
    dataset = Dataset.objects.select_for_update(no_key=True).get(id=key.dataset_id)
    live = UploadKey.objects.filter(id=key.id, status__in=LIVE)
    if not live.update(status=KeyStatus.REVOKED, ended_at=deed.now):
        return False
    converge.request(dataset)
    return True


def _held_by(person_id: UUID, space_id: UUID | None) -> QuerySet[UploadKey]:
    """Keys issued to the person, and keys that support handed out in place of one of theirs."""
    own = Q(issued_by_id=person_id, is_support_reset=False)
    handed_out = Q(is_support_reset=True, dataset__keys__issued_by_id=person_id, dataset__keys__is_support_reset=False)
    held = UploadKey.objects.filter(own | handed_out, status__in=LIVE).select_related("dataset").distinct()
    held = held.order_by("dataset_id")  # two deeds that lock several data sets lock them in one order
    return held.filter(dataset__space_id=space_id) if space_id else held
