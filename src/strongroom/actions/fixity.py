"""What can be done with fixity checks: start one, see how far it is, and read what it found."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from strongroom.actions.deeds import doing
from strongroom.actions.manifests import newest
from strongroom.actions.paging import Page, page
from strongroom.core.actor import Actor
from strongroom.core.errors import NotFound
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Verb
from strongroom.db.models import Dataset, DigestList, FixityCheck, FixityDifference, Person


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check, and a page of what it found, in key order."""

    check: FixityCheck
    differences: Page[FixityDifference]


def start(actor: Actor, dataset_id: UUID) -> FixityCheck:
    """Have everything read again and compared, soon. One that is under way is hurried, not begun once more.

    Raises: NotFound, Forbidden, Conflict (not a finalized original).
    """
    with doing(actor, Verb.FIXITY_START) as deed:
        dataset = deed.dataset(dataset_id)
        check = open_check(dataset, asked_by=actor.person_id, now=deed.now)
        deed.record(after={"check_id": str(check.id), "completes_digests": check.completes_digests})
    return _full(check.id)


def list_(actor: Actor, dataset_id: UUID, *, cursor: str | None = None, limit: int = 50) -> Page[FixityCheck]:
    """The checks of a data set, newest first. Raises: NotFound, Forbidden."""
    with doing(actor, Verb.FIXITY_LIST) as deed:
        rows = _rows().filter(dataset=deed.dataset(dataset_id))
        return page(rows, by=["-asked_at", "-id"], cursor=cursor, limit=limit)


def show(
    actor: Actor, dataset_id: UUID, check_id: UUID | None = None, *, cursor: str | None = None, limit: int = 50
) -> CheckView:
    """One check, the newest unless named, with what it found. Raises: NotFound, Forbidden."""
    with doing(actor, Verb.FIXITY_SHOW) as deed:
        dataset = deed.dataset(dataset_id)
        rows = _rows().filter(dataset=dataset)
        check = (rows.filter(id=check_id) if check_id else rows.order_by("-asked_at")).first()
        if check is None:
            raise NotFound(
                say("{dataset} has no such fixity check.", dataset=dataset.name)
                if check_id
                else say("{dataset} has no fixity check.", dataset=dataset.name),
                way_out=say(
                    "An original is checked when it is finalized, by the calendar, and when somebody starts it."
                ),
            )
        found = FixityDifference.objects.filter(check_run=check, sha256="")
        return CheckView(check, page(found, by=["position"], cursor=cursor, limit=limit))


def open_check(dataset: Dataset, *, asked_by: UUID | None, now: datetime) -> FixityCheck:
    """The check that is under way, to go on at once, or a new one. Inside a transaction that has locked the row.

    What only waits for damaged objects to be put back does not hold up a check of the whole.
    """
    under_way = FixityCheck.objects.filter(dataset=dataset, ended_at=None)
    under_way.update(next_at=now)
    open_ = {each.completes_digests: each for each in under_way.select_related("manifest")}
    if False in open_ or (True in open_ and not open_[True].waits_for_damaged):
        return open_.get(False) or open_[True]
    manifest = newest(dataset)
    Dataset.objects.filter(id=dataset.id).update(recheck_at=now)  # what came beside the manifest is found by a listing
    return FixityCheck.objects.create(
        dataset=dataset,
        manifest=manifest,
        completes_digests=not open_ and not DigestList.objects.filter(manifest=manifest).exists(),
        asked_by=Person.objects.get(id=asked_by) if asked_by else None,
        asked_at=now,
        next_at=now,
    )


def _rows() -> "QuerySet[FixityCheck]":
    return FixityCheck.objects.select_related("asked_by", "manifest")


def _full(check_id: UUID) -> FixityCheck:
    return _rows().get(id=check_id)
