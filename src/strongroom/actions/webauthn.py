"""What a browser is asked about a passkey, and whether its answer is right; refuses to know whose sessions they are.

A challenge is kept in the cache for five minutes, and is gone with the
first answer, right or wrong. Source: W3C WebAuthn Level 3, sections 7.1 and 7.2.
"""

import ipaddress
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.cache import cache
from fido2.cose import ES256, RS256, CoseKey, EdDSA
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from strongroom.actions.configuration import settings
from strongroom.core.errors import Conflict, Invalid
from strongroom.core.sentences import say

CHALLENGE_SECONDS = 5 * 60
_ALGORITHMS: tuple[type[CoseKey], ...] = (ES256, EdDSA, RS256)
_LONGEST_ANSWER = 20_000  # characters of JSON; real ones have about 1,500
_VERIFIED = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Asked:
    """What the script hands to the browser, and the name under which the answer is waited for."""

    ceremony: str
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Registered:
    """A credential that proved its key. Texts are base64url."""

    credential_id: str
    credential: str
    sign_count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read and not checked yet: which credential, and whose it says it is."""

    credential_id: str
    user_id: bytes | None
    _state: Mapping[str, Any]
    _response: AuthenticationResponse

    def check(self, credential: str) -> int:
        """The device's counter, when this credential signed the challenge for this site. Raises: Invalid `passkey`."""
        try:
            _server().authenticate_complete(self._state, [_stored(credential)], self._response)
        except Exception as wrong:  # the answer is a stranger's: whatever it breaks, it is wrong
            raise _wrong() from wrong
        return int(self._response.response.authenticator_data.counter)


def is_possible() -> bool:
    """Whether browsers offer passkeys at the public address: a name, by https; `localhost` may do without."""
    address = urlsplit(settings().web_url)
    host = address.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return address.scheme == "https" or host == "localhost" or host.endswith(".localhost")
    return False


def ask_to_register(kind: str, user_id: UUID, email: str, name: str, known: Iterable[str]) -> Asked:
    """Ask for a new passkey of somebody that finds itself (discoverable) and verifies its holder.

    `known` are credentials of theirs, on whose devices a second one would be no use. Raises: Conflict
        `passkeys-impossible`.
    """
    user = PublicKeyCredentialUserEntity(id=user_id.bytes, name=email, display_name=name or email)
    options, state = _server().register_begin(
        user, _described(known), ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
    )
    return _kept(kind, options, state)


def take(kind: str, ceremony: str) -> Mapping[str, Any]:
    """What was asked, which is forgotten. Never inside a transaction that a wrong answer would roll back.

    Raises: Conflict `passkey-late`.
    """
    key = _key(kind, ceremony)
    kept = cache.get(key)
    # Only one of two answers that come at once deletes the row.
    if not ceremony or kept is None or not cache.delete(key):
        raise Conflict(
            say("Nothing waits for this answer: it was given already, or more than five minutes ago."),
            code="passkey-late",
            way_out=say("Begin once more on the page."),
        )
    return dict(json.loads(kept))


def registered(state: Mapping[str, Any], answer: str) -> Registered:
    """The new credential. Raises: Invalid `passkey`."""
    try:
        data: AuthenticatorData = _server().register_complete(state, _read(answer))
        credential = data.credential_data
        if credential is None or not isinstance(credential.public_key, _ALGORITHMS):
            raise ValueError("no key that is known here")
    except Exception as wrong:  # as above
        raise _wrong() from wrong
    return Registered(websafe_encode(credential.credential_id), websafe_encode(bytes(credential)), data.counter)


def ask_to_prove(kind: str, known: Iterable[str] | None, *, slot: str = "") -> Asked:
    """Ask for one of these passkeys; None: for any that the device knows. `slot` is kept with what was asked.

    Raises: Conflict `passkeys-impossible`.
    """
    described = None if known is None else _described(known)
    options, state = _server().authenticate_begin(described, user_verification=_VERIFIED)
    return _kept(kind, options, {**state, "slot": slot})


def answered(state: Mapping[str, Any], answer: str) -> Answer:
    """The answer, to be checked. Raises: Invalid `passkey`."""
    try:
        response = AuthenticationResponse.from_dict(_read(answer))
        return Answer(websafe_encode(response.raw_id), response.response.user_handle, state, response)
    except Exception as wrong:  # as above
        raise _wrong() from wrong


def unlike() -> Invalid:
    """What anybody is told whose passkey is not one that is wanted here."""
    return _wrong()


def _server() -> Fido2Server:
    if not is_possible():
        raise Conflict(
            say(
                "Browsers offer passkeys only at a name that is reached by https, and this is {url}.",
                url=settings().web_url,
            ),
            code="passkeys-impossible",
            way_out=say("Use an authenticator app, or ask who runs this to give it a name and a certificate."),
        )
    address = urlsplit(settings().web_url)
    origin = f"{address.scheme}://{address.netloc}".lower()
    rp = PublicKeyCredentialRpEntity(id=str(address.hostname), name="Strongroom")
    # The library's own check takes every subdomain and port of the name.
    server = Fido2Server(rp, verify_origin=lambda said: said == origin)
    server.timeout = CHALLENGE_SECONDS * 1000  # type: ignore[assignment]  # inferred from its default, None
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=_number(each))
        for each in _ALGORITHMS
    ]
    return server


def _number(algorithm: type[CoseKey]) -> int:
    return int(algorithm.ALGORITHM or 0)


def _kept(kind: str, options: Any, state: Mapping[str, Any]) -> Asked:
    ceremony = secrets.token_urlsafe(24)
    cache.set(_key(kind, ceremony), json.dumps(state), timeout=CHALLENGE_SECONDS)
    return Asked(ceremony, dict(options)["publicKey"])


def _key(kind: str, ceremony: str) -> str:
    return f"passkey:{kind}:{ceremony[:64]}"


def _read(answer: str) -> Mapping[str, Any]:
    if len(answer) > _LONGEST_ANSWER:
        raise ValueError("too long")
    return dict(json.loads(answer))


def _described(known: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=websafe_decode(each))
        for each in known
    ]


def _stored(credential: str) -> AttestedCredentialData:
    return AttestedCredentialData(websafe_decode(credential))


def _wrong() -> Invalid:
    return Invalid(
        say("This passkey was not accepted."),
        code="passkey",
        way_out=say("Try again with a passkey that you added here, in the browser's own window; or use another way."),
    )
