"""How a mount comes back after a reboot: a systemd unit, a line of fstab, or the agent itself.

Source: systemd.service(5), systemd.unit(5) "String escaping for inclusion in unit names", fstab(5), rclone docs "rclone
mount", "rclone as Unix mount helper".
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from strongroom.agent import mounts_tools, state
from strongroom.agent.config import CONFIG_FILE, RUN, STATE, Config
from strongroom.agent.mounts_probe import program
from strongroom.agent.mounts_table import Row
from strongroom.agent.mounts_tools import Plan
from strongroom.agent.mounts_wrong import wrong

UNITS = Path("/etc/systemd/system")
FSTAB = Path("/etc/fstab")
MOUNT_HELPER = Path("/sbin/mount.rclone")
AGENT_UNIT = "strongroom.service"

_UNIT = """\
[Unit]
Description=Data set {repository} at {shown}
Wants=network-online.target {agent}
After=network-online.target {agent}
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={command}
# What cannot be mounted now (revoked, no network) is tried again until it can.
Restart=on-failure
RestartSec=30
TimeoutStartSec=90
TimeoutStopSec=30
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
"""


def has_systemd() -> bool:
    """Whether systemd is what starts services here. Source: sd_booted(3)."""
    return Path("/run/systemd/system").is_dir() and shutil.which("systemctl") is not None


def default_keeper() -> str:
    """Who keeps a mount when nothing was said."""
    return "systemd" if has_systemd() and os.geteuid() == 0 else "agent"


def check(keeper: str, tool: str) -> None:
    """Raises: Trouble when that keeper cannot be had here."""
    if keeper != "agent" and os.geteuid() != 0:
        raise wrong("cannot-persist", f"Only root can use {keeper}.", "Use sudo, or --persist agent.")
    if keeper == "agent" and os.geteuid() != 0 and has_systemd():
        raise wrong("cannot-persist", "Where systemd runs, root keeps mounts.", "Use sudo.")
    if keeper == "systemd" and not has_systemd():
        raise wrong("cannot-persist", "This machine does not run systemd.", "Use --persist agent.")
    if keeper == "fstab" and tool == "mount-s3":
        raise wrong("cannot-persist", "mount-s3 is not for fstab here.", "Use --persist agent, or --tool rclone.")
    if keeper == "fstab" and tool == "rclone" and not MOUNT_HELPER.exists():
        raise wrong(
            "cannot-persist",
            f"mount(8) finds rclone at {MOUNT_HELPER} only.",
            f"Run: ln -s $(command -v rclone) {MOUNT_HELPER}; or use --persist agent.",
        )


def command(config: Config, row: Row, *more: str) -> list[str]:
    """The command that mounts what the row says."""
    words = [*program(), "mount", row.repository, row.path, "--tool", row.tool, "--umask", row.umask]
    words += ["--uid", str(row.uid), "--gid", str(row.gid), *(["--read-only"] if row.is_read_only else []), *more]
    usual = (("--config", config.file, CONFIG_FILE), ("--state", config.state, STATE), ("--run", config.run, RUN))
    for option, value, default in usual:
        words += [option, str(value.absolute())] if value != default else []
    return words


def unit_name(path: str) -> str:
    """The unit of a mount point; systemd-escape(1) with --path makes the same of it."""
    plain = re.sub("/+", "/", path).strip("/") or "-"
    escaped = "".join(
        "-" if character == "/" else character if re.fullmatch(r"[A-Za-z0-9:_.]", character) else _bytes(character)
        for character in plain
    )
    if escaped.startswith("."):
        escaped = r"\x2e" + escaped[1:]
    return f"strongroom-mount-{escaped}.service"


def unit(config: Config, row: Row) -> str:
    """The text of the unit."""
    return _UNIT.format(
        repository=row.repository,
        shown=row.path.replace("%", "%%"),
        agent=AGENT_UNIT,
        command=" ".join(_quoted(word) for word in command(config, row, "--foreground")),
    )


def start_unit(config: Config, row: Row) -> None:
    """Write and start it, now and at every boot. Raises: Trouble with systemd's reason."""
    name = unit_name(row.path)
    state.write_text(UNITS / name, unit(config, row), 0o644)
    _systemctl("daemon-reload")
    _systemctl("enable", "--quiet", name)
    _systemctl("restart", name)


def stop_unit(path: str, *, is_forgotten: bool) -> None:
    """Stop it; forgotten, it does not come back at boot."""
    name = unit_name(path)
    with contextlib.suppress(subprocess.SubprocessError, OSError):
        subprocess.run(["systemctl", "stop", name], capture_output=True, check=False, timeout=60)
        if is_forgotten:
            subprocess.run(["systemctl", "disable", "--quiet", name], capture_output=True, check=False, timeout=30)
            (UNITS / name).unlink()
            subprocess.run(["systemctl", "daemon-reload"], capture_output=True, check=False, timeout=30)


def fstab_line(plan: Plan) -> str:
    """The line that mounts it, after the network and, where systemd reads fstab, after the agent."""
    common = [
        "ro" if plan.is_read_only else "rw",
        "_netdev",
        "nofail",
        f"x-systemd.requires={AGENT_UNIT}",
        f"x-systemd.after={AGENT_UNIT}",
    ]
    if plan.tool == "s3fs":
        kind, source = "fuse.s3fs", plan.repository
        options = [each for each in mounts_tools.s3fs_options(plan) if each != "ro"]
    else:
        kind, source = "rclone", f":s3:{plan.repository}"
        named = mounts_tools.rclone_options(plan, has_markers=mounts_tools.has_markers(str(MOUNT_HELPER)))
        options = [
            "env.AWS_SHARED_CREDENTIALS_FILE=/dev/null",
            "env.AWS_CONFIG_FILE=/dev/null",
            *(f"{name.replace('-', '_')}={value}" if value else name.replace("-", "_") for name, value in named),
        ]
    return f"{_fstab_word(source)} {_fstab_word(plan.path)} {kind} {','.join([*common, *options])} 0 0"


def add_fstab(plan: Plan) -> None:
    """Put the line in, in place of one for the same mount point. Raises: Trouble."""
    lines = [line for line in FSTAB.read_text().splitlines() if not _is_for(line, plan.path)] if FSTAB.exists() else []
    state.write_text(FSTAB, "\n".join([*lines, fstab_line(plan)]) + "\n", 0o644)
    if has_systemd():
        _systemctl("daemon-reload")


def remove_fstab(path: str) -> None:
    """Take the line out."""
    lines = FSTAB.read_text().splitlines() if FSTAB.exists() else []
    kept = [line for line in lines if not _is_for(line, path)]
    if kept != lines:
        state.write_text(FSTAB, "\n".join(kept) + "\n", 0o644)


def _is_for(line: str, path: str) -> bool:
    fields = line.split()
    return len(fields) >= 4 and not line.lstrip().startswith("#") and fields[1] == _fstab_word(path)


def _fstab_word(text: str) -> str:
    return "".join(f"\\{ord(each):03o}" if each in " \t\n\\" else each for each in text)


def _bytes(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def _quoted(word: str) -> str:
    # Source: systemd.service(5), "Command lines": % begins a specifier, $ a variable.
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or re.search(r"[\s';]", word) or not word else word


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise wrong("cannot-persist", f"systemctl {' '.join(words)}: {said}", f"See: journalctl -u '{words[-1]}' -n 20")
