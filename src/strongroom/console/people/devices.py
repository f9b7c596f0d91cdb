"""The page on which a terminal is let in."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import devices
from strongroom.console.pages import Request, done, page, posted, refused, render
from strongroom.core.errors import Refusal

_PAGE = "console/people/device.html"


@page
def show(request: Request) -> HttpResponse:
    """The terminal that shows a code, or the field where the code is typed. A GET decides nothing."""
    code = request.GET.get("code", "")
    if not code:
        return render(request, _PAGE)
    try:
        return render(request, _PAGE, {"device": devices.find(request.actor, code), "code": code})
    except Refusal as refusal:
        return refused(request, refusal, _PAGE, {"code": code})


@posted
def approve(request: Request, device_id: UUID) -> HttpResponse:
    """Let it in as oneself."""
    device = devices.approve(request.actor, device_id)
    return done(
        request,
        "/account/",
        gettext("“{device}” is let in. It has a token of yours, which you can revoke here.").format(device=device.name),
    )


@posted
def deny(request: Request, device_id: UUID) -> HttpResponse:
    """Turn it away."""
    devices.deny(request.actor, device_id)
    return done(request, "/account/", gettext("It was turned away."))
