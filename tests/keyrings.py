"""A device with passkeys, as software: answers what a browser is asked, honestly unless a test makes it lie."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from strongroom.actions import passkey_proofs, passkeys
from strongroom.actions.webauthn import Asked
from strongroom.core.actor import Actor
from strongroom.db.models import Passkey

Flag = AuthenticatorData.FLAG
HOST, ORIGIN = "strongroom.example.org", "https://strongroom.example.org"


@dataclass
class Device:
    """One passkey. `origin` is where its browser is, `host` the site that it signs for."""

    origin: str = ORIGIN
    host: str = HOST
    is_verifying: bool = True
    counter: int = 0  # stays 0: a device that does not count
    is_counting: bool = False
    user_id: str | None = None
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, asked: Asked) -> str:
        """The answer of `navigator.credentials.create`, without attestation."""
        self.user_id = _options(asked)["user"]["id"]
        made = AttestedCredentialData.create(
            b"\0" * 16,
            self.credential_id,
            ES256.from_cryptography_key(self.key.public_key()),  # type: ignore[no-untyped-call]
        )
        data = AuthenticatorData.create(self._hash(), self._flags() | Flag.AT, self._count(), bytes(made))
        return self._answer(
            {
                "clientDataJSON": websafe_encode(self._said("webauthn.create", asked)),
                "attestationObject": websafe_encode(bytes(AttestationObject.create("none", data, {}))),
            }
        )

    def sign(self, asked: Asked, **instead: str) -> str:
        """The answer of `navigator.credentials.get`; `instead` are parts of it that something changed."""
        said = self._said("webauthn.get", asked)
        data = bytes(AuthenticatorData.create(self._hash(), self._flags(), self._count()))
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        parts = {
            "clientDataJSON": websafe_encode(said),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": self.user_id,
        }
        return self._answer({**parts, **instead})

    def _said(self, kind: str, asked: Asked) -> bytes:
        challenge = websafe_decode(_options(asked)["challenge"])
        return bytes(CollectedClientData.create(kind, challenge, self.origin))

    def _hash(self) -> bytes:
        return hashlib.sha256(self.host.encode()).digest()

    def _flags(self) -> Flag:
        return Flag.UP | Flag.UV if self.is_verifying else Flag.UP

    def _count(self) -> int:
        self.counter += self.is_counting
        return self.counter

    def _answer(self, response: Mapping[str, object]) -> str:
        named = websafe_encode(self.credential_id)
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": response})


def added(actor: Actor, device: Device | None = None, *, name: str = "Phone") -> tuple[Device, Passkey, list[str]]:
    """A device with a passkey of the actor's, who comes with a browser; and the recovery codes."""
    device, asked = device or Device(), passkeys.begin(actor)
    kept, codes = passkeys.add(actor, name=name, ceremony=asked.ceremony, answer=device.make(asked))
    return device, kept, codes


def kept_for(actor: Actor) -> Passkey:
    """A passkey of the actor's that no device has, as if it had been added long ago."""
    name = secrets.token_urlsafe(32)
    return Passkey.objects.create(
        person_id=actor.person_id,
        name="Old phone",
        credential_id=name,
        credential=name,
        sign_count=0,
        created_at=timezone.now(),
    )


def proved(actor: Actor, device: Device) -> None:
    """Prove the actor's second factor with this device."""
    asked = passkey_proofs.begin(actor)
    passkey_proofs.prove(actor, ceremony=asked.ceremony, answer=device.sign(asked))


def _options(asked: Asked) -> Any:
    return json.loads(json.dumps(dict(asked.options)))
