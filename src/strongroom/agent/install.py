"""`strongroom install`: the agent as a systemd service, started now and at every boot."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from strongroom.agent import joining, problems, state
from strongroom.agent.config import CONFIG_FILE, IS_WINDOWS, RUN, STATE, Config
from strongroom.agent.problems import Trouble

UNIT = Path("/etc/systemd/system/strongroom.service")

# What it needs: the address on lo (NET_ADMIN), port 80 (NET_BIND_SERVICE), accounts of people who log in (users are
# made with useradd, their sessions ended), and to look at mounts of other users (DAC_READ_SEARCH, SYS_PTRACE).
_CAPABILITIES = (
    "CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_KILL CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH "
    "CAP_SETUID CAP_SETGID CAP_SYS_PTRACE CAP_AUDIT_WRITE"
)

# /tmp and /home are the machine's own: mounts live there, and are looked at from here.
_UNIT = """\
[Unit]
Description=Strongroom: credentials and mounts of this server
Wants=network-online.target
After=network-online.target time-sync.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={command} run{places}
Restart=always
RestartSec=2
TimeoutStartSec=60
StateDirectory=strongroom
StateDirectoryMode=0700
RuntimeDirectory=strongroom
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
UMask=0077
MemoryMax=256M
TasksMax=512
OOMScoreAdjust=-500
NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
ProtectSystem=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `install`."""
    parser = subparsers.add_parser("install", help="start the agent now and at every boot (systemd)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--print", action="store_true", dest="is_print", help="print the unit and change nothing")
    how.add_argument("--remove", action="store_true", help="stop the agent and remove the unit; the identity stays")
    parser.set_defaults(run=install)


def install(config: Config, options: argparse.Namespace) -> int:
    """Write the unit and start it. Raises: Trouble."""
    if options.is_print:
        print(unit(config), end="")
        return 0
    _check_systemd()
    if not joining.is_root():
        raise problems.needs_root("Installing")
    if options.remove:
        _systemctl("disable", "--now", UNIT.name)
        UNIT.unlink(missing_ok=True)
        _systemctl("daemon-reload")
        print("The agent is stopped and does not start at boot any more.")
        return 0
    who = state.identity(config)
    state.write_text(UNIT, unit(config), 0o644)
    _systemctl("daemon-reload")
    _systemctl("enable", "--quiet", UNIT.name)
    _systemctl("restart", UNIT.name)
    print(f"The agent runs, and will at every boot, as the server “{who.name}”. Look at it: strongroom status")
    return 0


def unit(config: Config) -> str:
    """The text of the systemd unit."""
    moved = [
        (name, value)
        for name, value, usual in (
            ("--config", config.file, CONFIG_FILE),
            ("--state", config.state, STATE),
            ("--run", config.run, RUN),
        )
        if value != usual
    ]
    places = "".join(f" {name} {_quoted(str(value.absolute()))}" for name, value in moved)
    return _UNIT.format(command=_command(), places=places, capabilities=_CAPABILITIES)


def _command() -> str:
    """How this very program is started: the zipapp with this Python, cut off from everybody's environment."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{_quoted(sys.executable)} -m strongroom.agent"
    return f"{_quoted(sys.executable)} -I -S {_quoted(str(program.absolute()))}"


def _quoted(word: str) -> str:
    # Source: systemd.service(5), "Command lines": % begins a specifier, $ a variable.
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word else word


def _check_systemd() -> None:
    if IS_WINDOWS:
        raise Trouble(
            "`install` is for systemd.",
            "On Windows a scheduled task runs the agent: docs/guide/mounting-windows.md says how.",
            "no-systemd",
        )
    if not (shutil.which("systemctl") and Path("/run/systemd/system").exists()):
        raise Trouble(
            "This machine does not run systemd.",
            "Have whatever starts its services run `strongroom run`; `strongroom install --print` shows how systemd "
            "would.",
            "no-systemd",
        )


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Trouble(f"systemctl {' '.join(words)}: {said}", "See: journalctl -u strongroom -n 20", "systemd")
