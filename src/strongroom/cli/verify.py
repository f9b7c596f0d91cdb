"""Checks a receipt offline: its Ed25519 signature in the SSHSIG form, and the manifest it speaks of.

Source: OpenSSH PROTOCOL.sshsig; the equivalent by hand is `ssh-keygen -Y verify`.
"""

import base64
import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.cli.problems import not_verified, usage
from strongroom.core import canonical, digest_receipt, manifest, receipt, sshsig
from strongroom.core.errors import Invalid

RECEIPT, SIGNATURE, SIGNERS, PUBLIC_KEY = "receipt.json", "receipt.json.sig", "allowed_signers", "receipt-key.pub"
DIGESTS, DIGESTS_SIGNATURE = "digests.json", "digests.json.sig"
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Trust:
    """Whose signature is believed: raw public keys, and the file they came from."""

    keys: tuple[bytes, ...]
    identities: tuple[str, ...]
    file: Path


def signers(file: Path) -> Trust:
    """The keys of an `allowed_signers` file, or of a `.pub` file. Raises Problem where there is none."""
    keys, identities = [], []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            keys.append(sshsig.parse_public_key_line(line))
            identities.append(line.split()[0])
    if not keys:
        raise usage(f"{file} holds no key.")
    return Trust(tuple(keys), tuple(identities), file)


def signature(text: bytes, armored: str, trust: Trust) -> str:
    """Check the signature; gives the fingerprint of the key that made it. Raises Problem when it does not hold."""
    try:
        parsed = sshsig.verify(armored, text, namespace=sshsig.NAMESPACE, trusted=trust.keys, is_valid=_is_valid)
    except Invalid as refusal:
        raise not_verified(
            str(refusal), "Do not rely on this receipt; ask for it again where it comes from."
        ) from refusal
    return fingerprint(parsed.public_key)


def content(text: bytes) -> receipt.Receipt | digest_receipt.DigestReceipt:
    """What a receipt of either kind says. Raises Problem when it is not written as receipts are."""
    try:
        decoded = text.decode()
        return (
            digest_receipt.decode(decoded)
            if digest_receipt.is_one(canonical.parse(decoded))
            else receipt.decode(decoded)
        )
    except (Invalid, UnicodeDecodeError) as refusal:
        raise not_verified(str(refusal)) from refusal


def list_file(file: Path, said: digest_receipt.DigestReceipt) -> str:
    """Check a list of digests, as JSON lines or as a bag's manifest, against its hash; which it is. Raises Problem."""
    root = hashlib.sha256()
    with file.open("rb") as found:
        while chunk := found.read(_CHUNK):
            root.update(chunk)
    known = {said.digests_sha256: "JSON lines", said.bagit_sha256: "a bag's manifest"}
    if root.hexdigest() not in known:
        raise not_verified(
            f"{file} has the hash {root.hexdigest()}, the receipt says {' or '.join(known)}.",
            "It was changed, or is another file: take the manifest with --form digests or --form bagit.",
        )
    return known[root.hexdigest()]


def belongs_together(first: Path, said: digest_receipt.DigestReceipt) -> None:
    """Check that a receipt of digests speaks of this first receipt. Raises Problem."""
    if hashlib.sha256(first.read_bytes()).hexdigest() != said.receipt_sha256:
        raise not_verified(f"The receipt of digests belongs to another receipt than {first}.")


def manifest_file(file: Path, said: receipt.Receipt) -> int:
    """Check a manifest against the root, the counts and the order it must have; how many objects. Raises Problem."""
    root, lines, size_bytes = hashlib.sha256(), 0, 0
    with file.open("rb") as found:
        while chunk := found.read(_CHUNK):
            root.update(chunk)
        if root.hexdigest() != said.manifest_root_sha256:
            raise not_verified(
                f"{file} has the root {root.hexdigest()}, the receipt says {said.manifest_root_sha256}.",
                "The manifest was changed, or belongs to another data set or revision.",
            )
        found.seek(0)
        try:
            for entry in manifest.read(found):
                lines, size_bytes = lines + 1, size_bytes + entry.size_bytes
        except Invalid as refusal:
            raise not_verified(str(refusal)) from refusal
    if (lines, size_bytes) != (said.object_count, said.size_bytes):
        raise not_verified(f"{file} lists {lines} objects of {size_bytes} bytes; the receipt says otherwise.")
    return lines


def by_hand(receipt_file: Path, signature_file: Path, trust: Trust) -> str:
    """The command that checks the same with OpenSSH alone."""
    identity = trust.identities[0]
    words = ["ssh-keygen", "-Y", "verify", "-f", str(trust.file), "-I", identity, "-n", sshsig.NAMESPACE]
    return f"{shlex.join([*words, '-s', str(signature_file)])} < {shlex.quote(str(receipt_file))}"


def fingerprint(raw: bytes) -> str:
    """`SHA256:…` as `ssh-keygen -l` prints it."""
    digest = hashlib.sha256(sshsig.public_key_blob(raw)).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _is_valid(public_key: bytes, signed: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signed, data)
    except InvalidSignature:
        return False
    return True
