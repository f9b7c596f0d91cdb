"""What groups gave to people who have not signed in through their provider for long: it ends, until they do.

Only a sign-in says who is still in a group. Whoever was taken out of one, and never comes back, must not keep it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from strongroom.actions import applying, withdrawing
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import Deed
from strongroom.core.actor import Actor
from strongroom.core.errors import Unavailable
from strongroom.core.vocabulary import Verb
from strongroom.db.models import Identity


def end_due(limit: int = 100) -> int:
    """End what stale groups gave; of how many people. Called by the worker."""
    days = settings().sso_group_days
    if not days:
        return 0
    since = timezone.now() - timedelta(days=days)
    found = Identity.objects.filter(last_used_at__lte=since, lapsed_at=None).order_by("last_used_at")
    return sum(_end(identity_id, since) for identity_id in list(found.values_list("id", flat=True)[:limit]))


def _end(identity_id: UUID, since: datetime) -> bool:
    """False when they signed in meanwhile."""
    with transaction.atomic():
        rows = Identity.objects.select_for_update(of=("self",), no_key=True).select_related("person")
        identity = rows.filter(id=identity_id, last_used_at__lte=since, lapsed_at=None).first()
        if identity is None:
            return False
        deed = Deed(Actor(identity.person_id, identity.person.email), Verb.MEMBER_REMOVE)
        identity.lapsed_at, identity.groups = deed.now, []
        identity.save(update_fields=["lapsed_at", "groups"])
        # Another identity of theirs with a provider of the same kind says more, where they used it later.
        fresh = identity.person.identities.filter(kind=identity.kind, last_used_at__gt=identity.last_used_at)
        withdrawn = [] if fresh.exists() else applying.apply(deed, identity)
    for each in withdrawn:
        try:
            withdrawing.cut(each)
        except Unavailable:  # written down; the worker goes on trying
            continue
    return True
