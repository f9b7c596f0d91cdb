"""Signs SSH keys of people and of servers: holds the two signers this process was given."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from strongroom.actions.signing import Signer
from strongroom.core import sshcert, sshsig
from strongroom.core.sshcert import PublicKey, Purpose, Statement

# A server's certificate is the same text for a period, so that its agent need not replace it at every heartbeat.
_HOST_PERIOD_DAYS = 30
_HOST_LIFE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Authorities:
    """One for people, one for servers: a server that trusts the first could otherwise pass for a person."""

    users: Signer
    hosts: Signer


_authorities: Authorities | None = None


def use(authorities: Authorities) -> None:
    """Give this process its authorities; called once by the composition root (and by tests)."""
    global _authorities
    _authorities = authorities


def user_authority() -> str:
    """What a server's `TrustedUserCAKeys` file holds, one line without its break."""
    return sshsig.public_key_line(_held().users.public_key, "strongroom-ssh-users")


def known_hosts_line(name: str) -> str:
    """What makes `ssh` trust a server of that name without asking, one line of `known_hosts` without its break."""
    return f"@cert-authority {name} {sshsig.public_key_line(_held().hosts.public_key, 'strongroom-ssh-hosts')}"


def certify_user(statement: Statement, key: PublicKey, *, nonce: bytes) -> str:
    """The certificate of somebody's key, as the line of a `-cert.pub` file."""
    return _sign(_held().users, statement, key, nonce)


def certify_host(name: str, key: PublicKey, *, now: datetime) -> str:
    """The certificate of a server's host key for the one name that is its own for ever, good for 60 to 90 days.

    Only its id: names can be given again, and one server must not be able to pass for another.
    """
    period = timedelta(days=_HOST_PERIOD_DAYS)
    since = now - (now - datetime(2020, 1, 1, tzinfo=UTC)) % period
    identity = f"strongroom host certificate {name} {key.fingerprint} {since.isoformat()}".encode()
    statement = Statement(
        Purpose.HOST,
        serial=int.from_bytes(hashlib.sha256(identity).digest()[:8], "big") >> 1,
        key_id=name,
        principals=[name],
        valid_from=since - timedelta(days=1),
        valid_until=since + timedelta(days=_HOST_LIFE_DAYS),
    )
    # Repeatable, and nobody who lacks the key could have foreseen it.
    nonce = hashlib.sha256(_held().hosts.sign(identity)).digest()
    return _sign(_held().hosts, statement, key, nonce)


def _sign(signer: Signer, statement: Statement, key: PublicKey, nonce: bytes) -> str:
    return sshcert.sign(statement, key, authority=signer.public_key, nonce=nonce, sign_raw=signer.sign)


def _held() -> Authorities:
    if _authorities is None:
        raise RuntimeError("no SSH authorities: the composition root must call actions.ssh_authority.use() first")
    return _authorities
