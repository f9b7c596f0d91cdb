"""The pages by which somebody comes in and goes: sign-in, the second factor, an invitation, sign-out."""

from collections.abc import Callable, Mapping
from functools import wraps
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters

from strongroom.actions import browsing, mfa, signon, webauthn
from strongroom.console import signed_in
from strongroom.console.local import local_path
from strongroom.console.pages import (
    ENROL,
    Request,
    done,
    error_page,
    posted,
    refusal_page,
    refused,
    render,
    wrong_fields,
)
from strongroom.core.actor import Actor
from strongroom.core.errors import Invalid, Refusal, Unauthenticated
from strongroom.core.sentences import say

SIGN_IN_PAGE = "console/people/sign_in.html"
SECOND_STEP = "/sign-in/code"
Served = Callable[..., HttpResponseBase]


def public(view: Callable[..., HttpResponse]) -> Served:
    """A page for people who are not signed in (GET and POST). Refusals become pages; nothing of it is cached."""

    @wraps(view)
    def serve(request: HttpRequest, **places: str) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "POST"):
            response = error_page(request, 405, gettext("This page cannot be asked for like this."))
        else:
            try:
                response = view(request, **places)
            except Refusal as refusal:
                response = refusal_page(request, refusal)
        response.headers["Cache-Control"] = "no-store"
        return response

    return serve


@sensitive_post_parameters()
@public
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail address and password. Who is signed in already is sent on."""
    context = sign_in_context(request)
    if request.method != "POST":
        if _actor_of(request) is not None:
            return HttpResponseRedirect(str(context["next"]))
        return render(request, SIGN_IN_PAGE, context)
    try:
        session = browsing.sign_in(
            request.POST.get("email", ""), request.POST.get("password", ""), **signed_in.facts_of(request)
        )
    except Unauthenticated as refusal:
        return again(request, refusal, SIGN_IN_PAGE, context)
    return _begun(request, session.id, is_entered=session.entered_at is not None)


@sensitive_post_parameters()
@public
def second_step(request: HttpRequest) -> HttpResponse:
    """A code of the app or a recovery code, after the password."""
    context: dict[str, object] = {"next": local_path(next_of(request)), "step": "code"}
    whence = {"address": signed_in.address_of(request), "request_id": signed_in.request_id_of(request)}
    half = signed_in.half_of(request)
    try:
        waiting = browsing.waiting(half, **whence)
    except Unauthenticated:
        return HttpResponseRedirect(f"/sign-in?{urlencode({'next': str(context['next'])})}")
    context |= {"email": waiting.email, **code_context(waiting)}
    if request.method != "POST":
        return render(request, "console/people/code.html", context)
    try:
        actor = browsing.enter(half, request.POST.get("code", ""), **whence)
    except Refusal as refusal:
        return again(request, refusal, "console/people/code.html", context)
    signed_in.remember(request, UUID(str(actor.session_id)), is_entered=True)
    return HttpResponseRedirect(str(context["next"]))


@public
def invitations(request: HttpRequest) -> HttpResponse:
    """Where a code is typed that did not come as a link."""
    if request.method != "POST":
        return render(request, "console/people/invitations.html")
    code = "-".join(request.POST.get("code", "").split())[:100].replace("/", "")
    return HttpResponseRedirect(f"/invitations/{code}" if code else "/invitations/")


@sensitive_post_parameters()
@public
def invitation(request: HttpRequest, code: str) -> HttpResponse:
    """Choose the password, and be signed in."""
    email = browsing.invited(code, address=signed_in.address_of(request))
    context = {"email": email, "code": code}
    if request.method != "POST":
        return render(request, "console/people/invitation.html", context)
    password = request.POST.get("password", "")
    try:
        same_twice(password, request.POST.get("repeated", ""))
        session = browsing.accept(code, password, **signed_in.facts_of(request))
    except Invalid as refusal:
        return refused(request, refusal, "console/people/invitation.html", context)
    return _begun(request, session.id, is_entered=session.entered_at is not None)


@posted
def sign_out(request: Request) -> HttpResponse:
    """End the session of this browser."""
    browsing.sign_out(request.actor)
    signed_in.forget(request)
    return done(request, "/sign-in", gettext("You are signed out."))


def same_twice(password: str, repeated: str) -> None:
    """Raises: Invalid where two passwords are not the same."""
    if password != repeated:
        raise Invalid(say("The two passwords are not the same."), fields={"repeated": say("is not the same")})


def _begun(request: HttpRequest, session_id: UUID, *, is_entered: bool) -> HttpResponse:
    wanted = local_path(next_of(request))
    signed_in.remember(request, session_id, is_entered=is_entered)
    # Whoever is let in by a password alone has no second factor, and nearly everything here needs one.
    to = ENROL if is_entered else SECOND_STEP
    return HttpResponseRedirect(f"{to}?{urlencode({'next': wanted})}")


def sign_in_context(request: HttpRequest) -> dict[str, object]:
    """What the sign-in page shows."""
    return {
        "next": local_path(next_of(request)),
        "email": request.POST.get("email", ""),
        "providers": signon.offered(),
        "can_have_passkeys": webauthn.is_possible(),
    }


def code_context(actor: Actor) -> dict[str, object]:
    """What the page of the second factor shows about what they have."""
    factor = mfa.show(actor)
    help_of_code = gettext("Six digits, or one of your recovery codes. Each works once.")
    return {
        "has_own": factor.is_enrolled,
        "has_app": factor.has_app,
        "has_passkeys": factor.passkeys > 0,
        "focuses": factor.passkeys == 0,
        "help_of_code": help_of_code if factor.has_app else gettext("One of your recovery codes. Each works once."),
    }


def again(request: HttpRequest, refusal: Refusal, template: str, context: Mapping[str, object]) -> HttpResponse:
    """The form once more: `refused` would lead somebody who is not signed in to the page they are on."""
    told = {**context, "refusal": refusal, "errors": wrong_fields(refusal)}
    return render(request, template, told, status=refusal.status)


def next_of(request: HttpRequest) -> str:
    """What was wanted before; not checked yet whether it is of this console."""
    return request.POST.get("next", "") or request.GET.get("next", "")


def _actor_of(request: HttpRequest) -> Actor | None:
    try:
        return signed_in.actor_of(request)
    except Unauthenticated:
        return None
