"""A copy on a disk is compared with a manifest, file by file, as a folder and as a bag."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.live import Run

from strongroom.cli.exits import Exit
from strongroom.core import bag, manifest

FILES = {"a.csv": b"1", "b/c.csv": b"two"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder, and the manifest of what it holds beside it."""
    folder = tmp_path / "cohort"
    lines = b""
    for key, content in FILES.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)
        checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
        entry = manifest.Entry(key, len(content), "e", datetime(2026, 1, 31, tzinfo=UTC), checksum)
        lines += manifest.encode(entry)
    (tmp_path / "digests.jsonl").write_bytes(lines)
    return folder


def test_a_copy_that_is_the_same_is_said_to_be(run: Run, copy: Path) -> None:
    result = run("verify", str(copy), "--manifest", "digests.jsonl", "--json")
    assert result.exit_code == Exit.OK, result.output
    assert json.loads(result.stdout)["same_files"] == 2


def test_a_bag_is_looked_into(run: Run, copy: Path) -> None:
    box = copy.with_name("box")
    box.mkdir()
    copy.rename(box / "data")
    (box / bag.DECLARATION_FILE).write_text(bag.DECLARATION)
    assert run("verify", str(box), "--manifest", "digests.jsonl").exit_code == Exit.OK


def test_what_was_altered_is_missing_or_came_besides_is_named_with_exit_9(run: Run, copy: Path) -> None:
    (copy / "a.csv").write_bytes(b"2")
    (copy / "b/c.csv").unlink()
    (copy / "new.csv").write_bytes(b"")
    result = run("verify", str(copy), "--manifest", "digests.jsonl", "--json")
    assert result.exit_code == Exit.NOT_VERIFIED
    found = {each["key"]: each["what"] for each in json.loads(result.stdout)["differences"]}
    assert found == {"a.csv": "altered", "b/c.csv": "missing", "new.csv": "extra"}


def test_a_folder_alone_is_no_question(run: Run, copy: Path) -> None:
    result = run("verify", str(copy))
    assert result.exit_code == Exit.USAGE
    assert "--manifest" in result.stderr


def test_a_manifest_that_is_none_is_refused(run: Run, copy: Path) -> None:
    Path("digests.jsonl").write_text("no line of a manifest\n")
    assert run("verify", str(copy), "--manifest", "digests.jsonl").exit_code == Exit.INVALID


@pytest.mark.parametrize("name", ["digests.jsonl", "manifest-sha256.txt", "sums.txt"])
def test_a_list_that_names_no_file_is_no_list(run: Run, copy: Path, name: str) -> None:
    Path(name).write_bytes(b"")
    result = run("verify", str(copy), "--manifest", name, "--allow-extra")
    assert result.exit_code == Exit.INVALID
    assert "it names no file" in result.stderr and "--dataset" in result.stderr
