"""Servers over HTTP."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router

from strongroom.actions import servers, software
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.operations import named
from strongroom.api.people import Reason
from strongroom.api.server_shapes import (
    NewEnrolment,
    NewServer,
    Server,
    ServerChanges,
    ServerInFull,
    ServerList,
    in_full,
    in_list,
)
from strongroom.api.shapes import Listing, Paging, Shown
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import OperatingSystem, ServerKind, ServerState, Verb

router = Router()
ONE = "/servers/{server_id}"


class Offering(Shown):
    """A kind of server that can be made; `name` is what it is asked for by. The price is a decimal number as text."""

    name: str
    os: OperatingSystem
    description: str
    cpus: int
    memory_bytes: int
    disk: str
    price_per_month: Decimal
    currency: str


class OfferingList(Listing[Offering]):
    """All of them."""


class JoinCommand(Shown):
    """A server that has yet to join, and how its machine does, once, before `expires_at`.

    The token and the command that holds it are shown once; they are null where the answer is repeated.
    """

    server: Server
    join_token: str | None
    join_command: str | None
    expires_at: datetime
    note: str | None = None


@router.get("/offerings", response=OfferingList, **named(Verb.SERVER_OFFERINGS))
def offerings(request: Request) -> OfferingList:
    """With size and price; none where no host is set up. Always one page."""
    return OfferingList.model_validate({"items": servers.offerings(request.auth)})


@router.post(
    "/spaces/{space_id}/servers", response={201: ServerInFull}, openapi_extra=IDEMPOTENT, **named(Verb.SERVER_CREATE)
)
def create(request: Request, space_id: UUID, body: NewServer) -> HttpResponse:
    """Made in the background: watch `state` until it is active, `observed` and `last_error`."""
    return once(request, 201, lambda: in_full(servers.create(request.auth, space_id, **body.model_dump())))


@router.post(
    "/spaces/{space_id}/enrolments", response={201: JoinCommand}, openapi_extra=IDEMPOTENT, **named(Verb.SERVER_ENROL)
)
def enrol(request: Request, space_id: UUID, body: NewEnrolment) -> HttpResponse:
    """The join command is for the machine's root, works once, and for 15 minutes unless set otherwise."""
    return once(
        request,
        201,
        lambda: _join_command(servers.enrol(request.auth, space_id, **body.model_dump())),
        secrets=_SECRETS,
    )


@router.post(f"{ONE}/rejoin", response={201: JoinCommand}, openapi_extra=IDEMPOTENT, **named(Verb.SERVER_REJOIN))
def rejoin(request: Request, server_id: UUID) -> HttpResponse:
    """When the new command is used, the server's old key stops working. Its grants stay."""
    return once(request, 201, lambda: _join_command(servers.rejoin(request.auth, server_id)), secrets=_SECRETS)


@router.get("/servers", response=ServerList, **named(Verb.SERVER_LIST))
def list_(
    request: Request,
    paging: Query[Paging],
    space_id: UUID | None = None,
    kind: ServerKind | None = None,
    state: ServerState | None = None,
    search: str = "",
) -> ServerList:
    """Those of one's spaces, by name, deleted ones too. `search` is part of a name, a host name or an address."""
    page = servers.list_(request.auth, space_id=space_id, kind=kind, state=state, search=search, **paging.model_dump())
    return ServerList(items=[in_list(row) for row in page.rows], next_cursor=page.next_cursor)


@router.get(ONE, response=ServerInFull, **named(Verb.SERVER_SHOW))
def show(request: Request, server_id: UUID) -> ServerInFull:
    """With its grants, its mounts, and what one may do with it next."""
    return in_full(servers.show(request.auth, server_id))


@router.patch(ONE, response=ServerInFull, **named(Verb.SERVER_EDIT))
def edit(request: Request, server_id: UUID, body: ServerChanges) -> ServerInFull:
    """The owner is a member of the space who works with data."""
    return in_full(servers.edit(request.auth, server_id, changes=body.given()))


@router.post(f"{ONE}/start", response={202: ServerInFull}, **named(Verb.SERVER_START))
def start(request: Request, server_id: UUID) -> ServerInFull:
    """The machine of a created server; watch `observed`."""
    return in_full(servers.start(request.auth, server_id))


@router.post(f"{ONE}/stop", response={202: ServerInFull}, **named(Verb.SERVER_STOP))
def stop(request: Request, server_id: UUID) -> ServerInFull:
    """The machine of a created server; what is on its disk stays. Watch `observed`."""
    return in_full(servers.stop(request.auth, server_id))


@router.post(f"{ONE}/disable", response=ServerInFull, **named(Verb.SERVER_DISABLE))
def disable(request: Request, server_id: UUID, body: Reason) -> ServerInFull:
    """From the answer on it reaches no data set, until it is enabled. Its grants stay."""
    return in_full(servers.disable(request.auth, server_id, reason=body.reason))


@router.post(f"{ONE}/enable", response=ServerInFull, **named(Verb.SERVER_ENABLE))
def enable(request: Request, server_id: UUID) -> ServerInFull:
    """It has again what it was granted and has not ended meanwhile."""
    return in_full(servers.enable(request.auth, server_id))


@router.delete(ONE, response={202: ServerInFull}, **named(Verb.SERVER_DELETE))
def delete(request: Request, server_id: UUID, reason: str) -> ServerInFull:
    """Its grants end before the answer, then its machine goes; a record remains."""
    return in_full(servers.delete(request.auth, server_id, reason=reason))


_SECRETS = ("join_token", "join_command")


def _join_command(made: Any) -> JoinCommand:
    return JoinCommand(
        server=in_list(made.server),
        join_token=made.token,
        join_command=software.join_command(OperatingSystem(made.server.os), made.token),
        expires_at=made.expires_at,
    )
