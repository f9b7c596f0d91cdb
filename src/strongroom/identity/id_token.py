"""Whether an ID token says what it seems to say: its signature, issuer, audience, times and nonce.

Signatures are checked by joserfc, claims by Authlib. Source: OpenID Connect Core 1.0, 3.1.3.7; RFC 8725.
"""

import time
from collections.abc import Mapping
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from strongroom.core.sentences import say
from strongroom.identity import fetching

# Made with a private key alone: with `none` or a shared secret anybody, or any other client, could make one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY_SECONDS = 60
_LONGEST = 100_000
_OLDEST_KEYS_SECONDS, _ASK_AGAIN_SECONDS = 3600, 30


class Keys:
    """The public keys of a provider, asked for again when a token names one that is not among them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._url = ""
        self._found: tuple[float, KeySet] | None = None

    def at(self, url: str) -> "Keys":
        """These keys, found at this address."""
        if url != self._url:
            self._url, self._found = url, None
        return self

    def check(self, token: str) -> Mapping[str, Any]:
        """Header and claims of a token with a good signature. Raises: JoseError, ValueError."""
        try:
            return _decoded(token, self._known(_OLDEST_KEYS_SECONDS))
        except InvalidKeyIdError:
            return _decoded(token, self._known(_ASK_AGAIN_SECONDS))

    def _known(self, oldest_seconds: float) -> KeySet:
        if self._found is None or time.monotonic() - self._found[0] > oldest_seconds:
            told = fetching.get_json(self._name, self._url)
            usable = [each for each in told.get("keys", []) if _signs(each)]
            try:
                self._found = time.monotonic(), KeySet.import_key_set({"keys": usable})
            except (JoseError, ValueError, TypeError, KeyError) as problem:
                raise fetching.unavailable(self._name, f"its keys cannot be read: {problem}") from None
        return self._found[1]


def verified(
    token: str, keys: Keys, *, name: str, issuer: str, client_id: str, nonce: str, access_token: str
) -> Mapping[str, Any]:
    """The claims of a token that this provider made for us, for this sign-in, now. Raises: Unauthenticated."""
    if not token or len(token) > _LONGEST:
        raise fetching.refuse(name, say("it holds no ID token"))
    try:
        found = keys.check(token)
    except (JoseError, ValueError) as problem:
        raise fetching.refuse(name, say("the signature of its ID token is not right"), problem=repr(problem)) from None
    needed = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}}
    told = {"nonce": nonce, "client_id": client_id, "access_token": access_token}
    claims = CodeIDToken(found["claims"], found["header"], options=needed, params=told)
    try:
        claims.validate(now=int(time.time()), leeway=LEEWAY_SECONDS)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or not subject.isprintable():
            raise ValueError("sub is no short text")
    except (JoseError, ValueError, TypeError) as problem:
        raise fetching.refuse(
            name, say("its ID token is not for this sign-in, or has passed"), problem=repr(problem)
        ) from None
    return dict(claims)


def _decoded(token: str, keys: KeySet) -> Mapping[str, Any]:
    decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
    return {"header": decoded.header, "claims": decoded.claims}


def _signs(key: object) -> bool:
    """Whether it is a public key for signatures."""
    return isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"
