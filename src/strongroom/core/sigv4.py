"""How a request to S3 is signed: AWS Signature Version 4, the exact bytes; refuses to know who sends it.

Standard library only and no import of ours: the agent on a server carries this very file.

Source: AWS, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk (AWS
Signature Version 4)".
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Key:
    """Who signs. `token` is empty for a key that is not of a session."""

    access_key_id: str
    secret: str
    token: str = ""

    def __repr__(self) -> str:
        return f"Key({self.access_key_id!r}, secret=***)"


def host_of(endpoint: str) -> str:
    """The `host` of requests to an endpoint: the port only where it is not the scheme's own, as gateways sign it."""
    parts = urlsplit(endpoint)
    host = parts.netloc.rpartition("@")[2]
    return host.rpartition(":")[0] if parts.port == _DEFAULT_PORTS.get(parts.scheme) else host


def path_of(*parts: str) -> str:
    """The path of a bucket or an object as it is both sent and signed."""
    return "/" + "/".join(quote(part, safe="/-_.~") for part in parts)


def query_of(pairs: "Iterable[tuple[str, str]]") -> str:
    """A query as it is both sent and signed: encoded, and in the order that is signed."""
    return "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs))


def signed(
    key: Key,
    method: str,
    path: str,
    query: str,
    headers: "Mapping[str, str]",
    *,
    payload_sha256: str,
    at: str,
    region: str,
    service: str = "s3",
) -> "dict[str, str]":
    """The headers to send: those given, and the signature over all of them.

    `path` and `query` are as `path_of` and `query_of` make them. Names of headers are in small letters, `host` among
    them; values have no spaces around. `at` is the time in UTC like `20130524T000000Z`.
    """
    found = dict(headers)
    found["x-amz-content-sha256"] = payload_sha256
    found["x-amz-date"] = at
    if key.token:
        found["x-amz-security-token"] = key.token
    order = sorted(found)
    names = ";".join(order)
    lines = "".join([f"{name}:{found[name]}\n" for name in order])
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload_sha256}"
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(_signing_key(key.secret, scope), text.encode(), "sha256").hex()
    found["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return found


@lru_cache(maxsize=32)
def _signing_key(secret: str, scope: str) -> bytes:
    """The same for a whole day: computed once."""
    found = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        found = hmac.digest(found, part.encode(), "sha256")
    return found
