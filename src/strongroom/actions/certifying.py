"""Logging in to servers: signs a person's SSH key for their own account on one server, for minutes to hours."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from strongroom.actions import accounts, mfa, ssh_authority
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import doing
from strongroom.core import sshcert
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Invalid
from strongroom.core.names import ssh_place
from strongroom.core.sentences import say
from strongroom.core.sshcert import PublicKey, Purpose, Statement
from strongroom.core.vocabulary import Power, ServerKind, Verb
from strongroom.db.models import Person, Server

LEAST_MINUTES = 5
_CLOCKS_DIFFER = timedelta(minutes=5)
# A terminal and nothing else: forwarded ports and agents would be ways in and out that nobody sees.
_EXTENSIONS = ("permit-pty",)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What `ssh` needs to log in. `line` is the content of `…-cert.pub`; times are UTC.

    `known_hosts` makes `ssh` trust the server by its id, so that it must be told `HostKeyAlias` with that.
    """

    line: str
    key_id: str
    serial: int
    principal: str
    account: str
    server_id: UUID
    server_name: str
    host: str
    port: int
    valid_until: datetime
    known_hosts: str


def certify(actor: Actor, server_id: UUID, *, public_key: str, minutes: int | None = None) -> Certificate:
    """Sign the actor's key for their account on this server, for `minutes`: 5 to the setting, which is the default.

    Raises: NotFound; Forbidden `role`, `mfa-missing` or `mfa-needed`; Conflict `state`, `power` or `no-ssh` when
        nobody can log in to the server now; Invalid for a key that may not be signed.
    """
    with doing(actor, Verb.SERVER_CERTIFY) as deed:
        person = Person.objects.select_for_update(no_key=True).get(id=actor.person_id)  # people before servers
        server = deed.server(server_id)
        mfa.need_proof(deed, person)
        host, port = _place(server)
        key = sshcert.parse_public_key(public_key)
        until = deed.now + timedelta(minutes=_lifetime(minutes))
        certificate = _signed(person, server, key, deed.now, until, host, port)
        deed.record(
            after={
                "server": str(server.id),
                "key_id": certificate.key_id,
                "serial": str(certificate.serial),
                "principal": certificate.principal,
                "valid_until": until.isoformat(),
                "key": key.fingerprint,
            }
        )
        return certificate


def principal(account: str, server_id: UUID) -> str:
    """What a certificate names and a server looks for: nobody else's, and no other server's."""
    return f"{account}@{server_id}"


def host_certificate(server_id: UUID, host_key: str, now: datetime) -> str:
    """The certificate of a server's own host key, which its agent puts beside it; empty for one that has no sshd.

    The same text for a month: an agent writes what differs.
    """
    if not host_key:
        return ""
    return ssh_authority.certify_host(str(server_id), sshcert.parse_public_key(host_key), now=now)


def _signed(
    person: Person, server: Server, key: PublicKey, now: datetime, until: datetime, host: str, port: int
) -> Certificate:
    account = accounts.account_of(person)
    named = principal(account, server.id)
    serial = secrets.randbits(63)
    statement = Statement(
        Purpose.USER,
        serial=serial,
        key_id=f"{person.email}/{serial}",
        principals=[named],
        valid_from=now - _CLOCKS_DIFFER,
        valid_until=until,
        extensions=_EXTENSIONS,
    )
    return Certificate(
        line=ssh_authority.certify_user(statement, key, nonce=secrets.token_bytes(sshcert.NONCE_BYTES)),
        key_id=statement.key_id,
        serial=serial,
        principal=named,
        account=account,
        server_id=server.id,
        server_name=server.name,
        host=host,
        port=port,
        valid_until=until,
        known_hosts=ssh_authority.known_hosts_line(str(server.id)),
    )


def _place(server: Server) -> tuple[str, int]:
    if server.kind == ServerKind.CREATED and server.power != Power.RUNNING:
        raise Conflict(
            say("{server} is stopped.", server=server.name),
            code="power",
            way_out=say("Start it first: `strongroom server start`."),
        )
    if not server.ssh_host or not server.ssh_host_key:
        raise Conflict(
            say("{server} does not take logins through Strongroom.", server=server.name),
            code="no-ssh",
            way_out=say("Wait until its agent has been heard once more.")
            if server.kind == ServerKind.CREATED
            else say(
                "Log in as its own administrators say; they can change it with `strongroom join --ssh` on the server."
            ),
        )
    if server.ssh_port is not None:  # its host says where, each server at a port of its own
        return server.ssh_host, server.ssh_port
    return ssh_place(server.ssh_host)


def _lifetime(minutes: int | None) -> int:
    longest = settings().ssh_certificate_minutes
    if minutes is None:
        return longest
    if not LEAST_MINUTES <= minutes <= longest:
        problem = say("{least} to {longest}", least=LEAST_MINUTES, longest=longest)
        raise Invalid(say("A certificate lives for {problem} minutes.", problem=problem), fields={"minutes": problem})
    return minutes
