"""What can be done with the manifest of a finalized data set: see its sums, read the whole list."""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

FILES = {
    ManifestForm.JSONL: ("manifest-{}.jsonl", "application/jsonl"),
    ManifestForm.DIGESTS: ("digests-{}.jsonl", "application/jsonl"),
    ManifestForm.BAGIT: ("manifest-sha256.txt", "text/plain; charset=utf-8"),
    ManifestForm.SHA256SUM: ("sha256sum-{}.txt", "text/plain; charset=utf-8"),
}
_CHUNK_BYTES = 1 << 18


def show(actor: Actor, dataset_id: UUID) -> Manifest:
    """Root hash, counts and sizes of the newest manifest, and its digests. Raises NotFound, Forbidden, Conflict."""
    with doing(actor, Verb.MANIFEST_SHOW) as deed:
        return newest(deed.dataset(dataset_id))


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One form of a manifest, to be sent. `size_bytes` is None where an earlier version did not count it."""

    name: str
    content_type: str
    size_bytes: int | None
    chunks: Iterator[bytes]


def download(actor: Actor, dataset_id: UUID, *, form: ManifestForm = ManifestForm.JSONL) -> ManifestFile:
    """The manifest in one of its forms; the ledger says who read it.

    It is compared with what was signed before any of it is given, for an answer that has begun can tell nobody any more
    that its rest is missing. What is written from it on the way can only end before its size.
    Raises: NotFound, Forbidden, Conflict (also `not-digested`: only JSON lines can be had as long as digests miss),
    Unavailable when its file is missing or altered, and when there is no room for it here.
    """
    with doing(actor, Verb.MANIFEST_DOWNLOAD) as deed:
        dataset = deed.dataset(dataset_id)
        manifest = newest(dataset)
        listed = None if form is ManifestForm.JSONL else need_digests(dataset, manifest)
        file = inventory.verified(manifest, listed)
        with transaction.atomic():
            deed.record(after={"manifest_sha256": manifest.root_sha256, "form": form.value})
    name, content_type = FILES[form]
    size_bytes, chunks = _written(file, form, listed)
    return ManifestFile(name.format(dataset_id), content_type, size_bytes, chunks)


def _written(file: IO[bytes], form: ManifestForm, listed: DigestList | None) -> tuple[int | None, Iterator[bytes]]:
    if listed is not None and form is ManifestForm.BAGIT:
        return listed.bagit_bytes, _summed(file, digesting.bag_line, listed.bagit_sha256)
    if listed is not None and form is ManifestForm.SHA256SUM:
        return listed.sums_bytes, _summed(file, digesting.sum_line)
    return as_it_is(file)


def as_it_is(file: IO[bytes]) -> tuple[int, Iterator[bytes]]:
    """How many bytes it holds, and those in chunks."""
    size_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size_bytes, _chunks(file)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _summed(file: IO[bytes], line_of: Callable[[Entry], bytes | None], sha256: str = "") -> Iterator[bytes]:
    """A line of digest and path for each entry, many in a chunk; the last are kept back where the hash is not this."""
    summed, kept_back = hashlib.sha256(), b""
    with file:
        while lines := file.readlines(_CHUNK_BYTES):
            if kept_back:
                yield kept_back
            kept_back = b"".join(filter(None, (line_of(core_manifest.decode(line)) for line in lines)))
            summed.update(kept_back)
    if sha256 and summed.hexdigest() != sha256:
        raise inventory.altered(sha256)
    yield kept_back


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
