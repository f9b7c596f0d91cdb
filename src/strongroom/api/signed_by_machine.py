"""Who is asking, where it is no person: a server, by the signature over the bytes of its request.

The body is taken in up to a limit and its signature checked before anything in it is read.
"""

from django.http import HttpRequest
from ninja.security.base import AuthBase

from strongroom.actions import agents
from strongroom.actions.agents import Call, Machine
from strongroom.api.problems import TooLarge
from strongroom.api.signed_in import address_of, request_id_of
from strongroom.core.machine import SIGNATURE_HEADER

LARGEST_BODY = 256_000  # bytes


class MachineRequest(HttpRequest):
    """A request of a server that has proved who it is."""

    auth: Machine


class JoiningRequest(HttpRequest):
    """A request that is signed with a key nobody knows yet."""

    auth: Call


class MachineSignature(AuthBase):
    """`Strongroom-Signature` over method, path, body, server, sequence and time. Source: core/machine.py."""

    openapi_type = "apiKey"
    openapi_in = "header"
    openapi_name = SIGNATURE_HEADER
    openapi_description = (
        "An SSH signature (namespace `strongroom-agent`) over seven lines, each with its line break: "
        "`strongroom-agent-v1`, method, path with query, SHA-256 of the body in hex, `Strongroom-Server` (the id, or "
        "`join`), `Strongroom-Sequence` (grows with every request), `Strongroom-Time` (Unix seconds, at most 300 "
        "off). Base64 as `ssh-keygen -Y sign` writes it, without line breaks."
    )

    def __call__(self, request: HttpRequest) -> Machine:
        """The server. Raises: Unauthenticated, Forbidden, TooLarge."""
        here = agents.authenticate(call_of(request))
        request.META["STRONGROOM_ACTOR"] = f"server {here.server.name} {here.server.id}"
        return here


class MachineSignatureToJoin(MachineSignature):
    """The same, with the key that stands in the body: whether it signed is for the action to find out."""

    def __call__(self, request: HttpRequest) -> Call:  # type: ignore[override]  # what is proved is less
        """The request as it came. Raises: TooLarge."""
        return call_of(request)


def call_of(request: HttpRequest) -> Call:
    """The request as it was sent. Raises: TooLarge, before anything is taken in."""
    said = str(request.META.get("CONTENT_LENGTH") or "0")
    size_bytes = int(said) if said.isdecimal() else 0  # as Django reads it: of anything else it takes in no body
    if size_bytes > LARGEST_BODY:
        raise TooLarge(
            f"The body has {size_bytes} bytes; a server may send {LARGEST_BODY}.",
            way_out="Update the agent: it sends less.",
        )
    return Call(
        method=request.method or "",
        target=request.get_full_path(),
        body=request.body,
        headers=request.headers,
        address=address_of(request),
        request_id=request_id_of(request),
    )
