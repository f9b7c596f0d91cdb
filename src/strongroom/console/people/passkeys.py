"""Passkeys in the browser: what its script is told to ask, and where the answers go.

Questions are answered in JSON for `passkeys.js`; answers come as the hidden field of a form.
"""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters

from strongroom.actions import browsing, passkey_proofs, passkeys, webauthn
from strongroom.console import signed_in
from strongroom.console.local import local_path, with_next
from strongroom.console.pages import ENROL, SIGN_IN, STEP_UP, Request, done, error_page, posted, refused
from strongroom.console.people.entering import SIGN_IN_PAGE, again, code_context, next_of, public, sign_in_context
from strongroom.console.people.factors import mfa_context, show_codes, step_up_context
from strongroom.console.words import translated
from strongroom.core.errors import Refusal, Unauthenticated

_CEREMONY = "passkey"
"""Where Django's session keeps which question was asked last: one at a time in a browser."""


def _asking(view: Callable[[HttpRequest], webauthn.Asked]) -> Callable[..., HttpResponse]:
    """Answer in JSON: the options for the browser, or what was refused and where to go instead."""

    @wraps(view)
    def ask(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return error_page(request, 405, gettext("This is asked by a button on a page."))
        try:
            asked = view(request)
        except Unauthenticated:
            return HttpResponseRedirect(with_next(SIGN_IN, request))
        except Refusal as refusal:
            to = with_next(STEP_UP, request) if refusal.code == "mfa-needed" else ""
            said = {"refusal": translated(refusal.sentence), "way_out": translated(refusal.way_out), "to": to}
            return JsonResponse(said, status=refusal.status, headers={"Cache-Control": "no-store"})
        request.session[_CEREMONY] = asked.ceremony
        return JsonResponse(dict(asked.options), headers={"Cache-Control": "no-store"})

    return ask


@_asking
def ask_to_add(request: HttpRequest) -> webauthn.Asked:
    """For a new one."""
    return passkeys.begin(signed_in.actor_of(request))


@_asking
def ask_to_step_up(request: HttpRequest) -> webauthn.Asked:
    """For a proof of who is signed in."""
    return passkey_proofs.begin(signed_in.actor_of(request))


@_asking
def ask_for_second_step(request: HttpRequest) -> webauthn.Asked:
    """For the second step, after the password."""
    half = browsing.waiting(signed_in.half_of(request), **_whence(request))
    return passkey_proofs.begin(half)


@_asking
def ask_to_sign_in(request: HttpRequest) -> webauthn.Asked:
    """For a sign-in by itself."""
    return passkey_proofs.begin_sign_in(address=signed_in.address_of(request))


@sensitive_post_parameters()
@posted
def add(request: Request) -> HttpResponse:
    """Keep what the browser made; the recovery codes are shown where they are new."""
    try:
        kept, codes = passkeys.add(request.actor, name=request.POST.get("name", ""), **_answer(request))
    except Refusal as refusal:
        return refused(request, refusal, "console/people/mfa.html", mfa_context(request))
    if codes:
        return show_codes(request, codes)
    return done(request, ENROL, gettext("The passkey “{kept}” is added.").format(kept=kept.name))


@posted
def remove(request: Request, passkey_id: UUID) -> HttpResponse:
    """Forget one, which opens nothing from then on."""
    try:
        gone = passkeys.remove(request.actor, passkey_id, is_last=request.POST.get("is_last") == "yes")
    except Refusal as refusal:
        return refused(request, refusal, "console/people/mfa.html", mfa_context(request))
    return done(
        request, ENROL, gettext("The passkey “{gone}” is removed: delete it on the device too.").format(gone=gone.name)
    )


@sensitive_post_parameters()
@posted
def step_up(request: Request) -> HttpResponse:
    """Prove the second factor again, then go back to where one was."""
    to = local_path(next_of(request))
    try:
        passkey_proofs.prove(request.actor, **_answer(request))
    except Refusal as refusal:
        return refused(request, refusal, "console/people/code.html", step_up_context(request))
    return done(request, to, gettext("Thank you. Now do it again: it was not done yet."))


@sensitive_post_parameters()
@public
def second_step(request: HttpRequest) -> HttpResponse:
    """The passkey after the password. A refusal leads back to the step, which says it."""
    if request.method != "POST":
        return HttpResponseRedirect("/sign-in/code")
    half, to = signed_in.half_of(request), local_path(next_of(request))
    try:
        actor = passkey_proofs.enter(half, **_answer(request), **_whence(request))
    except Refusal as refusal:
        if refusal.status == 401:
            return HttpResponseRedirect("/sign-in")
        waiting = browsing.waiting(half, **_whence(request))
        context = {"next": to, "step": "code", "email": waiting.email, **code_context(waiting)}
        return again(request, refusal, "console/people/code.html", context)
    signed_in.remember(request, UUID(str(actor.session_id)), is_entered=True)
    return HttpResponseRedirect(to)


@sensitive_post_parameters()
@public
def sign_in(request: HttpRequest) -> HttpResponse:
    """Both factors at once."""
    if request.method != "POST":
        return HttpResponseRedirect("/sign-in")
    try:
        session = passkey_proofs.sign_in(**_answer(request), **signed_in.facts_of(request))
    except Refusal as refusal:
        return again(request, refusal, SIGN_IN_PAGE, sign_in_context(request))
    signed_in.remember(request, session.id, is_entered=True)
    return HttpResponseRedirect(local_path(next_of(request)))


def _answer(request: HttpRequest) -> dict[str, str]:
    return {"ceremony": request.session.pop(_CEREMONY, ""), "answer": request.POST.get("answer", "")}


def _whence(request: HttpRequest) -> dict[str, str]:
    return {"address": signed_in.address_of(request), "request_id": signed_in.request_id_of(request)}
