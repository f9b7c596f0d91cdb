"""A data set as somebody sees it: the row, what belongs to it, what they may do next, and what is closed and why."""

from dataclasses import dataclass

from django.utils import timezone

from strongroom.actions import parting
from strongroom.core import authz, lifecycle
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden
from strongroom.core.sentences import Sentence
from strongroom.core.vocabulary import Kind, Role, State, Verb
from strongroom.db.models import Dataset, DigestList, FixityCheck, LateObject, Manifest, Membership, Person, UploadKey
from strongroom.db.models.keys import LIVE

_PEOPLE = ("created_by", "modified_by", "finalized_by", "deletion_requested_by", "deletion_confirmed_by")


@dataclass(frozen=True, slots=True)
class Blocked:
    """A deed that is closed to this person with this data set now, and why."""

    verb: Verb
    reason: Sentence


@dataclass(frozen=True, slots=True)
class DatasetView:
    """Everything a page about one data set shows."""

    dataset: Dataset
    sources: list[Dataset]
    live_key: UploadKey | None
    role: Role | None
    may: list[Verb]
    blocked: list[Blocked]
    manifest: Manifest | None
    digests: DigestList | None
    last_check: FixityCheck | None
    completing: FixityCheck | None  # the check that completes the digests, until it has ended
    late_objects: int
    live_grants: int


def view(actor: Actor, dataset: Dataset) -> DatasetView:
    """The data set as the actor sees it, read afresh after whatever was done to it."""
    row = _with_people(Dataset.objects.select_related("space").get(id=dataset.id))
    role = role_of(actor, row)
    may, blocked = _deeds(actor, row, role)
    # Only what such a data set can have is asked for: a page costs the database what it shows.
    manifest = _manifest(row) if row.finalized_at else None
    last_check = _last_check(row) if row.finalized_at else None
    return DatasetView(
        dataset=row,
        sources=_sources(row) if row.was_derivative else [],
        live_key=row.keys.filter(status__in=LIVE).first() if row.state == State.PENDING else None,
        role=role,
        may=may,
        blocked=blocked,
        manifest=manifest,
        digests=getattr(manifest, "digests", None),
        last_check=last_check,
        completing=_completing(row, last_check),
        late_objects=LateObject.objects.filter(dataset=row).count() if row.finalized_at else 0,
        live_grants=row.grants.filter(ended_at=None).count() if row.finalized_at else 0,
    )


def _with_people(row: Dataset) -> Dataset:
    """The row with everybody it names; asked for together, for most are the same person."""
    ids = {name: getattr(row, f"{name}_id") for name in _PEOPLE}
    people = Person.objects.in_bulk({each for each in ids.values() if each})
    for name, person_id in ids.items():
        setattr(row, name, people.get(person_id))
    return row


def _last_check(row: Dataset) -> FixityCheck | None:
    return row.fixity_checks.select_related("manifest").order_by("-asked_at").first()


def _completing(row: Dataset, last: FixityCheck | None) -> FixityCheck | None:
    if last is None or last.completes_digests:
        return last if last and last.ended_at is None else None
    return row.fixity_checks.select_related("manifest").filter(completes_digests=True, ended_at=None).first()


def _sources(row: Dataset) -> list[Dataset]:
    return [link.source for link in row.source_links.select_related("source").order_by("source__name")]


def _manifest(row: Dataset) -> Manifest | None:
    signed = Manifest.objects.filter(dataset=row).exclude(receipt="").select_related("digests")
    return signed.order_by("-revision").first()


def role_of(actor: Actor, dataset: Dataset) -> Role | None:
    """What the actor is in the data set's space."""
    mine = Membership.objects.filter(space_id=dataset.space_id, person_id=actor.person_id)
    role = mine.values_list("role", flat=True).first()
    return Role(role) if role else None


def _deeds(actor: Actor, row: Dataset, role: Role | None) -> tuple[list[Verb], list[Blocked]]:
    may, blocked = [], []
    for verb in lifecycle.GATES:
        try:
            authz.check(
                verb,
                role=role,
                staff_role=actor.staff_role,
                is_creator=row.created_by_id == actor.person_id,
                scopes=actor.scopes,
            )
            lifecycle.check(verb, kind=Kind(row.kind), state=State(row.state), name=row.name)
            parting.check(verb, row, actor, timezone.now())
            may.append(verb)
        except (Forbidden, Conflict) as refusal:
            blocked.append(Blocked(verb, refusal.in_full))
    return may, blocked
