"""Single sign-on in the browser: to the identity provider, back, and in; or a second factor proved there."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from strongroom.actions import signon
from strongroom.console import signed_in
from strongroom.console.local import local_path
from strongroom.console.pages import ENROL, Request, done, page, render
from strongroom.console.people.entering import SECOND_STEP, public
from strongroom.core.errors import Unauthenticated
from strongroom.core.sentences import say

_PENDING = "signon"
"""Where Django's session keeps what is waited for: one sign-in at a time, and once."""


@public
def leave(request: HttpRequest, kind: str) -> HttpResponse:
    """Off to the provider. A link and no form: what a form leads to must be of this site."""
    return _sent(request, kind, proving="")


@page
def leave_to_prove(request: Request, kind: str) -> HttpResponse:
    """Off to the provider, which is to ask again."""
    return _sent(request, kind, proving=str(request.actor.session_id))


@public
def answer(request: HttpRequest) -> HttpResponse:
    """Back from an OpenID Connect provider, with its answer in the address."""
    return come_back(request, "oidc", request.GET.dict())


@csrf_exempt
@sensitive_post_parameters()
@public
def posted_answer(request: HttpRequest) -> HttpResponse:
    """Back from a SAML provider, with its answer in a form that its page sent here.

    What other sites send comes without our cookies, so it is sent once more, by a page of our own. No token guards it:
    the answer must be to the request that this very browser left with.
    """
    told = request.POST.get("SAMLResponse", "")
    if told and _PENDING not in request.session and "again" not in request.POST:
        return render(request, "console/people/onward.html", {"told": told})
    return come_back(request, "saml", {"SAMLResponse": told})


@public
def metadata(request: HttpRequest) -> HttpResponse:
    """What a SAML provider is to know about this Strongroom."""
    return HttpResponse(signon.own_metadata(), content_type="application/samlmetadata+xml")


def come_back(request: HttpRequest, kind: str, told: Mapping[str, str]) -> HttpResponse:
    """What follows, whichever way the answer came. Raises: Refusal."""
    pending = _taken(request, kind)
    if pending["proving"]:
        return _proved(request, kind, told, pending)
    session = signon.enter(kind, told, pending["kept"], **signed_in.facts_of(request))
    signed_in.remember(request, session.id, is_entered=session.entered_at is not None)
    if session.entered_at is None:
        return HttpResponseRedirect(f"{SECOND_STEP}?{urlencode({'next': pending['next']})}")
    if session.mfa_proved_at is None:
        return HttpResponseRedirect(f"{ENROL}?{urlencode({'next': pending['next']})}")
    return HttpResponseRedirect(pending["next"])


def _proved(request: HttpRequest, kind: str, told: Mapping[str, str], pending: Mapping[str, Any]) -> HttpResponse:
    actor = signed_in.actor_of(request)
    if actor.session_id != UUID(pending["proving"]):
        raise _lost()
    signon.prove(actor, kind, told, pending["kept"], left_at=datetime.fromisoformat(pending["left_at"]))
    return done(request, pending["next"], gettext("Thank you. Now do it again: it was not done yet."))


def _sent(request: HttpRequest, kind: str, *, proving: str) -> HttpResponse:
    leaving = signon.leave(kind, is_fresh=bool(proving))
    request.session[_PENDING] = {
        "kind": kind,
        "kept": dict(leaving.kept),
        "next": local_path(request.GET.get("next", "")),
        "left_at": datetime.now(UTC).isoformat(),
        "proving": proving,
    }
    return HttpResponseRedirect(leaving.url)


def _taken(request: HttpRequest, kind: str) -> Mapping[str, Any]:
    """What this browser left with, which is forgotten: an answer counts once. Raises: Unauthenticated."""
    pending = request.session.pop(_PENDING, None)
    if not pending or pending["kind"] != kind:
        raise _lost()
    if datetime.fromisoformat(pending["left_at"]) < datetime.now(UTC) - timedelta(minutes=signon.MINUTES):
        raise _lost()
    return dict(pending)


def _lost() -> Unauthenticated:
    return Unauthenticated(
        say("No sign-in that began in this browser waits for this answer: it was used already, or took too long."),
        code="sso-lost",
        way_out=say("Begin on the sign-in page of Strongroom, and stay in one browser."),
    )
