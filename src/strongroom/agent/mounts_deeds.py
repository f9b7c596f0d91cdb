"""Mounting and unmounting: start the tool, wait for the kernel, prove by reading; end it, and say who holds it up."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from strongroom.agent import mounts_keeping, mounts_kernel, mounts_probe, mounts_table, mounts_tools
from strongroom.agent.config import Config
from strongroom.agent.mounts_kernel import Mounted
from strongroom.agent.mounts_tools import Plan
from strongroom.agent.mounts_wrong import wrong

_MOUNT_SECONDS = 30.0
_PROOF_SECONDS = 15.0
_END_SECONDS = 3.0
_GLANCE_SECONDS = 2.0
_LARGEST_LOG = 1 << 20


def start(config: Config, plan: Plan) -> tuple[subprocess.Popen[bytes], str]:
    """Mount and prove it; the tool's process, and the file that was read. Raises: Trouble, and nothing is mounted."""
    executable = mounts_tools.program(plan.tool)
    folder = mounts_table.folder(config)
    (folder / "mounts").mkdir(mode=0o700, exist_ok=True)
    log = mounts_tools.log_file(folder / "mounts", plan.path)
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.unlink()
    with log.open("ab") as output:
        began = output.tell()
        process = subprocess.Popen(
            mounts_tools.command(plan, executable, config.ca_file),
            env=mounts_tools.environment(config, str(folder)),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
        )
    try:
        _until_mounted(process, plan, log, began)
        return process, _proved(plan, log, began)
    except BaseException:
        end(plan.path, process.pid, is_forced=True)
        raise


def start_by_fstab(plan: Plan) -> str:
    """Mount by the line of fstab, as at boot, and prove it; the file that was read. Raises: Trouble."""
    done = subprocess.run(["mount", plan.path], capture_output=True, text=True, check=False, timeout=90)
    deadline = time.monotonic() + _MOUNT_SECONDS
    while mounts_kernel.at(plan.path) is None:
        if done.returncode or time.monotonic() > deadline:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise wrong("not-proved", f"mount {plan.path} did not mount it: {said}.", "Try --persist agent.")
        time.sleep(0.05)
    return _proved(plan, None, 0)


def stay(process: subprocess.Popen[bytes], plan: Plan) -> int:
    """Serve in the foreground, for systemd, until told to stop; 1 when the tool ended by itself."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(1))
    _notify("READY=1")
    while process.poll() is None and not stopping:
        time.sleep(0.2)
    _notify("STOPPING=1")
    end(plan.path, process.pid, is_forced=True)
    return 0 if stopping else 1


def end(path: str, pid: int, *, is_forced: bool) -> None:
    """Unmount. Forced: it is gone from the tree at once, and its program with it, so that nothing holds on to data.

    Raises: Trouble `in-use` when somebody works there and it is not forced.
    """
    if mounts_kernel.at(path) is not None:
        done = _unmount(path, is_lazy=False) if is_forced else _unmount_between_glances(path)
        if done and not is_forced:
            raise wrong(
                "in-use",
                f"{path} is in use{_users(path)}: {done.rstrip('.')}.",
                "Leave it and end what runs there, or use --force: open files then fail.",
            )
        if done:
            _unmount(path, is_lazy=True)
    if pid:
        _ended(pid, has_time=not is_forced)
    if mounts_kernel.at(path) is not None:
        raise wrong("in-use", f"{path} could not be unmounted.", f"As root: umount --lazy {path}")


def umount(config: Config, found: Mounted, *, is_forced: bool, is_forgotten: bool) -> None:
    """Unmount, and hold or forget what was to keep it. Raises: Trouble."""
    if found.owner != os.geteuid() != 0:
        raise wrong("no-right", f"{found.path} was mounted by somebody else.", "Use sudo.")
    with mounts_table.alone(config, found.path):
        row = {each.path: each for each in mounts_table.rows(config)}.get(found.path)
        # Held before it is gone, or the agent would bring it back at once.
        mounts_table.hold(config, found.path, True)
        try:
            if row and row.keeper == "systemd":
                mounts_keeping.stop_unit(found.path, is_forgotten=is_forgotten)
            end(found.path, found.pid, is_forced=is_forced)
        except BaseException:
            mounts_table.hold(config, found.path, False)
            raise
        if is_forgotten:
            forget(config, found.path)


def forget(config: Config, path: str) -> bool:
    """Keep it no longer; whether it was kept."""
    row = mounts_table.forget(config, path)
    if row and row.keeper == "fstab":
        mounts_keeping.remove_fstab(path)
    if row and row.keeper == "systemd":
        mounts_keeping.stop_unit(path, is_forgotten=True)
    return row is not None


def _until_mounted(process: subprocess.Popen[bytes], plan: Plan, log: Path, began: int) -> None:
    deadline = time.monotonic() + _MOUNT_SECONDS
    while mounts_kernel.at(plan.path) is None:
        if process.poll() is not None:
            raise wrong("not-proved", f"{plan.tool} ended without mounting{_said(log, began)}.", f"Its log: {log}")
        if time.monotonic() > deadline:
            raise wrong("not-proved", f"{plan.tool} did not mount within {_MOUNT_SECONDS:g} s.", f"Its log: {log}")
        time.sleep(0.02)


def _proved(plan: Plan, log: Path | None, began: int) -> str:
    """List it and read the first bytes of one file. Nothing is written: a probe would be a file of the data set."""
    made = Mounted(plan.repository, plan.path, plan.tool, plan.is_read_only, plan.is_shared, os.geteuid(), 0)
    found = mounts_probe.look([made], is_reading=True, seconds=_PROOF_SECONDS)[plan.path]
    if found.health != mounts_probe.OK:
        said = _said(log, began) if log else ""
        raise wrong(
            "not-proved",
            f"{plan.path} was mounted but cannot be read: {found.detail}{said}. It was unmounted.",
            "Look at `strongroom status`; another --tool may say more.",
        )
    return found.read


def _said(log: Path, began: int) -> str:
    """The last thing the tool said, as the end of a sentence."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(began)
        lines = [line.strip() for line in file.read(65536).decode(errors="replace").splitlines() if line.strip()]
        return f": {lines[-1][-300:].rstrip('.')}" if lines else ""
    return ""


def _unmount_between_glances(path: str) -> str:
    """The same, also while the agent or somebody's `df` looks at it just now."""
    until = time.monotonic() + _GLANCE_SECONDS
    done = _unmount(path, is_lazy=False)
    while done and time.monotonic() < until:
        time.sleep(0.1)
        done = _unmount(path, is_lazy=False) if mounts_kernel.at(path) is not None else ""
    return done


def _unmount(path: str, *, is_lazy: bool) -> str:
    """What was against it; empty when it went well.

    A user's own mount is ended as that user, who may since have put another mount's path in its place.
    """
    found = mounts_kernel.at(path)
    user = (mounts_kernel.owner(found) or None) if found and os.geteuid() == 0 else None
    if os.geteuid() == 0 and user is None:
        command = ["umount", *(["--lazy"] if is_lazy else []), path]
    else:
        helper = shutil.which("fusermount3") or shutil.which("fusermount") or "fusermount3"
        command = [helper, "-u", *(["-z"] if is_lazy else []), path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20, user=user)
    except subprocess.TimeoutExpired:
        return "it does not answer"
    except OSError as problem:
        return str(problem)
    return (done.stderr.strip().splitlines() or ["refused"])[-1] if done.returncode else ""


def _ended(pid: int, *, has_time: bool) -> None:
    """Let the program end, or make it."""
    if has_time and _gone(pid, _END_SECONDS):
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            return
        if _gone(pid, _END_SECONDS):
            return


def _gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError, OSError):
            os.waitpid(pid, os.WNOHANG)  # where it is a child of ours
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def _users(path: str) -> str:
    """Which programs work there, as far as we may see."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            opened = [str(each.readlink()) for each in (folder / "cwd", folder / "root", *(folder / "fd").iterdir())]
            if any(each == path or each.startswith(f"{path}/") for each in opened):
                found.append(f"{(folder / 'comm').read_text().strip()} ({folder.name})")
    return f" by {', '.join(sorted(found)[:5])}" if found else ""


def _notify(what: str) -> None:
    """Tell systemd, if it waits to be told. Source: sd_notify(3)."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, contextlib.suppress(OSError):
            line.connect("\0" + path[1:] if path.startswith("@") else path)
            line.sendall(what.encode())
