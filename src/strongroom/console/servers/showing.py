"""The page of one server, the part of it that follows the machine, and its details as a form."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import servers
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.console.servers.making import owner_id
from strongroom.console.servers.sheet import TEMPLATE, glance, sheet
from strongroom.console.slicing import beginning
from strongroom.core import authz
from strongroom.core.errors import NotFound, Refusal
from strongroom.core.vocabulary import Verb


@page
def show(request: Request, server_id: UUID) -> HttpResponse:
    """With its grants, its mounts, and what one may do with it next."""
    start = beginning(request.GET.get("cursor", ""))
    return render(request, TEMPLATE, sheet(request.actor, server_id, request.GET.get("search", "").strip(), start))


@page
def live(request: Request, server_id: UUID) -> HttpResponse:
    """How it is now, as a fragment; with its buttons where they are not those that the page `seen` has."""
    told = glance(request.actor, servers.show(request.actor, server_id))
    if request.GET.get("version", "") == told["version"]:
        return HttpResponse(status=204)  # nothing is new, and htmx leaves the page as it is
    told["is_changed"] = request.GET.get("seen", "") != told["seen"]
    return render(request, "console/servers/live.html", told)


@page
def edit(request: Request, server_id: UUID) -> HttpResponse:
    """Name, description, and who answers for it."""
    view, actor = servers.show(request.actor, server_id), request.actor
    authz.check(Verb.SERVER_EDIT, role=view.role, staff_role=actor.staff_role, is_creator=False, scopes=actor.scopes)
    server = view.server
    kept = {"name": server.name, "description": server.description, "owner": server.owner.email}
    sent = {name: request.POST.get(name, value) for name, value in kept.items()}
    told = {"server": server, "space": server.space, "sent": sent}
    if request.method != "POST":
        return render(request, "console/servers/edit.html", told)
    try:
        changes = {"name": sent["name"].strip(), "description": sent["description"]}
        owner = owner_id(request, server.space_id)
        servers.edit(actor, server_id, changes=changes | ({"owner_id": owner} if owner else {}))
    except NotFound:
        raise
    except Refusal as refusal:
        return refused(request, refusal, "console/servers/edit.html", told)
    return done(request, f"/servers/{server_id}", gettext("Its details were changed."))
