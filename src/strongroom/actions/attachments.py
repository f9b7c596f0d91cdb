"""What can be done with the documents attached to a data set: add, list, open by link, remove, supersede."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from strongroom import engines
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import Deed, between, doing
from strongroom.actions.limits import limited
from strongroom.core import names
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, NotFound
from strongroom.core.ledger import Json
from strongroom.core.sentences import say
from strongroom.core.vocabulary import AttachmentKind, Role, Verb
from strongroom.db.models import Attachment, Dataset

ABANDONED_AFTER = timedelta(hours=24)
DROPPED_AFTER = timedelta(seconds=60)  # by then the request that removed it is over
SEES_SUPERSEDED = frozenset({Role.OWNER, Role.STEWARD, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class AttachmentLink:
    """A URL that opens one document until then, for whoever has it."""

    url: str
    expires_at: datetime


def add(
    actor: Actor, dataset_id: UUID, *, filename: str, title: str, kind: AttachmentKind, body: BinaryIO
) -> Attachment:
    """Store a document under `_attachments/`; streamed, hashed on the way.

    Raises: NotFound, Forbidden, Conflict (state, closing), Invalid (names, too large), Unavailable.
    """
    verb = Verb.ATTACHMENT_ADD
    with doing(actor, verb, subject=filename) as deed:
        dataset = deed.dataset(dataset_id)
        attachment = _insert(deed, dataset, filename=filename, title=title, kind=kind)
    with between(deed):
        _store(dataset, attachment, body)
    with doing(actor, verb) as deed:
        deed.dataset(dataset_id)
        _keep(attachment)
        deed.record(after=_facts(attachment))
    return attachment


def check(actor: Actor, verb: Verb, dataset_id: UUID) -> None:
    """Whether the actor may do this now, for an edge that is about to take in a large body. Raises as the verb does."""
    with doing(actor, verb) as deed:
        deed.dataset(dataset_id)


def supersede(
    actor: Actor,
    dataset_id: UUID,
    attachment_id: UUID,
    *,
    filename: str,
    title: str,
    kind: AttachmentKind,
    body: BinaryIO,
    reason: str,
) -> Attachment:
    """Put a new document in an old one's place; the old one stays readable to owners, stewards and auditors.

    Raises: NotFound, Forbidden, Conflict (state, superseded before), Invalid, Unavailable.
    """
    verb = Verb.ATTACHMENT_SUPERSEDE
    with doing(actor, verb, subject=filename) as deed:
        dataset = deed.dataset(dataset_id)
        _current(dataset, attachment_id)
        reason = names.clean_text("reason", reason, max_length=2000, is_multiline=True)
        attachment = _insert(deed, dataset, filename=filename, title=title, kind=kind)
    with between(deed):
        _store(dataset, attachment, body)
    with doing(actor, verb) as deed:
        old = _current(deed.dataset(dataset_id), attachment_id)
        _keep(attachment)
        old.superseded_by, old.superseded_reason = attachment, reason
        old.save(update_fields=["superseded_by", "superseded_reason"])
        deed.record(before=_facts(old), after=_facts(attachment), reason=reason)
    return attachment


def list_(actor: Actor, dataset_id: UUID) -> list[Attachment]:
    """The documents, oldest first; superseded ones only for owners, stewards, auditors and who made the data set."""
    with doing(actor, Verb.ATTACHMENT_LIST) as deed:
        dataset = deed.dataset(dataset_id)
        found = dataset.attachments.filter(is_stored=True, removed_at=None)
        if not _sees_superseded(deed, dataset):
            found = found.filter(superseded_by=None)
        return list(found.select_related("added_by").order_by("added_at", "id"))


def link(actor: Actor, dataset_id: UUID, attachment_id: UUID) -> AttachmentLink:
    """A pre-signed URL of a few minutes. It exists only after the ledger says who asked for it.

    Raises: NotFound, Forbidden (superseded), Conflict (state), Unavailable.
    """
    with doing(actor, Verb.ATTACHMENT_LINK) as deed, transaction.atomic():
        dataset = deed.dataset(dataset_id)
        attachment = _find(dataset, attachment_id)
        if attachment.superseded_by_id and not _sees_superseded(deed, dataset):
            raise Forbidden(
                say("{attachment} was superseded.", attachment=attachment.title),
                code="role",
                way_out=say("Open the document that took its place."),
            )
        deed.record(after=_facts(attachment))
    lifetime = timedelta(seconds=settings().attachment_link_seconds)
    url = engines.current().presign_read(
        dataset.repository, attachment.object_key, lifetime=lifetime, filename=attachment.filename
    )
    return AttachmentLink(url, deed.now + lifetime)


def remove(actor: Actor, dataset_id: UUID, attachment_id: UUID, *, reason: str = "") -> Attachment:
    """Remove a document of a pending data set. Raises NotFound, Forbidden, Conflict (finalized), Unavailable."""
    with doing(actor, Verb.ATTACHMENT_REMOVE) as deed:
        dataset = deed.dataset(dataset_id)
        attachment = _find(dataset, attachment_id)
        reason = names.clean_text("reason", reason, max_length=2000, required=False, is_multiline=True)
        attachment.removed_at, attachment.removed_by_id = deed.now, actor.person_id
        attachment.save(update_fields=["removed_at", "removed_by"])
        deed.record(before=_facts(attachment), reason=reason)
    _drop(dataset, attachment)
    return attachment


def forget_abandoned() -> int:
    """Remove what was begun a day ago and never finished, and what was removed while the engine was away; how many.

    Called by the worker. Raises Unavailable.
    """
    now = timezone.now()
    removed = Attachment.objects.filter(is_stored=True, removed_at__lt=now - DROPPED_AFTER)
    begun = Attachment.objects.filter(is_stored=False, removed_at=None, added_at__lt=now - ABANDONED_AFTER)
    found = list((removed | begun).select_related("dataset")[:100])
    for attachment in found:
        _drop(attachment.dataset, attachment)
        if attachment.removed_at is None:
            attachment.delete()
    return len(found)


def _drop(dataset: Dataset, attachment: Attachment) -> None:
    """Remove the bytes; the row of a removed document stays, and says that they are gone."""
    engines.current().delete_object(dataset.repository, attachment.object_key)
    Attachment.objects.filter(id=attachment.id).update(is_stored=False)


def _insert(deed: Deed, dataset: Dataset, *, filename: str, title: str, kind: AttachmentKind) -> Attachment:
    if dataset.is_frozen:
        raise Conflict(
            say(
                "{dataset} is being closed: its bucket takes no writes until uploads under way have ended.",
                dataset=dataset.name,
            ),
            code="closing",
            way_out=say("Try again in a few seconds."),
        )
    attachment_id, shown = uuid.uuid4(), names.clean_filename(filename)
    return Attachment.objects.create(
        id=attachment_id,
        dataset=dataset,
        kind=kind,
        title=names.clean_text("title", title or shown, max_length=200),
        filename=shown,
        object_key=names.attachment_object_key(attachment_id, shown),
        content_type=names.attachment_content_type(shown),
        added_at=deed.now,
        added_by_id=deed.actor.person_id,
    )


def _store(dataset: Dataset, attachment: Attachment, body: BinaryIO) -> None:
    """Send the bytes; what cannot be kept leaves neither a row nor an object."""
    engine = engines.current()
    try:
        within = limited(body, settings().attachment_max_bytes, what=say("attachment"))
        stored = engine.put_object(
            dataset.repository, attachment.object_key, within, content_type=attachment.content_type
        )
    except Exception:
        Attachment.objects.filter(id=attachment.id, is_stored=False).delete()
        raise
    attachment.size_bytes, attachment.sha256 = stored.size_bytes, stored.sha256


def _keep(attachment: Attachment) -> None:
    attachment.is_stored = True
    attachment.save(update_fields=["is_stored", "size_bytes", "sha256"])


def _find(dataset: Dataset, attachment_id: UUID) -> Attachment:
    found = dataset.attachments.filter(id=attachment_id, is_stored=True, removed_at=None).first()
    if found is None:
        raise NotFound(
            say("{dataset} has no attachment {attachment_id}.", dataset=dataset.name, attachment_id=attachment_id),
            way_out=say("See the list of attachments."),
        )
    return found


def _current(dataset: Dataset, attachment_id: UUID) -> Attachment:
    found = _find(dataset, attachment_id)
    if found.superseded_by_id:
        raise Conflict(
            say("{attachment} was already superseded.", attachment=found.title),
            code="superseded",
            way_out=say(
                "Supersede the document that took its place ({attachment_id}).",
                attachment_id=found.superseded_by_id,
            ),
        )
    return found


def _sees_superseded(deed: Deed, dataset: Dataset) -> bool:
    return deed.role in SEES_SUPERSEDED or dataset.created_by_id == deed.actor.person_id


def _facts(attachment: Attachment) -> dict[str, Json]:
    return {
        "attachment": str(attachment.id),
        "kind": str(attachment.kind),
        "title": attachment.title,
        "filename": attachment.filename,
        "sha256": attachment.sha256,
        "size_bytes": attachment.size_bytes,
    }
