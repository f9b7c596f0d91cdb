"""Certificates, read again by `ssh-keygen` and by another library; and the keys that get none."""

import base64
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from strongroom.core import sshcert
from strongroom.core.errors import Invalid
from strongroom.core.sshcert import Purpose, Statement

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
CA = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))  # stands in names of tests: the same in every process
ORDINARY = [("ed25519", ""), ("ecdsa", "256"), ("rsa", "3072")]


def _made(folder: Path, kind: str, bits: str) -> str:
    key = folder / "key"
    size = ["-b", bits] if bits else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "me", "-f", key], check=True)
    return key.with_suffix(".pub").read_text()


def _of_security_key(kind: str, *middle: bytes) -> str:
    # What `ssh-keygen -t ed25519-sk` writes; making one needs the device.
    parts = [kind.encode(), *middle, b"ssh:"]
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"{kind} {base64.b64encode(blob).decode()} token"


def _security_keys() -> list[str]:
    point = serialization.load_ssh_public_key(
        b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGsX0fLhLEJH+Lzm5WOkQPJ3A32BLes"
        b"zoPShOUXYmMKWT+NC4v4af5uO5+tKfA+eFivOM1drMV7Oy7ZAaDe/UfU="
    ).public_bytes(  # type: ignore[union-attr]
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return [
        _of_security_key("sk-ssh-ed25519@openssh.com", CA.public_key().public_bytes_raw()),
        _of_security_key("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", point),
    ]


def _statement(purpose: Purpose = Purpose.USER) -> Statement:
    return Statement(
        purpose,
        serial=2**63 + 7,
        key_id="ada@example.org/7",
        principals=["ada-x7q2@one", "other"],
        valid_from=NOW,
        valid_until=NOW + timedelta(minutes=60),
        extensions=("permit-pty",) if purpose is Purpose.USER else (),
    )


def _sign(line: str, purpose: Purpose = Purpose.USER) -> str:
    return sshcert.sign(
        _statement(purpose),
        sshcert.parse_public_key(line),
        authority=CA.public_key().public_bytes_raw(),
        nonce=b"n" * sshcert.NONCE_BYTES,
        sign_raw=CA.sign,
    )


@pytest.mark.parametrize(("kind", "bits"), ORDINARY)
def test_another_library_reads_what_the_certificate_says_and_finds_the_signature_good(
    tmp_path: Path, kind: str, bits: str
) -> None:
    public = _made(tmp_path, kind, bits)
    read = load_ssh_public_identity(_sign(public).encode())
    assert isinstance(read, SSHCertificate)
    read.verify_cert_signature()
    wanted = _statement()
    assert (read.serial, read.key_id.decode()) == (wanted.serial, wanted.key_id)
    assert [each.decode() for each in read.valid_principals] == list(wanted.principals)
    assert (read.valid_after, read.valid_before) == (wanted.valid_from.timestamp(), wanted.valid_until.timestamp())
    assert (dict(read.critical_options), dict(read.extensions)) == ({}, {b"permit-pty": b""})
    assert read.public_key() == serialization.load_ssh_public_key(public.encode())
    assert read.signature_key() == CA.public_key()


@pytest.mark.parametrize("line", _security_keys(), ids=["ed25519", "ecdsa"])
def test_security_keys_get_certificates_that_ssh_keygen_reads(tmp_path: Path, line: str) -> None:
    told = _told(tmp_path, _sign(line))
    assert f"Type: {line.split()[0].replace('@', '-cert-v01@')} user certificate" in told
    assert "Serial: 9223372036854775815" in told


def test_ssh_keygen_reads_a_host_certificate_without_extensions(tmp_path: Path) -> None:
    told = _told(tmp_path, _sign(_made(tmp_path, "ed25519", ""), Purpose.HOST))
    assert "ssh-ed25519-cert-v01@openssh.com host certificate" in told
    assert "Extensions: (none)" in told and "Critical Options: (none)" in told


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path: Path) -> None:
    public = _made(tmp_path, "ed25519", "")
    shown = subprocess.run(["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], capture_output=True, text=True, check=True)
    assert shown.stdout.split()[1] == sshcert.parse_public_key(public).fingerprint


def _told(folder: Path, certificate: str) -> str:
    file = folder / "read-cert.pub"
    file.write_text(certificate + "\n")
    return subprocess.run(["ssh-keygen", "-L", "-f", file], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("kind", "bits", "why"),
    [("rsa", "2048", "2048 bits, and 3072 are needed"), ("ecdsa", "384", "taken are"), ("ecdsa", "521", "taken are")],
)
def test_weak_and_unusual_keys_are_refused_with_the_way_out(tmp_path: Path, kind: str, bits: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refusal:
        sshcert.parse_public_key(_made(tmp_path, kind, bits))
    assert "ssh-keygen -t ed25519" in refusal.value.way_out


def test_a_private_key_is_refused_without_being_repeated(tmp_path: Path) -> None:
    _made(tmp_path, "ed25519", "")
    with pytest.raises(Invalid, match="private key") as refusal:
        sshcert.parse_public_key((tmp_path / "key").read_text())
    assert "BEGIN" not in str(refusal.value) + str(refusal.value.fields)


def test_a_certificate_is_refused_in_place_of_a_key(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="is a certificate"):
        sshcert.parse_public_key(_sign(_made(tmp_path, "ed25519", "")))


GOOD = _of_security_key("ssh-ed25519", CA.public_key().public_bytes_raw())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA/w==",
        GOOD,  # something follows the key
        "ecdsa-sha2-nistp256 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000AA",
        "no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000AA",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000AA\nssh-ed25519 AAAA",
        "ssh-ed25519 " + "A" * 8000,
    ],
)
def test_what_is_no_sound_key_is_refused(line: str) -> None:
    with pytest.raises(Invalid):
        sshcert.parse_public_key(line)
