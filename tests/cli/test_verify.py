"""A receipt is checked offline, by us and by OpenSSH alike, and nothing changed goes unnoticed."""

import json
import shlex
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.cli import servers
from tests.cli.live import Run

from strongroom.cli.exits import Exit
from strongroom.core import ledger, manifest, receipt, sshsig
from strongroom.core.vocabulary import Kind

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HASH = "ab" * 32


@dataclass
class Proof:
    """The files somebody keeps, and the key that signed them."""

    folder: Path
    receipt: Path
    manifest: Path
    key: bytes

    def changed(self, name: str, old: str, new: str) -> None:
        """Change one of the files."""
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new, 1))


@pytest.fixture
def proof(tmp_path: Path) -> Proof:
    """A manifest of two objects and its signed receipt."""
    folder = tmp_path / "my proof"
    folder.mkdir()
    writer = manifest.Writer()
    entries = [manifest.Entry(key, 4, "e", NOON, None) for key in ("a.csv", "b/c.csv")]
    listed = b"".join(map(writer.add, entries))
    said = receipt.Receipt(
        dataset_id=UUID(int=1),
        repository="dataset-ss-x",
        name="Cohort 2024",
        kind=Kind.ORIGINAL,
        space_id=UUID(int=2),
        manifest_root_sha256=writer.root,
        object_count=2,
        size_bytes=8,
        created_at=NOON,
        finalized_at=NOON,
        finalized_by="ada@example.org",
        promoted_from_derivative=False,
        sources=[],
        external_source="",
        attachments=[],
        locked_until=None,
        ledger_sequence=7,
        ledger_hash=HASH,
        software_version="0.1.0",
    )
    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes_raw()
    text = receipt.encode(said)
    armored = sshsig.sign(sshsig.NAMESPACE, text.encode(), public_key=raw, sign_raw=key.sign)
    (folder / "receipt.json").write_text(text)
    (folder / "receipt.json.sig").write_text(armored)
    (folder / "allowed_signers").write_text(sshsig.allowed_signers_line("strongroom", raw, sshsig.NAMESPACE) + "\n")
    (folder / "key.pub").write_text(sshsig.public_key_line(raw, "strongroom") + "\n")
    (folder / "manifest.jsonl").write_bytes(listed)
    return Proof(folder, folder / "receipt.json", folder / "manifest.jsonl", raw)


def test_a_good_receipt_is_good(run: Run, proof: Proof) -> None:
    result = run("receipt", "verify", str(proof.receipt), "--manifest", str(proof.manifest))
    assert result.exit_code == Exit.OK, result.output
    assert "✓ good" in result.stdout and "✓ matches, 2 objects" in result.stdout
    assert "compare its fingerprint" in result.stderr  # the key came with it


def test_the_printed_command_of_openssh_agrees(run: Run, proof: Proof) -> None:
    told = json.loads(run("receipt", "verify", str(proof.receipt), "--json").stdout)
    ended = subprocess.run(["sh", "-c", told["by_hand"]], capture_output=True, text=True, check=False)
    assert ended.returncode == 0 and "Good" in ended.stdout, ended.stderr


def test_the_fingerprint_is_the_one_openssh_prints(run: Run, proof: Proof) -> None:
    told = json.loads(run("receipt", "verify", str(proof.receipt), "--json").stdout)
    listed = subprocess.run(["ssh-keygen", "-lf", proof.folder / "key.pub"], capture_output=True, text=True, check=True)
    assert told["key"] == listed.stdout.split()[1]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("receipt.json", '"object_count": 2', '"object_count": 3'),
        ("receipt.json", "Cohort", "Cohorx"),
        ("receipt.json", '"name": ', '"name":  '),
        ("manifest.jsonl", "a.csv", "a.csx"),
    ],
)
def test_a_change_anywhere_is_found(run: Run, proof: Proof, name: str, old: str, new: str) -> None:
    proof.changed(name, old, new)
    result = run("receipt", "verify", str(proof.receipt), "--manifest", str(proof.manifest))
    assert result.exit_code == Exit.NOT_VERIFIED, result.output
    assert "✓" not in result.stdout


def test_a_receipt_signed_by_somebody_else_is_not_believed(run: Run, proof: Proof, tmp_path: Path) -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    (tmp_path / "trusted.pub").write_text(sshsig.public_key_line(other, "mine"))
    result = run("receipt", "verify", str(proof.receipt), "--key", str(tmp_path / "trusted.pub"))
    assert result.exit_code == Exit.NOT_VERIFIED
    assert "not among the trusted keys" in result.stderr


def test_a_signature_for_another_purpose_is_not_believed(run: Run, proof: Proof, tmp_path: Path) -> None:
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (proof.folder / "receipt.json.sig").unlink()
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "file", proof.receipt], check=True)
    result = run("receipt", "verify", str(proof.receipt), "--key", f"{key}.pub")
    assert result.exit_code == Exit.NOT_VERIFIED and "is for 'file'" in result.stderr


def test_a_trusted_key_needs_no_warning(run: Run, proof: Proof) -> None:
    result = run("receipt", "verify", str(proof.receipt), "--key", str(proof.folder / "key.pub"))
    assert result.exit_code == Exit.OK and "compare its fingerprint" not in result.stderr


def test_without_a_key_to_trust_nothing_is_verified(run: Run, proof: Proof) -> None:
    (proof.folder / "allowed_signers").unlink()
    result = run("receipt", "verify", str(proof.receipt))
    assert result.exit_code == Exit.USAGE and "--allowed-signers" in result.stderr


def test_a_manifest_of_another_data_set_is_found(run: Run, proof: Proof) -> None:
    proof.manifest.write_bytes(b"")
    result = run("receipt", "verify", str(proof.receipt), "--manifest", str(proof.manifest))
    assert result.exit_code == Exit.NOT_VERIFIED and "has the root" in result.stderr


def test_paths_with_spaces_are_quoted_in_the_command(run: Run, proof: Proof) -> None:
    told = json.loads(run("receipt", "verify", str(proof.receipt), "--json").stdout)
    assert str(proof.receipt) in shlex.split(told["by_hand"])


@pytest.mark.parametrize("output", ["ledger.jsonl", "-"])
@pytest.mark.parametrize("announced", [1, 2, None])
def test_an_export_that_broke_off_is_no_success(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, announced: int | None
) -> None:
    monkeypatch.chdir(tmp_path)
    first = ledger.link(ledger.START, at=NOON, verb="space.create", outcome="done", space_id=UUID(int=1))
    header = ledger.export_header(after=ledger.START, head=(9, HASH), space_id=UUID(int=1), count=announced)
    body = f"{header}\n{ledger.to_json(first)}\n".encode()
    with servers.answering(200, body, "application/jsonl") as url:
        result = run("audit", "export", "-o", output, STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    if announced == 2:
        assert result.exit_code == Exit.UNAVAILABLE
        assert "2 entries were to come, and 1 came" in result.stderr
        assert list(tmp_path.glob("*ledger*")) == []
    else:  # an older server announces nothing
        assert result.exit_code == Exit.OK
        assert body in ((tmp_path / output).read_bytes() if output != "-" else result.stdout_bytes)


@pytest.mark.parametrize("body", [b"", b'{"after":'])
def test_an_export_that_broke_off_at_its_beginning_is_no_success(run: Run, tmp_path: Path, body: bytes) -> None:
    with servers.answering(200, body, "application/jsonl") as url:
        result = run("audit", "export", "-o", str(tmp_path / "x"), STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.UNAVAILABLE and "in its first line" in result.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["home"]


def test_an_export_is_checked_line_by_line(run: Run, tmp_path: Path) -> None:
    first = ledger.link(ledger.START, at=NOON, verb="space.create", outcome="done", subject="Line\u2028end")
    second = ledger.link((1, first.hash), at=NOON, verb="dataset.create", outcome="done")
    file = tmp_path / "ledger.jsonl"
    file.write_text(ledger.to_json(first) + "\n" + ledger.to_json(second) + "\n")
    assert run("audit", "verify", "--file", str(file)).exit_code == Exit.OK
    file.write_text(ledger.to_json(second) + "\n")
    missing = run("audit", "verify", "--file", str(file))
    assert missing.exit_code == Exit.NOT_VERIFIED and "✗ does not hold" in missing.stdout
