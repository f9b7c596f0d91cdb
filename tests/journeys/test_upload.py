"""A folder is uploaded by the real command line, killed and finalized under way, through the real gateway."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from strongroom.cli.exits import Exit
from tests.journeys.api import Study
from tests.journeys.system import System
from tests.movers.here import noise


def started(system: System, tmp_path: Path, *words: str) -> "subprocess.Popen[str]":
    environ = {**os.environ, "STRONGROOM_URL": system.door.url, "STRONGROOM_TOKEN": system.owner.token}
    environ["HOME"] = str(tmp_path)
    environ["XDG_STATE_HOME"] = str(tmp_path / "state")
    line = [sys.executable, "-m", "strongroom.cli", *words]
    return subprocess.Popen(line, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "deep").mkdir(parents=True)
    for number in range(200):
        (made / "deep" / f"{number} é.csv").write_bytes(noise(2000, number))
    (made / "huge.bin").write_bytes(noise(40 * 1024 * 1024))
    return made


def test_a_folder_is_killed_resumed_and_finalized_with_its_digests(
    strongroom: System, tmp_path: Path, folder: Path
) -> None:
    study: Study = strongroom.study(has_key=False)
    words = ("upload", str(folder), study.id, "--json", "--limit", "20MB")
    mover = started(strongroom, tmp_path, *words)
    strongroom.until(lambda: len(strongroom.listing(study.repository)) > 20, "some files to arrive")
    mover.kill()
    mover.communicate()
    mover = started(strongroom, tmp_path, *words)
    out, err = mover.communicate(timeout=120)
    assert mover.returncode == Exit.OK, err
    told = json.loads(out)
    assert told["file_count"] == 201 and told["sent_files"] < 201 and told["problem_count"] == 0
    back = tmp_path / "back"
    mover = started(strongroom, tmp_path, "download", study.id, str(back), "--json")
    out, err = mover.communicate(timeout=120)
    assert mover.returncode == Exit.OK and json.loads(out)["compared_by"] == {"SHA-256": 201}, err
    assert (back / "huge.bin").read_bytes() == (folder / "huge.bin").read_bytes()
    strongroom.finalized(study)
    lines = [json.loads(line) for line in study.api.bytes(f"{study.path}/manifest/download").splitlines()]
    assert len(lines) == 201 and all(line["checksum"].startswith("sha256:") for line in lines)


def test_a_finalize_under_way_ends_the_upload_with_a_line_that_says_so(
    strongroom: System, tmp_path: Path, folder: Path
) -> None:
    study: Study = strongroom.study(has_key=False)
    mover = started(strongroom, tmp_path, "upload", str(folder), study.id, "--limit", "3MB")
    strongroom.until(lambda: len(strongroom.listing(study.repository)) > 20, "some files to arrive")
    finalizing = threading.Thread(target=strongroom.finalized, args=(study,))
    finalizing.start()
    _, err = mover.communicate(timeout=120)
    finalizing.join()
    assert mover.returncode == Exit.CONFLICT and "finaliz" in err, err
    assert study.show()["state"] == "finalized"
