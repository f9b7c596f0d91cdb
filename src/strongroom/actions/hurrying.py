"""Has the worker try again at once what the engine or a host did not obey the last time."""

from uuid import UUID

from django.utils import timezone

from strongroom.actions.deeds import doing
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict
from strongroom.core.vocabulary import Verb
from strongroom.db.models import Dataset, Server


def dataset(actor: Actor, dataset_id: UUID) -> None:
    """For those who may edit the data set; in any state. Raises: NotFound, Forbidden, Conflict (nothing is left)."""
    with doing(actor, Verb.DATASET_EDIT) as deed:
        row = deed.dataset_in_any_state(dataset_id)
        if row.is_settled:
            raise _settled(row.name, "Look at the data set again.")
        Dataset.objects.filter(id=row.id).update(next_try_at=timezone.now())


def server(actor: Actor, server_id: UUID) -> None:
    """For those who may edit the server. Raises: NotFound, Forbidden, Conflict (deleted; nothing is left)."""
    with doing(actor, Verb.SERVER_EDIT) as deed:
        row = deed.server(server_id)
        if row.is_settled:
            raise _settled(row.name, "Look at the server again.")
        Server.objects.filter(id=row.id).update(next_try_at=timezone.now())


def _settled(name: str, way_out: str) -> Conflict:
    return Conflict(f"Nothing is left to be done for {name}.", code="settled", way_out=way_out)
