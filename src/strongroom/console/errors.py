"""Pages for what went wrong before a page began, or by a mistake of ours."""

import contextlib
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from strongroom.console import signed_in
from strongroom.console.pages import error_page
from strongroom.core.errors import Refusal


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The request cannot be read."""
    return _page(
        request, HTTPStatus.BAD_REQUEST, gettext("This request cannot be read."), gettext("Go back and try again.")
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refused by Django itself."""
    return _page(request, HTTPStatus.FORBIDDEN, gettext("You may not do this."), gettext("Go back and try again."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing is at this path."""
    way_out = gettext("Check the address, or begin at home: it may have been deleted, or be nothing that you may see.")
    return _page(request, HTTPStatus.NOT_FOUND, gettext("There is no such page."), way_out)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from a page of this console, or from one that is too old."""
    way_out = gettext(
        "Load the page again and repeat it. If it happens again, allow cookies for this site in your browser."
    )
    return _page(
        request, HTTPStatus.FORBIDDEN, gettext("This form is too old, or did not come from this site."), way_out
    )


def mistake(request: HttpRequest) -> HttpResponse:
    """A bug. The page asks the database for nothing: that may be what is broken."""
    if hasattr(request, "_messages"):
        del request._messages  # they are kept in the session
    sentence = gettext("Strongroom made a mistake.")
    way_out = gettext(
        "What was written down before it stands and is carried out. Look at what became of it, and report the "
        "request id to whoever operates Strongroom."
    )
    return error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, sentence, way_out)


def _page(request: HttpRequest, status: int, sentence: str, way_out: str) -> HttpResponse:
    if hasattr(request, "session"):  # what is refused early, such as a wrong host name, has none yet
        with contextlib.suppress(Refusal):
            request.actor = signed_in.actor_of(request)  # type: ignore[attr-defined]  # for the head of the page
    return error_page(request, status, sentence, way_out)
