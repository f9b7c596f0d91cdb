"""One way to try each deed that is done with a data set, and one way into each state."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest

from strongroom.actions import (
    attachments,
    crates,
    datasets,
    fixity,
    grants,
    keys,
    manifests,
    receipts,
    transfers,
)
from strongroom.core.actor import Actor
from strongroom.core.digests import Digest
from strongroom.core.errors import Refusal, Unavailable
from strongroom.core.vocabulary import AttachmentKind, Kind, Outcome, State, Verb
from strongroom.db.models import Attachment, Dataset, Event
from tests.world import World, actor_of

Attempt = Callable[[Actor, Dataset], object]


def attach(actor: Actor, dataset: Dataset, filename: str = "dua.pdf", body: bytes = b"%PDF-1.7") -> Attachment:
    """A data use agreement."""
    return attachments.add(
        actor,
        dataset.id,
        filename=filename,
        title="Agreement",
        kind=AttachmentKind.DATA_USE_AGREEMENT,
        body=io.BytesIO(body),
    )


def supersede(
    actor: Actor, dataset: Dataset, old: Attachment | None = None, reason: str = "a new version"
) -> Attachment:
    """A new agreement in place of the old one."""
    return attachments.supersede(
        actor,
        dataset.id,
        old.id if old else _first_attachment(dataset),
        filename="dua-2.pdf",
        title="Agreement 2",
        kind=AttachmentKind.DATA_USE_AGREEMENT,
        body=io.BytesIO(b"%PDF-1.7 new"),
        reason=reason,
    )


def _first_attachment(dataset: Dataset) -> object:
    return dataset.attachments.values_list("id", flat=True).first() or uuid4()


def _transfer(dataset: Dataset) -> UUID:
    return dataset.transfers.values_list("id", flat=True).first() or uuid4()


def _server(dataset: Dataset) -> object:
    """The server that was granted access, or one of the space."""
    granted = dataset.grants.values_list("server_id", flat=True).first()
    return granted or dataset.space.servers.values_list("id", flat=True).first() or uuid4()


ATTEMPTS: Mapping[Verb, Attempt] = {
    Verb.DATASET_SHOW: lambda a, d: datasets.show(a, d.id),
    Verb.DATASET_EDIT: lambda a, d: datasets.edit(a, d.id, changes={"description": "changed"}),
    Verb.DATASET_FINALIZE: lambda a, d: datasets.finalize(a, d.id, confirm_name=d.name),
    Verb.DATASET_PROMOTE: lambda a, d: datasets.promote(a, d.id, confirm_name=d.name),
    Verb.DATASET_DELETE: lambda a, d: datasets.delete(a, d.id, confirm_name=d.name),
    Verb.DATASET_REQUEST_DELETION: lambda a, d: datasets.request_deletion(a, d.id, reason="no longer needed"),
    Verb.DATASET_WITHDRAW_DELETION: lambda a, d: datasets.withdraw_deletion(a, d.id),
    Verb.DATASET_CONFIRM_DELETION: lambda a, d: datasets.confirm_deletion(a, d.id, confirm_name=d.name),
    Verb.DATASET_HISTORY: lambda a, d: datasets.history(a, d.id),
    Verb.DATASET_CONTENTS: lambda a, d: datasets.contents(a, d.id),
    Verb.DATASET_CONNECT: lambda a, d: datasets.connect(a, d.id),
    Verb.KEY_ISSUE: lambda a, d: keys.issue(a, d.id),
    Verb.KEY_LIST: lambda a, d: keys.list_(a, d.id),
    Verb.KEY_RESET: lambda a, d: keys.reset(a, d.id, reason="lost"),
    Verb.KEY_RENEW: lambda a, d: keys.renew(a, d.id),
    Verb.KEY_REVOKE: lambda a, d: keys.revoke(a, d.id),
    Verb.TRANSFER_OPEN: lambda a, d: transfers.open_(a, d.id),
    Verb.TRANSFER_RENEW: lambda a, d: transfers.renew(a, _transfer(d)),
    Verb.TRANSFER_RECORD: lambda a, d: transfers.record(a, _transfer(d), [Digest("a", 1, "e", "0" * 64)]),
    Verb.TRANSFER_CLOSE: lambda a, d: transfers.close(a, _transfer(d)),
    Verb.TRANSFER_LIST: lambda a, d: transfers.list_(a, d.id),
    Verb.TRANSFER_SHOW: lambda a, d: transfers.show(a, _transfer(d)),
    Verb.TRANSFER_RECORDED: lambda a, d: transfers.recorded(a, d.id),
    Verb.ATTACHMENT_ADD: attach,
    Verb.ATTACHMENT_LIST: lambda a, d: attachments.list_(a, d.id),
    Verb.ATTACHMENT_LINK: lambda a, d: attachments.link(a, d.id, _first_attachment(d)),
    Verb.ATTACHMENT_REMOVE: lambda a, d: attachments.remove(a, d.id, _first_attachment(d)),
    Verb.ATTACHMENT_SUPERSEDE: supersede,
    Verb.GRANT_LIST: lambda a, d: grants.list_(a, dataset_id=d.id),
    Verb.GRANT_CREATE: lambda a, d: grants.create(a, d.id, _server(d)),
    Verb.GRANT_EDIT: lambda a, d: grants.edit(a, d.id, _server(d), expires_at=None),
    Verb.GRANT_REVOKE: lambda a, d: grants.revoke(a, d.id, _server(d)),
    Verb.MANIFEST_SHOW: lambda a, d: manifests.show(a, d.id),
    Verb.MANIFEST_DOWNLOAD: lambda a, d: manifests.download(a, d.id),
    Verb.RECEIPT_SHOW: lambda a, d: receipts.show(a, d.id),
    Verb.CRATE_SHOW: lambda a, d: crates.show(a, d.id),
    Verb.FIXITY_START: lambda a, d: fixity.start(a, d.id),
    Verb.FIXITY_LIST: lambda a, d: fixity.list_(a, d.id),
    Verb.FIXITY_SHOW: lambda a, d: fixity.show(a, d.id),
}


def in_state(world: World, state: State, kind: Kind = Kind.ORIGINAL) -> Dataset:
    """A data set with a key, a transfer and an attachment that has come as far as this state."""
    dataset = world.dataset(kind=kind)
    owner = actor_of(dataset.created_by)
    world.uploaded(dataset)
    transfers.open_(owner, dataset.id)
    attach(owner, dataset)
    if state in (State.FINALIZING, State.FINALIZED):
        datasets.finalize(owner, dataset.id, confirm_name=dataset.name)
    if state in (State.DELETING, State.DELETED):
        datasets.delete(owner, dataset.id, confirm_name=dataset.name, reason="a mistake")
    if state in (State.FINALIZED, State.DELETED, State.PENDING):
        world.settled(dataset)
    assert world.state(dataset) is state
    return Dataset.objects.select_related("space", "created_by").get(id=dataset.id)


@contextmanager
def refused(verb: Verb, actor: Actor, kind: type[Refusal], code: str, *, is_recorded: bool = True) -> Iterator[None]:
    """The deed is refused for this reason, says so to the person, and in the ledger once (a read: not at all)."""
    before = Event.objects.count()
    with pytest.raises(kind) as refusal:
        yield
    assert refusal.value.code == code, str(refusal.value)
    new = list(Event.objects.order_by("-sequence")[: Event.objects.count() - before])
    if not is_recorded:
        assert not new
        return
    assert len(new) == 1, [(each.verb, each.outcome, each.reason) for each in new]
    found = new[0]
    assert (found.verb, found.outcome) == (verb.value, Outcome.REFUSED.value)
    assert (found.actor_id, found.actor_email, found.address) == (actor.person_id, actor.email, actor.address)
    assert found.reason == f"{code}: {refusal.value}"


def failing(*names: str) -> Callable[[str], None]:
    """For `MemoryEngine.on_call`: these calls, and no others, find the engine away."""

    def fail(name: str) -> None:
        if name in names:
            raise Unavailable("The storage engine does not answer.")

    return fail
