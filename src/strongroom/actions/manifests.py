"""What can be done with the manifest of a finalized data set: see its sums, read the whole list."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO
from uuid import UUID

from django.db import transaction

from strongroom import __version__
from strongroom.actions import digesting, inventory
from strongroom.actions.deeds import doing
from strongroom.actions.paging import Page, page
from strongroom.core import bag as bags
from strongroom.core import manifest as core_manifest
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, NotFound
from strongroom.core.manifest import Entry
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Kind, ManifestForm, Verb
from strongroom.db.models import Dataset, DigestList, LateObject, Manifest


def show(actor: Actor, dataset_id: UUID) -> Manifest:
    """Root hash, counts and sizes of the newest manifest, and its digests. Raises NotFound, Forbidden, Conflict."""
    with doing(actor, Verb.MANIFEST_SHOW) as deed:
        return newest(deed.dataset(dataset_id))


def download(actor: Actor, dataset_id: UUID, *, form: ManifestForm = ManifestForm.JSONL) -> IO[bytes]:
    """The manifest as an open file, in one of its forms; the ledger says who read it. Whoever asked closes it.

    It is put together and compared with what was signed before any of it is given: an answer that has begun can tell
    nobody any more that the rest of it is missing.
    Raises: NotFound, Forbidden, Conflict (also `not-digested`: only JSON lines can be had as long as digests miss),
    Unavailable when its file is missing or altered, or here is no room for it.
    """
    with doing(actor, Verb.MANIFEST_DOWNLOAD) as deed, transaction.atomic():
        dataset = deed.dataset(dataset_id)
        manifest = newest(dataset)
        listed = None if form is ManifestForm.JSONL else need_digests(dataset, manifest)
        deed.record(after={"manifest_sha256": manifest.root_sha256, "form": form.value})
    if listed is None:
        return inventory.spooled(inventory.read(manifest), manifest.root_sha256)
    chunks = inventory.read_file(listed.object_key, listed.digests_sha256)
    digests = inventory.spooled(chunks, listed.digests_sha256)
    if form is ManifestForm.DIGESTS:
        return digests
    with digests:
        return inventory.spooled(_summed(digests, _LINES[form]))


def bag(actor: Actor, dataset_id: UUID) -> dict[str, str]:
    """The tag files that make a folder with the files under `data/` a bag, by name. Raises as `download`.

    Without `manifest-sha256.txt`, which may be large: `download` gives it.
    """
    with doing(actor, Verb.MANIFEST_SHOW) as deed:
        dataset = deed.dataset(dataset_id)
        manifest = newest(dataset)
        listed = need_digests(dataset, manifest)
    info = bags.info(
        [
            ("Bag-Software-Agent", f"Strongroom {__version__}"),
            ("Bagging-Date", bags.day(listed.made_at)),
            ("External-Identifier", f"urn:uuid:{dataset.id}"),
            ("External-Description", dataset.description or dataset.name),
            ("Internal-Sender-Identifier", dataset.repository),
            ("Payload-Oxum", bags.oxum(manifest.size_bytes, listed.file_count)),
        ]
    )
    files = {bags.DECLARATION_FILE: bags.DECLARATION, bags.INFO_FILE: info}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    return {**files, bags.TAG_MANIFEST_FILE: bags.tag_manifest({**digests, bags.MANIFEST_FILE: listed.bagit_sha256})}


def need_digests(dataset: Dataset, manifest: Manifest) -> DigestList:
    """The complete list of digests. Raises Conflict `not-digested` while there is none."""
    found = DigestList.objects.filter(manifest=manifest).first()
    if found is not None:
        return found
    if dataset.kind == Kind.DERIVATIVE:
        why = say("servers may work in it, so that nothing could be said of its content for long")
        way_out = say("Promote it to an original, or take the manifest as JSON lines.")
    else:
        why = say("Strongroom is still reading what came without them")
        way_out = say("`strongroom fixity show` says how far that is. The manifest as JSON lines is there already.")
    raise Conflict(
        say("The digests of {dataset} are not complete: {why}.", dataset=dataset.name, why=why),
        code="not-digested",
        way_out=way_out,
    )


def _summed(lines: Iterable[bytes], line_of: Callable[[Entry], bytes | None]) -> Iterator[bytes]:
    """A line of digest and path for each entry."""
    return filter(None, (line_of(core_manifest.decode(line)) for line in lines))


_LINES: dict[ManifestForm, Callable[[Entry], bytes | None]] = {
    ManifestForm.BAGIT: digesting.bag_line,
    ManifestForm.SHA256SUM: digesting.sum_line,
}


def differences(actor: Actor, dataset_id: UUID, *, cursor: str | None = None, limit: int = 50) -> Page[LateObject]:
    """Objects that were found beside the manifest or other than in it, newest first. Raises as `show`."""
    with doing(actor, Verb.MANIFEST_SHOW) as deed:
        found = LateObject.objects.filter(dataset=deed.dataset(dataset_id))
        return page(found, by=["-found_at", "-id"], cursor=cursor, limit=limit)


def newest(dataset: Dataset) -> Manifest:
    """The last signed manifest. Raises NotFound when there is none: a pending data set that was deleted."""
    signed = Manifest.objects.filter(dataset=dataset).exclude(receipt="").select_related("digests")
    found = signed.order_by("-revision").first()
    if found is None:
        raise NotFound(say("{dataset} was never finalized, so it has no manifest.", dataset=dataset.name))
    return found
