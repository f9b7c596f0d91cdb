"""What the agent of a server can ask: to join, to be heard, and to be given credentials. No person acts here."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from strongroom import engines
from strongroom.actions import (
    certifying,
    cutting,
    grants,
    guessing,
    joining,
    ledger,
    machines,
    reporting,
    ssh_authority,
)
from strongroom.actions.accounts import Account, accounts_of
from strongroom.actions.configuration import settings
from strongroom.actions.machines import Call, Machine
from strongroom.actions.reporting import Mount, Report
from strongroom.core import machine, sshsig
from strongroom.core.errors import Conflict, Forbidden, Invalid, TooMany, Unauthenticated
from strongroom.core.names import server_session_name
from strongroom.core.sentences import say
from strongroom.core.vocabulary import (
    Kind,
    OperatingSystem,
    Outcome,
    Permission,
    ServerKind,
    ServerState,
    State,
    SystemFact,
)
from strongroom.db.models import Server
from strongroom.engines.protocol import Session

__all__ = ["Account", "Call", "Machine", "Mount", "Report", "authenticate"]

SESSION_EVERY = timedelta(seconds=10)  # an agent keeps what it was given; one that asks more often is refused
authenticate = machines.authenticate


@dataclass(frozen=True, slots=True)
class Joining:
    """What a machine says when it joins; `public_key` and `ssh_host_key` are lines as in a `.pub` file.

    `ssh_host` is where people reach its sshd, a name or `name:port`; both are empty where they do not log in.
    """

    token: str
    public_key: str
    hostname: str
    os: OperatingSystem
    os_version: str
    agent_version: str
    ssh_host_key: str = ""
    ssh_host: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """What a machine is told when it has joined."""

    server: Server
    control_plane_url: str
    session_name: str
    heartbeat_seconds: int
    ssh_ca: str
    host_certificate: str


@dataclass(frozen=True, slots=True)
class GrantedDataset:
    """A data set that the server may touch now."""

    dataset_id: UUID
    name: str
    repository: str
    kind: Kind
    access: Permission
    granted_until: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an agent is told when it was heard."""

    server: Server
    datasets: list[GrantedDataset]
    accounts: list[Account]
    endpoint: str
    region: str
    heartbeat_seconds: int
    time: datetime
    ssh_ca: str
    host_certificate: str


def join(call: Call, said: Joining) -> Joined:
    """Make the machine that sends this, and holds the key it is signed with, the server that the token is for.

    Raises: Unauthenticated (`signature`; `join-refused` in the same words for every token that does not work),
        WrongClock, Conflict (another operating system), Invalid (key), TooMany in place of each after ten.
    """
    try:
        sequence = _prove(call, said)
        with transaction.atomic():
            server, given = _become(call, said, sequence)
    except (Unauthenticated, Conflict, Invalid) as refusal:
        # Only who is refused has to wait: nobody guesses a token, and many machines come from one address.
        guessing.slot("join", call.address, what=say("join tokens"))
        _record_refusal(call, f"{refusal.code}: {refusal}")
        raise
    cutting.settle_all(given)
    return Joined(
        server=server,
        control_plane_url=settings().web_url,
        session_name=server_session_name(server.id),
        heartbeat_seconds=settings().heartbeat_seconds,
        ssh_ca=ssh_authority.user_authority(),
        host_certificate=certifying.host_certificate(server.id, server.ssh_host_key, timezone.now()),
    )


def heartbeat(here: Machine, report: Report) -> Standing:
    """Note that the server is there and how its mounts are; what it may do now.

    Raises: Invalid (too many mounts), Forbidden (disabled meanwhile).
    """
    now = timezone.now()
    said = reporting.columns(report, ServerKind(here.server.kind))
    heard = {**said, "last_heartbeat_at": now, "address": here.address[:64]}
    if not Server.objects.filter(id=here.server.id, state=ServerState.ACTIVE).update(**heard):
        raise _overtaken(here)
    engine = engines.current()
    return Standing(
        server=here.server,
        datasets=_datasets(here.server, now),
        accounts=accounts_of(here.server.space_id),
        endpoint=engine.public_endpoint,
        region=engine.region,
        heartbeat_seconds=settings().heartbeat_seconds,
        time=now,
        ssh_ca=ssh_authority.user_authority(),
        host_certificate=certifying.host_certificate(here.server.id, str(said["ssh_host_key"]), now),
    )


def credentials(here: Machine) -> Session:
    """A session of the engine under the one name that this server has, for its address only (unless set otherwise).

    Raises: TooMany when it was given one a moment ago, Forbidden (disabled meanwhile), Unavailable.
    """
    now, lifetime = timezone.now(), timedelta(seconds=settings().session_seconds)
    name, address = server_session_name(here.server.id), _bound_to(here.address)
    with transaction.atomic():
        _take_turn(here, now, lifetime)
        ledger.append(
            SystemFact.SERVER_SESSION,
            at=now,
            space_id=here.server.space_id,
            subject=here.server.name,
            after={
                "server": str(here.server.id),
                "session": name,
                "address": here.address,
                "is_bound": address is not None,
                "expires_at": (now + lifetime).isoformat(),
                "request_id": here.request_id,
            },
        )
    return engines.current().create_session(name, lifetime=lifetime, address=address)


def _prove(call: Call, said: Joining) -> int:
    """The sequence of the request, which is the first one of the server. Raises Unauthenticated, WrongClock."""
    request = machines.parse(call)
    if request.server != machine.JOINING:
        raise Unauthenticated(say("A machine that joins has no server id yet."), code="signature")
    machines.prove(call, request, sshsig.parse_public_key_line(said.public_key[:200]))
    return request.sequence


def _become(call: Call, said: Joining, sequence: int) -> tuple[Server, list[UUID]]:
    """The server, and the data sets whose policies must follow."""
    now = timezone.now()
    server = joining.claim(said.token, now)
    if server.os != said.os:
        raise Conflict(
            say(
                "{server} was enrolled as a {os} server, and this machine runs {other}.",
                server=server.name,
                os=server.os,
                other=said.os,
            ),
            code="other-os",
            way_out=say("Run the command on the right machine, or enrol this one by itself."),
        )
    is_first = server.state == ServerState.JOINING
    before, server.public_key = server.public_key, _line(said.public_key)
    # A key that is known already goes on counting: what it signed before must not work again.
    server.sequence = sequence if server.public_key != before else max(sequence, server.sequence)
    server.joined_at = server.last_heartbeat_at = now
    if is_first:
        server.state, server.state_at, server.state_reason = ServerState.ACTIVE, now, ""
    server.address, server.mounts = call.address[:64], []
    server.session_at = server.session_expires_at = None
    versions = reporting.versions(said.hostname, said.os_version, said.agent_version)
    ssh = reporting.ssh(said.ssh_host_key, said.ssh_host, ServerKind(server.kind))
    for column, value in {**versions, **ssh}.items():
        setattr(server, column, value)
    server.save()
    given = cutting.follow([server]) if is_first else []
    _record_joined(call, server, before, now)
    return server, given


def _line(public_key: str) -> str:
    """The key alone, without its comment. Raises Invalid."""
    return sshsig.public_key_line(sshsig.parse_public_key_line(public_key), "")


def _record_joined(call: Call, server: Server, before: str, now: datetime) -> None:
    ledger.append(
        SystemFact.SERVER_JOINED,
        at=now,
        space_id=server.space_id,
        subject=server.name,
        before={"public_key": before} if before else None,
        after={
            "server": str(server.id),
            "public_key": server.public_key,
            "address": call.address,
            "hostname": server.hostname,
            "request_id": call.request_id,
        },
    )


def _record_refusal(call: Call, reason: str) -> None:
    # At most 10 in 15 minutes and address: who guesses cannot flood the ledger.
    with transaction.atomic():
        ledger.append(
            SystemFact.SERVER_JOINED,
            at=timezone.now(),
            outcome=Outcome.REFUSED,
            subject=f"from {call.address}"[:400],
            reason=f"{reason} (request {call.request_id})",
        )


def _take_turn(here: Machine, now: datetime, lifetime: timedelta) -> None:
    turn = Server.objects.filter(id=here.server.id, state=ServerState.ACTIVE)
    is_due = Q(session_at=None) | Q(session_at__lte=now - SESSION_EVERY)
    if turn.filter(is_due).update(session_at=now, session_expires_at=now + lifetime):
        return
    if not turn.exists():
        raise _overtaken(here)
    raise TooMany(
        say("{server} was given credentials a moment ago.", server=here.server.name),
        way_out=say("Use those; the agent keeps them in memory and renews them ahead of time."),
        retry_after_seconds=int(SESSION_EVERY.total_seconds()),
    )


def _overtaken(here: Machine) -> Forbidden:
    machines.refuse_ended(here.server)  # with the reason, where it is not active again by now
    return Forbidden(
        say("{server} was disabled a moment ago.", server=here.server.name),
        code="server-disabled",
        way_out=say("Ask a steward of its space to enable it."),
    )


def _bound_to(address: str) -> str | None:
    """The address that the session is good for; None: any."""
    if settings().session_address == "any":
        return None
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:  # it came by no network
        return None


def _datasets(server: Server, now: datetime) -> list[GrantedDataset]:
    live = server.grants.filter(ended_at=None, dataset__state=State.FINALIZED).select_related("dataset")
    live = live.filter(Q(expires_at=None) | Q(expires_at__gt=now)).order_by("dataset__name", "dataset_id")
    return [
        GrantedDataset(
            dataset_id=grant.dataset_id,
            name=grant.dataset.name,
            repository=grant.dataset.repository,
            kind=Kind(grant.dataset.kind),
            access=grants.permission(grant.dataset),
            granted_until=grant.expires_at,
        )
        for grant in live
    ]
