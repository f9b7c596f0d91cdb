"""The pages of the second factor: set up, confirmed, proved again, removed."""

import segno
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters

from strongroom.actions import mfa, passkeys, signon, webauthn
from strongroom.console.local import local_path
from strongroom.console.pages import ENROL, Request, done, page, posted, refused, render
from strongroom.console.people.entering import code_context
from strongroom.core.errors import Refusal

_PAGE = "console/people/mfa.html"


@page
def show(request: Request) -> HttpResponse:
    """What one has, and the way to have one."""
    return render(request, _PAGE, mfa_context(request))


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
            return refused(request, refusal, _PAGE, mfa_context(request))
        return _secret(request, under_way, refusal)
    if not confirmed.recovery_codes:
        return done(request, ENROL, gettext("The app is set up. Your recovery codes stay the same."))
    return show_codes(request, confirmed.recovery_codes)


@sensitive_post_parameters()
@posted
def remove(request: Request) -> HttpResponse:
    """With a last code."""
    try:
        mfa.remove(request.actor, code=request.POST.get("code", ""))
    except Refusal as refusal:
        return refused(request, refusal, _PAGE, mfa_context(request))
    return done(
        request,
        ENROL,
        gettext("The app is removed. What needs a second factor is closed until you prove or set up another."),
    )


@sensitive_post_parameters()
@page
def step_up(request: Request) -> HttpResponse:
    """Prove the second factor again, then go back to where one was."""
    context = step_up_context(request)
    if not context["has_own"] and context["provider"] is None:
        return HttpResponseRedirect(ENROL)
    if request.method != "POST" or not context["has_own"]:
        return render(request, "console/people/code.html", context)
    try:
        mfa.prove(request.actor, code=request.POST.get("code", ""))
    except Refusal as refusal:
        return refused(request, refusal, "console/people/code.html", context)
    return done(request, _next(request), gettext("Thank you. Now do it again: it was not done yet."))


def show_codes(request: Request, codes: list[str]) -> HttpResponse:
    """Recovery codes, this once."""
    grouped = [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]
    return render(request, "console/people/recovery.html", {"codes": grouped, "next": _next(request)})


def mfa_context(request: Request) -> dict[str, object]:
    """What the page of the second factor shows."""
    factor, rows = mfa.show(request.actor), passkeys.list_(request.actor, limit=passkeys.MOST).rows
    closing = passkeys.spaces_that_close(request.actor)
    is_last = len(rows) == 1 and not factor.has_app and closing > 0
    return {
        "factor": factor,
        "passkeys": rows,
        "last_id": rows[0].id if is_last else None,
        "closing": closing,
        "can_have_passkeys": webauthn.is_possible(),
        "name": request.POST.get("name", ""),
        "next": _next(request),
    }


def step_up_context(request: Request) -> dict[str, object]:
    """What the page shows on which the second factor is proved again."""
    told: dict[str, object] = {"next": _next(request), "email": request.actor.email, "step": "step-up"}
    return {**told, **code_context(request.actor), "provider": signon.can_prove(request.actor)}


def _secret(request: Request, enrolment: mfa.Enrolment, refusal: Refusal | None = None) -> HttpResponse:
    picture = segno.make(enrolment.uri, error="m").svg_data_uri(scale=5, border=4, light="#fff")
    context = {"enrolment": enrolment, "picture": picture, "next": _next(request)}
    template = "console/people/enrol.html"
    return refused(request, refusal, template, context) if refusal else render(request, template, context)


def _next(request: Request) -> str:
    return local_path(request.POST.get("next", "") or request.GET.get("next", ""))
