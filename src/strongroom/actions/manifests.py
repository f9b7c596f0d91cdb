"""What can be done with the manifest of a finalized data set: see its sums, read the whole list."""

from collections.abc import Iterator
from uuid import UUID

from django.db import transaction

from strongroom.actions import inventory
from strongroom.actions.deeds import doing
from strongroom.actions.paging import Page, page
from strongroom.core.actor import Actor
from strongroom.core.errors import NotFound
from strongroom.core.vocabulary import Verb
from strongroom.db.models import Dataset, LateObject, Manifest


def show(actor: Actor, dataset_id: UUID) -> Manifest:
    """Root hash, counts and sizes of the newest manifest. Raises NotFound, Forbidden, Conflict."""
    with doing(actor, Verb.MANIFEST_SHOW) as deed:
        return newest(deed.dataset(dataset_id))


def download(actor: Actor, dataset_id: UUID) -> Iterator[bytes]:
    """The manifest's JSON lines in chunks; the ledger says who read it. Raises NotFound, Forbidden, Conflict."""
    with doing(actor, Verb.MANIFEST_DOWNLOAD) as deed, transaction.atomic():
        manifest = newest(deed.dataset(dataset_id))
        deed.record(after={"manifest_sha256": manifest.root_sha256})
    return inventory.read(manifest)


def differences(actor: Actor, dataset_id: UUID, *, cursor: str | None = None, limit: int = 50) -> Page[LateObject]:
    """Objects that were found beside the manifest or other than in it, newest first. Raises as `show`."""
    with doing(actor, Verb.MANIFEST_SHOW) as deed:
        found = LateObject.objects.filter(dataset=deed.dataset(dataset_id))
        return page(found, by=["-found_at", "-id"], cursor=cursor, limit=limit)


def newest(dataset: Dataset) -> Manifest:
    """The last signed manifest. Raises NotFound when there is none: a pending data set that was deleted."""
    found = Manifest.objects.filter(dataset=dataset).exclude(receipt="").order_by("-revision").first()
    if found is None:
        raise NotFound(f"{dataset.name} was never finalized, so it has no manifest.")
    return found
