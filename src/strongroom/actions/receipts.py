"""What can be done with a receipt: show it, with what anyone needs to check it offline."""

from dataclasses import dataclass
from uuid import UUID

from strongroom.actions import signing
from strongroom.actions.deeds import doing
from strongroom.actions.manifests import newest
from strongroom.core import sshsig
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Verb
from strongroom.db.models import DigestList

IDENTITY = "strongroom"


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """The receipt's text, its armored signature, and the key to check it with."""

    receipt: str
    signature: str
    public_key: str
    allowed_signers: str
    digests: "SignedDigests | None"


@dataclass(frozen=True, slots=True)
class SignedDigests:
    """The second receipt, made when the digest of every object was known, and its armored signature."""

    receipt: str
    signature: str


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """The public half of the key that signs receipts, in the forms OpenSSH takes."""

    public_key: str
    allowed_signers: str


def show(actor: Actor, dataset_id: UUID) -> SignedReceipt:
    """The newest signed receipt, and that of its digests once there is one. Raises NotFound, Forbidden, Conflict."""
    with doing(actor, Verb.RECEIPT_SHOW) as deed:
        manifest = newest(deed.dataset(dataset_id))
        listed = DigestList.objects.filter(manifest=manifest).first()
    key, later = public_key(), SignedDigests(listed.receipt, listed.signature) if listed else None
    return SignedReceipt(manifest.receipt, manifest.signature, key.public_key, key.allowed_signers, later)


def public_key() -> ReceiptKey:
    """For everybody, signed in or not: a receipt must be checkable without asking for leave."""
    raw = signing.signer().public_key
    return ReceiptKey(
        sshsig.public_key_line(raw, IDENTITY), sshsig.allowed_signers_line(IDENTITY, raw, sshsig.NAMESPACE)
    )
