"""Signs receipts: holds the signer this process was given; refuses to know where its key lies."""

from typing import Protocol

from strongroom.core import sshsig


class Signer(Protocol):
    """An Ed25519 key that can sign."""

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes of the public key."""

    def sign(self, data: bytes) -> bytes:
        """The 64 raw bytes of the signature over `data`."""


_signer: Signer | None = None


def use(signer: Signer) -> None:
    """Give this process its signer; called once by the composition root (and by tests)."""
    global _signer
    _signer = signer


def signer() -> Signer:
    """The signer of this process."""
    if _signer is None:
        raise RuntimeError("no signer: the composition root must call actions.signing.use() first")
    return _signer


def sign_text(text: str) -> str:
    """An armored SSH signature over the UTF-8 bytes of `text`, checkable with `ssh-keygen -Y verify`.

    Source: OpenSSH PROTOCOL.sshsig.
    """
    key = signer()
    signature = key.sign(sshsig.signed_data(sshsig.NAMESPACE, text.encode()))
    return sshsig.armor(key.public_key, sshsig.NAMESPACE, signature)
