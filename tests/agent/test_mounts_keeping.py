"""Mounts that are to come back do: by the agent, a unit of systemd, a line of fstab; unless they were forgotten."""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.agent import mounts_keeping, mounts_kernel, mounts_table
from strongroom.agent.config import Config
from strongroom.agent.mounts_table import Row
from strongroom.core.vocabulary import Kind
from tests.agent.network import unmounted
from tests.agent.room import SCRIPTS, Room, until

USER = "59666"
PATHS = ("/mnt/data", "/srv/a b/it's-50%", "/data/.hidden/ü", "/mnt/x-y_z", '/mnt/"q"$HOME\\n', "/.a")


def row(path: str = "/mnt/data", tool: str = "rclone", keeper: str = "systemd") -> Row:
    return Row("dataset-uni-1", path, tool, "002", 1000, 1000, False, keeper)


@contextlib.contextmanager
def without_agent(served: Room) -> Iterator[None]:
    """The time between a machine's shutdown and its agent's start: nothing of ours runs, nothing is mounted."""
    served.stop_agent()
    try:
        yield
    finally:
        served.start_agent()


def reboot(served: Room) -> None:
    """As far as mounts can tell: they and their programs are gone, the state is there, the agent starts."""
    with without_agent(served):
        unmounted(served.folder)


@pytest.mark.parametrize("tool", ["rclone", "s3fs"])
def test_a_mount_to_keep_is_back_after_a_reboot_and_another_is_not(served: Room, tool: str) -> None:
    kept, other = (served.dataset(Kind.ORIGINAL, one="11") for _ in range(2))
    point, passing = served.point(f"kept by the agent {tool}"), served.point()
    words = ("--tool", tool, "--umask", "077", "--uid", "61500", "--gid", "61500")
    assert served.run("mount", kept.name, str(point), *words, "--persist", "agent").returncode == 0
    assert served.run("mount", other.name, str(passing)).returncode == 0
    before = owner(point)
    reboot(served)
    until(lambda: os.path.ismount(point), "the mount to come back", more=served.log)
    until(lambda: served.health(point) == "ok", "the heartbeat to say so")
    assert ((point / "one.txt").read_text(), owner(point)) == ("11", before)
    assert not os.path.ismount(passing)
    assert served.run("umount", str(point), "--forget").returncode == 0
    assert served.run("mounts").stdout == "No data set is mounted here.\n"


def test_what_was_unmounted_by_hand_stays_away_until_it_is_mounted_again(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = served.point()
    assert served.run("mount", made.name, str(point), "--persist", "agent").returncode == 0
    assert served.run("umount", str(point)).returncode == 0
    served.heard(4)
    assert not os.path.ismount(point)
    assert (served.health(point), "by hand" in served.run("mounts").stdout) == ("missing", True)
    assert served.run("mount", made.name, str(point)).returncode == 0
    reboot(served)
    until(lambda: os.path.ismount(point), "the mount to come back", more=served.log)
    assert served.run("umount", str(point), "--forget").returncode == 0


def test_an_agent_about_to_bring_a_mount_back_does_not_once_it_was_unmounted_by_hand(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = served.point()
    assert served.run("mount", made.name, str(point), "--persist", "agent").returncode == 0
    config = Config(state=served.folder / "state", run=served.folder / "run")
    words = ("mount", made.name, str(point), "--kept", *served.places)
    with mounts_table.alone(config, str(point)):
        # As in the moment between unmounting and the note that it was by hand: the agent's command has begun already.
        unmounted(point.parent)
        coming = served.machine.start(*served.program, *words, environ=served.environ(), log=served.folder / "kept.log")
        served.heard()
        assert coming.poll() is None
        mounts_table.hold(config, str(point), True)
    assert (coming.wait(90), os.path.ismount(point)) == (0, False)
    served.heard(3)
    assert not os.path.ismount(point)
    assert served.run("umount", str(point), "--forget").returncode == 0


def test_what_is_in_use_is_kept_although_somebody_tried_to_unmount_it(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = served.point()
    assert served.run("mount", made.name, str(point), "--persist", "agent").returncode == 0
    with (point / "one.txt").open():
        assert served.run("umount", str(point)).returncode != 0
    reboot(served)
    until(lambda: os.path.ismount(point), "the mount to come back", more=served.log)
    assert served.run("umount", str(point), "--forget").returncode == 0


def test_a_revoked_mount_comes_back_with_the_next_grant(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = served.point()
    assert served.run("mount", made.name, str(point), "--tool", "s3fs", "--persist", "agent").returncode == 0
    served.revoke(made)
    until(lambda: not os.path.ismount(point), "the agent to unmount it")
    served.heard(4)
    assert not os.path.ismount(point)
    served.grant(made)
    until(lambda: os.path.ismount(point), "the mount to come back", more=served.log)
    assert (point / "one.txt").read_text() == "11"
    assert served.run("umount", str(point), "--forget").returncode == 0


def test_a_mount_whose_program_was_killed_comes_back(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = served.point()
    assert served.run("mount", made.name, str(point), "--persist", "agent").returncode == 0
    assert subprocess.run(["pkill", "-KILL", "-f", f"rclone mount.*{point}$"], check=False).returncode == 0
    until(
        # Where nobody serves a mount any more, `Path.exists` raises.
        lambda: served.health(point) == "ok" and os.path.exists(point / "one.txt"),  # noqa: PTH110
        "the mount to come back",
    )
    assert served.run("umount", str(point), "--forget").returncode == 0


def test_a_user_keeps_a_mount_without_root(served: Room) -> None:
    name, home = f"sr{os.getpid()}", served.folder / "home"
    subprocess.run(["useradd", "--home-dir", str(home), "--create-home", "--uid", USER, name], check=True)
    try:
        served.stop_agent()
        served.start_agent(users=[name])
        made = served.dataset(Kind.ORIGINAL, one="11")
        point = home / "data"
        environ = {**served.environ(), "HOME": str(home)}
        command = [*served.program, "mount", made.name, str(point), "--tool", "s3fs", "--persist", *served.places]
        point.mkdir()
        os.chown(point, int(USER), int(USER))
        done = served.machine.run(*command, environ=environ, user=int(USER))
        assert done.returncode == 0, done.stderr
        with pytest.raises(PermissionError):  # not even root looks into what a user mounted for themselves
            list(point.iterdir())
        until(lambda: served.health(point) == "ok", "the heartbeat, which looks as that user")
        served.stop_agent()
        unmounted(home)
        served.start_agent(users=[name])
        until(lambda: mounts_kernel.at(str(point)), "the mount to come back", more=served.log)
        until(lambda: served.health(point) == "ok", "the heartbeat to say so")
    finally:
        unmounted(home)
        shutil.rmtree(home)
        subprocess.run(["pkill", "-KILL", "-u", USER], check=False)
        subprocess.run(["userdel", "--force", name], check=True, capture_output=True)
        served.stop_agent()
        served.start_agent()


@pytest.mark.parametrize("path", PATHS)
def test_a_unit_is_named_as_systemd_would_name_it(path: str) -> None:
    said = subprocess.run(["systemd-escape", "--path", "--", path], capture_output=True, text=True, check=True).stdout
    assert mounts_keeping.unit_name(path) == f"strongroom-mount-{said.strip()}.service"


@pytest.mark.parametrize("path", PATHS)
def test_systemd_reads_the_unit_and_finds_nothing_wrong(tmp_path: Path, path: str) -> None:
    for name in ("strongroom.service", "network-online.target"):
        kind = "[Service]\nExecStart=/bin/true\n" if name.endswith("service") else ""
        (tmp_path / name).write_text(f"[Unit]\nDescription=A stand-in\n{kind}")
    unit = tmp_path / mounts_keeping.unit_name(path)
    text = mounts_keeping.unit(Config(), row(path))
    unit.write_text(text)
    environ = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], env=environ, capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if unit.name in line or "Unbalanced" in line] == []
    assert "After=network-online.target strongroom.service" in text and "Restart=on-failure" in text


def test_the_units_command_mounts_says_it_is_ready_and_unmounts_when_stopped(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = served.point("a unit's own")
    config = Config(served.folder / "agent.json", served.folder / "state", served.folder / "run")
    text = mounts_keeping.unit(config, Row(made.repository, str(point), "rclone", "002", 0, 0, False, "systemd"))
    (start,) = [line.partition("=")[2] for line in text.splitlines() if line.startswith("ExecStart=")]
    words = shlex.split(start.replace("%%", "%").replace("$$", "$"))
    words = [*served.program, *words[words.index("mount") :]]  # the unit names whoever wrote it: here the tests
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(served.folder / "notify"))
        systemd.settimeout(90)
        environ = {**served.environ(), "NOTIFY_SOCKET": str(served.folder / "notify")}
        process = served.machine.start(*words, environ=environ, log=served.folder / "unit.log")
        try:
            assert systemd.recv(100) == b"READY=1", (served.folder / "unit.log").read_text()
            assert (point / "one.txt").read_text() == "11"
            process.terminate()
            assert systemd.recv(100) == b"STOPPING=1"
            assert process.wait(90) == 0
        finally:
            process.kill()
    assert not os.path.ismount(point)


def test_systemd_is_refused_where_it_does_not_run(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL)
    done = served.run("mount", made.name, str(served.point()), "--persist", "systemd")
    assert (done.returncode, "--persist agent" in done.stderr) == (30, True)


@pytest.mark.parametrize("tool", ["rclone", "s3fs"])
def test_a_line_of_fstab_mounts_and_is_taken_out_again(served: Room, tool: str) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    point = served.point(f"by fstab {tool}")
    fstab = served.folder / f"fstab-{tool}"
    fstab.write_text("# mine\n")
    rclone = shutil.which("rclone", path=f"{SCRIPTS}:{os.environ['PATH']}")
    # The command replaces the file, so its folder is what it gets a copy of, for it and its children alone.
    script = (
        "mount -t overlay none /etc -o lowerdir=/etc,upperdir={0}/up,workdir={0}/work && "
        "mount -t overlay none /sbin -o lowerdir=/sbin,upperdir={0}/up2,workdir={0}/work2 2>/dev/null; "
        "ln -sf {1} /sbin/mount.rclone; cat {2} >/etc/fstab; "
    ).format(*map(shlex.quote, (str(served.folder / f"overlay-{tool}"), str(rclone), str(fstab))))
    for name in ("up", "work", "up2", "work2"):
        (served.folder / f"overlay-{tool}" / name).mkdir(parents=True)
    mount = [*served.program, "mount", made.name, str(point), "--tool", tool, "--persist", "fstab", *served.places]
    umount = [*served.program, "umount", str(point), "--forget", *served.places]
    read = ["cat", f"{point}/one.txt", "/etc/fstab"]
    whole = f"{script} {shlex.join(mount)} && {shlex.join(read)}; {shlex.join(umount)} && cat /etc/fstab"
    try:
        done = served.machine.run("unshare", "--mount", "sh", "-c", whole, environ=served.environ(), seconds=300)
    finally:  # the agent, which is not in there, may have missed the mount and brought it back out here
        subprocess.run(["pkill", "-KILL", "-f", point.name], check=False)
        unmounted(served.folder)
    assert done.returncode == 0, done.stderr
    said, _, rest = done.stdout.partition("# mine\n")
    line, after = rest.splitlines()[0], rest.splitlines()[1:]
    assert said.endswith("11") and str(point).replace(" ", r"\040") in line and "_netdev" in line
    assert after == [f"{point} is unmounted.", "# mine"]


def owner(path: Path) -> tuple[int, int, int]:
    """Whose a folder looks, and its mode."""
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode
