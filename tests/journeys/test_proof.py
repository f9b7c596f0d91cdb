"""Proof on the real engine: digests completed and checked by other people's programs; damage on the disk is named."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bagit
import pytest

from tests.journeys.api import Study
from tests.journeys.system import System, running
from tests.journeys.test_kills import kill

FILES = {
    "a.csv": b"a,b\n1,2\n" * 500,
    "deep/folder/b.csv": b"0123456789abcdef" * 70_000,
    "été/ü.txt": "Grüße".encode(),
    "empty.txt": b"",
    "space in name.txt": b"space",
}
LARGE = 11_000_000  # sent in two parts: no MD5 of its content is known
SETTINGS = {
    "finalize_drain_seconds": "5",
    "finalize_recheck_seconds": "8",
    "fixity_bytes_per_second": "0",
    "fixity_threads": "4",
}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("proof"), **SETTINGS) as system:
        yield system


@pytest.fixture(scope="module")
def frozen(system: System) -> Study:
    """An original that a foreign client sent, finalized and digested."""
    study = system.study()
    s3 = system.s3(study)
    for key, content in FILES.items():
        s3.put_object(Bucket=study.repository, Key=key, Body=content)
    s3.put_object(Bucket=study.repository, Key="folder/", Body=b"")
    upload = s3.create_multipart_upload(Bucket=study.repository, Key="large.bin")["UploadId"]
    halves = [bytes([number]) * (LARGE // 2 + 1) for number in range(2)]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                Bucket=study.repository, Key="large.bin", UploadId=upload, PartNumber=number, Body=half
            )["ETag"],
        }
        for number, half in enumerate(halves, 1)
    ]
    s3.complete_multipart_upload(
        Bucket=study.repository, Key="large.bin", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    system.finalized(study)
    system.until(lambda: study.show()["digests_sha256"] is not None, "the digests", more=lambda: checks(study))
    return study


@pytest.fixture(scope="module")
def folder(system: System, frozen: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the data set, as anybody may have one."""
    folder = tmp_path_factory.mktemp("copy") / "data"
    for key in (*FILES, "large.bin"):
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(b"".join(system.engine.read_object(frozen.repository, key)))
    (folder / "folder").mkdir()
    return folder


def checks(study: Study) -> list[Any]:
    return study.api.all(f"{study.path}/fixity")


def strongroom(system: System, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line as the owner."""
    environ = {**os.environ, "STRONGROOM_URL": system.door.url, "STRONGROOM_TOKEN": system.owner.token}
    command = [sys.executable, "-m", "strongroom.cli", *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


def told(system: System, study: Study, *words: str) -> Any:
    """The JSON of a check that is followed to its end, and its exit code."""
    done = strongroom(system, *words, study.id, "--json")
    return json.loads(done.stdout), done.returncode


def test_sha256sum_checks_a_copy(frozen: Study, folder: Path) -> None:
    listed = frozen.api.bytes(f"{frozen.path}/manifest/download?form=sha256sum")
    checked = subprocess.run(["sha256sum", "-c", "--strict"], input=listed, cwd=folder, capture_output=True, check=True)
    assert checked.stdout.count(b": OK\n") == len(FILES) + 1


def test_the_bagit_library_validates_a_bag(system: System, frozen: Study, folder: Path) -> None:
    done = strongroom(system, "manifest", "download", frozen.id, "--form", "bagit", "-o", str(folder.parent))
    assert done.returncode == 0, done.stderr
    bag = bagit.Bag(str(folder.parent))
    bag.validate()
    assert bag.info["External-Identifier"] == f"urn:uuid:{frozen.id}"
    (folder / "a.csv").write_bytes(FILES["a.csv"].replace(b"2", b"3", 1))
    with pytest.raises(bagit.BagValidationError):
        bag.validate()
    (folder / "a.csv").write_bytes(FILES["a.csv"])


def test_the_command_line_checks_the_copy(system: System, frozen: Study, folder: Path) -> None:
    good = strongroom(system, "verify", str(folder), "--dataset", frozen.id)
    assert good.returncode == 0, good.stderr
    (folder / "new.csv").write_bytes(b"new")
    assert strongroom(system, "verify", str(folder), "--dataset", frozen.id).returncode == 9
    (folder / "new.csv").unlink()


def test_ssh_keygen_and_openssl_check_both_receipts(system: System, frozen: Study, tmp_path: Path) -> None:
    saved = strongroom(system, "receipt", "show", frozen.id, "--save", str(tmp_path))
    assert saved.returncode == 0, saved.stderr
    for name in ("receipt.json", "digests.json"):
        identity = ["-I", "strongroom", "-n", "strongroom-receipt", "-s", f"{name}.sig"]
        command = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", *identity]
        text = (tmp_path / name).read_bytes()
        subprocess.run(command, cwd=tmp_path, input=text, check=True, capture_output=True)
        forged = text.replace(b'"object_count": ', b'"object_count": 1')
        assert subprocess.run(command, cwd=tmp_path, input=forged, capture_output=True, check=False).returncode != 0
    bagged = frozen.api.bytes(f"{frozen.path}/manifest/download?form=bagit")
    (tmp_path / "manifest-sha256.txt").write_bytes(bagged)
    said = json.loads((tmp_path / "digests.json").read_text())
    openssl = ["openssl", "dgst", "-sha256", "-r", "manifest-sha256.txt"]
    summed = subprocess.run(openssl, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert summed.split()[0] == said["bagit_sha256"]
    assert said["receipt_sha256"] == hashlib.sha256((tmp_path / "receipt.json").read_bytes()).hexdigest()
    arguments = ["receipt", "verify", str(tmp_path / "digests.json"), "--manifest"]
    assert strongroom(system, *arguments, str(tmp_path / "manifest-sha256.txt")).returncode == 0
    (tmp_path / "manifest-sha256.txt").write_bytes(bagged + b"\n")
    assert strongroom(system, *arguments, str(tmp_path / "manifest-sha256.txt")).returncode == 9
    assert system.administrator.get("/audit/verify")["is_intact"]


def test_a_check_that_finds_nothing_ends_with_0(system: System, frozen: Study) -> None:
    check, code = told(system, frozen, "verify")
    assert (check["state"], check["read_count"], code) == ("passed", len(FILES) + 2, 0)


def test_a_locked_original_is_digested_and_checked(system: System) -> None:
    study = system.uploaded(1)
    system.finalized(study, locked_until="2036-12-31T00:00:00Z")
    check, code = told(system, study, "verify")
    assert (check["state"], check["completes_digests"], code) == ("passed", False, 0)


def test_a_worker_that_is_killed_goes_on_where_it_was(system: System) -> None:
    study = system.uploaded(40)
    study.finalize()
    kill(system, "worker")
    system.settled(study)
    system.until(lambda: study.show()["digests_sha256"] is not None, "the digests", more=lambda: checks(study))


def test_flipped_bytes_on_the_disk_are_found_named_and_told(system: System) -> None:
    study = damaged_study(system)
    [volume] = [path for path in volumes(system, study) if flip(path, study_content())]
    check, code = told(system, study, "verify")
    assert code == 9, check
    assert [each["key"] for each in check["differences"]] == ["secret.bin"]
    shown = study.show()
    assert shown["damaged_objects"] == 1
    assert "missing, altered or unreadable" in strongroom(system, "dataset", "show", study.id).stdout
    files = {part["part"]: part for part in system.administrator.get("/system/status")["parts"]}["files"]
    assert not files["is_healthy"]
    facts = {each["verb"] for each in system.owner.all("/audit", dataset_id=study.id)}
    assert {"fixity.difference", "fixity.ended"} <= facts, volume


def study_content() -> bytes:
    return hashlib.sha256(b"secret").digest() * 2000


def damaged_study(system: System) -> Study:
    study = system.study()
    s3 = system.s3(study)
    s3.put_object(Bucket=study.repository, Key="other.bin", Body=b"other")
    s3.put_object(Bucket=study.repository, Key="secret.bin", Body=study_content())
    system.finalized(study)
    system.until(lambda: study.show()["digests_sha256"] is not None, "the digests", more=lambda: checks(study))
    return study


def volumes(system: System, study: Study) -> list[Path]:
    """The files of the data set's own volumes: a bucket is a collection."""
    return sorted(system.door.home.rglob(f"{study.repository}_*.dat"))


def flip(path: Path, content: bytes) -> bool:
    """Turn bytes in the middle of the largest record; encrypted, so that the content itself is not to be found."""
    size = path.stat().st_size
    if size < len(content):
        return False
    with path.open("r+b") as volume:
        volume.seek(size - len(content) // 2)
        taken = volume.read(16)
        volume.seek(-len(taken), os.SEEK_CUR)
        volume.write(bytes(each ^ 0xFF for each in taken))
    return True


def test_a_volume_that_is_gone_is_found_too(system: System) -> None:
    study = damaged_study(system)
    system.door.end()
    for path in volumes(system, study):
        path.unlink()
    system.door.start()
    check, code = told(system, study, "verify")
    assert code == 9, check
    assert [each["key"] for each in check["differences"]] == ["other.bin", "secret.bin"]
