"""Who answers for a server: an active member of its space whose role works with data; without one it is suspended."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from strongroom.actions import cutting, joining
from strongroom.core import authz
from strongroom.core.errors import Conflict, Invalid
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Role, ServerState, Verb
from strongroom.db.models import Membership, Person, Server, Space

if TYPE_CHECKING:
    from django.db.models import QuerySet

SUSPENDABLE = (ServerState.JOINING, ServerState.ACTIVE, ServerState.LAPSED)


def may_own(role: Role | None) -> bool:
    """Whether somebody of this role may own servers of the space: whoever may log in to them."""
    return role in authz.RULES[Verb.SERVER_CERTIFY].roles


def workers(space_id: UUID) -> "QuerySet[Membership]":
    """The memberships of active people whose role works with data."""
    roles = [role.value for role in Role if may_own(role)]
    return Membership.objects.filter(space_id=space_id, role__in=roles, person__is_active=True)


def hold(server_id: UUID, owner_id: UUID | None = None) -> None:
    """Lock the space of a server and its (future) owner, before the server: nobody leaves while they are looked at."""
    Space.objects.select_for_update(of=("self",), no_key=True).filter(servers=server_id).first()
    whose = Q(id=owner_id) if owner_id else Q(servers=server_id)
    Person.objects.select_for_update(of=("self",), no_key=True).filter(whose).first()


def owner(space_id: UUID, person_id: UUID) -> Person:
    """The person, if they may own servers of the space, whose row is locked. Raises Invalid."""
    Person.objects.select_for_update(no_key=True).filter(id=person_id).first()
    found = workers(space_id).filter(person_id=person_id).select_related("person").first()
    if found is None:
        raise Invalid(
            say("The owner of a server must be an active member of its space who works with data."),
            fields={"owner_id": say("an owner, steward or researcher of the space")},
            way_out=say("Make the person a member first, or name another owner."),
        )
    return found.person


def need_owner(server: Server) -> None:
    """Raises Conflict when nobody answers for the server any more."""
    if not workers(server.space_id).filter(person_id=server.owner_id).exists():
        raise Conflict(
            say("The owner of {server} does not work in its space any more.", server=server.name),
            code="no-owner",
            way_out=say("Give it another owner first: `strongroom server edit --owner`."),
        )


def suspend(servers: Sequence[Server], reason: str, now: datetime) -> list[UUID]:
    """Disable servers whose rows are locked; the data sets that are now to be cut."""
    for server in servers:
        server.state, server.state_at, server.state_reason = ServerState.DISABLED, now, reason
        joining.void(server)
        server.save(update_fields=["state", "state_at", "state_reason", "join_sha256", "join_expires_at"])
    return cutting.follow(servers)
