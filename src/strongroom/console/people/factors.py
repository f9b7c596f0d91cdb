"""The pages of the second factor: set up, confirmed, proved again, removed."""

import segno
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.debug import sensitive_post_parameters

from strongroom.actions import mfa, signon
from strongroom.console.local import local_path
from strongroom.console.pages import ENROL, Request, done, page, posted, refused, render
from strongroom.core.errors import Refusal

_PAGE = "console/people/mfa.html"


@page
def show(request: Request) -> HttpResponse:
    """What one has, and the way to have one."""
    return render(request, _PAGE, _context(request))


@posted
def enrol(request: Request) -> HttpResponse:
    """A new secret for an app, as a picture and as text."""
    return _secret(request, mfa.enrol(request.actor))


@sensitive_post_parameters()
@posted
def confirm(request: Request) -> HttpResponse:
    """The first code; the recovery codes are shown this once."""
    try:
        confirmed = mfa.confirm(request.actor, code=request.POST.get("code", ""))
    except Refusal as refusal:
        under_way = mfa.under_way(request.actor)
        if under_way is None or refusal.code != "mfa-code":
            return refused(request, refusal, _PAGE, _context(request))
        return _secret(request, under_way, refusal)
    codes = [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in confirmed.recovery_codes]
    return render(request, "console/people/recovery.html", {"codes": codes, "next": _next(request)})


@sensitive_post_parameters()
@posted
def remove(request: Request) -> HttpResponse:
    """With a last code."""
    try:
        mfa.remove(request.actor, code=request.POST.get("code", ""))
    except Refusal as refusal:
        return refused(request, refusal, _PAGE, _context(request))
    return done(request, ENROL, "The second factor is removed. What needs one is closed until you set one up again.")


@sensitive_post_parameters()
@page
def step_up(request: Request) -> HttpResponse:
    """Prove the second factor again, then go back to where one was."""
    has_own, provider = mfa.show(request.actor).is_enrolled, signon.can_prove(request.actor)
    context: dict[str, object] = {"next": _next(request), "email": request.actor.email, "step": "step-up"}
    context |= {"has_own": has_own, "provider": provider}
    if not has_own and provider is None:
        return HttpResponseRedirect(ENROL)
    if request.method != "POST" or not has_own:
        return render(request, "console/people/code.html", context)
    try:
        mfa.prove(request.actor, code=request.POST.get("code", ""))
    except Refusal as refusal:
        return refused(request, refusal, "console/people/code.html", context)
    return done(request, _next(request), "Thank you. Now do it again: it was not done yet.")


def _secret(request: Request, enrolment: mfa.Enrolment, refusal: Refusal | None = None) -> HttpResponse:
    picture = segno.make(enrolment.uri, error="m").svg_data_uri(scale=5, border=4, light="#fff")
    context = {"enrolment": enrolment, "picture": picture, "next": _next(request)}
    template = "console/people/enrol.html"
    return refused(request, refusal, template, context) if refusal else render(request, template, context)


def _context(request: Request) -> dict[str, object]:
    return {"factor": mfa.show(request.actor), "next": _next(request)}


def _next(request: Request) -> str:
    return local_path(request.POST.get("next", "") or request.GET.get("next", ""))
