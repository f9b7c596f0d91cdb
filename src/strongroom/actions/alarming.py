"""The alarm when an object is not what it was: the data set's row, the ledger, and letters to those who keep it."""

from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from strongroom.actions import ledger, mailing
from strongroom.actions.configuration import settings
from strongroom.actions.reading import Found
from strongroom.core.ledger import Json
from strongroom.core.vocabulary import CheckState, Role, SystemFact
from strongroom.db.models import Dataset, FixityCheck, FixityDifference, Membership, Person

NAMED = 10
_LETTER = """\
Hello {name},

a check of the data set {dataset} found objects that are not what they were when it was finalized: missing, altered or
unreadable. Which ones, and since when, is at

{url}/datasets/{id}/integrity

Tell whoever operates the storage before anything is repaired or removed. You get this letter because you keep the
data set or its space.
"""


def raise_(check: FixityCheck, damaged: Sequence[Found]) -> None:
    """In the transaction that wrote them down. Of many the ledger names the first; the check has a row of each."""
    named: list[Json] = [{"key": each.line.entry.key, "damage": str(each.damage)} for each in damaged[:NAMED]]
    Dataset.objects.filter(id=check.dataset_id).update(damaged_objects=count(check))
    ledger.append(
        SystemFact.FIXITY_DIFFERENCE,
        at=timezone.now(),
        space_id=check.dataset.space_id,
        dataset_id=check.dataset_id,
        subject=check.dataset.name,
        after={"check_id": str(check.id), "found": len(damaged), "first": named},
    )


def count(check: FixityCheck) -> int:
    """How many objects of its manifest are not what they were, as far as is known: those that still wait for their
    digest, and those of the last check of the whole that found something or ended.
    """
    waiting = FixityCheck.objects.filter(manifest=check.manifest_id, completes_digests=True, ended_at=None).first()
    checks = [each for each in (waiting, last_whole(check)) if each is not None]
    rows = FixityDifference.objects.filter(check_run__in=checks, sha256="")
    # Of very many not each has a row.
    return max([rows.values("position").distinct().count(), *(each.difference_count for each in checks)])


def last_whole(check: FixityCheck) -> FixityCheck | None:
    """The last check of the whole that found something or ended."""
    rows = FixityCheck.objects.filter(manifest=check.manifest_id, completes_digests=False)
    told = rows.filter(Q(difference_count__gt=0) | Q(ended_at__isnull=False)).exclude(state=CheckState.STOPPED)
    return told.order_by("-asked_at").first()


def send_letters(check: FixityCheck) -> None:
    """To owners and stewards of the space, and whoever created the data set while they belong to it.

    No name of an object is in a letter: it may tell of a patient.
    """
    dataset = check.dataset
    keepers = Membership.objects.filter(space_id=dataset.space_id).filter(
        Q(role__in=[Role.OWNER, Role.STEWARD]) | Q(person_id=dataset.created_by_id)
    )
    for person in Person.objects.filter(id__in=keepers.values("person_id"), is_active=True).order_by("email"):
        text = _LETTER.format(name=person.name, dataset=dataset.name, url=settings().web_url, id=dataset.id)
        mailing.send(to=person.email, subject="Strongroom: files of a data set are damaged", text=text)
