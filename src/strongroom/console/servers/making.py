"""Pages on which a server begins: made from the catalogue, or a machine that is there and joins."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import members, servers, software, spaces
from strongroom.actions.joining import JoinToken
from strongroom.actions.paging import MAX_LIMIT
from strongroom.actions.spaces import SpaceView
from strongroom.console.pages import Request, done, page, posted, refused, render
from strongroom.console.servers.reading import one_of
from strongroom.core import authz
from strongroom.core.errors import Invalid, NotFound, Refusal
from strongroom.core.sentences import say
from strongroom.core.vocabulary import OperatingSystem, Verb


@page
def create(request: Request, space_id: UUID) -> HttpResponse:
    """Choose one of the catalogue; size and price are seen, and agreed to, before anything is made."""
    view = _space(request, space_id, Verb.SERVER_CREATE)
    told = {**_form(request, view), "offerings": servers.offerings(request.actor)}
    if request.method != "POST":
        return render(request, "console/servers/new.html", told)
    try:
        _need_agreement(request)
        made = servers.create(
            request.actor,
            space_id,
            name=request.POST.get("name", "").strip(),
            offering=request.POST.get("offering", ""),
            description=request.POST.get("description", ""),
            owner_id=owner_id(request, space_id),
        )
    except NotFound:
        raise
    except Refusal as refusal:
        return refused(request, refusal, "console/servers/new.html", told)
    return done(
        request,
        f"/servers/{made.server.id}",
        gettext("{server} is being made. This page follows it.").format(server=made.server.name),
    )


@page
def enrol(request: Request, space_id: UUID) -> HttpResponse:
    """Name a machine that is there; the answer to the form shows its join command, once."""
    view = _space(request, space_id, Verb.SERVER_ENROL)
    told = {**_form(request, view), "systems": list(OperatingSystem)}
    if request.method != "POST":
        return render(request, "console/servers/enrol.html", told)
    try:
        joinable = servers.enrol(
            request.actor,
            space_id,
            name=request.POST.get("name", "").strip(),
            os=one_of(OperatingSystem, request.POST, "os"),
            description=request.POST.get("description", ""),
            owner_id=owner_id(request, space_id),
        )
    except NotFound:
        raise
    except Refusal as refusal:
        return refused(request, refusal, "console/servers/enrol.html", told)
    return _shown_once(request, joinable)


@posted
def rejoin(request: Request, server_id: UUID) -> HttpResponse:
    """Another join command for a machine that was set up anew, or came too late."""
    return _shown_once(request, servers.rejoin(request.actor, server_id))


def _shown_once(request: Request, joinable: JoinToken) -> HttpResponse:
    system = OperatingSystem(joinable.server.os)
    view = servers.show(request.actor, joinable.server.id)
    told = {
        "space": view.server.space,
        "server": view.server,
        "command": software.join_command(system, joinable.token),
        "expires_at": joinable.expires_at,
        "is_windows": system is OperatingSystem.WINDOWS,
    }
    return render(request, "console/servers/join.html", told)


def _space(request: Request, space_id: UUID, verb: Verb) -> SpaceView:
    """The space, for somebody who may do this in it. Raises: NotFound, Forbidden."""
    view = spaces.show(request.actor, space_id)
    actor = request.actor
    authz.check(verb, role=view.role, staff_role=actor.staff_role, is_creator=False, scopes=actor.scopes)
    return view


def _form(request: Request, view: SpaceView) -> dict[str, Any]:  # a template's context
    sent = {name: request.POST.get(name, "") for name in ("name", "description", "offering", "os", "agreed")}
    return {
        "space": view.space,
        "tab": "servers",
        "sent": {**sent, "owner": request.POST.get("owner", request.actor.email)},
    }


def owner_id(request: Request, space_id: UUID) -> UUID | None:
    """The member whose e-mail address was typed; None where none was. Raises: Invalid, Forbidden."""
    wanted, cursor = request.POST.get("owner", "").strip().lower(), None
    while wanted:
        found = members.list_(request.actor, space_id, cursor=cursor, limit=MAX_LIMIT)
        for each in found.rows:
            if each.person.email == wanted:
                return each.person.id
        if found.next_cursor is None:
            raise Invalid(
                say("{wanted} is no member of this space.", wanted=wanted),
                fields={"owner_id": say("the e-mail address of an owner, steward or researcher of the space")},
                way_out=say("Make that person a member first, or name another one."),
            )
        cursor = found.next_cursor
    return None


def _need_agreement(request: Request) -> None:
    if not request.POST.get("agreed"):
        raise Invalid(
            say("Nothing was made: its price has not been agreed to."),
            fields={"agreed": say("tick this to agree to the price")},
            way_out=say("Look at the price of the server you chose, and tick the box below it."),
        )
