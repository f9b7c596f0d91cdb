"""What a server is told of the data sets it was granted, so that it can prove what it reads. No person acts here."""

from collections.abc import Iterator
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from strongroom.actions import inventory, ledger, manifests
from strongroom.actions.machines import Machine
from strongroom.core.errors import NotFound
from strongroom.core.sentences import say
from strongroom.core.vocabulary import State, SystemFact
from strongroom.db.models import Dataset


def download(here: Machine, dataset_id: UUID) -> tuple[str, int, Iterator[bytes]]:
    """The newest manifest of a data set that this server may touch now: its SHA-256, its bytes, and JSON lines.

    Raises: NotFound for every other data set, Unavailable as `manifests.download`.
    """
    now = timezone.now()
    manifest = manifests.newest(_granted(here, dataset_id))
    file = inventory.verified(manifest)
    with transaction.atomic():
        dataset = _granted(here, dataset_id)
        ledger.append(
            SystemFact.SERVER_MANIFEST,
            at=now,
            space_id=here.server.space_id,
            dataset_id=dataset.id,
            subject=here.server.name,
            after={
                "server": str(here.server.id),
                "manifest_sha256": manifest.root_sha256,
                "address": here.address,
                "request_id": here.request_id,
            },
        )
    return manifest.root_sha256, *manifests.as_it_is(file)


def _granted(here: Machine, dataset_id: UUID) -> Dataset:
    live = here.server.grants.filter(ended_at=None, dataset_id=dataset_id, dataset__state=State.FINALIZED)
    grant = live.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now())).select_related("dataset").first()
    if grant is None:
        raise NotFound(
            say("{server} was not granted a data set {dataset_id}.", server=here.server.name, dataset_id=dataset_id),
            way_out=say("Ask a steward of the space to provision access for this server."),
        )
    return grant.dataset
