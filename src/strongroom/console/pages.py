"""How every page begins and ends: who asks, what a refusal looks like, and where a form leads.

@page
def show(request: Request, space_id: UUID) -> HttpResponse:
    view = spaces.show(request.actor, space_id)
    return render(request, "console/spaces/show.html", {"view": view})

@posted
def remove(request: Request, space_id: UUID, person_id: UUID) -> HttpResponse:
    members.remove(request.actor, space_id, person_id)
    return done(request, f"/spaces/{space_id}/people", "Removed.")
"""

from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render as _render
from django.utils.translation import gettext, gettext_noop

from strongroom.console import signed_in
from strongroom.console.local import local_path, with_next
from strongroom.console.texts import refuse_unstorable
from strongroom.console.words import translated
from strongroom.core.actor import Actor
from strongroom.core.errors import Invalid, Refusal, Unauthenticated

SIGN_IN = "/sign-in"
ENROL = "/account/mfa"
STEP_UP = "/step-up"
TERMS = "/account/terms"

_PHRASES = (
    *(gettext_noop("Bad Request"), gettext_noop("Unauthorized"), gettext_noop("Forbidden"), gettext_noop("Not Found")),
    *(gettext_noop("Method Not Allowed"), gettext_noop("Conflict"), gettext_noop("Unprocessable Entity")),
    *(gettext_noop("Unprocessable Content"), gettext_noop("Too Many Requests"), gettext_noop("Internal Server Error")),
    gettext_noop("Service Unavailable"),
)
"""The names of statuses, which pages say; of two, newer versions of Python know the second."""
PROOFS = {"mfa-missing": ENROL, "mfa-needed": STEP_UP, "terms": TERMS}
Given = ParamSpec("Given")


class Request(HttpRequest):
    """A request of somebody who is signed in."""

    actor: Actor


View = Callable[Concatenate[Request, Given], HttpResponseBase]
Served = Callable[Concatenate[HttpRequest, Given], HttpResponseBase]


def page(view: View[Given]) -> Served[Given]:
    """A page for people who are signed in (GET and POST). Refusals become pages; nothing of it is cached."""
    return _serving(view, ("GET", "HEAD", "POST"))


def posted(view: View[Given]) -> Served[Given]:
    """The same for what a button sends: POST only."""
    return _serving(view, ("POST",))


def saved(view: View[Given]) -> Served[Given]:
    """The same for a file whose making is recorded: GET only, for whoever asks for its head alone has read nothing."""
    return _serving(view, ("GET",))


def _serving(view: View[Given], methods: tuple[str, ...]) -> Served[Given]:
    @wraps(view)
    def serve(request: HttpRequest, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponseBase:
        response = _answer(view, methods, request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return serve


def _answer(
    view: View[Given], methods: tuple[str, ...], request: HttpRequest, *args: Given.args, **kwargs: Given.kwargs
) -> HttpResponseBase:
    if request.method not in methods:
        response = error_page(request, HTTPStatus.METHOD_NOT_ALLOWED, gettext("This is done by a button on a page."))
        response.headers["Allow"] = ", ".join(methods)
        return response
    try:
        actor = signed_in.actor_of(request)
        request.actor = actor  # type: ignore[attr-defined]  # what makes it a Request
        request.META["STRONGROOM_ACTOR"] = actor.email
        refuse_unstorable(request.GET)
        if request.content_type != "multipart/form-data":  # an upload is read once it is clear that they may send it
            refuse_unstorable(request.POST)
        return view(request, *args, **kwargs)  # type: ignore[arg-type]  # it is one now
    except Refusal as refusal:
        return _led_on(request, refusal) or refusal_page(request, refusal)


def render(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """The page that a template makes."""
    return _render(request, template, dict(context or {}), status=status)


def refused(
    request: HttpRequest, refusal: Refusal, template: str, context: Mapping[str, Any], *, come_back: str = ""
) -> HttpResponse:
    """The page of a form once more with what was refused on top; `errors` says which fields are wrong.

    Who must prove something first returns to the path `come_back`; by default to the form, without what they wrote.
    """
    led_on = _led_on(request, refusal, come_back)
    if led_on is not None:
        return led_on
    told = {**context, "refusal": refusal, "errors": wrong_fields(refusal), "request_id": _request_id(request)}
    return render(request, template, told, status=refusal.status)


def wrong_fields(refusal: Refusal) -> dict[str, str]:
    """What is wrong with each field of a form, in the language of the page."""
    fields = refusal.fields if isinstance(refusal, Invalid) else {}
    return {name: translated(said) for name, said in fields.items()}


def done(request: HttpRequest, to: str, message: str = "") -> HttpResponse:
    """On to another page after something was done, which says `message`."""
    if message:
        messages.success(request, message)
    return HttpResponseRedirect(local_path(to))


def refusal_page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A page that says what was refused, why, and the way out."""
    response = error_page(request, refusal.status, translated(refusal.sentence), refusal.way_out)
    if refusal.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return response


def error_page(request: HttpRequest, status: int, sentence: str, way_out: str = "") -> HttpResponse:
    """A page in place of what was asked for."""
    told = {
        "status": int(status),
        "title": gettext(HTTPStatus(status).phrase),
        "sentence": sentence,
        "way_out": way_out,
        "request_id": _request_id(request),
    }
    return render(request, "console/error.html", told, status=int(status))


def _led_on(request: HttpRequest, refusal: Refusal, come_back: str = "") -> HttpResponse | None:
    """To where the person can do what is missing: sign in, or prove their second factor."""
    if isinstance(refusal, Unauthenticated):
        return HttpResponseRedirect(with_next(SIGN_IN, request))
    if refusal.code in PROOFS:
        messages.info(request, translated(refusal.sentence))
        return HttpResponseRedirect(with_next(PROOFS[refusal.code], request, come_back))
    return None


def _request_id(request: HttpRequest) -> str:
    return str(request.META.get("STRONGROOM_REQUEST_ID", ""))
