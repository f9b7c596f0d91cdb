"""What can be done with a data set: create, see, edit, finalize, promote, delete."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from django.db.models import Q

from strongroom import engines
from strongroom.actions import catalogue, closing, converge, editing, inventory, leases, parting
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import Deed, doing
from strongroom.actions.paging import MAX_LIMIT, Page, page
from strongroom.actions.views import DatasetView, view
from strongroom.core import authz, names
from strongroom.core.actor import Actor
from strongroom.core.connect import Snippet, snippets
from strongroom.core.connect_servers import server_snippets
from strongroom.core.errors import Conflict, Forbidden, Invalid
from strongroom.core.ledger import Json
from strongroom.core.sentences import say
from strongroom.core.vocabulary import KeyStatus, Kind, RiskLevel, State, Verb
from strongroom.db.models import Dataset, DatasetChange, DatasetSource, Space
from strongroom.engines import StoredObject


@dataclass(frozen=True, slots=True)
class Contents:
    """Some objects of a bucket, and the key to go on after (None: these were the last)."""

    items: list[StoredObject]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class Connection:
    """How clients reach one bucket."""

    repository: str
    endpoint: str
    region: str
    snippets: list[Snippet]


def create(
    actor: Actor,
    *,
    space_id: UUID,
    kind: Kind,
    name: str,
    description: str = "",
    data_classifications: Sequence[str] = (),
    data_format: str = "",
    owner_contact: str = "",
    needed_until: date | None = None,
    source_ids: Sequence[UUID] = (),
    external_source: str = "",
) -> DatasetView:
    """A new, empty data set with a bucket of its own. Nothing is copied from its sources.

    Raises: NotFound, Forbidden, Conflict (low-risk space), Invalid. When the engine does not answer the data set is
    created all the same and becomes usable (`is_settled`) as soon as it does.
    """
    written = {
        "name": name,
        "description": description,
        "data_classifications": data_classifications,
        "data_format": data_format,
        "owner_contact": owner_contact,
        "needed_until": needed_until,
        "external_source": external_source,
    }
    with doing(actor, Verb.DATASET_CREATE, subject=name) as deed:
        space = deed.space(space_id)
        _check_space(deed, space, kind)
        chosen = catalogue.sources(space_id, source_ids)
        values = catalogue.clean(written)
        catalogue.check_origin(kind, len(chosen), str(values["external_source"]))
        dataset = _insert(deed, space, kind, values)
        DatasetSource.objects.bulk_create(DatasetSource(derivative=dataset, source=source) for source in chosen)
        deed.dataset_id, deed.subject = dataset.id, dataset.name
        sources: list[Json] = [str(source.id) for source in chosen]
        deed.record(after={"kind": kind.value, "repository": dataset.repository, "source_ids": sources})
    converge.settle_born(dataset)
    return view(actor, dataset)


def _check_space(deed: Deed, space: Space, kind: Kind) -> None:
    if kind is Kind.ORIGINAL and not authz.creates_originals(deed.role):
        raise Forbidden(
            say("You may not create an original: a researcher creates derivatives."),
            code="role",
            way_out=say("Ask an owner or a steward of the space."),
        )
    if space.risk_level == RiskLevel.LOW:
        raise Conflict(
            say(
                "{space} is a low-risk space, and data sets exist only in moderate and high risk spaces.",
                space=space.name,
            ),
            code="low-risk-space",
            way_out=say("An owner can raise the space's risk level, or use another space."),
        )


def _insert(deed: Deed, space: Space, kind: Kind, values: Mapping[str, object]) -> Dataset:
    dataset_id = uuid.uuid4()
    who = {"created_by_id": deed.actor.person_id, "modified_by_id": deed.actor.person_id}
    return Dataset.objects.create(
        id=dataset_id,
        space=space,
        kind=kind,
        was_derivative=kind is Kind.DERIVATIVE,
        repository=names.repository_name(settings().org, dataset_id),
        created_at=deed.now,
        modified_at=deed.now,
        next_try_at=deed.now + converge.INLINE_GRACE,
        **leases.from_birth(deed.now),
        **who,
        **values,
    )


def list_(
    actor: Actor,
    *,
    space_id: UUID | None = None,
    kind: Kind | None = None,
    state: State | None = None,
    search: str = "",
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Dataset]:
    """The data sets the actor may see, by name. `search` looks in name, repository and description."""
    with doing(actor, Verb.DATASET_LIST) as deed:
        deed.platform()
        rows = Dataset.objects.visible_to(actor).select_related("space", "created_by", "modified_by", "finalized_by")
        wanted = {"space_id": space_id, "kind": kind, "state": state}
        rows = rows.filter(**{column: value for column, value in wanted.items() if value is not None})
        if text := names.clean_text("search", search, max_length=200, required=False):
            words = Q(name__icontains=text) | Q(repository__icontains=text) | Q(description__icontains=text)
            rows = rows.filter(words)
        return page(rows, by=("name", "id"), cursor=cursor, limit=limit)


def show(actor: Actor, dataset_id: UUID) -> DatasetView:
    """One data set, with what may be done next and what is closed. Raises NotFound."""
    with doing(actor, Verb.DATASET_SHOW) as deed:
        return view(actor, deed.dataset(dataset_id))


def edit(actor: Actor, dataset_id: UUID, *, changes: Mapping[str, object]) -> DatasetView:
    """Change the record: everything until finalized, then description and owner contact, each change kept.

    Raises: NotFound, Forbidden, Conflict (a field that is closed now), Invalid.
    """
    with doing(actor, Verb.DATASET_EDIT) as deed:
        if editing.touches_origin(changes):
            catalogue.hold_lineage(dataset_id)
        dataset = deed.dataset(dataset_id)
        editing.apply(deed, dataset, changes)
    return view(actor, dataset)


def history(actor: Actor, dataset_id: UUID) -> list[DatasetChange]:
    """Every edit of the record, newest first, one row a field. Raises NotFound."""
    with doing(actor, Verb.DATASET_HISTORY) as deed:
        changes = deed.dataset(dataset_id).changes.select_related("changed_by")
        return list(changes.order_by("-changed_at", "-id"))


def finalize(
    actor: Actor,
    dataset_id: UUID,
    *,
    confirm_name: str,
    allow_empty: bool = False,
    locked_until: datetime | None = None,
) -> DatasetView:
    """Close a pending data set: when this returns, no uploader's write succeeds and no key exists.

    The manifest and the signed receipt are then made in the background; watch `state`, `step`, `progress_objects`.
    `locked_until` also puts every object under retention that nobody at all can lift (originals only).
    Raises: NotFound, Forbidden, Conflict (state, empty), Invalid (name, date), Unavailable (goes on by itself).
    """
    is_empty = not allow_empty and closing.is_empty(actor, Verb.DATASET_FINALIZE, dataset_id)
    with doing(actor, Verb.DATASET_FINALIZE) as deed:
        dataset = deed.dataset(dataset_id)
        _refuse_empty(dataset, is_empty)
        closing.close(deed, dataset, Kind(dataset.kind), confirm_name, locked_until)
    converge.cut(dataset_id)
    return view(actor, dataset)


def promote(
    actor: Actor,
    dataset_id: UUID,
    *,
    confirm_name: str,
    allow_empty: bool = False,
    locked_until: datetime | None = None,
) -> DatasetView:
    """Make a derivative, pending or finalized, an original: the same path as finalize, with the same refusals."""
    is_empty = not allow_empty and closing.is_empty(actor, Verb.DATASET_PROMOTE, dataset_id)
    with doing(actor, Verb.DATASET_PROMOTE) as deed:
        dataset = deed.dataset(dataset_id)
        _refuse_empty(dataset, is_empty)
        parting.check(deed.verb, dataset, actor, deed.now)
        closing.close(deed, dataset, Kind.ORIGINAL, confirm_name, locked_until)
    converge.cut(dataset_id)
    return view(actor, dataset)


def _refuse_empty(dataset: Dataset, is_empty: bool) -> None:
    if is_empty:
        raise Conflict(
            say("{dataset} is empty: there would be nothing to freeze.", dataset=dataset.name),
            code="empty",
            way_out=say(
                "Upload its files first, or say that it is meant to be empty: --allow-empty (API: allow_empty)."
            ),
        )


def delete(actor: Actor, dataset_id: UUID, *, confirm_name: str, reason: str = "") -> DatasetView:
    """Delete a pending data set with everything in it; a tombstone remains.

    Raises: NotFound, Forbidden, Conflict (finalized), Invalid (name), Unavailable (goes on by itself).
    """
    with doing(actor, Verb.DATASET_DELETE) as deed:
        catalogue.hold_lineage(dataset_id)
        dataset = deed.dataset(dataset_id)
        parting.check(deed.verb, dataset, actor, deed.now)
        closing.check_confirmed(dataset, confirm_name)
        dataset.deletion_reason = names.clean_text("reason", reason, max_length=2000, required=False, is_multiline=True)
        closing.bury(deed, dataset)
    converge.cut(dataset_id)
    return view(actor, dataset)


def request_deletion(actor: Actor, dataset_id: UUID, *, reason: str) -> DatasetView:
    """Ask for the end of a finalized data set; a second person must confirm. Raises Conflict when already asked."""
    with doing(actor, Verb.DATASET_REQUEST_DELETION) as deed:
        catalogue.hold_lineage(dataset_id)
        dataset = deed.dataset(dataset_id)
        parting.check(deed.verb, dataset, actor, deed.now)
        reason = names.clean_text("reason", reason, max_length=2000, is_multiline=True)
        dataset.deletion_requested_at, dataset.deletion_requested_by_id = deed.now, actor.person_id
        dataset.deletion_reason = reason
        dataset.save(update_fields=["deletion_requested_at", "deletion_requested_by", "deletion_reason"])
        deed.record(reason=reason)
    return view(actor, dataset)


def withdraw_deletion(actor: Actor, dataset_id: UUID) -> DatasetView:
    """Take the request back. Raises Conflict when there is none."""
    with doing(actor, Verb.DATASET_WITHDRAW_DELETION) as deed:
        dataset = deed.dataset(dataset_id)
        parting.check(deed.verb, dataset, actor, deed.now)
        before: dict[str, Json] = {"reason": dataset.deletion_reason}
        dataset.deletion_requested_at = dataset.deletion_requested_by = None
        dataset.deletion_reason = ""
        dataset.save(update_fields=["deletion_requested_at", "deletion_requested_by", "deletion_reason"])
        deed.record(before=before)
    return view(actor, dataset)


def confirm_deletion(actor: Actor, dataset_id: UUID, *, confirm_name: str) -> DatasetView:
    """The second person's word: files and keys go, a tombstone with manifest hash and reason stays.

    Raises: NotFound, Forbidden (the same person), Conflict, Invalid (name), Unavailable (goes on by itself).
    """
    with doing(actor, Verb.DATASET_CONFIRM_DELETION) as deed:
        catalogue.hold_lineage(dataset_id)
        dataset = deed.dataset(dataset_id)
        parting.check(deed.verb, dataset, actor, deed.now)
        closing.check_confirmed(dataset, confirm_name)
        dataset.deletion_confirmed_by_id = actor.person_id
        closing.bury(deed, dataset)
    converge.cut(dataset_id)
    return view(actor, dataset)


def contents(actor: Actor, dataset_id: UUID, *, prefix: str = "", after: str = "", limit: int = MAX_LIMIT) -> Contents:
    """What lies in the bucket now, in key order. Raises Invalid for a limit outside 1..500, Unavailable."""
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(
            say("limit must be between 1 and {most}.", most=MAX_LIMIT),
            fields={"limit": say("1 to {most}", most=MAX_LIMIT)},
        )
    with doing(actor, Verb.DATASET_CONTENTS) as deed:
        dataset = deed.dataset(dataset_id)
    found = engines.current().list_objects(dataset.repository, prefix=prefix, after=after)
    items = list(islice((each for each in found if not inventory.is_attachment(each.key)), limit + 1))
    is_last = len(items) <= limit
    return Contents(items[:limit], None if is_last else items[limit - 1].key)


def connect(actor: Actor, dataset_id: UUID, *, profile: str = "") -> Connection:
    """Ready-made client settings for exactly this bucket; never the secret. Pending: with the access key, to upload.
    Finalized: on a server that was granted access, where no client needs a key.

    `profile` is what the AWS tools call it; if empty, as the bucket. Raises: Invalid for one that they could not take.
    """
    with doing(actor, Verb.DATASET_CONNECT) as deed:
        dataset = deed.dataset(dataset_id)
        key = dataset.keys.filter(status=KeyStatus.ACTIVE).first()
    engine = engines.current()
    where = {"repository": dataset.repository, "endpoint": engine.public_endpoint, "region": engine.region}
    if dataset.state == State.FINALIZED:
        ready = server_snippets(**where, is_read_only=dataset.kind == Kind.ORIGINAL)
    else:
        ready = snippets(**where, access_key_id=key.access_key_id if key else None, profile=profile)
    return Connection(dataset.repository, engine.public_endpoint, engine.region, ready)
