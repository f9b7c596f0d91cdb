"""Who is asking: the session of a browser becomes the actor of its actions."""

from uuid import UUID

from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from strongroom.actions import browsing
from strongroom.core.actor import Actor
from strongroom.core.errors import Unauthenticated
from strongroom.core.sentences import say

ENTERED, HALF = "browser", "browser-half"
"""Where Django's session keeps the id of ours: one that counts, and one that waits for the second factor."""


def actor_of(request: HttpRequest) -> Actor:
    """The person whose session it is. Raises: Unauthenticated."""
    known = getattr(request, "actor", None)
    if isinstance(known, Actor):
        return known
    kept = request.session.get(ENTERED)
    if not kept:
        raise Unauthenticated(say("This needs a signed-in person."), way_out=say("Sign in."))
    return browsing.authenticate(kept, address=address_of(request), request_id=request_id_of(request))


def half_of(request: HttpRequest) -> str:
    """The session whose second factor is still asked for; empty where there is none."""
    return str(request.session.get(HALF, ""))


def remember(request: HttpRequest, session_id: UUID, *, is_entered: bool) -> None:
    """From now on this browser comes with this session; whatever cookie it had before is worth nothing."""
    request.session.flush()
    request.session[ENTERED if is_entered else HALF] = str(session_id)
    rotate_token(request)


def forget(request: HttpRequest) -> None:
    """This browser comes with no session any more."""
    request.session.flush()


def address_of(request: HttpRequest) -> str:
    """The peer's address, behind the proxies that the settings trust."""
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def request_id_of(request: HttpRequest) -> str:
    """What ties page, log and ledger together."""
    return str(request.META.get("STRONGROOM_REQUEST_ID", ""))


def facts_of(request: HttpRequest) -> dict[str, str]:
    """Whence a request comes, as actions take it that begin a session."""
    agent = request.headers.get("User-Agent", "")
    return {"address": address_of(request), "request_id": request_id_of(request), "agent": agent}
