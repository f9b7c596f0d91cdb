"""The one-time token with which a machine becomes a server: made for it, and claimed by it.

Refuses to know who may have one (`actions.servers`) and what a machine proves when it comes (`actions.agents`).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from strongroom.actions.configuration import settings
from strongroom.core.credentials import digest, looks_like_join_token, make_join_token
from strongroom.core.errors import Unauthenticated
from strongroom.core.sentences import say
from strongroom.core.vocabulary import ServerState
from strongroom.db.models import Server

JOINABLE = (ServerState.JOINING, ServerState.ACTIVE)


@dataclass(frozen=True, slots=True)
class JoinToken:
    """A server and the token by which its machine joins, once. The token exists here and where it is shown."""

    server: Server
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"JoinToken({self.server.id}, token=***)"


def mint(server: Server, now: datetime) -> JoinToken:
    """A new token of a server whose row is locked; one that it had before stops working."""
    token = make_join_token(secrets.token_bytes)
    server.join_sha256 = digest(token)
    server.join_expires_at = now + timedelta(minutes=settings().join_minutes)
    server.save(update_fields=["join_sha256", "join_expires_at"])
    return JoinToken(server, token, server.join_expires_at)


def mint_for_host(server_id: UUID) -> JoinToken:
    """A token for the machine that a host is about to make, so that none is ever stored but in that machine."""
    with transaction.atomic():
        server = Server.objects.select_for_update(no_key=True).get(id=server_id)
        return mint(server, timezone.now())


def void(server: Server) -> None:
    """No token of the server works any more; its row is locked and saved by the caller."""
    server.join_sha256, server.join_expires_at = "", None


def claim(token: str, now: datetime) -> Server:
    """The server of an unused token, locked; the token is used from now on, whoever comes at the same time.

    Must run in a transaction. Raises: Unauthenticated, in the same words for every token that does not work.
    """
    found = Server.objects.filter(join_sha256=digest(token)).first() if looks_like_join_token(token) else None
    if found is not None:
        mine = Server.objects.filter(id=found.id, join_sha256=found.join_sha256, join_expires_at__gt=now)
        if mine.filter(state__in=JOINABLE).update(join_sha256="", join_expires_at=None):
            return Server.objects.select_for_update(of=("self",), no_key=True).select_related("space").get(id=found.id)
    raise Unauthenticated(
        say("This join token is not valid: it is unknown, was used already, or has expired."),
        code="join-refused",
        way_out=say(
            "Get a new join command: `strongroom server rejoin`. If nobody of yours used this "
            "one, somebody else did: disable the server and look at who joined."
        ),
    )
