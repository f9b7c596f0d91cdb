"""What a space costs: where it goes. Amounts are not reckoned yet, and the page says so."""

from uuid import UUID

from django.http import HttpResponse

from strongroom.actions import spaces
from strongroom.console.pages import Request, page, render
from strongroom.console.spaces.frame import frame, may
from strongroom.core.vocabulary import Verb


@page
def show(request: Request, space_id: UUID) -> HttpResponse:
    """The charge code, and what will be charged."""
    view = spaces.show(request.actor, space_id)
    context = frame(request.actor, view, "charges", may_edit=may(request.actor, view, Verb.SPACE_EDIT))
    return render(request, "console/spaces/charges.html", context)
