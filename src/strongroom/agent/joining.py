"""`strongroom join`: this machine becomes a server of a space, with a key pair that it makes itself."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import socket
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from strongroom import __version__
from strongroom.agent import config as configuration
from strongroom.agent import problems, signing, sshd, state
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.control import Control, check_url
from strongroom.agent.problems import Trouble
from strongroom.core.machine import JOINING


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `join`."""
    parser = subparsers.add_parser("join", help="make this machine a server of a space, with a one-time token")
    parser.add_argument("url", help="the control plane, as the join command names it")
    parser.add_argument("--token", default="-", help="the one-time token; - (the default) reads it from standard input")
    parser.add_argument("--user", action="append", default=[], help="a local user who gets credentials (repeatable)")
    parser.add_argument("--group", action="append", default=[], help="a local group whose members do (repeatable)")
    parser.add_argument(
        "--ssh",
        nargs="?",
        const="",
        metavar="HOST[:PORT]",
        help="let people of the space log in with certificates, at this address (else the host's name)",
    )
    parser.add_argument("--ca-file", default="", help="an authority to trust besides the system's")
    parser.add_argument("--again", action="store_true", help="replace the identity this machine has")
    parser.set_defaults(run=join)


def join(config: Config, options: argparse.Namespace) -> int:
    """Join, and say what comes next. Raises: Trouble."""
    if not options.state and not is_root():
        raise problems.needs_root("Joining")
    url = check_url(options.url)
    _refuse_second_time(config, options)
    token = options.token if options.token != "-" else sys.stdin.readline().strip()
    if not token:
        raise Trouble("There is no token.", "Paste it after --token, or give it on standard input.", "usage", 2)
    state.prepare(config.state)
    if options.ssh is not None:
        config = dataclasses.replace(config, ssh=configuration.BESIDE, ssh_host=options.ssh or socket.getfqdn())
    who = _joined(config, url, token, options.ca_file or config.ca_file)
    _remember_choices(config, options)
    _say_next(config, who)
    return 0


def description(config: Config) -> dict[str, Any]:
    """What the control plane is told about this machine, at joining and with each heartbeat."""
    return {
        "ssh_host_key": sshd.host_key(config),
        "ssh_host": config.ssh_host if config.ssh != configuration.OFF else "",
        "hostname": socket.gethostname()[:255],
        "os_version": _os_version()[:200],
        "agent_version": __version__,
    }


def _refuse_second_time(config: Config, options: argparse.Namespace) -> None:
    if options.again:
        return
    try:
        who = state.identity(config)
    except Trouble as trouble:
        if trouble.exit != problems.NOT_JOINED:
            raise
        return
    raise Trouble(
        f"This machine has already joined {who.control_plane_url} as “{who.name}” of “{who.space}” ({who.joined_at}).",
        "Nothing was changed and the token was not used. To replace that identity, add --again.",
        "joined-already",
    )


def _joined(config: Config, url: str, token: str, ca_file: str) -> state.Identity:
    """Make a key, spend the token, and only then put the new identity in place."""
    fresh = config.state / "fresh"
    body = {"token": token, "public_key": signing.make_key(fresh), "os": "windows" if IS_WINDOWS else "linux"}
    control = Control(url, JOINING, signing.Signer(fresh), ca_file=ca_file)
    answer = control.post("/join", {**body, **description(config)})
    who = state.Identity(
        server_id=answer["server_id"],
        name=answer["name"],
        space=answer["space"],
        control_plane_url=url,
        session_name=answer["session_name"],
        heartbeat_seconds=float(answer["heartbeat_seconds"]),
        joined_at=datetime.fromtimestamp(int(time.time()), timezone.utc).isoformat(),
    )
    sshd.remember(config, answer)
    fresh.with_suffix(".pub").replace(config.key.with_suffix(".pub"))
    fresh.replace(config.key)
    state.remember_identity(config, who)
    return who


def _remember_choices(config: Config, options: argparse.Namespace) -> None:
    """Add what the options chose to `agent.json`; what stands there already stays."""
    chosen: dict[str, Any] = {
        "users": [*config.users, *(each for each in options.user if each not in config.users)],
        "groups": [*config.groups, *(each for each in options.group if each not in config.groups)],
    }
    if options.ca_file:
        chosen["ca_file"] = str(Path(options.ca_file).resolve())
    if options.ssh is not None:
        chosen |= {"ssh": config.ssh, "ssh_host": config.ssh_host}
    if not (options.user or options.group or options.ca_file or options.ssh is not None):
        return
    before = state.read(config.file) or {}
    config.file.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(config.file, json.dumps({**before, **chosen}, indent=1) + "\n", 0o644)


def _say_next(config: Config, who: state.Identity) -> None:
    now = configuration.load(str(config.file), str(config.state), str(config.run))
    print(f"This machine is now the server “{who.name}” of “{who.space}”.")
    print(f"Credentials are for: {now.who_may}. Others by their local name in {config.file}: " + '{"users": ["…"]}')
    if IS_WINDOWS:
        return  # install.ps1 goes on
    print("Next:  strongroom install   (as root: starts the agent now and at every boot)")
    print("       strongroom status    (what it may do, and what is wrong)")


def is_root() -> bool:
    """Whether this process may do what only root or an administrator may."""
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.shell32.IsUserAnAdmin())
    return os.geteuid() == 0


def _os_version() -> str:
    try:
        for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
            if line.startswith("PRETTY_NAME="):
                return line.partition("=")[2].strip("\"'")
    except OSError:
        pass
    return " ".join(each for each in (platform.system(), platform.release(), platform.version()) if each)
