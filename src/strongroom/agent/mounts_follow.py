"""What the agent does about mounts after each heartbeat: end those of revoked data sets, bring back those to keep."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strongroom.agent import mounts_deeds, mounts_keeping, mounts_kernel, mounts_probe, mounts_table
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.log import log
from strongroom.agent.mounts_kernel import Mounted
from strongroom.agent.mounts_table import USERS_OWN, Row
from strongroom.agent.problems import Trouble

if TYPE_CHECKING:
    import pwd

_RUNNING: dict[str, subprocess.Popen[bytes]] = {}
_FAILED: dict[str, str] = {}
_REFUSED: set[str] = set()
_LOCK = threading.Lock()
_USERS_LOCK = threading.Lock()


def follow(config: Config, datasets: Iterable[Mapping[str, Any]]) -> None:
    """Make the mounts fit what is granted now. Returns at once and never raises: it goes on beside the heartbeats.

    s3fs tells a file of a revoked data set as empty and a failed command as done, so its mounts end. rclone and
    mount-s3 answer with errors and work again after a new grant: they stay, and forget the names they know.
    """
    if not IS_WINDOWS:
        threading.Thread(target=_follow, args=(config, list(datasets)), name="mounts follow", daemon=True).start()
        threading.Thread(target=_let_users_bring_back, args=(config,), name="mounts of users", daemon=True).start()


def _follow(config: Config, datasets: list[Mapping[str, Any]]) -> None:
    if not _LOCK.acquire(blocking=False):
        return  # the one that is at work takes long; the next heartbeat says it again
    try:
        granted = {str(each["repository"]) for each in datasets}
        mounts_table.remember_granted(config, datasets)
        found = mounts_kernel.mounted()
        # Revoked is what was granted once: a grant that no heartbeat has told yet may be used already.
        ended = [each for each in found if each.repository not in granted]
        _withdraw([each for each in ended if mounts_table.was_granted(config, each.repository)])
        _REFUSED.difference_update({each.path for each in found if each.repository in granted})
        _bring_back(config, granted, {each.path for each in found} - _cleared(config, found))
    except Exception as problem:  # noqa: BLE001  whatever is wrong with a mount, the server itself lives
        log("mounts not followed", why=repr(problem))
    finally:
        _LOCK.release()


def failed(path: str) -> str:
    """Why a kept mount could not be brought back; empty where that was not tried."""
    return _FAILED.get(path, "")


def _withdraw(revoked: Iterable[Mounted]) -> None:
    for each in revoked:
        if each.tool == "s3fs":
            with contextlib.suppress(Trouble):
                mounts_deeds.end(each.path, each.pid, is_forced=True)
            log("mount ended, access revoked", path=each.path, repository=each.repository)
        elif each.path not in _REFUSED:
            _REFUSED.add(each.path)
            if each.tool == "rclone" and each.pid:
                with contextlib.suppress(OSError):
                    os.kill(each.pid, signal.SIGHUP)  # rclone forgets all names
            log("mount refuses, access revoked", path=each.path, repository=each.repository)


def _cleared(config: Config, found: list[Mounted]) -> set[str]:
    """The paths of kept mounts whose program died, once what is left of them is out of the way."""
    kept = {row.path for row in mounts_table.rows(config)}
    suspects = [each for each in found if each.pid == 0 and each.path in kept]
    dead = [path for path, how in mounts_probe.look(suspects).items() if "ENOTCONN" in how.detail] if suspects else []
    for path in dead:
        log("mount died", path=path)
        mounts_deeds.end(path, 0, is_forced=True)
    return set(dead)


def _bring_back(config: Config, granted: set[str], mounted: set[str]) -> None:
    for row in mounts_table.rows(config):
        if row.path in mounted or row.repository not in granted or row.held == mounts_table.boot():
            _FAILED.pop(row.path, None)
            continue
        running = _RUNNING.get(row.path)
        if running is not None and running.poll() is None:
            continue
        if running is not None:
            _FAILED[row.path] = (running.stderr.read().decode(errors="replace").strip() if running.stderr else "")[
                -300:
            ]
        log("mount is brought back", path=row.path, repository=row.repository)
        _RUNNING[row.path] = _started(_command(config, row))


def _command(config: Config, row: Row) -> list[str]:
    if row.keeper == "systemd":
        return ["systemctl", "restart", mounts_keeping.unit_name(row.path)]
    return _outside(mounts_keeping.command(config, row, "--quiet", "--kept"))


def _let_users_bring_back(config: Config) -> None:
    """Users' own tables are read by a process of theirs: what a user wrote is nothing for root to believe.

    It has a thread of its own: a home that hangs (a user may mount what they like there) holds up nobody's revocation.
    """
    if os.geteuid() != 0 or mounts_keeping.has_systemd() or not _USERS_LOCK.acquire(blocking=False):
        return
    import pwd

    try:
        for user in pwd.getpwall():
            table = Path(user.pw_dir) / USERS_OWN / "mounts.json"
            with contextlib.suppress(OSError):
                if user.pw_uid >= 1000 and table.lstat().st_uid == user.pw_uid:
                    _let_bring_back(config, user)
    finally:
        _USERS_LOCK.release()


def _let_bring_back(config: Config, user: pwd.struct_passwd) -> None:
    running = _RUNNING.get(user.pw_name)
    if running is not None and running.poll() is None:
        return
    words = [*mounts_probe.program(), "mounts", "--restore", "--run", str(config.run)]
    _RUNNING[user.pw_name] = subprocess.Popen(
        words,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=os.getgrouplist(user.pw_name, user.pw_gid),
        env={"HOME": user.pw_dir, "PATH": os.environ.get("PATH", "")},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def restore(config: Config) -> int:
    """Bring back the mounts of this user; 1 when one could not be."""
    mounted = {each.path for each in mounts_kernel.mounted()}
    rows = [row for row in mounts_table.rows(config) if row.path not in mounted and row.held != mounts_table.boot()]
    done = [
        subprocess.run(
            mounts_keeping.command(config, row, "--quiet", "--kept"), check=False, capture_output=True
        ).returncode
        for row in rows
    ]
    return 1 if any(done) else 0


def _outside(command: list[str]) -> list[str]:
    """Under systemd not as a child: the agent's service may neither mount nor outlive its restart."""
    if not mounts_keeping.has_systemd():
        return command
    return ["systemd-run", "--quiet", "--collect", "--wait", "--pipe", *command]


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
