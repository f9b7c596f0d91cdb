"""What can be done with a data set's description for other systems: show it, as RO-Crate metadata."""

import hashlib
from uuid import UUID

from strongroom import __version__
from strongroom.actions import inventory
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import doing
from strongroom.actions.manifests import newest
from strongroom.core import bag, crate, manifest
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import AttachmentKind, Kind, Verb
from strongroom.db.models import Dataset, DigestList, Manifest


def show(actor: Actor, dataset_id: UUID) -> str:
    """`ro-crate-metadata.json` of a finalized data set: sources, agreements, proof, and its files if not too many.

    Raises: NotFound, Forbidden, Conflict (not finalized), Unavailable.
    """
    with doing(actor, Verb.CRATE_SHOW) as deed:
        dataset = deed.dataset(dataset_id)
        recorded = newest(dataset)
        listed = DigestList.objects.filter(manifest=recorded).first()
        sources = [
            crate.Source(link.source_id, link.source.name) for link in dataset.source_links.select_related("source")
        ]
        documents = _documents(dataset)
    assert dataset.finalized_at is not None and dataset.finalized_by is not None
    told = crate.Described(
        id=dataset.id,
        name=dataset.name,
        description=dataset.description,
        kind=Kind(dataset.kind),
        repository=dataset.repository,
        space_name=dataset.space.name,
        classifications=dataset.data_classifications,
        data_format=dataset.data_format,
        owner_contact=dataset.owner_contact,
        created_at=dataset.created_at,
        created_by=dataset.created_by.email,
        finalized_at=dataset.finalized_at,
        finalized_by=dataset.finalized_by.email,
        object_count=recorded.object_count,
        size_bytes=recorded.size_bytes,
        sources=sources,
        external_source=dataset.external_source,
        documents=documents,
        proofs=_proofs(dataset, recorded, listed),
        files=_files(recorded, listed),
        software_version=__version__,
    )
    return crate.encode(told)


def _documents(dataset: Dataset) -> list[crate.Document]:
    kept = dataset.attachments.filter(is_stored=True, removed_at=None).order_by("added_at", "id")
    return [
        crate.Document(
            id=each.id,
            kind=AttachmentKind(each.kind),
            title=each.title,
            filename=each.filename,
            sha256=each.sha256,
            size_bytes=each.size_bytes or 0,
            added_at=each.added_at,
        )
        for each in kept
    ]


def _proofs(dataset: Dataset, recorded: Manifest, listed: DigestList | None) -> list[crate.Proof]:
    at = f"{settings().web_url}/api/v1/datasets/{dataset.id}"
    receipt = hashlib.sha256(recorded.receipt.encode()).hexdigest()
    proofs = [
        crate.Proof("The manifest", f"{at}/manifest/download", recorded.root_sha256, "application/jsonl"),
        crate.Proof("The signed receipt: the hash is that of its text", f"{at}/receipt", receipt, "application/json"),
    ]
    if listed is not None:
        form = f"{at}/manifest/download?form=bagit"
        proofs.append(crate.Proof("The digests, as in a bag", form, listed.bagit_sha256, "text/plain"))
    return proofs


def _files(recorded: Manifest, listed: DigestList | None) -> list[crate.File]:
    if recorded.object_count > crate.MOST_FILES:
        return []
    with inventory.verified(recorded, listed) as lines:
        return [
            crate.File(each.key, each.size_bytes, bag.of_checksum(each.checksum) or "", each.modified_at)
            for each in manifest.read(lines)
            if not bag.is_folder(each.key, each.size_bytes) and each.key != crate.FILE
        ]
