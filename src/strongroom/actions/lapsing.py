"""Servers that fell silent: their access is cut until somebody enables them again."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from strongroom.actions import cutting, ledger
from strongroom.actions.configuration import settings
from strongroom.core.vocabulary import Power, ServerKind, ServerState, SystemFact
from strongroom.db.models import Server

if TYPE_CHECKING:
    from django.db.models import QuerySet


def end_due(limit: int = 100) -> int:
    """Lapse servers that were silent for longer than the setting allows; how many. Called by the worker."""
    patience = settings().heartbeat_lapse_seconds
    if not patience:
        return 0
    since = timezone.now() - timedelta(seconds=patience)
    found = list(_silent(since).values_list("id", flat=True)[:limit])
    return sum(_lapse(server_id, since) for server_id in found)


def _silent(since: datetime) -> "QuerySet[Server]":
    """Active servers not heard since then; one that was stopped here says nothing because it does not run."""
    silent = Server.objects.filter(state=ServerState.ACTIVE, state_at__lte=since)
    silent = silent.filter(Q(last_heartbeat_at=None) | Q(last_heartbeat_at__lte=since))
    return silent.exclude(kind=ServerKind.CREATED, power=Power.STOPPED)


def _lapse(server_id: UUID, since: datetime) -> bool:
    """False when it was heard, or changed, meanwhile."""
    with transaction.atomic():
        server = _silent(since).select_for_update(no_key=True).filter(id=server_id).first()
        if server is None:
            return False
        now = timezone.now()
        heard = f"{server.last_heartbeat_at:%Y-%m-%d %H:%M} UTC" if server.last_heartbeat_at else "never"
        server.state, server.state_at = ServerState.LAPSED, now
        server.state_reason = f"Its agent was last heard: {heard}."
        server.save(update_fields=["state", "state_at", "state_reason"])
        cut = cutting.follow([server])
        ledger.append(
            SystemFact.SERVER_LAPSED,
            at=now,
            space_id=server.space_id,
            subject=server.name,
            after={"server": str(server.id), "data_sets_cut": len(cut)},
            reason=server.state_reason,
        )
    cutting.settle_all(cut)
    return True
