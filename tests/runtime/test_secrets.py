"""The secrets of a home: private, made once, never replaced."""

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.core.errors import Unavailable
from strongroom.runtime import secrets


def test_secrets_are_made_once_and_readable_by_their_owner_alone(tmp_path: Path) -> None:
    first = secrets.django_secret_key(tmp_path), secrets.signer(tmp_path).public_key
    again = secrets.django_secret_key(tmp_path), secrets.signer(tmp_path).public_key
    assert first == again
    folder = tmp_path / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}
    assert modes == {"django_secret_key": 0o600, "receipt_signing_key": 0o600, "receipt_signing_key.pub": 0o600}


def test_processes_that_start_at_once_agree_on_the_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(
            pool.map(lambda _: (secrets.django_secret_key(tmp_path), secrets.signer(tmp_path).public_key), range(64))
        )
    assert len(found) == 1
    assert len(list((tmp_path / "secrets").iterdir())) == 3


def test_the_signer_signs_with_the_key_it_publishes(tmp_path: Path) -> None:
    signer = secrets.signer(tmp_path)
    Ed25519PublicKey.from_public_bytes(signer.public_key).verify(signer.sign(b"receipt"), b"receipt")


def test_ssh_keygen_reads_the_receipt_key(tmp_path: Path) -> None:
    secrets.signer(tmp_path)
    key = tmp_path / "secrets" / "receipt_signing_key"
    derived = subprocess.run(["ssh-keygen", "-y", "-f", key], capture_output=True, text=True, check=True).stdout
    published = key.with_name("receipt_signing_key.pub").read_text()
    assert derived.split()[:2] == published.split()[:2]


def test_a_damaged_receipt_key_is_refused_and_not_replaced(tmp_path: Path) -> None:
    key = secrets.folder(tmp_path) / "receipt_signing_key"
    key.write_text("not a key")
    with pytest.raises(Unavailable, match="restore it from the backup"):
        secrets.signer(tmp_path)
    assert key.read_text() == "not a key"


def test_people_and_servers_are_signed_for_with_keys_of_their_own_which_are_never_replaced(tmp_path: Path) -> None:
    made = [secrets.signer(tmp_path), secrets.ssh_user_ca(tmp_path), secrets.ssh_host_ca(tmp_path)]
    assert len({each.public_key for each in made}) == 3
    assert secrets.ssh_user_ca(tmp_path).public_key == made[1].public_key
    for name, make in (("ssh_user_ca", secrets.ssh_user_ca), ("ssh_host_ca", secrets.ssh_host_ca)):
        file = tmp_path / "secrets" / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.write_text("not a key")
        with pytest.raises(Unavailable, match=f"{name} does not hold an Ed25519 key"):
            make(tmp_path)
        assert file.read_text() == "not a key"


def test_the_secret_key_is_not_in_the_representation(tmp_path: Path) -> None:
    assert "Ed25519PrivateKey" not in repr(secrets.signer(tmp_path))
