"""Home."""

from django.http import HttpResponse

from strongroom.actions import overview, people
from strongroom.console.pages import Request, page, render


@page
def show(request: Request) -> HttpResponse:
    """My spaces, what waits for me, and what expires soon."""
    told = {"overview": overview.show(request.actor), "person": people.show(request.actor, "me")}
    return render(request, "console/home/show.html", told)
