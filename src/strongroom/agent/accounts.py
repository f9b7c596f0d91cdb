"""Who may log in to this server: the accounts of the heartbeat, made true on this machine.

Only accounts that stand in `accounts.json` of the state folder, because the agent made them, are ever touched. One
that nobody may use any more keeps its home, and loses its way in, its running processes and its password's field.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from strongroom.agent import config as configuration
from strongroom.agent import sshd, state
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.problems import Trouble
from strongroom.agent.sshd import GROUP, run

_HOMES = Path("/home")
# Above what `useradd` chooses by itself, below what systemd gives to services.
_FIRST_UID, _LAST_UID = 20_000, 59_999
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_ROUNDS = 100

_Known = dict[str, dict[str, Any]]


def apply(config: Config, accounts: list[dict[str, Any]], *, asked_at: float | None = None) -> None:
    """Let exactly these accounts (`{"account", "name"}`) in; quick where nothing changed.

    `asked_at` is when the heartbeat was sent, in Unix seconds: whoever was ended since then is not let in by its
    answer. Raises: Trouble, after everything else was done, for what could not be.
    """
    if IS_WINDOWS or (config.ssh == configuration.OFF and not _file(config).exists()):
        return
    wanted = {str(each["account"]): str(each.get("name", "")) for each in accounts}
    if config.ssh == configuration.OFF:
        wanted = {}
    troubles = list[Trouble]()
    with _held(config) as known:
        # Who has to leave comes first: whatever is wrong with somebody else's account, they leave.
        for account in [each for each, about in known.items() if _has_to_go(about) and each not in wanted]:
            with _collecting(troubles):
                _end(config, known, account)
        for account in sorted(wanted):
            ended_at = known.get(account, {}).get("ended_at", 0.0)
            if asked_at is None or ended_at < asked_at:
                with _collecting(troubles):
                    _let_in(config, known, account, wanted[account])
        with _collecting(troubles):
            sshd.configure(config)
    if troubles:
        raise Trouble(
            " ".join(each.detail for each in troubles),
            " ".join(dict.fromkeys(each.way_out for each in troubles)),
            troubles[0].code,
        )


def end(config: Config, account: str) -> None:
    """Throw somebody out now, before any heartbeat says so; nothing where the agent made no such account.

    Raises: Trouble when processes of theirs go on.
    """
    with _held(config) as known:
        if account in known:
            known[account]["ended_at"] = time.time()
            _save(config, known)
            _end(config, known, account)


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `end-sessions`, for the host of a created server."""
    parser = subparsers.add_parser("end-sessions", help="throw somebody out now (as root)")
    parser.add_argument("account", help="their local account")
    parser.set_defaults(run=_end_sessions)


def _end_sessions(config: Config, options: argparse.Namespace) -> int:
    end(config, options.account)
    return 0


def _let_in(config: Config, known: _Known, account: str, name: str) -> None:
    if not _NAME.fullmatch(account):
        raise Trouble(f"{account[:60]!r} is no name of an account.", "Tell the operator of Strongroom.", "account")
    uid = _uid_of(account)
    if uid is not None and not _is_ours(known, account, uid):
        raise Trouble(
            f"The account {account} was here before the agent, and is not touched: that person cannot log in.",
            f"Rename it (usermod --login), or remove it (userdel {account}), as root.",
            "account-taken",
        )
    if uid is None:
        uid = _create(known, account, name)
        known[account] = {**known.get(account, {}), "uid": uid, "is_in": True}
        _save(config, known)
    elif not known[account]["is_in"]:
        run("usermod", "--unlock", "--expiredate", "", account)
        known[account]["is_in"] = True
        _save(config, known)
    principals = sshd.principals(config, account)
    wanted = f"{account}@{state.identity(config).server_id}\n"
    if not principals.exists() or principals.read_text(encoding="utf-8") != wanted:
        sshd.write(principals, wanted)


def _create(known: _Known, account: str, name: str) -> int:
    home = _HOMES / account
    uid = _free_uid(known, account, home)
    if not _has_group():
        run("groupadd", "--system", GROUP)
    comment = re.sub(r"[:,\x00-\x1f\x7f]", " ", name)[:100].strip()
    # `*` is no password and, unlike the `!` that useradd writes, no lock either.
    run(
        "useradd",
        *("--uid", str(uid), "--user-group", "--groups", GROUP, "--shell", "/bin/bash", "--password", "*"),
        *("--comment", comment, "--home-dir", str(home)),
        "--no-create-home" if home.exists() else "--create-home",
        account,
    )
    home.chmod(0o700)
    return uid


def _free_uid(known: _Known, account: str, home: Path) -> int:
    """The number it had before, or one that nobody here has or has left files with."""
    if account in known:
        return int(known[account]["uid"])
    if home.exists() and _FIRST_UID <= home.stat().st_uid <= _LAST_UID:
        return home.stat().st_uid
    import pwd

    taken = {each.pw_uid for each in pwd.getpwall()} | {int(each["uid"]) for each in known.values()}
    taken |= {each.stat().st_uid for each in _HOMES.iterdir()} if _HOMES.exists() else set()
    return next(uid for uid in range(_FIRST_UID, _LAST_UID + 1) if uid not in taken)


def _end(config: Config, known: _Known, account: str) -> None:
    """First no new way in, then no old one."""
    with contextlib.suppress(FileNotFoundError):
        sshd.principals(config, account).unlink()
    known[account] |= {"is_in": False, "is_ending": True}
    _save(config, known)
    try:
        uid = _uid_of(account)
        if uid is not None and _is_ours(known, account, uid):
            run("usermod", "--lock", "--expiredate", "1", account)
    finally:  # whatever became of that, nothing of theirs goes on
        if _name_of(known[account]["uid"]) in (account, None):
            _kill(account, int(known[account]["uid"]))
    known[account]["is_ending"] = False
    _save(config, known)


def _has_to_go(about: dict[str, Any]) -> bool:
    """Whether somebody whom nobody wants is in, or was not thrown out altogether at the last try."""
    return bool(about["is_in"] or about.get("is_ending"))


def _kill(account: str, uid: int) -> None:
    """End every process of theirs. Raises: Trouble when some go on."""
    for _ in range(_ROUNDS):
        running = _processes(uid)
        if not running:
            return
        # As that user and to all at once: the kernel sweeps in one go, faster than anything can fork away.
        subprocess.run(["/bin/sh", "-c", "kill -KILL -1"], user=uid, extra_groups=[], check=False)
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    raise Trouble(
        f"Processes of {account} go on: {', '.join(map(str, _processes(uid)))}.",
        "Look at them as root: they may wait for a mount that does not answer.",
        "sessions",
    )


def _processes(uid: int) -> list[int]:
    """The living processes that act, acted or could act again as this user."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            status = (folder / "status").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        about = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if str(uid) in about["Uid"].split() and about["State"].strip()[0] not in "ZX":
            found.append(int(folder.name))
    return found


def _is_ours(known: _Known, account: str, uid: int) -> bool:
    """Whether it is the account that the agent made, and not one that took its name since."""
    return account in known and known[account]["uid"] == uid


def _uid_of(account: str) -> int | None:
    import pwd

    try:
        return pwd.getpwnam(account).pw_uid
    except KeyError:
        return None


def _name_of(uid: int) -> str | None:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _has_group() -> bool:
    import grp

    try:
        grp.getgrnam(GROUP)
    except KeyError:
        return False
    return True


@contextlib.contextmanager
def _held(config: Config) -> Iterator[_Known]:
    """The accounts that the agent made, for one process at a time."""
    if sys.platform == "win32":
        raise AssertionError("there are no accounts on Windows")
    import fcntl

    state.prepare(config.state)
    with (config.state / "accounts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield state.read(_file(config)) or {}


def _save(config: Config, known: _Known) -> None:
    state.write(_file(config), known)


def _file(config: Config) -> Path:
    return config.state / "accounts.json"


@contextlib.contextmanager
def _collecting(troubles: list[Trouble]) -> Iterator[None]:
    try:
        yield
    except Trouble as trouble:
        troubles.append(trouble)
    except OSError as problem:
        troubles.append(Trouble(f"{problem}.", "Look at it as root; the agent tries again.", "account"))
