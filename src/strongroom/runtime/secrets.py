"""The secrets of the control plane: files made at the first start, readable by this user alone.

`home/secrets/` holds Django's secret key and three Ed25519 keys in OpenSSH's format, each beside its public half: one
signs receipts, one the SSH keys of people, one those of servers. Back them up apart from the data: receipts can be
checked without them, but not signed, and second factors are encrypted with a key made from Django's.
"""

import contextlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say

RECEIPT_KEY = "receipt_signing_key"
SSH_USER_CA = "ssh_user_ca"
SSH_HOST_CA = "ssh_host_ca"


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A key of this home that signs. `public_key` is 32 raw bytes."""

    public_key: bytes
    _key: Ed25519PrivateKey

    def sign(self, data: bytes) -> bytes:
        """The 64 raw bytes of the Ed25519 signature over `data`. Source: RFC 8032."""
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"FileSigner({self.public_key.hex()})"


def django_secret_key(home: Path) -> str:
    """The key that Django signs with, made when it is not there yet."""
    return _kept(home, "django_secret_key", lambda: secrets.token_urlsafe(64).encode()).decode()


def signer(home: Path) -> FileSigner:
    """The receipt signer, its key made when it is not there yet. Raises: Unavailable as `_signer`."""
    return _signer(home, RECEIPT_KEY, "strongroom-receipt")


def ssh_user_ca(home: Path) -> FileSigner:
    """Who signs the SSH keys of people; made when it is not there yet. Raises: Unavailable as `_signer`."""
    return _signer(home, SSH_USER_CA, "strongroom-ssh-users")


def ssh_host_ca(home: Path) -> FileSigner:
    """Who signs the SSH host keys of servers; made when it is not there yet. Raises: Unavailable as `_signer`."""
    return _signer(home, SSH_HOST_CA, "strongroom-ssh-hosts")


def _signer(home: Path, name: str, comment: str) -> FileSigner:
    """The key of that name.

    Raises: Unavailable when the file is there but holds no Ed25519 key: it is never replaced by a new one.
    """
    path = folder(home) / name
    stored = _kept(home, name, _new_key)
    try:
        key = serialization.load_ssh_private_key(stored, password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Unavailable(
            say("{path} does not hold an Ed25519 key in OpenSSH's format: restore it from the backup.", path=path)
        )
    _kept(home, f"{name}.pub", lambda: _public_line(key, comment))
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    return FileSigner(key.public_key().public_bytes(*raw), key)


def folder(home: Path) -> Path:
    """Where the secrets lie; made with mode 0700."""
    path = home / "secrets"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


def _public_line(key: Ed25519PrivateKey, comment: str) -> bytes:
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return line + f" {comment}\n".encode()


def _kept(home: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """What the file holds; when it is absent, what `make` makes, written whole or not at all.

    Several processes may come here at once: the file appears under its name by a link that only the first one gets,
    and everybody reads what is there then.
    """
    path = folder(home) / name
    if not path.exists():
        draft = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    return path.read_bytes()
