"""Digests that movers reported for objects of a data set: kept, found again, and forgotten when nobody needs them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from strongroom.core.digests import Digest
from strongroom.core.manifest import Entry
from strongroom.core.vocabulary import Kind, State
from strongroom.db.models import Dataset, ObjectDigest, Transfer

BATCH = 500
_COLUMNS = ["size_bytes", "etag", "sha256", "transfer", "recorded_at"]


def keep(transfer: Transfer, digests: Sequence[Digest], now: datetime) -> None:
    """Remember them; of one object the last one reported."""
    rows = [
        ObjectDigest(
            dataset_id=transfer.dataset_id,
            key=each.key,
            size_bytes=each.size_bytes,
            etag=each.etag,
            sha256=each.sha256,
            transfer=transfer,
            recorded_at=now,
        )
        for each in digests
    ]
    ObjectDigest.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["dataset", "key"], update_fields=_COLUMNS
    )


def known(dataset_id: UUID, entries: Iterable[Entry]) -> Mapping[str, str]:
    """The SHA-256 by key, where one was reported for an object of this very size and ETag. For one batch of entries."""
    wanted = {entry.key: (entry.size_bytes, entry.etag) for entry in entries}
    rows = ObjectDigest.objects.filter(dataset_id=dataset_id, key__in=list(wanted))
    found = rows.values_list("key", "size_bytes", "etag", "sha256")
    return {key: sha256 for key, size_bytes, etag, sha256 in found if wanted[key] == (size_bytes, etag)}


def attached(dataset_id: UUID, entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries with the checksum `sha256:…` where it is known, in constant memory."""
    if not ObjectDigest.objects.filter(dataset_id=dataset_id).exists():
        yield from entries
        return
    while batch := list(islice(entries, BATCH)):
        sha256 = known(dataset_id, batch)
        for entry in batch:
            yield replace(entry, checksum=f"sha256:{sha256[entry.key]}") if entry.key in sha256 else entry


def recorded(dataset_id: UUID, *, after: str, limit: int) -> list[ObjectDigest]:
    """What was reported of a data set, in the order of keys, behind this one."""
    return list(ObjectDigest.objects.filter(dataset_id=dataset_id, key__gt=after).order_by("key")[:limit])


def forget_some(limit: int = 5000) -> int:
    """Remove digests that nothing will ask for: of deleted data sets, and of originals, whose manifest holds them.

    Those of a derivative stay: they count again when it is promoted. Called by the worker; how many went.
    """
    over = Q(state=State.DELETED) | Q(state=State.FINALIZED, kind=Kind.ORIGINAL)
    some = ObjectDigest.objects.filter(dataset_id=OuterRef("id"))
    dataset_id = Dataset.objects.filter(over, Exists(some)).values_list("id", flat=True).first()
    if dataset_id is None:
        return 0
    ids = list(ObjectDigest.objects.filter(dataset_id=dataset_id).values_list("id", flat=True)[:limit])
    return ObjectDigest.objects.filter(id__in=ids).delete()[0]
