"""The page of the terms for sensitive data."""

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import terms
from strongroom.console.local import local_path
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.core.errors import Refusal


@page
def show(request: Request) -> HttpResponse:
    """The text, and the button that accepts it."""
    to = local_path(request.POST.get("next", "") or request.GET.get("next", ""))
    context: dict[str, object] = {"terms": terms.show(request.actor), "next": to}
    if request.method != "POST":
        return render(request, "console/people/terms.html", context)
    try:
        terms.accept(request.actor, version=request.POST.get("version", ""))
    except Refusal as refusal:
        return refused(request, refusal, "console/people/terms.html", context)
    return done(request, to, gettext("You accepted the terms."))
