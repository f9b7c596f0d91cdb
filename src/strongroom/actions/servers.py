"""What can be done with a server: create or enrol it, see, edit, start and stop it, and take its access away."""

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from strongroom import hosts
from strongroom.actions import cutting, hosting, joining, owning
from strongroom.actions.certifying import Certificate, certify
from strongroom.actions.deeds import Deed, doing
from strongroom.actions.joining import JoinToken
from strongroom.actions.paging import Page, page
from strongroom.actions.server_views import ServerView, is_online, view
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict
from strongroom.core.ledger import Json
from strongroom.core.names import clean_server_name, clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import GrantEnd, OperatingSystem, Power, ServerKind, ServerState, Verb
from strongroom.db.models import Grant, Server
from strongroom.hosts import Offering

__all__ = ["Certificate", "JoinToken", "ServerView", "certify", "is_online"]


def offerings(actor: Actor) -> list[Offering]:
    """What can be created here, with size and price; nothing where no host is set up."""
    with doing(actor, Verb.SERVER_OFFERINGS) as deed:
        deed.platform()
    host = hosts.current()
    return list(host.offerings()) if host else []


def create(
    actor: Actor, space_id: UUID, *, name: str, offering: str, description: str = "", owner_id: UUID | None = None
) -> ServerView:
    """A new machine for a space; it is made in the background and joins by itself (`state`, `observed`, `last_error`).

    Raises: NotFound, Forbidden, Conflict (name taken, no host), Invalid (name, offering, owner), Unavailable (the host
    lacks something).
    """
    with doing(actor, Verb.SERVER_CREATE, subject=name) as deed:
        space = deed.space(space_id)
        chosen = hosting.offering(offering)
        server = _insert(deed, space.id, name, description, owner_id, ServerKind.CREATED, chosen.os)
        server.offering, server.power, server.observed = chosen.name, Power.RUNNING, Power.ABSENT
        server.save(update_fields=["offering", "power", "observed"])
        hosting.request(server)
        deed.record(after=_facts(server))
    return view(actor, server)


def enrol(
    actor: Actor,
    space_id: UUID,
    *,
    name: str,
    os: OperatingSystem,
    description: str = "",
    owner_id: UUID | None = None,
) -> JoinToken:
    """Have a machine that is there join a space: its one-time token, shown now and never again.

    Raises: NotFound, Forbidden, Conflict (name taken), Invalid (name, owner).
    """
    with doing(actor, Verb.SERVER_ENROL, subject=name) as deed:
        space = deed.space(space_id)
        server = _insert(deed, space.id, name, description, owner_id, ServerKind.ENROLLED, os)
        joinable = joining.mint(server, deed.now)
        deed.record(after={**_facts(server), "join_expires_at": joinable.expires_at.isoformat()})
    return joinable


def rejoin(actor: Actor, server_id: UUID) -> JoinToken:
    """A new one-time token; when it is used, the server's old key stops working. Its grants stay.

    Raises: NotFound, Forbidden, Conflict (state, kind).
    """
    with doing(actor, Verb.SERVER_REJOIN) as deed:
        joinable = joining.mint(deed.server(server_id), deed.now)
        deed.record(after={"server": str(server_id), "join_expires_at": joinable.expires_at.isoformat()})
    return joinable


def list_(
    actor: Actor,
    *,
    space_id: UUID | None = None,
    kind: ServerKind | None = None,
    state: ServerState | None = None,
    with_deleted: bool = True,
    without_access_to: UUID | None = None,
    search: str = "",
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Server]:
    """The servers the actor may see, by name. `search` is part of a name, host name or address.

    `without_access_to` leaves out those that have access to this data set now.
    """
    with doing(actor, Verb.SERVER_LIST) as deed:
        deed.platform()
        rows = Server.objects.visible_to(actor).select_related("space", "owner", "created_by")
        wanted = {"space_id": space_id, "kind": kind, "state": state}
        rows = rows.filter(**{column: value for column, value in wanted.items() if value is not None})
        if not with_deleted:
            rows = rows.exclude(state=ServerState.DELETED)
        if without_access_to is not None:
            live = Grant.objects.filter(server=OuterRef("pk"), dataset_id=without_access_to, ended_at=None)
            rows = rows.exclude(Exists(live))
        if text := clean_text("search", search, max_length=200, required=False):
            rows = rows.filter(Q(name__icontains=text) | Q(hostname__icontains=text) | Q(address__icontains=text))
        return page(rows, by=("name", "id"), cursor=cursor, limit=limit)


def show(actor: Actor, server_id: UUID) -> ServerView:
    """One server, with its grants, its mounts, and what may be done next. Raises NotFound."""
    with doing(actor, Verb.SERVER_SHOW) as deed:
        return view(actor, deed.server(server_id))


def edit(actor: Actor, server_id: UUID, *, changes: Mapping[str, object]) -> ServerView:
    """Change `name`, `description` or `owner_id`. Raises NotFound, Forbidden, Conflict (name taken), Invalid."""
    with doing(actor, Verb.SERVER_EDIT) as deed:
        new_owner = UUID(str(changes["owner_id"])) if "owner_id" in changes else None
        if new_owner is not None:
            owning.hold(server_id, new_owner)
        server = deed.server(server_id)
        before = _facts(server)
        if "name" in changes:
            server.name = clean_server_name(str(changes["name"]))
        if "description" in changes:
            server.description = _description(str(changes["description"]))
        if new_owner is not None:
            server.owner_id = owning.owner(server.space_id, new_owner).id
        _save_named(server, ["name", "description", "owner"])
        deed.subject = server.name
        deed.record(before=before, after=_facts(server))
    return view(actor, server)


def start(actor: Actor, server_id: UUID) -> ServerView:
    """Have the machine of a created server run. Raises NotFound, Forbidden, Conflict (kind, runs already)."""
    return _power(actor, Verb.SERVER_START, server_id, Power.RUNNING)


def stop(actor: Actor, server_id: UUID) -> ServerView:
    """Have the machine of a created server stop; what is on its disk stays. Raises as `start`."""
    return _power(actor, Verb.SERVER_STOP, server_id, Power.STOPPED)


def disable(actor: Actor, server_id: UUID, *, reason: str) -> ServerView:
    """Take all of a server's access away until it is enabled: when this returns it reaches no data set.

    Raises: NotFound, Forbidden, Conflict (state), Invalid (reason), Unavailable (goes on by itself).
    """
    with doing(actor, Verb.SERVER_DISABLE) as deed:
        server = deed.server(server_id)
        reason = _reason(reason)
        before = _facts(server)
        cut = owning.suspend([server], reason, deed.now)
        deed.record(before=before, after={**_facts(server), "data_sets_cut": len(cut)}, reason=reason)
    cutting.cut_all(cut)
    return view(actor, server)


def enable(actor: Actor, server_id: UUID) -> ServerView:
    """Give a disabled or lapsed server back what it was granted and has not ended.

    Raises: NotFound, Forbidden, Conflict (state; its owner is gone), Unavailable (goes on by itself).
    """
    with doing(actor, Verb.SERVER_ENABLE) as deed:
        owning.hold(server_id)
        server = deed.server(server_id)
        owning.need_owner(server)
        before = _facts(server)
        server.state = ServerState.ACTIVE if server.public_key else ServerState.JOINING
        server.state_at, server.state_reason = deed.now, ""
        server.save(update_fields=["state", "state_at", "state_reason"])
        given = cutting.follow([server])
        deed.record(before=before, after=_facts(server))
    cutting.cut_all(given)
    return view(actor, server)


def delete(actor: Actor, server_id: UUID, *, reason: str) -> ServerView:
    """End a server for good: its grants end before this returns, its machine goes, a tombstone stays.

    Raises: NotFound, Forbidden, Conflict (state), Invalid (reason), Unavailable (goes on by itself).
    """
    with doing(actor, Verb.SERVER_DELETE) as deed:
        server = deed.server(server_id)
        reason = _reason(reason)
        before = _facts(server)
        cut = _bury(deed, server, reason)
        deed.record(before=before, after={**_facts(server), "data_sets_cut": len(cut)}, reason=reason)
    cutting.cut_all(cut)
    return view(actor, server)


def _bury(deed: Deed, server: Server, reason: str) -> list[UUID]:
    """The tombstone and the end of every grant; the data sets that are to be cut."""
    cut = cutting.follow([server])
    live = Grant.objects.filter(server=server, ended_at=None).select_related("dataset", "server").order_by("dataset_id")
    cutting.end_grants(live, GrantEnd.SERVER_DELETED, now=deed.now, actor=deed.actor, reason=reason)
    server.state, server.state_at, server.state_reason = ServerState.DELETED, deed.now, reason
    server.power, server.mounts = Power.ABSENT, []
    joining.void(server)
    server.save(
        update_fields=["state", "state_at", "state_reason", "power", "mounts", "join_sha256", "join_expires_at"]
    )
    if server.kind == ServerKind.CREATED:
        hosting.request(server)
    return cut


def _power(actor: Actor, verb: Verb, server_id: UUID, wanted: Power) -> ServerView:
    with doing(actor, verb) as deed:
        server = deed.server(server_id)
        if server.power == wanted and (server.observed == wanted or not server.is_settled):
            is_on_its_way = server.observed != wanted
            raise Conflict(
                say("{server} is being {done} already.", server=server.name, done=_DONE[wanted])
                if is_on_its_way
                else say("{server} is {done} already.", server=server.name, done=_DONE[wanted]),
                code="power",
                way_out=say("Look again in a few seconds.") if is_on_its_way else say("Nothing is left to do."),
            )
        before = _facts(server)
        server.power = wanted
        if wanted is Power.RUNNING:
            server.state_at = deed.now  # it was silent because it did not run: silence counts from now on
        server.save(update_fields=["power", "state_at"])
        hosting.request(server)
        deed.record(before=before, after=_facts(server))
    return view(actor, server)


_DONE = {Power.RUNNING: say("started"), Power.STOPPED: say("stopped")}


def _insert(
    deed: Deed,
    space_id: UUID,
    name: str,
    description: str,
    owner_id: UUID | None,
    kind: ServerKind,
    os: OperatingSystem,
) -> Server:
    server = Server(
        space_id=space_id,
        kind=kind,
        os=os,
        state_at=deed.now,
        name=clean_server_name(name),
        description=_description(description),
        owner=owning.owner(space_id, owner_id or deed.actor.person_id),
        created_at=deed.now,
        created_by_id=deed.actor.person_id,
    )
    _save_named(server)
    deed.subject = server.name
    return server


def _save_named(server: Server, columns: list[str] | None = None) -> None:
    """Raises Conflict when another server of the space has this name."""
    try:
        with transaction.atomic():
            server.save(update_fields=columns, force_insert=columns is None)
    except IntegrityError:
        raise Conflict(
            say("There is a server {server} in this space already.", server=server.name),
            code="name-taken",
            way_out=say("Choose another name, or delete that one first."),
        ) from None


def _description(text: str) -> str:
    return clean_text("description", text, max_length=2000, required=False, is_multiline=True)


def _reason(text: str) -> str:
    return clean_text("reason", text, max_length=2000, is_multiline=True)


def _facts(server: Server) -> dict[str, Json]:
    return {
        "server": str(server.id),
        "name": server.name,
        "kind": str(server.kind),
        "os": str(server.os),
        "state": str(server.state),
        "owner_id": str(server.owner_id),
        "offering": server.offering or None,
        "power": str(server.power) if server.kind == ServerKind.CREATED else None,
    }
