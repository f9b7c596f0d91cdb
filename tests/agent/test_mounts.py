"""Data sets as folders of a server: the real tools, the real engine, credentials from the metadata service alone."""

import contextlib
import errno
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.core.vocabulary import Kind
from tests.agent.network import as_user
from tests.agent.room import Room, until
from tests.processes import words

TOOLS = ("rclone", "s3fs")
SOMEBODY, SOMEBODY_ELSE = 61500, 61501


def mounted(served: Room, dataset: str, *words: str, name: str = "") -> Path:
    """Mount it at a new place, which must go well."""
    point = served.point(name)
    done = served.run("mount", dataset, str(point), *words)
    assert done.returncode == 0, done.stderr
    return point


def read(path: Path, user: int | None = None) -> str:
    """What `cat` prints, or its complaint."""
    command = ["cat", str(path)]
    done = subprocess.run([*as_user(user), *command] if user else command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else f"cat failed: {done.stderr}"


@contextlib.contextmanager
def held_open(path: Path) -> Iterator[int]:
    """The file's descriptor; closing it fails once the mount is gone."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def refusal(deed: object) -> str:
    """The name of the error that a deed meets."""
    try:
        deed()  # type: ignore[operator]
    except OSError as problem:
        return errno.errorcode[problem.errno or 0]
    return ""


@pytest.mark.parametrize("tool", TOOLS)
def test_an_original_is_mounted_by_name_proved_by_reading_and_cannot_be_written(served: Room, tool: str) -> None:
    made = served.dataset(Kind.ORIGINAL, patients="42 rows\n")
    point = served.point("with a space, and 'quotes'" + tool)
    done = served.run("mount", made.name, str(point), "--tool", tool)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"read-only, by {tool}; {point}/patients.txt was read" in done.stdout
    assert read(point / "patients.txt") == "42 rows\n"
    assert refusal(lambda: (point / "new").write_text("x")) == "EROFS"
    assert refusal(lambda: (point / "patients.txt").unlink()) == "EROFS"
    assert served.run("umount", str(point)).returncode == 0
    assert list(point.iterdir()) == []
    assert served.listing(made) == {"patients.txt": 8}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_derivative_is_written_through_the_mount_and_nothing_is_left_of_the_proof(served: Room, tool: str) -> None:
    made = served.dataset(Kind.DERIVATIVE)
    point = mounted(served, made.repository, "--tool", tool)
    assert served.listing(made) == {}
    (point / "result.csv").write_text("a,b\n")
    (point / "folder").mkdir()
    (point / "folder" / "x").write_text("xx")
    (point / "folder" / "x").rename(point / "folder" / "y")
    assert {key: size for key, size in served.listing(made).items() if size} == {"result.csv": 4, "folder/y": 2}
    (point / "result.csv").unlink()
    assert "result.csv" not in served.listing(made)
    assert served.run("umount", made.name).returncode == 0


def test_a_derivative_can_be_mounted_read_only(served: Room) -> None:
    made = served.dataset(Kind.DERIVATIVE, a="1")
    point = mounted(served, made.id, "--read-only")
    assert refusal(lambda: (point / "new").write_text("x")) == "EROFS"


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("umask", ["002", "077"])
def test_files_of_every_tool_are_readable_to_the_team_with_002_and_to_one_person_with_077(
    served: Room, tool: str, umask: str
) -> None:
    made = served.dataset(Kind.DERIVATIVE, plain="by boto3")
    send = {**served.environ(), "RCLONE_CONFIG": "/dev/null"}
    source = served.folder / f"{made.id}.txt"
    source.write_text("by a tool")
    remote = f":s3,provider=Other,env_auth=true,no_check_bucket=true,endpoint='{served.gateway}':{made.repository}"
    for command in (
        ("aws", "s3", "cp", str(source), f"s3://{made.repository}/deep/aws.txt"),
        ("rclone", "copyto", str(source), f"{remote}/deep/rclone.txt"),
    ):
        done = served.machine.run(*command, environ=send)
        assert done.returncode == 0, done.stderr
    writer = mounted(served, made.name, "--tool", "s3fs", "--umask", "077")
    (writer / "s3fs.txt").write_text("by s3fs")  # with its own headers: mode 600, root
    point = mounted(served, made.name, "--tool", tool, "--umask", umask, "--uid", str(SOMEBODY), "--gid", str(SOMEBODY))
    files = [point / name for name in ("plain.txt", "deep/aws.txt", "deep/rclone.txt", "s3fs.txt")]
    assert [read(each, SOMEBODY) for each in files] == ["by boto3", "by a tool", "by a tool", "by s3fs"]
    others = [read(each, SOMEBODY_ELSE).startswith("by ") for each in files]
    assert others == [umask == "002"] * 4
    write = [*as_user(SOMEBODY_ELSE), "touch", str(point / "not-mine")]
    assert subprocess.run(write, capture_output=True, check=False).returncode != 0
    served.run("umount", made.name)


def test_rclone_answers_a_revocation_with_errors_and_works_again_after_a_new_grant(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11", two="22")
    point = mounted(served, made.name)
    assert read(point / "one.txt") == "11"
    served.revoke(made, is_told=False)  # the agent believes in the grant still: the storage alone must do
    assert "Input/output error" in read(point / "one.txt")
    assert "Input/output error" in read(point / "two.txt")
    served.revoke(made)
    until(lambda: refusal(lambda: list(point.iterdir())) == "EIO", "the names to be forgotten")
    until(lambda: served.health(point) == "failing", "the heartbeat to say so")
    assert "revoked" in served.run("mounts").stdout
    served.grant(made)
    until(lambda: read(point / "one.txt") == "11", "the mount to work again")
    until(lambda: served.health(point) == "ok", "the heartbeat to say so")


def test_s3fs_which_tells_a_revoked_file_as_empty_is_unmounted_by_the_agent(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = mounted(served, made.name, "--tool", "s3fs")
    assert read(point / "one.txt") == "11"
    with held_open(point / "one.txt") as held:
        served.revoke(made, is_told=False)
        assert read(point / "one.txt") == "", "this is what s3fs does, and why it may not stay"
        served.revoke(made)
        until(lambda: not os.path.ismount(point), "the agent to unmount it")
        ended = ("ENOTCONN", "EIO", "ECONNABORTED", "ENODEV")
        until(lambda: refusal(lambda: os.pread(held, 2, 0)) in ended, "its process to be gone")
    assert list(point.iterdir()) == []


def test_the_plain_command_of_the_manual_works_is_seen_and_ends_with_the_grant(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = served.point()
    options = ["-o", "iam_role=auto", "-o", "allow_other", "-o", f"umask=002,uid={SOMEBODY}"]
    endpoint = ["-o", f"url={served.gateway},use_path_request_style"]
    done = served.machine.run("s3fs", *options, *endpoint, made.repository, str(point), environ=served.environ())
    assert done.returncode == 0
    until(lambda: read(point / "one.txt", SOMEBODY) == "11", "the plain mount")
    until(lambda: served.health(point) == "ok", "the heartbeat to tell of it")
    assert f"{point}" in subprocess.run(["df", str(point)], capture_output=True, text=True, check=True).stdout
    served.revoke(made)
    until(lambda: not os.path.ismount(point), "the agent to unmount it")


@pytest.mark.parametrize("tool", TOOLS)
def test_a_failed_write_is_an_error_for_the_writer(served: Room, tool: str) -> None:
    made = served.dataset(Kind.DERIVATIVE)
    point = mounted(served, made.name, "--tool", tool)
    served.revoke(made, is_told=False)
    assert refusal(lambda: (point / "lost.csv").write_text("x" * 100)) in ("EIO", "EPERM")
    served.grant(made)
    assert "lost.csv" not in served.listing(made)
    served.run("umount", "--force", str(point))


def test_a_mount_in_use_is_not_torn_away_unless_forced(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = mounted(served, made.name)
    with held_open(point / "one.txt"):
        done = served.run("umount", str(point))
        assert (done.returncode, os.path.ismount(point)) == (29, True)
        assert f"({os.getpid()})" in done.stderr
        assert served.run("umount", str(point), "--force").returncode == 0
        assert not os.path.ismount(point)
    assert served.run("umount", str(point)).returncode == 28


def test_a_mount_that_hangs_does_not_hold_the_agent_up(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = mounted(served, made.name)
    well = mounted(served, served.dataset(Kind.ORIGINAL, two="22").name)
    pid = next(each for each in pids("rclone") if str(point) in words(each))
    os.kill(pid, 19)
    try:
        served.heard(1)
        told = ("failing", "ok")
        until(lambda: (served.health(point), served.health(well)) == told, "the heartbeat to say so")
        assert served.run("status").returncode == 1
    finally:
        os.kill(pid, 18)
    until(lambda: served.health(point) == "ok", "the mount to be well again")


def test_a_storage_that_does_not_answer_holds_up_nobody_who_asks_how_the_mounts_are(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = mounted(served, made.name)
    os.kill(next(each for each in pids("rclone") if str(point) in words(each)), signal.SIGHUP)  # forget the names
    with served.engine.frozen("gateway"):
        # What touches the mount now waits where no signal reaches it. The command ends, and so does what reads it.
        assert "no answer within" in served.run("mounts").stdout
    until(lambda: served.health(point) == "ok", "the mount to be well again")


def test_a_mount_outlives_the_credentials_it_began_with(served: Room) -> None:
    served.stop_agent()
    served.session_seconds = 8
    try:
        served.start_agent()
        made = served.dataset(Kind.ORIGINAL, one="11", two="22", three="33")
        point = mounted(served, made.name)
        keys = set()
        for _ in range(3):
            keys.add(json.loads(served.run("credentials").stdout)["AccessKeyId"])
            served.heard(2 * served.session_seconds)  # heartbeats of half a second: a lifetime of the credentials
            assert os.path.ismount(point), served.log()
            names = sorted(each.name for each in point.iterdir())
            assert [read(point / name) for name in names] == ["11", "33", "22"]
        assert len(keys) == 3, "the first two have ended, or nothing was shown"
    finally:
        served.stop_agent()
        served.session_seconds = 3600
        served.start_agent()
        served.run("umount", "--force", made.name)


def pids(name: str) -> list[int]:
    """The processes of that name."""
    found = subprocess.run(["pgrep", "-x", name], capture_output=True, text=True, check=False).stdout
    return [int(each) for each in found.split()]
