"""What this machine's sshd is told: people come with certificates of Strongroom, for accounts that the agent made.

With `ssh: "only"` (servers that Strongroom created) nobody else logs in. With `"beside"` (machines that were there
before) everybody else logs in as before: only the group of the agent's accounts is spoken of.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from strongroom.agent import config as configuration
from strongroom.agent import state
from strongroom.agent.config import Config
from strongroom.agent.problems import Trouble

GROUP = "strongroom"
FOLDER = Path("/etc/ssh")
_PID_FILES = (Path("/run/sshd.pid"), Path("/var/run/sshd.pid"))
_SBIN = "/usr/sbin:/sbin:/usr/local/sbin"

# Keyword by keyword what holds for people; `sshd -T` shows them like this, in lower case.
_FOR_PEOPLE = (
    ("AuthenticationMethods", "publickey"),
    ("PubkeyAuthentication", "yes"),
    ("AuthorizedKeysFile", "none"),
    ("AuthorizedKeysCommand", "none"),
    ("AuthorizedPrincipalsCommand", "none"),
    ("PasswordAuthentication", "no"),
    ("KbdInteractiveAuthentication", "no"),
    ("HostbasedAuthentication", "no"),
    ("PermitEmptyPasswords", "no"),
    ("PermitRootLogin", "no"),
    ("AllowTcpForwarding", "no"),
    ("AllowStreamLocalForwarding", "no"),
    ("AllowAgentForwarding", "no"),
    ("X11Forwarding", "no"),
    ("PermitTunnel", "no"),
    ("GatewayPorts", "no"),
    ("PermitUserRC", "no"),
)
_FOR_ALL = (("PermitUserEnvironment", "no"),)


def drop_in(config: Config) -> str:
    """The content of `sshd_config.d/00-strongroom.conf`. The first word said counts, so it must be read first."""
    trust = (
        ("TrustedUserCAKeys", str(config.state / "ssh_ca.pub")),
        ("AuthorizedPrincipalsFile", str(config.file.parent / "principals" / "%u")),
    )
    certificate = ("HostCertificate", str(config.state / "host-cert.pub"))
    lines = ["# Kept by Strongroom's agent; changes are undone."]
    if config.ssh == configuration.ONLY:
        lines += _said(("HostKey", str(_private_host_key(config))), certificate, *trust, *_FOR_PEOPLE, *_FOR_ALL)
        lines += [f"AllowGroups {GROUP}"]
    else:
        lines += [*_said(certificate), f"Match Group {GROUP}"]
        lines += ["    " + line for line in _said(*trust, *_FOR_PEOPLE)] + ["Match all"]
    return "\n".join(lines) + "\n"


def configure(config: Config) -> None:
    """Write the drop-in, see that sshd understands it and nothing overrules it, and have sshd read it.

    Raises: Trouble; what stood there before stands there again then.
    """
    file = FOLDER / "sshd_config.d" / "00-strongroom.conf"
    text = drop_in(config) if config.ssh != configuration.OFF else ""
    # Until there is an account, nobody can be asked about whom the words are meant for.
    somebody = _somebody()
    stamp = hashlib.sha256(f"{text}{somebody != ''}".encode() + _read(config.state / "host-cert.pub")).hexdigest()
    if _read(file) == text.encode() and _read(config.state / "sshd.stamp").decode() == stamp:
        return
    if not _program():
        raise Trouble("There is no sshd on this machine.", "Install one: apt-get install openssh-server.", "sshd")
    before = _read(file)
    _replace(file, text)
    try:
        run("sshd", "-t")
        if text and somebody:
            _check(config, somebody)
    except Trouble as trouble:
        _replace(file, before.decode())
        raise Trouble(f"sshd was left as it is: {trouble.detail}", _WAY_OUT, "sshd") from None
    _reload()
    state.write_text(config.state / "sshd.stamp", stamp)


def host_key(config: Config) -> str:
    """The public half of the key that sshd shows, as a line; empty where people do not log in by Strongroom."""
    if config.ssh == configuration.OFF or configuration.IS_WINDOWS:
        return ""
    return " ".join(_read(_private_host_key(config).with_suffix(".pub")).decode().split()[:2])


def remember(config: Config, answer: dict[str, Any]) -> None:
    """Keep the authority that signs people's keys, and the certificate of this machine's own. Raises: Trouble."""
    for name, line in (("ssh_ca.pub", answer.get("ssh_ca")), ("host-cert.pub", answer.get("host_certificate"))):
        wanted = f"{line}\n" if line else ""
        if _read(config.state / name).decode() != wanted:
            state.write_text(config.state / name, wanted, 0o644)


def principals(config: Config, account: str) -> Path:
    """The file that says which certificates open an account."""
    return config.file.parent / "principals" / account


def write(path: Path, text: str) -> None:
    """Replace a file that everybody may read; sshd reads it as the person who logs in."""
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode | 0o755 != mode:  # made under a service's narrow umask
            folder.chmod(mode | 0o755)
    state.write_text(path, text, 0o644)
    path.chmod(0o644)


def run(*command: str) -> str:
    """What a program of the system says. Raises: Trouble with its last words."""
    found = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:{_SBIN}")
    if found is None:
        raise Trouble(f"There is no {command[0]} on this machine.", "Install it, as root.", "program")
    try:
        done = subprocess.run([found, *command[1:]], capture_output=True, text=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        raise Trouble(f"{command[0]} did not end.", "See, as root, what it waits for.", "program") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Trouble(f"{command[0]} failed: {said[-1] if said else done.returncode}.", "", "program")
    return done.stdout


def _check(config: Config, somebody: str) -> None:
    """Raises: Trouble when something else holds for that account than the drop-in says."""
    effective = run("sshd", "-T", "-C", f"user={somebody},host=localhost,addr=127.0.0.1")
    said = dict(line.split(" ", 1) for line in effective.splitlines() if " " in line)
    for keyword, value in (("TrustedUserCAKeys", str(config.state / "ssh_ca.pub")), *_FOR_PEOPLE):
        found = said.get(keyword.lower(), value)
        if found != value:
            raise Trouble(f"{keyword} is {found} for {somebody}, where it must be {value}.")


_WAY_OUT = (
    "Look at `sshd -T`, and see that /etc/ssh/sshd_config begins with “Include /etc/ssh/sshd_config.d/*.conf” and that "
    "no file there comes before 00-strongroom.conf."
)


def _somebody() -> str:
    """One of the accounts, if there is one."""
    import grp

    try:
        return next(iter(grp.getgrnam(GROUP).gr_mem), "")
    except KeyError:
        return ""


def _reload() -> None:
    """Have sshd read its configuration; sessions that are open stay. One that does not run reads it when it starts."""
    if Path("/run/systemd/system").exists():
        for unit in ("ssh", "sshd"):
            with contextlib.suppress(Trouble):
                run("systemctl", "reload", unit)
                return
    for file in _PID_FILES:
        with contextlib.suppress(ValueError, ProcessLookupError):
            if sys.platform != "win32":
                os.kill(int(_read(file)), signal.SIGHUP)
                return


def _private_host_key(config: Config) -> Path:
    # What a created server has besides its state is made anew with each image.
    folder = config.state if config.ssh == configuration.ONLY else FOLDER
    return folder / "ssh_host_ed25519_key"


def _program() -> str | None:
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:{_SBIN}")


def _said(*words: tuple[str, str]) -> list[str]:
    return [f"{keyword} {value}" for keyword, value in words]


def _replace(file: Path, text: str) -> None:
    if text:
        write(file, text)
    else:
        with contextlib.suppress(FileNotFoundError):
            file.unlink()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
