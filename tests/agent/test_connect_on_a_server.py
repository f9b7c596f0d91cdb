"""What `dataset connect` prints for a server works there as printed, with no key anywhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom.core.connect_servers import server_snippets
from strongroom.core.vocabulary import Kind
from tests.agent.network import PATIENT, unmounted
from tests.agent.room import SCRIPTS, Dataset, Room, until


@pytest.fixture(scope="module", params=[Kind.ORIGINAL, Kind.DERIVATIVE], ids=str)
def made(served: Room, request: pytest.FixtureRequest) -> Dataset:
    dataset = served.dataset(request.param)
    for key in ("file.csv", "folder/file.csv"):
        served.put(dataset, key, "a,b\n1,2\n")
    return dataset


@pytest.fixture
def desk(served: Room, made: Dataset, tmp_path: Path) -> Path:
    """Where somebody works, with results to send."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "result.csv").write_text("r\n")
    shutil.copy(tmp_path / "results" / "result.csv", tmp_path)
    return tmp_path


def texts(served: Room, made: Dataset, client: str) -> list[str]:
    """As printed, but for /mnt, which is everybody's, and sudo, which the tests' root has no need of."""
    found = server_snippets(
        repository=made.repository,
        endpoint=served.gateway,
        region="us-east-1",
        is_read_only=made.kind is Kind.ORIGINAL,
    )
    return [
        each.text.replace("/mnt/", f"{served.folder}/mnt/").replace("sudo ", "")
        for each in found
        if each.client == client
    ]


def ran(served: Room, desk: Path, script: str) -> str:
    """The output of a script of bash on the machine, which must go well."""
    environ = {**PATIENT, "HOME": str(desk), "PATH": f"{desk}/bin:{SCRIPTS}:{os.environ['PATH']}"}
    whole = f"cd {desk} && set -e\n{script}"
    done = served.machine.run("bash", "-c", whole, environ=environ, seconds=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_aws_command_line(served: Room, made: Dataset, desk: Path) -> None:
    said = ran(served, desk, texts(served, made, "aws")[0])
    assert "folder/file.csv" in said and (desk / "file.csv").read_text() == "a,b\n1,2\n"
    assert ("results/result.csv" in served.listing(made)) == (made.kind is Kind.DERIVATIVE)


def test_rclone_copies_and_mounts(served: Room, made: Dataset, desk: Path) -> None:
    settings, commands = texts(served, made, "rclone")
    (desk / ".config" / "rclone").mkdir(parents=True)
    (desk / ".config" / "rclone" / "rclone.conf").write_text(settings)
    try:
        said = ran(served, desk, commands + "cat ~/data/folder/file.csv\n")
        assert said.endswith("a,b\n1,2\n") and (desk / "folder" / "file.csv").exists()
    finally:
        unmounted(desk)


def test_s3fs_mounts_by_the_line_of_the_manual(served: Room, made: Dataset, desk: Path) -> None:
    point = served.folder / "mnt" / made.repository
    try:
        assert "is a mountpoint" in ran(served, desk, texts(served, made, "s3fs")[0])
        assert (point / "folder" / "file.csv").read_text() == "a,b\n1,2\n"
        assert "s3fs" in subprocess.run(["df", str(point)], capture_output=True, text=True, check=True).stdout
    finally:
        unmounted(served.folder)
        until(lambda: not os.path.ismount(point), "the end of the mount")


def test_strongroom_mounts_by_its_own_line(served: Room, made: Dataset, desk: Path) -> None:
    (desk / "bin").mkdir()
    words = " ".join((*served.program, '"$@"', *served.places))
    (desk / "bin" / "strongroom").write_text(f"#!/bin/sh\nexec {words}\n")
    (desk / "bin" / "strongroom").chmod(0o755)
    script, _, look = texts(served, made, "strongroom")[0].rstrip().rpartition("\n")
    assert look == "strongroom mounts"
    try:
        assert made.repository in ran(served, desk, script)
        # Its answer may come too late for the look where the machine is busy.
        until(lambda: made.repository in ran(served, desk, f"{{ {look}; }} || echo not well"), "a mount that is found")
        until(lambda: "not well" not in ran(served, desk, f"{{ {look}; }} || echo not well"), "a mount that is well")
    finally:
        served.run("umount", made.name, "--forget")


def test_boto3_needs_no_profile(served: Room, made: Dataset, desk: Path) -> None:
    (desk / "work.py").write_text(texts(served, made, "boto3")[0])
    said = ran(served, desk, f"{sys.executable} work.py")
    assert "folder/file.csv 8" in said
    assert ("results/result.csv" in served.listing(made)) == (made.kind is Kind.DERIVATIVE)
