"""What can be done with grants: give a server access to a finalized data set, see who has it, and take it away."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from strongroom.actions import converge, cutting
from strongroom.actions.deeds import Deed, doing
from strongroom.actions.paging import Page, page
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Invalid, NotFound
from strongroom.core.names import clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import GrantEnd, Kind, Permission, ServerState, Verb
from strongroom.db.models import Dataset, Grant, Server

PERMISSIONS = {Kind.ORIGINAL: Permission.READ, Kind.DERIVATIVE: Permission.WRITE}


def create(
    actor: Actor, dataset_id: UUID, server_id: UUID, *, reason: str = "", expires_at: datetime | None = None
) -> Grant:
    """Give a server of the same space access; an active one can read (a derivative: write) when this returns.

    A server that is not active gets it as soon as it is. `expires_at` is aware; None is without end.
    Raises: NotFound, Forbidden, Conflict (state; a live grant; too many servers), Invalid (date, reason), Unavailable.
    """
    with doing(actor, Verb.GRANT_CREATE) as deed:
        _hold(server_id)
        dataset = deed.dataset(dataset_id)
        server = _server(dataset, server_id)
        reason = _reason(reason)
        _check_end(expires_at, deed.now)
        _refuse_live(deed, dataset, server)
        grant = Grant.objects.create(
            dataset=dataset,
            server=server,
            reason=reason,
            created_at=deed.now,
            created_by_id=actor.person_id,
            expires_at=expires_at,
        )
        converge.refuse_too_large(dataset)
        token = converge.request(dataset, and_lease=True)
        deed.record(after={**cutting.facts(grant), "permission": permission(dataset).value}, reason=reason)
    converge.cut(dataset_id, token=token)
    return grant


def list_(
    actor: Actor,
    *,
    dataset_id: UUID | None = None,
    server_id: UUID | None = None,
    is_live: bool | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Grant]:
    """The grants of a data set, of a server, or of the pair, newest first; ended ones too unless `is_live` is True.

    Raises: NotFound, Forbidden, Invalid (neither a data set nor a server).
    """
    with doing(actor, Verb.GRANT_LIST) as deed:
        if dataset_id is None and server_id is None:
            raise Invalid(say("Whose grants? Name a data set or a server."), fields={"dataset_id": say("or server_id")})
        rows = Grant.objects.select_related("dataset", "server", "created_by", "ended_by")
        if dataset_id is not None:
            rows = rows.filter(dataset=deed.dataset(dataset_id))
        if server_id is not None:
            rows = rows.filter(server=deed.server(server_id))
        if is_live is not None:
            rows = rows.filter(ended_at__isnull=is_live)
        return page(rows, by=("-created_at", "-id"), cursor=cursor, limit=limit)


def edit(actor: Actor, dataset_id: UUID, server_id: UUID, *, expires_at: datetime | None) -> Grant:
    """Change when a live grant ends by itself (None: never).

    Raises: NotFound, Forbidden, Conflict (no live grant), Invalid (date).
    """
    with doing(actor, Verb.GRANT_EDIT) as deed:
        grant = _live(deed, deed.dataset(dataset_id), server_id)
        _check_end(expires_at, deed.now)
        before = cutting.facts(grant)
        grant.expires_at = expires_at
        grant.save(update_fields=["expires_at"])
        deed.record(before=before, after=cutting.facts(grant))
    return grant


def revoke(actor: Actor, dataset_id: UUID, server_id: UUID, *, reason: str = "") -> Grant:
    """Take the access away: when this returns not one further request of the server succeeds on the data set.

    One whose time is over is revoked too while no worker has ended it: until then the engine obeys the server.
    Raises: NotFound, Forbidden, Conflict (no live grant), Invalid (staff must give a reason), Unavailable (goes on).
    """
    with doing(actor, Verb.GRANT_REVOKE) as deed:
        dataset = deed.dataset(dataset_id)
        grant = _live(deed, dataset, server_id, or_due=True)
        reason = _reason(reason, required=deed.is_by_staff)
        before = cutting.facts(grant)
        grant.ended_at, grant.ended_by_id = deed.now, actor.person_id
        grant.end, grant.end_reason = GrantEnd.REVOKED, reason
        grant.save(update_fields=["ended_at", "ended_by", "end", "end_reason"])
        token = converge.request(dataset, and_lease=True)
        deed.record(before=before, after={"ended_at": deed.now.isoformat()}, reason=reason)
    converge.cut(dataset_id, token=token)
    return grant


def end_due(limit: int = 100) -> int:
    """End grants whose time is over, and have the engine follow; how many. Called by the worker."""
    due = Grant.objects.filter(ended_at=None, expires_at__lte=timezone.now()).order_by("expires_at")
    return sum(_expire(grant_id, dataset_id) for grant_id, dataset_id in due.values_list("id", "dataset_id")[:limit])


def permission(dataset: Dataset) -> Permission:
    """What a grant of this data set allows."""
    return PERMISSIONS[Kind(dataset.kind)]


def _expire(grant_id: UUID, dataset_id: UUID) -> bool:
    """End one in the rows, then in the engine; False when it was ended or prolonged meanwhile."""
    with transaction.atomic():
        now = timezone.now()
        dataset = Dataset.objects.select_for_update(no_key=True).get(id=dataset_id)
        due = Grant.objects.filter(id=grant_id, expires_at__lte=now).select_related("dataset", "server")
        if not cutting.end_grants(due, GrantEnd.EXPIRED, now=now):
            return False
        converge.request(dataset)
        Dataset.objects.filter(id=dataset.id).update(next_try_at=now)
    converge.settle(dataset_id)
    return True


def _hold(server_id: UUID) -> None:
    """Lock the server before its data set, as everywhere; who may not see it learns nothing."""
    Server.objects.select_for_update(no_key=True).filter(id=server_id).values_list("id", flat=True).first()


def _server(dataset: Dataset, server_id: UUID) -> Server:
    server = Server.objects.filter(id=server_id, space_id=dataset.space_id).first()
    if server is None:
        raise NotFound(
            say("There is no server {server_id} in the space of {dataset}.", server_id=server_id, dataset=dataset.name),
            way_out=say("See `strongroom server list`."),
        )
    if server.state == ServerState.DELETED:
        raise Conflict(
            say("{server} was deleted.", server=server.name),
            code="state",
            way_out=say("Grant access to another server."),
        )
    return server


def _refuse_live(deed: Deed, dataset: Dataset, server: Server) -> None:
    live = Grant.objects.filter(dataset=dataset, server=server, ended_at=None).select_related("dataset", "server")
    grant = live.first()
    if grant is None:
        return
    if grant.expires_at is not None and grant.expires_at <= deed.now:  # its time is over, and no worker was there yet
        cutting.end_grants([grant], GrantEnd.EXPIRED, now=deed.now)
        return
    raise Conflict(
        say(
            "{server} has access to {dataset} until {until:%Y-%m-%d %H:%M} UTC already.",
            server=server.name,
            dataset=dataset.name,
            until=grant.expires_at,
        )
        if grant.expires_at
        else say("{server} has access to {dataset} already.", server=server.name, dataset=dataset.name),
        code="granted-already",
        way_out=say("Nothing is left to do; `strongroom grant edit` changes when it ends."),
    )


def _live(deed: Deed, dataset: Dataset, server_id: UUID, *, or_due: bool = False) -> Grant:
    """The live grant; its data set is locked, so that it stays so. Raises Conflict, NotFound.

    With `or_due` also one whose time is over and that nobody has ended yet.
    """
    live = Grant.objects.filter(dataset=dataset, server_id=server_id, ended_at=None).select_related("dataset", "server")
    grant = live.first()
    if grant is None or (not or_due and grant.expires_at is not None and grant.expires_at <= deed.now):
        server = grant.server if grant else _named(dataset, server_id)
        raise Conflict(
            say("{server} has no access to {dataset}.", server=server.name, dataset=dataset.name),
            code="not-granted",
            way_out=say("See `strongroom grant list`; grant it with `strongroom grant create`."),
        )
    return grant


def _named(dataset: Dataset, server_id: UUID) -> Server:
    server = Server.objects.filter(id=server_id, space_id=dataset.space_id).first()
    if server is None:
        raise NotFound(
            say("There is no server {server_id} in the space of {dataset}.", server_id=server_id, dataset=dataset.name),
            way_out=say("See `strongroom server list`."),
        )
    return server


def _check_end(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
        raise Invalid(
            say("The end of a grant must lie in the future, and its time must name a time zone."),
            fields={"expires_at": say("in the API for example 2036-12-31T00:00:00Z")},
        )


def _reason(text: str, *, required: bool = False) -> str:
    return clean_text("reason", text, max_length=2000, required=required, is_multiline=True)
