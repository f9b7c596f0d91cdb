"""Temporary credentials: sessions that differ by their names alone, signed here with the key that the gateways check.

The engine keeps no list of sessions. It believes whatever its signing key has signed, so that asking it for one would
only add a request, a user who may ask for any, and a shortest lifetime. What ends a session before its time is the
bucket policy, never the token.

Source: observation of SeaweedFS 4.48; RFC 7519 and RFC 7515 for the token (HS256).
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from botocore.credentials import Credentials

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say
from strongroom.engines.addresses import plain_address
from strongroom.engines.protocol import Session
from strongroom.engines.seaweedfs.settings import DIALECT, SeaweedSettings

LONGEST = timedelta(hours=12)  # as AWS STS AssumeRole
_RENEWED_BEFORE = timedelta(minutes=15)
_SKEW = timedelta(seconds=60)  # a gateway on another machine may be that much behind
_ISSUER = "seaweedfs-sts"


def create_session(settings: SeaweedSettings, name: str, lifetime: timedelta, address: str | None = None) -> Session:
    """No request. `lifetime` is cut to 12 hours; `address`, if given, is the only one that the session works from.

    Raises: Unavailable before the first start; ValueError for what is no IP address.
    """
    key, session_id, now = _signing_key(settings), secrets.token_hex(16), datetime.now(UTC).replace(microsecond=0)
    expires_at = now + min(lifetime, LONGEST)
    claims = {
        "iss": _ISSUER,
        "sub": session_id,
        "sid": session_id,
        "jti": session_id,
        "iat": int(now.timestamp()),
        "nbf": int((now - _SKEW).timestamp()),
        "exp": int(expires_at.timestamp()),
        "typ": "session",
        "snam": name,
        "role": DIALECT.user_arn(DIALECT.vending_user_or_role),
        "assumed": f"{DIALECT.vending_user_or_role}:{name}",
        "principal": DIALECT.session_arn(name),
        "assumed_at": now.isoformat(),
        **({} if address is None else {"spol": _only_from(address)}),
    }
    return Session(
        name,
        f"ASIA{hashlib.sha256(f'access-key:{session_id}'.encode()).hexdigest()[:16]}",
        base64.b64encode(_signed(key, f"secret-key:{session_id}")).decode(),
        _token(key, claims),
        expires_at,
    )


def _signing_key(settings: SeaweedSettings) -> bytes:
    try:
        found = tomllib.loads(settings.security_file.read_text())["jwt"]["filer_signing"]["key"]
    except FileNotFoundError:
        raise Unavailable(
            say(
                "The storage engine was never started: {file} is not there.",
                file=settings.security_file,
            ),
            way_out=say("Start it with `make up`."),
        ) from None
    return str(found).encode()


def _token(key: bytes, claims: dict[str, object]) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    text = ".".join(_url_safe(json.dumps(each, separators=(",", ":")).encode()) for each in parts)
    return f"{text}.{_url_safe(_signed(key, text))}"


def _only_from(address: str) -> str:
    """The policy that a session carries itself: the gateway takes its Deny from what the bucket policy allows.

    A policy that only allowed one address would take nothing away. The gateway compares the peer of the connection;
    no header moves it.
    """
    peer = plain_address(address)
    denied = {"NotIpAddress": {"aws:SourceIp": f"{peer}/{peer.max_prefixlen}"}}
    statements = [
        {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]},
        {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": denied},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def _signed(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _url_safe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class KeptSession:
    """A session of ours, made anew when it nears its end or is told to be stale; may be used by many threads."""

    def __init__(self, create: Callable[[timedelta], Session]) -> None:
        self._create = create
        self._lock = threading.Lock()
        self._session: Session | None = None

    def get(self) -> Credentials:
        """Credentials that last at least a quarter of an hour more."""
        with self._lock:
            if self._session is None or self._session.expires_at < datetime.now(UTC) + _RENEWED_BEFORE:
                self._session = self._create(timedelta(hours=2))
            return Credentials(self._session.access_key_id, self._session.secret, self._session.token)

    def forget(self) -> None:
        """The engine did not know it: the key that signs sessions was changed."""
        with self._lock:
            self._session = None
