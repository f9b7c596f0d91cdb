"""Signatures go back and forth between Strongroom and the real ssh-keygen; anything altered is refused."""

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.core import sshsig
from strongroom.core.errors import Invalid

MESSAGES = [b"", b"receipt\n", bytes(range(256)) * 1000]
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
SIGNED = sshsig.sign(sshsig.NAMESPACE, b"receipt", public_key=PUBLIC, sign_raw=PRIVATE.sign)


def is_valid(public_key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def verify(armored: str, message: bytes) -> sshsig.Parsed:
    return sshsig.verify(armored, message, namespace=sshsig.NAMESPACE, trusted=[PUBLIC], is_valid=is_valid)


def ssh_keygen(*arguments: str | Path, message: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["ssh-keygen", *arguments], input=message, capture_output=True, check=False, timeout=60)


def ssh_verifies(folder: Path, armored: str, message: bytes, namespace: str = sshsig.NAMESPACE) -> bool:
    signers, signature = folder / "allowed_signers", folder / "receipt.sig"
    signers.write_text(sshsig.allowed_signers_line("strongroom@example.org", PUBLIC, sshsig.NAMESPACE) + "\n")
    signature.write_text(armored)
    command = ("-Y", "verify", "-f", signers, "-I", "strongroom@example.org", "-n", namespace, "-s", signature)
    return ssh_keygen(*command, message=message).returncode == 0


@pytest.mark.parametrize("message", MESSAGES, ids=["empty", "text", "binary"])
def test_ssh_keygen_verifies_what_we_sign(tmp_path: Path, message: bytes) -> None:
    armored = sshsig.sign(sshsig.NAMESPACE, message, public_key=PUBLIC, sign_raw=PRIVATE.sign)
    assert ssh_verifies(tmp_path, armored, message)
    assert not ssh_verifies(tmp_path, armored, message + b"x")
    assert not ssh_verifies(tmp_path, armored, message, namespace="file")


@pytest.mark.parametrize("message", MESSAGES, ids=["empty", "text", "binary"])
@pytest.mark.parametrize("hash_algorithm", ["sha256", "sha512"])
def test_we_verify_what_ssh_keygen_signs(tmp_path: Path, message: bytes, hash_algorithm: str) -> None:
    key = tmp_path / "key"
    key.write_bytes(PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    key.chmod(0o600)
    options = ("-n", sshsig.NAMESPACE, "-O", f"hashalg={hash_algorithm}")
    signed = ssh_keygen("-Y", "sign", "-f", key, *options, message=message)
    assert signed.returncode == 0, signed.stderr
    parsed = verify(signed.stdout.decode(), message)
    assert (parsed.public_key, parsed.hash_algorithm) == (PUBLIC, hash_algorithm)
    with pytest.raises(Invalid, match="does not match"):
        verify(signed.stdout.decode(), message + b"x")
    if hash_algorithm == "sha512":
        ours = sshsig.sign(sshsig.NAMESPACE, message, public_key=PUBLIC, sign_raw=PRIVATE.sign)
        assert signed.stdout.decode() == ours, "Ed25519 is deterministic, so the files are the same byte for byte"


def test_ssh_keygen_reads_our_public_key_line(tmp_path: Path) -> None:
    path = tmp_path / "key.pub"
    path.write_text(sshsig.public_key_line(PUBLIC, "strongroom receipts") + "\n")
    shown = ssh_keygen("-l", "-f", path, message=b"")
    assert shown.returncode == 0
    assert b"strongroom receipts (ED25519)" in shown.stdout
    expected = PRIVATE.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert sshsig.public_key_line(PUBLIC, "") == expected
    for line in (path.read_text(), sshsig.allowed_signers_line("a@b", PUBLIC, "n")):
        assert sshsig.parse_public_key_line(line) == PUBLIC


@given(st.binary(max_size=200), st.text("abc-.@", min_size=1, max_size=20), st.binary(min_size=64, max_size=64))
def test_what_is_armored_is_parsed_as_it_was(public_seed: bytes, namespace: str, signature: bytes) -> None:
    public_key = (public_seed + bytes(32))[:32]
    armored = sshsig.armor(public_key, namespace, signature)
    assert sshsig.parse(armored) == sshsig.Parsed(public_key, namespace, "sha512", signature)
    assert all(len(line) <= 70 for line in armored.splitlines())


@settings(max_examples=300)
@given(st.data())
def test_one_changed_byte_of_a_signature_is_refused(data: st.DataObject) -> None:
    lines = SIGNED.splitlines()
    packed = bytearray(base64.b64decode("".join(lines[1:-1])))
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Invalid):
        verify("\n".join([lines[0], base64.b64encode(packed).decode(), lines[-1]]), b"receipt")


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_other_file_is_refused_and_never_crashes(content: bytes) -> None:
    body = base64.b64encode(content).decode()
    for text in (
        content.decode(errors="replace"),
        f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----",
        SIGNED[: len(content)],
    ):
        with pytest.raises(Invalid):
            sshsig.parse(text)


def test_a_signature_for_another_purpose_or_by_another_key_is_refused() -> None:
    elsewhere = sshsig.sign("file", b"receipt", public_key=PUBLIC, sign_raw=PRIVATE.sign)
    with pytest.raises(Invalid, match="'file'"):
        verify(elsewhere, b"receipt")
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    raw = stranger.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    with pytest.raises(Invalid, match="not among the trusted keys"):
        verify(sshsig.sign(sshsig.NAMESPACE, b"receipt", public_key=raw, sign_raw=stranger.sign), b"receipt")


@pytest.mark.parametrize("identity", ["", "a b", "*", "a,b", 'a"b', "a\nb", "!a", "#a"])
def test_an_identity_that_means_something_else_to_ssh_is_refused(identity: str) -> None:
    with pytest.raises(Invalid):
        sshsig.allowed_signers_line(identity, PUBLIC, sshsig.NAMESPACE)


@pytest.mark.parametrize("hash_algorithm", ["md5", "sha1", ""])
def test_weak_hashes_are_refused(hash_algorithm: str) -> None:
    with pytest.raises(Invalid):
        sshsig.signed_data(sshsig.NAMESPACE, b"x", hash_algorithm=hash_algorithm)


def test_keys_signatures_and_comments_of_the_wrong_form_are_refused() -> None:
    with pytest.raises(Invalid):
        sshsig.public_key_blob(bytes(31))
    with pytest.raises(Invalid):
        sshsig.armor(PUBLIC, sshsig.NAMESPACE, bytes(63))
    with pytest.raises(Invalid):
        sshsig.armor(PUBLIC, "", bytes(64))
    with pytest.raises(Invalid):
        sshsig.public_key_line(PUBLIC, "one\ntwo")
    for line in ("", "ssh-ed25519", "ssh-rsa AAAA", "ssh-ed25519 !!!!", "ssh-ed25519 AAAA"):
        with pytest.raises(Invalid):
            sshsig.parse_public_key_line(line)
