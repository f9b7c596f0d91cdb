"""What allauth's second factors are told: secrets are encrypted with a key of this home before they are stored."""

import base64

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class EncryptingAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Encrypts with a key made from Django's secret key: a stolen database alone gives nobody's codes."""

    def encrypt(self, text: str) -> str:
        """The text, encrypted and authenticated. Source: RFC 5869; the Fernet specification."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The text. Raises: cryptography's InvalidToken when the secret key is not the one it was stored with."""
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"strongroom second factors").derive(
        settings.SECRET_KEY.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))
