"""How the console answers a script of its own: JSON to a POST that came with the form token, refusals too.

@answered
def open_(request: Request, dataset_id: UUID) -> Told: ...
"""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext

from strongroom.console import signed_in
from strongroom.console.local import with_next
from strongroom.console.pages import PROOFS, SIGN_IN, Request, error_page
from strongroom.console.wayout import at_a_browser
from strongroom.console.words import translated
from strongroom.core.errors import Invalid, Refusal, Unauthenticated
from strongroom.core.sentences import say

Given = ParamSpec("Given")
Told = Mapping[str, object]
_SCRIPT = "application/json"


def answered(view: Callable[Concatenate[Request, Given], Told]) -> Callable[..., HttpResponseBase]:
    """For POST. A refusal says the way out, and in `to` the page where somebody can do what is missing."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponseBase:
        if request.method != "POST":
            response: HttpResponse = error_page(request, 405, gettext("This is asked by a page of this console."))
            response.headers["Allow"] = "POST"
            return response
        try:
            actor = signed_in.actor_of(request)
            request.actor = actor  # type: ignore[attr-defined]  # what makes it a Request
            request.META["STRONGROOM_ACTOR"] = actor.email
            return _json(view(request, *args, **kwargs))  # type: ignore[arg-type]  # it is one now
        except Refusal as refusal:
            return _refused(request, refusal)

    return answer


def sent(request: HttpRequest) -> dict[str, Any]:
    """What the script sent: a JSON object. Raises: Invalid."""
    try:
        told = json.loads(request.body or b"{}")
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Invalid(
            say("This is not what a page of this console sends."),
            way_out=say("Load the page again and repeat it."),
        )
    return told


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponseBase:
    to = ""
    if isinstance(refusal, Unauthenticated):
        to = with_next(SIGN_IN, request)
        if _SCRIPT not in request.headers.get("Accept", ""):
            return HttpResponseRedirect(to)
    elif refusal.code in PROOFS:
        to = with_next(PROOFS[refusal.code], request)
    way_out = at_a_browser(refusal.way_out)
    return _json({"refusal": translated(refusal.sentence), "way_out": way_out, "to": to}, status=refusal.status)


def _json(told: Told, status: int = 200) -> JsonResponse:
    return JsonResponse(dict(told), status=status, headers={"Cache-Control": "no-store"})
