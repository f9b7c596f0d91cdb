"""Who a signed request of a machine is from: its key, its clock, and that it comes for the first time.

Refuses to know what the machine asks (`actions.agents`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.exceptions import ValidationError
from django.utils import timezone

from strongroom.core import machine, sshsig
from strongroom.core.errors import Forbidden, Invalid, Unauthenticated, WrongClock
from strongroom.core.machine import SignedRequest
from strongroom.core.sentences import Sentence, quoted, say
from strongroom.core.vocabulary import ServerState
from strongroom.db.models import Server

MAX_SIGNATURE = 1000  # characters; one of Ed25519 has 300


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a machine as it came in; `target` is path and query as sent, `address` the peer's."""

    method: str
    target: str
    body: bytes
    headers: Mapping[str, str]
    address: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A server that has proved who it is, just now."""

    server: Server
    address: str
    request_id: str


def authenticate(call: Call) -> Machine:
    """Whose request this is. Its sequence is used up, whatever comes of it.

    Raises: Unauthenticated `unknown-server`, `signature` or `replay`; WrongClock; Forbidden `server-disabled`,
        `server-lapsed` or `server-deleted`.
    """
    request = parse(call)
    server = _find(request.server)
    prove(call, request, sshsig.parse_public_key_line(server.public_key))
    if not Server.objects.filter(id=server.id, public_key=server.public_key, sequence__lt=request.sequence).update(
        sequence=request.sequence
    ):
        raise Unauthenticated(
            say("{server} has signed a later request than this one.", server=server.name),
            code="replay",
            way_out=say("If nobody sends old requests again, two agents run with one key: join one of them anew."),
        )
    refuse_ended(server)
    return Machine(server, call.address, call.request_id)


def parse(call: Call) -> SignedRequest:
    """What the headers say was signed; nothing is proved yet. Raises Unauthenticated `signature`."""
    try:
        return SignedRequest(
            method=call.method,
            target=call.target,
            body=call.body,
            server=call.headers[machine.SERVER_HEADER],
            sequence=machine.number(call.headers[machine.SEQUENCE_HEADER]),
            at=machine.number(call.headers[machine.TIME_HEADER]),
        )
    except (KeyError, ValueError):
        raise _unsigned(say("its headers are missing or damaged")) from None


def prove(call: Call, request: SignedRequest, public_key: bytes) -> None:
    """Return when this key signed this request a moment ago. Raises Unauthenticated `signature`, WrongClock."""
    header = call.headers.get(machine.SIGNATURE_HEADER, "")
    if not 0 < len(header) <= MAX_SIGNATURE:
        raise _unsigned(say("it carries no signature"))
    try:
        message, armored = request.message(), machine.armored(header)
        sshsig.verify(armored, message, namespace=machine.NAMESPACE, trusted=[public_key], is_valid=_is_valid)
    except (Invalid, ValueError) as problem:
        raise _unsigned(quoted(str(problem).rstrip("."))) from None
    _check_clock(request.at)


def _check_clock(at: int) -> None:
    now = timezone.now()
    behind = int(now.timestamp()) - at
    if abs(behind) > machine.CLOCK_TOLERANCE_SECONDS:
        raise WrongClock(
            say("The machine's clock is {seconds} seconds behind ours.", seconds=behind)
            if behind > 0
            else say("The machine's clock is {seconds} seconds ahead of ours.", seconds=-behind),
            time=now.astimezone(UTC),
            way_out=say("Set the clock of the machine, best with NTP; the agent tries again by itself."),
        )


def _find(server_id: str) -> Server:
    try:
        server = Server.objects.select_related("space").filter(id=server_id).first()
    except (ValidationError, ValueError):
        server = None
    if server is None or not server.public_key:
        raise Unauthenticated(
            say("This server is not known here, or has not joined."),
            code="unknown-server",
            way_out=say("Get a join command with `strongroom server enrol` or `strongroom server rejoin`."),
        )
    return server


_ENDED = {
    ServerState.DISABLED: ("server-disabled", say("was disabled"), say("Ask a steward of its space to enable it.")),
    ServerState.LAPSED: (
        "server-lapsed",
        say("was silent for too long"),
        say("Ask a steward of its space to enable it."),
    ),
    ServerState.DELETED: ("server-deleted", say("was deleted"), say("Remove the agent, or enrol the machine anew.")),
}


def refuse_ended(server: Server) -> None:
    """Look at it as it is now. Raises Forbidden with the reason that was given."""
    word, reason = Server.objects.values_list("state", "state_reason").get(id=server.id)
    state = ServerState(word)
    if state not in _ENDED:
        return
    code, what, way_out = _ENDED[state]
    why = f": {reason}" if reason else "."
    raise Forbidden(say("{server} {what}{why}", server=server.name, what=what, why=why), code=code, way_out=way_out)


def _unsigned(why: Sentence) -> Unauthenticated:
    return Unauthenticated(
        say("This request is not signed by the server's key: {why}.", why=why),
        code="signature",
        way_out=say("Only the agent that joined can speak for a server; if its key is lost, join anew."),
    )


def _is_valid(public_key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except InvalidSignature:
        return False
    return True
