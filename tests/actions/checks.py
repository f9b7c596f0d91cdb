"""Scenes of fixity checks: being the worker, spoiling what is stored, and what is known of it afterwards."""

import gzip
import io
from uuid import UUID

from django.utils import timezone

from strongroom.actions import checking, fixity, inventory, manifests
from strongroom.core import manifest
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import ManifestForm
from strongroom.db.models import Dataset, Event, FixityCheck, Manifest
from tests.world import World

FILES = {"a.csv": b"a,b\n1,2\n", "b/c.csv": b"x" * 3_000_000, "line\nbreak.txt": b"", "50%.txt": b"half"}


def work(world: World) -> None:
    """Be the worker until no check is due."""
    FixityCheck.objects.filter(ended_at=None, lease=None).update(next_at=timezone.now())
    for _ in range(100):
        if not checking.run_due():
            return
    raise AssertionError("checks do not come to an end")


def spoil(world: World, dataset: Dataset, key: str, content: bytes) -> None:
    """Other bytes behind everybody's back: the listing stays as it was."""
    objects = world.engine._buckets[dataset.repository].objects
    objects[key] = (objects[key][0], content)


def row(dataset: Dataset) -> Dataset:
    return Dataset.objects.get(id=dataset.id)


def last(dataset: Dataset) -> FixityCheck:
    return FixityCheck.objects.filter(dataset=dataset).latest("asked_at")


def facts(dataset: Dataset, *verbs: str) -> list[Event]:
    return list(Event.objects.filter(dataset_id=dataset.id, verb__in=verbs).order_by("sequence"))


def checked(world: World, dataset: Dataset) -> FixityCheck:
    """One whole check, asked for by the owner."""
    fixity.start(world.owner(dataset.space), dataset.id)
    work(world)
    return last(dataset)


def downloaded(actor: Actor, dataset_id: UUID, form: ManifestForm = ManifestForm.JSONL) -> bytes:
    """The whole file of a manifest; it is as long as was said before."""
    file = manifests.download(actor, dataset_id, form=form)
    content = b"".join(file.chunks)
    assert file.size_bytes == len(content)
    return content


def write_manifest(world: World, recorded: Manifest, entries: list[manifest.Entry]) -> None:
    """As if finalize had listed these."""
    writer = manifest.Writer()
    packed = gzip.compress(b"".join(map(writer.add, entries)))
    world.engine.put_object(inventory.records(), recorded.object_key, io.BytesIO(packed))
    Manifest.objects.filter(id=recorded.id).update(root_sha256=writer.root)
