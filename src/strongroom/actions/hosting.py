"""Makes a host follow the rows of created servers, as `converge` makes the engine follow those of data sets.

An action writes what should be (`power`) and calls `request`; the worker (`run_due`) makes it so, and notes what the
host says of it (`observed`). `watch` finds what changed behind our back, such as a host that was started again.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.utils import timezone

from strongroom import hosts
from strongroom.actions import joining
from strongroom.actions.configuration import settings
from strongroom.actions.leases import Busy, Lease, LeaseLost, leased
from strongroom.core.errors import Conflict, Invalid, NotFound, Unavailable
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Power, ServerKind, ServerState
from strongroom.db.models import Server
from strongroom.hosts import Host, Joining, Offering, ServerSpec

log = structlog.get_logger()
INLINE_GRACE = timedelta(seconds=0)
MAX_BACKOFF_SECONDS = 30


def offering(name: str) -> Offering:
    """The offering of that name, on a host that can make it now.

    Raises: Conflict (no host), Unavailable (the host lacks something; says what), Invalid (no such offering).
    """
    host = hosts.current()
    if host is None:
        raise Conflict(
            say("This platform has no host on which servers can be made."),
            code="no-host",
            way_out=say(
                "Enrol a machine that is there: `strongroom server enrol`; or ask the operator to set up a host."
            ),
        )
    host.check()
    found = {each.name: each for each in host.offerings()}
    if name not in found:
        known = ", ".join(found) or say("none")
        raise Invalid(
            say("There is no offering “{name}”.", name=name), fields={"offering": say("one of: {known}", known=known)}
        )
    return found[name]


def request(server: Server) -> None:
    """Say, inside an action's transaction, that the host must follow the row of a created server."""
    server.revision += 1
    due = timezone.now() + INLINE_GRACE
    Server.objects.filter(id=server.id).update(revision=F("revision") + 1, is_settled=False, next_try_at=due)


def run_due(limit: int = 1) -> int:
    """Have hosts follow rows that are due; how many were worked on. Called by every worker, over and over."""
    now = timezone.now()
    due = Server.objects.unsettled().filter(Q(next_try_at=None) | Q(next_try_at__lte=now))
    free = due.filter(Q(lease=None) | Q(leased_until__lt=now)).order_by("next_try_at")
    found = list(free.values_list("id", flat=True)[:limit])
    for server_id in found:
        settle(server_id)
    return len(found)


def settle(server_id: UUID) -> None:
    """Have the host follow one row; never raises, notes what went wrong in the row."""
    try:
        with leased(server_id, wait_seconds=0, rows=Server) as lease:
            server = Server.objects.get(id=server_id)
            _finish(lease, server, _follow(_host(), server))
    except Busy:
        pass  # whoever holds the lease leaves it unsettled if anything is left to do
    except Exception as error:
        if not isinstance(error, Unavailable | Conflict | NotFound | LeaseLost):
            log.exception("hosting_crashed", server=str(server_id))
        _note_failure(server_id, error)


def watch() -> int:
    """Compare what hosts say with what should be, and have done again what is not so; how many rows changed."""
    host, now = hosts.current(), timezone.now()
    if host is None:
        return 0
    rows = Server.objects.filter(kind=ServerKind.CREATED, is_settled=True)
    rows = rows.exclude(power=Power.ABSENT, observed=Power.ABSENT)
    if not rows.exists():
        return 0
    try:
        states = host.states()
    except Unavailable as error:
        log.warning("host_unavailable", error=str(error))
        return 0
    return sum(_note_seen(row, states.get(row.id, Power.ABSENT), now) for row in rows)


def _note_seen(server: Server, seen: Power, now: datetime) -> bool:
    """Note what the host says, and that there is something to do where it is not what should be."""
    row = Server.objects.filter(id=server.id, revision=server.revision, is_settled=True)
    if not _is_so(Power(server.power), seen) or _lacks_token(server, now):
        log.info("server_astray", server=str(server.id), wanted=server.power, seen=seen)
        return bool(row.update(observed=seen, is_settled=False, next_try_at=now))
    return seen != server.observed and bool(row.update(observed=seen))


def _is_so(wanted: Power, seen: Power) -> bool:
    """A machine that is not there does stand still; it is made anew from its disk when it is to run."""
    return seen == wanted or (wanted is Power.STOPPED and seen is Power.ABSENT)


def _lacks_token(server: Server, now: datetime) -> bool:
    """Whether a machine that runs could not join in time: it needs another token."""
    is_waiting = server.state == ServerState.JOINING and not server.public_key and server.power == Power.RUNNING
    return is_waiting and (server.join_expires_at is None or server.join_expires_at < now)


def _follow(host: Host, server: Server) -> Power:
    """Make it so; what the host says then. Raises: Unavailable, NotFound."""
    if server.power == Power.RUNNING:
        host.create(_spec(host, server))
    elif server.power == Power.STOPPED:
        host.stop(server.id)
    else:
        host.delete(server.id)
    seen = host.state(server.id)
    if not _is_so(Power(server.power), seen):
        raise Unavailable(
            say("The machine should be {power}, and is {seen} again.", power=Power(server.power), seen=seen),
            way_out=say("Ask the operator to look at its log: `podman logs strongroom-ID`."),
        )
    return seen


def _spec(host: Host, server: Server) -> ServerSpec:
    """What the host is asked for. A server that has not joined gets a token that exists nowhere else."""
    found = None
    if not server.public_key:
        found = Joining(settings().web_url, joining.mint_for_host(server.id).token)
    return ServerSpec(server.id, server.name, server.offering, _port(host, server), found)


def _port(host: Host, server: Server) -> int:
    """The port by which people reach the server; taken for it where it has none yet. Raises: Unavailable."""
    if server.ssh_port is not None:
        return server.ssh_port
    taken = set(Server.objects.exclude(ssh_port=None).values_list("ssh_port", flat=True))
    for port in host.ssh_ports:
        if port in taken:
            continue
        try:
            with transaction.atomic():
                Server.objects.filter(id=server.id).update(ssh_port=port)
        except IntegrityError:  # another process took it for another server in this moment
            continue
        return port
    raise Unavailable(
        say("All {count} ports for servers on this host are taken.", count=len(host.ssh_ports)),
        way_out=say("Delete a server, or have the operator widen STRONGROOM_SERVER_SSH_PORTS."),
    )


def _finish(lease: Lease, server: Server, seen: Power) -> None:
    """Note what is so, in one statement, so that a change made meanwhile is not overlooked."""
    now = timezone.now()
    is_unchanged = Q(revision=server.revision)
    gone = {"ssh_port": None} if server.power == Power.ABSENT else {"ssh_host": _host().ssh_host}
    lease.end(
        failures=0,
        last_error="",
        observed=seen,
        applied_revision=server.revision,
        is_settled=Case(When(is_unchanged, then=Value(True)), default=Value(False)),
        next_try_at=Case(When(is_unchanged, then=Value(None)), default=Value(now), output_field=DateTimeField()),
        **gone,
    )


def _note_failure(server_id: UUID, error: Exception) -> None:
    failures = Server.objects.values_list("failures", flat=True).get(id=server_id) + 1
    delay = timedelta(seconds=min(2 ** min(failures - 1, 10) * 0.5, MAX_BACKOFF_SECONDS))
    way_out = getattr(error, "way_out", "")
    Server.objects.filter(id=server_id).update(
        failures=failures,
        last_error=f"{error} {way_out}".strip()[:2000],
        is_settled=False,
        next_try_at=timezone.now() + delay,
    )
    log.warning("hosting_failed", server=str(server_id), failures=failures, error=str(error))


def _host() -> Host:
    host = hosts.current()
    if host is None:
        raise Unavailable(
            say("The host on which this server was made is not set up any more."),
            way_out=say("Set STRONGROOM_SERVER_HOST as it was."),
        )
    return host
