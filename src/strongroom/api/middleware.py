"""What every answer of the API carries, and problems in place of the pages Django answers errors with."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from strongroom.api import problems
from strongroom.api.api import api
from strongroom.api.openapi import query_of, verb_of
from strongroom.api.uploads import LimitedUpload

_KEPT = ("Allow", "Retry-After")
_NOTHING_ACTIVE = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def api_answers(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Django middleware; lets everything outside of /api be."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            return get_response(request)
        request.upload_handlers = [LimitedUpload(request)]
        response = _as_problem(request, get_response(request))
        if request.resolver_match:
            request.META["STRONGROOM_VERB"] = verb_of(api, request.resolver_match.route, request.method or "")
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", _NOTHING_ACTIVE)
        return response

    respond.process_view = _note_query  # type: ignore[attr-defined]  # how Django is told
    return respond


def _note_query(request: HttpRequest, *_: object) -> None:
    """What the query may hold, for the parser, which knows no operations."""
    if request.path.startswith("/api/") and request.resolver_match:
        known = query_of(api, request.resolver_match.route, request.method or "")
        request.META["STRONGROOM_QUERY"] = known


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code < 400 or response.headers.get("Content-Type") == problems.MEDIA_TYPE:
        return response
    kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
    return problems.for_status(request, response.status_code, kept)
