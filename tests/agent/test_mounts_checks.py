"""Whatever keeps a data set from being mounted is said in one line with the way out, by an exit code of its own."""

import os
import pwd
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.agent.mounts_wrong import EXITS
from strongroom.core.vocabulary import Kind
from tests.agent.room import Dataset, Room, until

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture(scope="module")
def original(served: Room) -> Dataset:
    return served.dataset(Kind.ORIGINAL, one="11")


@pytest.fixture
def back_to_normal(served: Room) -> Iterator[None]:
    yield
    served.plane.refusal = None
    served.stop_agent()
    served.start_agent()


def refused(served: Room, code: str, *words: str, user: int | None = None, inside: tuple[str, ...] = ()) -> str:
    """Mount in vain; the line that says why. Nothing may be mounted, and nothing printed but that line."""
    command = [*inside, *served.program, "mount", *words, *served.places]
    done = served.machine.run(*command, environ=served.environ(), user=user)
    assert done.returncode == EXITS[code], (done.returncode, done.stderr)
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and re.fullmatch(r"strongroom: \S.*[.)]( \S.*)?", lines[0]), lines
    assert not any(word in Path("/proc/self/mountinfo").read_text() for word in words[1:2] if "refused" in word)
    return lines[0]


def test_no_two_refusals_share_an_exit_code_with_each_other_or_the_rest_of_the_agent() -> None:
    assert len(set(EXITS.values())) == len(EXITS)
    assert min(EXITS.values()) >= 10


def test_an_unknown_name_tells_what_is_granted(served: Room, original: Dataset) -> None:
    assert f"“{original.name}”" in refused(served, "no-such-dataset", "Cohort 1789", str(served.point("refused-1")))


def test_a_repository_that_was_never_granted(served: Room) -> None:
    other = served.dataset(Kind.ORIGINAL, is_granted=False)
    assert other.repository in refused(served, "not-granted", other.repository, str(served.point("refused-2")))


def test_two_data_sets_of_one_name_are_told_apart_by_their_ids(served: Room) -> None:
    twins = [served.dataset(Kind.ORIGINAL, name="Twin") for _ in range(2)]
    line = refused(served, "ambiguous", "Twin", str(served.point("refused-3")))
    assert all(each.id in line for each in twins)
    assert served.run("mount", twins[0].id, str(served.point())).returncode == 0
    assert served.run("umount", twins[0].id).returncode == 0
    for each in twins:
        served.revoke(each)


def test_a_revoked_one_by_each_of_its_names(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    until(lambda: (served.folder / "run" / "granted-once.json").exists(), "the agent to remember it")
    served.heard(3)
    served.revoke(made)
    point = str(served.point("refused-4"))
    for name in (made.name, made.id, made.repository):
        refused(served, "revoked", name, point)
    assert made.name not in (served.folder / "run" / "granted-once.json").read_text()


def test_a_grant_that_the_storage_does_not_know(served: Room) -> None:
    made = served.dataset(Kind.ORIGINAL, one="11")
    served.revoke(made, is_told=False)
    assert "AccessDenied" in refused(served, "not-granted", made.name, str(served.point("refused-5")))
    served.revoke(made)


def test_the_place_must_be_an_empty_folder_with_nothing_mounted(served: Room, original: Dataset) -> None:
    point = served.point("refused-6")
    refused(served, "no-mount-point", original.name, str(point / "missing"))
    (point / "file").write_text("x")
    refused(served, "not-a-folder", original.name, str(point / "file"))
    refused(served, "not-empty", original.name, str(point))
    broken = point / "a\nExecStartPre=b"  # would be two lines of a unit
    broken.mkdir()
    refused(served, "not-a-folder", original.name, str(broken))
    assert "proc" in refused(served, "busy", original.name, "/proc")
    well = served.point()
    assert served.run("mount", original.name, str(well)).returncode == 0
    assert "umount" in refused(served, "already-mounted", original.name, str(well))
    link = served.folder / "link"
    link.symlink_to(well)
    refused(served, "already-mounted", original.name, str(link))
    link.unlink()
    other = served.dataset(Kind.ORIGINAL)
    refused(served, "busy", other.name, str(well))
    served.run("umount", str(well))


def test_a_missing_tool_says_how_to_install_it(served: Room, original: Dataset) -> None:
    assert "Install it" in refused(
        served, "no-tool", original.name, str(served.point("refused-7")), "--tool", "mount-s3"
    )


def hidden(*paths: str) -> tuple[str, ...]:
    """What runs a command where these paths are gone, for it alone."""
    hide = " && ".join(
        f"mount --bind /dev/null {path}" if path != "/dev" else "mount -t tmpfs none /dev" for path in paths
    )
    return ("unshare", "--mount", "sh", "-c", f'{hide} && exec "$@"', "sh")


def test_no_fuse_in_the_kernel(served: Room, original: Dataset) -> None:
    line = refused(served, "no-fuse", original.name, str(served.point("refused-8")), inside=hidden("/dev"))
    assert "/dev/fuse" in line


def test_root_without_the_right_to_mount(served: Room, original: Dataset) -> None:
    drop = ("capsh", "--drop=cap_sys_admin", "--", "-c", 'exec "$@"', "sh")
    assert "SYS_ADMIN" in refused(served, "no-right", original.name, str(served.point("refused-9")), inside=drop)


def test_an_agent_that_does_not_run_or_never_joined(served: Room, back_to_normal: None) -> None:
    served.stop_agent()
    done = served.run("mount", "x", str(served.point()))
    assert (done.returncode, "not running" in done.stderr) == (4, True)


def test_a_disabled_server_is_told_so_and_its_mounts_end(served: Room, original: Dataset, back_to_normal: None) -> None:
    point = served.point()
    assert served.run("mount", original.name, str(point), "--tool", "s3fs").returncode == 0
    served.plane.refusal = (403, "server-disabled", "This server was disabled.")
    until(lambda: not os.path.ismount(point), "the agent to unmount it")
    assert "disabled" in refused(served, "server-standing", original.name, str(served.point("refused-10")))


def test_no_credentials_with_the_agents_own_reason(served: Room, original: Dataset, back_to_normal: None) -> None:
    served.stop_agent()
    served.plane.refusal = (503, "unavailable", "The storage is being moved.")
    log = served.folder / "agent.log"
    process = served.machine.start(*served.program, "run", *served.places, environ=served.environ(), log=log)
    try:
        until(lambda: served.run("status").returncode == 1, "the agent")
        until(lambda: "being moved" in served.run("status").stdout, "the agent to have asked")
        line = refused(served, "no-credentials", original.name, str(served.point("refused-11")))
        assert "The storage is being moved." in line
    finally:
        process.terminate()
        process.wait(90)


def test_a_gateway_that_does_not_answer(served: Room, original: Dataset, back_to_normal: None) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        served.stop_agent()
        served.start_agent(endpoint=f"http://127.0.0.1:{closed.getsockname()[1]}")
        line = refused(served, "gateway", original.name, str(served.point("refused-12")))
    assert "refused" in line.lower()


def test_a_clock_that_is_wrong_is_told_by_how_much(served: Room, original: Dataset) -> None:
    script = served.folder / "late.py"
    script.write_text(
        "import runpy, sys, time\n"
        "real = time.time, time.gmtime\n"
        "time.time = lambda: real[0]() - 4000\n"
        "time.gmtime = lambda seconds=None: real[1](real[0]() - 4000 if seconds is None else seconds)\n"
        "sys.argv = sys.argv[1:]\n"
        "sys.path.insert(0, sys.argv[0])\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    words = [*served.program[:-1], str(script), served.program[-1], "mount", original.name]
    done = served.machine.run(*words, str(served.point("refused-13")), *served.places, environ=served.environ())
    assert done.returncode == EXITS["clock"], done.stderr
    told = re.search(r"is (\d+) s behind", done.stderr)
    assert told and 3980 <= int(told[1]) <= 4001 and "timedatectl" in done.stderr, done.stderr


def test_who_is_not_chosen_gets_no_credentials_and_no_mount(served: Room, original: Dataset) -> None:
    line = refused(served, "no-credentials", original.name, str(served.point("refused-14")), user=NOBODY.pw_uid)
    assert "root" in line and "nobody" in line


def test_a_chosen_user_mounts_for_themselves_on_their_own_folder_only(
    served: Room, original: Dataset, back_to_normal: None
) -> None:
    served.stop_agent()
    served.start_agent(users=["nobody"])
    point = served.point("refused-15")
    (served.folder / "state").chmod(0o700)
    refused(served, "no-right", original.name, str(point), "--tool", "s3fs", user=NOBODY.pw_uid)
    os.chown(point, NOBODY.pw_uid, NOBODY.pw_gid)
    line = refused(served, "allow-other", original.name, str(point), "--umask", "002", user=NOBODY.pw_uid)
    assert "user_allow_other" in line


@pytest.mark.parametrize("tool", ["rclone", "s3fs"])
def test_a_tool_that_gets_no_credentials_mounts_nothing_that_would_look_empty(
    served: Room, original: Dataset, back_to_normal: None, tool: str
) -> None:
    served.stop_agent()
    served.start_agent(imds_address="off")
    point = served.point(f"refused-16-{tool}")
    line = refused(served, "not-proved", original.name, str(point), "--tool", tool)
    assert "log" in line or "unmounted" in line
    assert not os.path.ismount(point)
