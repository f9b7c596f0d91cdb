"""Everything that is looked at before a data set is mounted; each way it can be wrong is one refusal.

The order is that of a person's questions: is this a server of ours, may it, can it reach the data, can it mount here.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from strongroom.agent import control_socket, mounts_gateway, mounts_kernel, mounts_table
from strongroom.agent.config import Config
from strongroom.agent.mounts_tools import Plan
from strongroom.agent.mounts_wrong import wrong
from strongroom.agent.problems import NOT_JOINED, NOT_RUNNING, Trouble
from strongroom.agent.renewal import ENDED

FUSE_CONF = Path("/etc/fuse.conf")
_PRIVATE = 0o077
_LOOKS_LIKE_AN_ID = re.compile(r"(dataset-[a-z0-9]+-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def plan(config: Config, options: argparse.Namespace) -> Plan:
    """What shall be mounted and how, everything but the place checked. Raises: Trouble."""
    told = status(config)
    dataset = granted(config, told, options.dataset)
    if not told.get("endpoint"):
        raise wrong("gateway", "The agent was not told yet where the storage is.", "Try again in a minute.")
    mounts_gateway.check(told["endpoint"], told["region"], credentials(config), dataset["repository"], config.ca_file)
    umask = options.umask if options.umask is not None else ("002" if os.geteuid() == 0 else "077")
    return Plan(
        repository=dataset["repository"],
        path=mounts_kernel.real(options.path),
        tool=options.tool,
        umask=f"{int(umask, 8):03o}",
        uid=_number(options.uid, "SUDO_UID", os.getuid()),
        gid=_number(options.gid, "SUDO_GID", os.getgid()),
        is_read_only=options.read_only or dataset["access"] != "write",
        # What root mounts is reached by others through allow_other alone; the umask says who they are.
        is_shared=os.geteuid() == 0 or int(umask, 8) & _PRIVATE != _PRIVATE,
        is_original=dataset["kind"] == "original",
        endpoint=told["endpoint"],
        region=told["region"],
    )


def status(config: Config) -> dict[str, Any]:
    """What the agent says, when this server is in good standing. Raises: Trouble."""
    try:
        told = control_socket.ask(config, "status")
    except Trouble as trouble:
        if trouble.exit in (NOT_JOINED, NOT_RUNNING):
            raise
        raise wrong("no-credentials", trouble.detail, trouble.way_out) from None
    for problem in told["problems"]:
        if problem["code"] in ENDED:
            raise wrong("server-standing", problem["detail"], problem["way_out"])
        if problem["code"] == "clock":
            raise wrong("clock", problem["detail"], problem["way_out"])
    return told


def credentials(config: Config) -> dict[str, Any]:
    """The session of this server. Raises: Trouble with the agent's reason why there is none."""
    try:
        return control_socket.ask(config, "credentials")
    except Trouble as trouble:
        raise wrong("no-credentials", trouble.detail, trouble.way_out) from None


def granted(config: Config, told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The one data set of that name, id or repository. Raises: Trouble."""
    known = told["datasets"]
    found = [each for each in known if name in (each["id"], each["repository"])]
    found = found or [each for each in known if each["name"] == name]
    if len(found) == 1:
        return dict(found[0])
    if found:
        ids = ", ".join(str(each["id"]) for each in found)
        raise wrong("ambiguous", f"{len(found)} data sets are called “{name}”.", f"Say which by its id: {ids}.")
    ask = "Ask a steward of the space to provision access for this server (`strongroom grant create`)."
    if mounts_table.was_granted(config, name):
        raise wrong("revoked", f"The access of this server to “{name}” was revoked, or has ended.", ask)
    if _LOOKS_LIKE_AN_ID.fullmatch(name):
        raise wrong("not-granted", f"This server was not granted access to {name}.", ask)
    names = ", ".join(f"“{each['name']}”" for each in known) or "none"
    raise wrong("no-such-dataset", f"No data set “{name}” is granted to this server; granted: {names}.", ask)


def place(made: Plan) -> Plan:
    """The plan with the real path, once everything there allows it. Raises: Trouble."""
    _check_fuse(made.tool)
    _check_free(made)
    if Path(made.path).is_symlink():
        return place(replace(made, path=os.path.realpath(made.path)))
    _check_folder(made.path)
    _check_rights(made)
    return made


def _check_fuse(tool: str) -> None:
    if not Path("/dev/fuse").exists():
        raise wrong(
            "no-fuse", "This server has no /dev/fuse.", "As root: modprobe fuse; in a container: --device /dev/fuse."
        )
    has_program = shutil.which("fusermount3") or shutil.which("fusermount")
    if not has_program and (tool == "rclone" or os.geteuid() != 0):
        raise wrong("no-fuse", "fusermount3 is not installed.", "Install it: apt-get install fuse3, yum install fuse3.")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise wrong("no-fuse", "You may not use /dev/fuse.", "Have root give you the right (chmod 666 /dev/fuse).")


def _check_free(made: Plan) -> None:
    entry = mounts_kernel.at(made.path)
    if entry is None:
        return
    for each in mounts_kernel.mounted():
        if each.path == made.path and each.repository == made.repository:
            raise wrong(
                "already-mounted",
                f"{made.repository} is mounted at {made.path} already.",
                f"To mount it anew: strongroom umount {made.path}",
            )
    raise wrong("busy", f"{entry.source} is mounted at {made.path}.", "Choose another folder, or unmount that first.")


def _check_folder(path: str) -> None:
    if any(ord(character) < 32 or ord(character) == 127 for character in path):
        raise wrong("not-a-folder", f"{path!r} holds a line break or the like.", "Name a folder without.")
    try:
        if not stat.S_ISDIR(Path(path).stat().st_mode):
            raise wrong("not-a-folder", f"{path} is not a folder.", "Name an empty folder.")
        if next(os.scandir(path), None) is not None:
            raise wrong("not-empty", f"{path} is not empty: the mount would hide what is in it.", "Choose another.")
    except FileNotFoundError:
        raise wrong("no-mount-point", f"There is no {path}.", f"Make it: mkdir -p {path}") from None
    except PermissionError:
        raise wrong("no-right", f"You may not look into {path}.", "Choose a folder of yours, or use sudo.") from None
    except OSError as problem:
        raise wrong(
            "busy", f"{path} cannot be read: {problem.strerror}.", f"If a mount died there: umount --lazy {path}"
        ) from None


def _check_rights(made: Plan) -> None:
    if os.geteuid() == 0:
        if not _has_sys_admin():
            raise wrong("no-right", "Root may not mount here.", "Give the container --cap-add SYS_ADMIN.")
        return
    if not os.access(made.path, os.W_OK):
        raise wrong("no-right", f"You may not mount on {made.path}, which is not yours.", "Use sudo, or your own.")
    if (made.uid, made.gid) != (os.getuid(), os.getgid()) and not made.is_shared:
        raise wrong("no-right", "Only root mounts for somebody else.", "Leave --uid and --gid out, or use sudo.")
    lines = [line.strip() for line in FUSE_CONF.read_text().splitlines()] if FUSE_CONF.exists() else []
    if made.is_shared and "user_allow_other" not in lines:
        raise wrong(
            "allow-other",
            f"{FUSE_CONF} does not let you share a mount with other users.",
            "Mount it for yourself with --umask 077, use sudo, or have root add the line user_allow_other there.",
        )


def _has_sys_admin() -> bool:
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return found is None or bool(int(found[1], 16) >> 21 & 1)


def _number(given: int | None, variable: str, own: int) -> int:
    if given is not None:
        return given
    said = os.environ.get(variable, "") if os.geteuid() == 0 else ""
    return int(said) if said.isdigit() else own
