"""Makes a host follow the rows of created servers, as `converge` makes the engine follow those of data sets.

`request` is all that actions need; what follows it (`settle`, `run_due`) belongs here too, beside it.
"""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from strongroom.db.models import Server

INLINE_GRACE = timedelta(seconds=0)


def request(server: Server) -> None:
    """Say, inside an action's transaction, that the host must follow the row of a created server."""
    server.revision += 1
    due = timezone.now() + INLINE_GRACE
    Server.objects.filter(id=server.id).update(revision=F("revision") + 1, is_settled=False, next_try_at=due)
