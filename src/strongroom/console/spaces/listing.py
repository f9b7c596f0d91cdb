"""The spaces one may see, by name."""

from urllib.parse import urlencode

from django.http import HttpResponse

from strongroom.actions import overview, spaces
from strongroom.console.pages import Request, page, render

PAGE_SIZE = 48


@page
def show(request: Request) -> HttpResponse:
    """`search` is part of a name or a charge code."""
    search = request.GET.get("search", "").strip()
    found = spaces.list_(request.actor, search=search, cursor=request.GET.get("cursor") or None, limit=PAGE_SIZE)
    return render(
        request,
        "console/spaces/list.html",
        {
            "summaries": overview.summaries(request.actor, found.rows),
            "search": search,
            "is_narrowed": bool(search or request.GET.get("cursor")),
            "more": urlencode({"search": search, "cursor": found.next_cursor}) if found.next_cursor else "",
        },
    )
