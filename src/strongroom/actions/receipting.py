"""Makes the signed receipt of a data set that has just been finalized."""

from strongroom import __version__
from strongroom.actions import signing
from strongroom.core import receipt
from strongroom.core.vocabulary import AttachmentKind, Kind
from strongroom.db.models import Dataset, LedgerHead, Manifest


def sign(dataset: Dataset, manifest: Manifest) -> None:
    """Write receipt and signature into the manifest's row."""
    text = receipt.encode(_receipt_of(dataset, manifest))
    manifest.receipt, manifest.signature = text, signing.sign_text(text)
    manifest.save(update_fields=["receipt", "signature"])


def _receipt_of(dataset: Dataset, manifest: Manifest) -> receipt.Receipt:
    head = LedgerHead.objects.select_for_update().get(id=1)
    assert dataset.finalized_at is not None and dataset.finalized_by is not None
    return receipt.Receipt(
        dataset_id=dataset.id,
        repository=dataset.repository,
        name=dataset.name,
        kind=Kind(dataset.kind),
        space_id=dataset.space_id,
        manifest_root_sha256=manifest.root_sha256,
        object_count=manifest.object_count,
        size_bytes=manifest.size_bytes,
        created_at=dataset.created_at,
        finalized_at=dataset.finalized_at,
        finalized_by=dataset.finalized_by.email,
        promoted_from_derivative=dataset.was_derivative and dataset.kind == Kind.ORIGINAL,
        sources=list(dataset.source_links.order_by("source_id").values_list("source_id", flat=True)),
        external_source=dataset.external_source,
        attachments=[
            receipt.Attached(
                id=each.id,
                kind=AttachmentKind(each.kind),
                title=each.title,
                filename=each.filename,
                sha256=each.sha256,
                size_bytes=each.size_bytes or 0,
            )
            for each in dataset.attachments.filter(is_stored=True, removed_at=None).order_by("added_at", "id")
        ],
        locked_until=dataset.locked_until,
        ledger_sequence=head.sequence,
        ledger_hash=head.hash,
        software_version=__version__,
    )
