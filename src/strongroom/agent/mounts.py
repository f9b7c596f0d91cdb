"""`strongroom mount`, `umount` and `mounts`: data sets as folders of this server, and how each of them is."""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from typing import Any

from strongroom.agent import (
    control_socket,
    drives,
    mounts_checks,
    mounts_deeds,
    mounts_follow,
    mounts_keeping,
    mounts_kernel,
    mounts_probe,
    mounts_table,
    mounts_tools,
    state,
)
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.mounts_kernel import Mounted
from strongroom.agent.mounts_table import KEEPERS, Row
from strongroom.agent.mounts_tools import Plan
from strongroom.agent.mounts_wrong import EXITS, wrong
from strongroom.agent.problems import Trouble
from strongroom.agent.renewal import instant

follow = mounts_follow.follow

_EXIT_WORDS = "Exit code: 0 done, 2 wrong options, 3 not joined, 4 the agent does not run, " + ", ".join(
    f"{number} {code}" for code, number in EXITS.items()
)


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `mount`, `umount` and `mounts`."""
    if not IS_WINDOWS:
        _add_mount(subparsers)
        _add_umount(subparsers)
        _add_mounts(subparsers)


def report(config: Config) -> list[dict[str, Any]]:
    """Each mount and each that should be there: repository, path, tool, is_read_only, is_persistent, health, detail,
    checked_at (ISO 8601). Takes a few seconds at most, whatever hangs."""
    if IS_WINDOWS:
        return drives.report(config.file.parent / "drives")
    kept = {row.path: row for row in mounts_table.rows(config)}
    found = {each.path: each for each in mounts_kernel.mounted()}
    health = mounts_probe.look(found.values())
    now = instant(time.time())
    granted = _granted(config)
    told = []
    for path, each in found.items():
        is_revoked = granted is not None and each.repository not in granted
        word, detail = health[path].health, health[path].detail
        if is_revoked:
            word, detail = mounts_probe.FAILING, f"access was revoked, or has ended; {detail or 'nothing can be read'}"
        told.append({**_described(each, kept.get(path)), "health": word, "detail": detail})
    told += [
        {**_described(row, row), "health": mounts_probe.MISSING, "detail": _missing(row)}
        for path, row in kept.items()
        if path not in found
    ]
    return [
        {**each, "path": _shown(each["path"]), "checked_at": now}
        for each in sorted(told, key=lambda each: str(each["path"]))
    ]


def _shown(path: str) -> str:
    """Text that can be printed and sent, whatever the bytes of the path are."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _described(each: Mounted | Row, row: Row | None) -> dict[str, Any]:
    return {
        "repository": each.repository,
        "path": each.path,
        "tool": each.tool,
        "is_read_only": each.is_read_only,
        "is_persistent": row is not None,
    }


def _granted(config: Config) -> set[str] | None:
    """The repositories that this server was granted; None where that cannot be read."""
    try:
        found = state.granted(config)
    except Trouble:
        return None
    return {str(each["repository"]) for each in found["datasets"]} if "datasets" in found else None


def _missing(row: Row) -> str:
    if row.held == mounts_table.boot():
        return "unmounted by hand; it comes back with the next boot"
    return mounts_follow.failed(row.path) or "it was mounted, and is to come back, but it is not there"


def _add_mount(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "mount",
        help="mount a data set that this server was granted",
        description="Checks everything first, mounts, and proves the mount by reading. Originals are always read-only.",
        epilog=_EXIT_WORDS,
    )
    parser.add_argument("dataset", metavar="DATA-SET", help="its name, its id or its repository")
    parser.add_argument("path", metavar="PATH", help="an empty folder")
    parser.add_argument("--tool", choices=mounts_tools.TOOLS, default=mounts_tools.DEFAULT, help="default: %(default)s")
    parser.add_argument(
        "--umask", type=_umask, help="002: everybody here may enter (root's default); 077: only you (others' default)"
    )
    parser.add_argument("--uid", type=int, help="whose the files look (default: yours, also under sudo)")
    parser.add_argument("--gid", type=int, help="the group of the files")
    parser.add_argument("--read-only", action="store_true", help="also for a derivative")
    parser.add_argument(
        "--persist",
        nargs="?",
        const="",
        choices=("", *KEEPERS),
        metavar="|".join(KEEPERS),
        help="bring it back after a reboot (default: by systemd where it runs, else by the agent)",
    )
    parser.add_argument("--foreground", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--kept", action="store_true", help=argparse.SUPPRESS)  # only if it is still to be there
    parser.add_argument("--quiet", action="store_true", help="say nothing when all is well")
    parser.set_defaults(run=mount)


def _add_umount(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("umount", help="unmount a data set", epilog=_EXIT_WORDS)
    parser.add_argument("what", metavar="PATH|DATA-SET", help="a mount point, or a data set: all its mounts")
    parser.add_argument("--force", action="store_true", help="also while it is in use; open files then fail")
    parser.add_argument("--forget", action="store_true", help="do not bring it back after a reboot either")
    parser.set_defaults(run=umount)


def _add_mounts(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "mounts", help="the mounts of data sets and how each is", description="Exit code: 0 all are well, 1 not."
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--restore", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=mounts)


def mount(config: Config, options: argparse.Namespace) -> int:
    """Check, mount, prove, keep. Raises: Trouble."""
    keeper = options.persist
    if keeper is not None:
        keeper = keeper or mounts_keeping.default_keeper()
        mounts_keeping.check(keeper, options.tool)
    plan = mounts_checks.place(mounts_checks.plan(config, options))
    mounts_tools.program(plan.tool)
    if options.foreground:
        return _stay(config, plan)
    # A unit of systemd mounts by a process of its own, which then has the place for itself.
    with contextlib.nullcontext() if keeper == "systemd" else mounts_table.alone(config, plan.path):
        if options.kept and not mounts_table.is_wanted(config, plan.path):
            return 0
        mounts_checks.place(plan)
        read = _made(config, plan, _row(plan, options, keeper) if keeper else None)
        if keeper is None:
            mounts_table.hold(config, plan.path, False)
    if not options.quiet:
        print(_done(plan, options.dataset, read, keeper))
    _tell_agent(config)
    return 0


def _stay(config: Config, plan: Plan) -> int:
    with mounts_table.alone(config, plan.path):
        mounts_checks.place(plan)
        process, _ = mounts_deeds.start(config, plan)
    return mounts_deeds.stay(process, plan)


def umount(config: Config, options: argparse.Namespace) -> int:
    """Unmount what the path or the data set names. Raises: Trouble."""
    path = mounts_kernel.real(options.what)
    everything = mounts_kernel.mounted()
    found = [each for each in everything if each.path == path]
    if not found:
        wanted = _repository(config, options.what)
        found = [each for each in everything if each.repository == wanted]
    if not found:
        if options.forget and mounts_deeds.forget(config, path):
            print(f"{path} does not come back after a reboot any more.")
            return 0
        raise wrong("not-mounted", f"No data set is mounted at {options.what}.", "See: strongroom mounts")
    for each in found:
        mounts_deeds.umount(config, each, is_forced=options.force, is_forgotten=options.forget)
        print(f"{each.path} is unmounted.")
    _tell_agent(config)
    return 0


def mounts(config: Config, options: argparse.Namespace) -> int:
    """Print them; 0 when all are well."""
    if options.restore:
        return mounts_follow.restore(config)
    found = report(config)
    if options.json:
        print(json.dumps({"mounts": found}, indent=1))
    else:
        print("\n".join(_line(each) for each in found) or "No data set is mounted here.")
    return 0 if all(each["health"] == mounts_probe.OK for each in found) else 1


def _made(config: Config, plan: Plan, row: Row | None) -> str:
    """Mount by whoever shall keep it, so that what is proved now is what will be done at boot."""
    if row is None:
        return mounts_deeds.start(config, plan)[1]
    if row.keeper == "systemd":
        mounts_keeping.start_unit(config, row)
        read = ""
    elif row.keeper == "fstab":
        mounts_keeping.add_fstab(plan)
        try:
            read = mounts_deeds.start_by_fstab(plan)
        except Trouble:
            mounts_keeping.remove_fstab(plan.path)
            raise
    else:
        read = mounts_deeds.start(config, plan)[1]
    mounts_table.keep(config, row)
    return read


def _row(plan: Plan, options: argparse.Namespace, keeper: str) -> Row:
    return Row(plan.repository, plan.path, plan.tool, plan.umask, plan.uid, plan.gid, options.read_only, keeper)


def _done(plan: Plan, name: str, read: str, keeper: str | None) -> str:
    how = "read-only" if plan.is_read_only else "to read and write"
    proof = f"{read} was read" if read else "it was listed and holds no file yet"
    kept = f" It comes back after a reboot ({keeper})." if keeper else ""
    return f"“{name}” is mounted at {plan.path}, {how}, by {plan.tool}; {proof}.{kept}"


def _repository(config: Config, name: str) -> str:
    """The repository of a data set by what people call it; also when the agent does not run or it was revoked."""
    try:
        return str(mounts_checks.granted(config, control_socket.ask(config, "status"), name)["repository"])
    except Trouble as trouble:
        if trouble.code == "ambiguous":
            raise
        return name


def _tell_agent(config: Config) -> None:
    """So that the console shows it now, not at the next heartbeat; nothing depends on it."""
    try:
        control_socket.ask(config, "report")
    except Trouble:
        return


def _line(each: dict[str, Any]) -> str:
    access = "read-only" if each["is_read_only"] else "read and write"
    kept = ", comes back after a reboot" if each["is_persistent"] else ""
    detail = f": {each['detail']}" if each["detail"] else ""
    return f"{each['health']:<8} {each['path']}  {each['repository']} ({each['tool']}, {access}{kept}){detail}"


def _umask(text: str) -> str:
    if not (1 <= len(text) <= 4 and all(each in "01234567" for each in text) and int(text, 8) <= 0o777):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 002 or 077")
    return text
