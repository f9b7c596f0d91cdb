"""The servers of a space, a page at a time."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from strongroom.actions import servers, spaces
from strongroom.console.pages import Request, page, render
from strongroom.console.servers import standing
from strongroom.console.spaces.frame import frame
from strongroom.console.words import word
from strongroom.core import authz
from strongroom.core.vocabulary import ServerState, Verb

PAGE_SIZE = 50
ALIVE, EVERY = "", "all"


@page
def show(request: Request, space_id: UUID) -> HttpResponse:
    """By name; those that were deleted only where they are asked for."""
    view = spaces.show(request.actor, space_id)
    search, state = request.GET.get("search", "").strip(), request.GET.get("state", ALIVE)
    found = servers.list_(
        request.actor,
        space_id=space_id,
        state=ServerState(state) if state in set(ServerState) else None,
        with_deleted=state != ALIVE,
        search=search,
        cursor=request.GET.get("cursor") or None,
        limit=PAGE_SIZE,
    )
    now = timezone.now()
    makes = authz.RULES[Verb.SERVER_CREATE].admits(view.role, request.actor.staff_role, is_creator=False)
    more = urlencode({"search": search, "state": state, "cursor": found.next_cursor}) if found.next_cursor else ""
    return render(
        request,
        "console/servers/list.html",
        frame(
            request.actor,
            view,
            "servers",
            rows=[(row, standing.of_row(row, now)) for row in found.rows],
            search=search,
            state=state,
            states=[
                (ALIVE, gettext("All but deleted")),
                *((each, word(each)) for each in ServerState),
                (EVERY, gettext("All")),
            ],
            is_narrowed=bool(search or state or request.GET.get("cursor")),
            may_make=makes,
            more=more,
        ),
    )
