"""Has the worker try again at once what the engine or a host did not obey the last time."""

from uuid import UUID

from django.utils import timezone

from strongroom.actions.deeds import doing
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict
from strongroom.core.sentences import Sentence, say
from strongroom.core.vocabulary import Verb
from strongroom.db.models import Dataset, Server


def dataset(actor: Actor, dataset_id: UUID) -> None:
    """For those who may edit the data set; in any state. Raises: NotFound, Forbidden, Conflict (nothing is left)."""
    with doing(actor, Verb.DATASET_EDIT) as deed:
        _hurry(deed.dataset_in_any_state(dataset_id), say("Look at the data set again."))


def server(actor: Actor, server_id: UUID) -> None:
    """For those who may edit the server. Raises: NotFound, Forbidden, Conflict (deleted; nothing is left)."""
    with doing(actor, Verb.SERVER_EDIT) as deed:
        _hurry(deed.server(server_id), say("Look at the server again."))


def _hurry(row: Dataset | Server, way_out: Sentence) -> None:
    if row.is_settled:
        raise Conflict(say("Nothing is left to be done for {name}.", name=row.name), code="settled", way_out=way_out)
    row.next_try_at = timezone.now()
    row.save(update_fields=["next_try_at"])
