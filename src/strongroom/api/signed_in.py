"""Who is asking: the bearer token of a request becomes the actor of its action."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from strongroom.actions import tokens
from strongroom.api import uploads
from strongroom.core.actor import Actor
from strongroom.core.errors import Unauthenticated
from strongroom.core.sentences import say


class Request(HttpRequest):
    """A request whose bearer is known."""

    auth: Actor


class BearerToken(HttpBearer):
    """`Authorization: Bearer srt_…`"""

    def __call__(self, request: HttpRequest) -> Actor:
        """The actor. Raises: Unauthenticated."""
        actor: Actor | None = super().__call__(request)
        if actor is None:
            raise Unauthenticated(
                say("This needs a signed-in person."),
                way_out=say("Sign in with `strongroom login`, or send the header Authorization: Bearer srt_…"),
            )
        return actor

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """The actor of a token. Raises: Unauthenticated."""
        actor = tokens.authenticate(token, address=address_of(request), request_id=request_id_of(request))
        request.META["STRONGROOM_ACTOR"] = actor.email
        uploads.authorize(request, actor)
        return actor


def address_of(request: HttpRequest) -> str:
    """The peer's address, behind the proxies that the settings trust."""
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def request_id_of(request: HttpRequest) -> str:
    """What ties answer, log and ledger together."""
    return str(request.META.get("STRONGROOM_REQUEST_ID", ""))
