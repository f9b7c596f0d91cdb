"""A server as somebody sees it: the row, its live grants, whether it is heard, what may be done next and what not."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from strongroom.actions.configuration import settings
from strongroom.actions.views import Blocked
from strongroom.core import authz, server_lifecycle
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden
from strongroom.core.vocabulary import Role, ServerKind, ServerState, Verb
from strongroom.db.models import Dataset, Grant, Membership, Person, Server

MISSED_HEARTBEATS = 3  # so many in a row, and a server counts as not online
_SAID = {
    "dataset": (Dataset, {"id", "kind", "repository", "name", "created_by"}),
    "created_by": (Person, {"id", "email", "name"}),
}
_UNSAID = [
    f"{bound}__{field.name}"
    for bound, (model, said) in _SAID.items()
    for field in model._meta.concrete_fields
    if field.name not in said
]


@dataclass(frozen=True, slots=True)
class ServerView:
    """Everything a page about one server shows. `grants` are those that have not ended, by data set's name."""

    server: Server
    grants: list[Grant]
    role: Role | None
    is_online: bool
    may: list[Verb]
    blocked: list[Blocked]


def is_online(server: Server) -> bool:
    """Whether its agent was heard a moment ago."""
    if server.last_heartbeat_at is None:
        return False
    patience = timedelta(seconds=settings().heartbeat_seconds * MISSED_HEARTBEATS + 5)
    return server.last_heartbeat_at > timezone.now() - patience


def view(actor: Actor, server: Server) -> ServerView:
    """The server as the actor sees it, read afresh after whatever was done to it."""
    row = Server.objects.select_related("space", "owner", "created_by").get(id=server.id)
    mine = Membership.objects.filter(space_id=row.space_id, person_id=actor.person_id)
    held = mine.values_list("role", flat=True).first()
    role = Role(held) if held else None
    may, blocked = _deeds(actor, row, role)
    return ServerView(
        server=row,
        grants=_grants(actor, row),
        role=role,
        is_online=is_online(row),
        may=may,
        blocked=blocked,
    )


def _grants(actor: Actor, row: Server) -> list[Grant]:
    # A server has hundreds: asked one by one what is visible, and read without what no page and no answer says.
    visible = Dataset.objects.visible_to(actor).filter(id=OuterRef("dataset_id"))
    live = row.grants.filter(Exists(visible), ended_at=None).select_related("dataset", "created_by")
    found = list(live.order_by("dataset__name", "dataset_id").defer(*_UNSAID))
    for each in found:
        each.server = row  # not read anew with each
    return found


def _deeds(actor: Actor, row: Server, role: Role | None) -> tuple[list[Verb], list[Blocked]]:
    may, blocked = [], []
    kind, state = ServerKind(row.kind), ServerState(row.state)
    for verb in server_lifecycle.GATES:
        try:
            authz.check(verb, role=role, staff_role=actor.staff_role, is_creator=False, scopes=actor.scopes)
            server_lifecycle.check(verb, kind=kind, state=state, name=row.name)
            may.append(verb)
        except (Forbidden, Conflict) as refusal:
            blocked.append(Blocked(verb, refusal.in_full))
    return may, blocked
