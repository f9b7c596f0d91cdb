"""The platform as a whole: how each part is, all spaces, and the settings in force."""

from urllib.parse import urlencode

from django.http import HttpResponse

from strongroom.actions import spaces, staffing, system
from strongroom.console.pages import Request, render
from strongroom.console.staff.door import deeds, staff_page

PAGE_SIZE = 50


@staff_page
def health(request: Request) -> HttpResponse:
    """What an operator looks at first."""
    told = {"status": system.status(request.actor), "tab": "health", "may": deeds(request.actor)}
    return render(request, "console/staff/health.html", told)


@staff_page
def spaces_(request: Request) -> HttpResponse:
    """Every space, by name."""
    search = request.GET.get("search", "").strip()
    cursor = request.GET.get("cursor") or None
    found = spaces.list_(request.actor, search=search, cursor=cursor, limit=PAGE_SIZE)
    more = urlencode({"search": search, "cursor": found.next_cursor}) if found.next_cursor else ""
    told = {"rows": found.rows, "search": search, "more": more, "tab": "spaces", "may": deeds(request.actor)}
    return render(request, "console/staff/spaces.html", told)


@staff_page
def settings_(request: Request) -> HttpResponse:
    """What the operator decided; never a secret."""
    told = {"settings": staffing.settings_in_force(request.actor), "tab": "settings", "may": deeds(request.actor)}
    return render(request, "console/staff/settings.html", told)
