"""A machine with accounts and an sshd of its own: this one, with its own /etc, /home and processes, and real programs.

Its network is the one of the tests, so that a client here reaches its sshd on a free port of 127.0.0.1.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from strongroom.agent import install
from tests.ports import free_ports

AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
_CAPABILITIES = ",".join(f"+{each.removeprefix('CAP_').lower()}" for each in install._CAPABILITIES.split())
_AS_THE_UNIT = ["setpriv", "--no-new-privs", f"--bounding-set=-all,{_CAPABILITIES}"]
_SOURCE = Path(__file__).parent.parent / "src"

# What useradd, sshd and PAM write to becomes this machine's own; the rest is read.
_SET_UP = """
set -e
mount -t proc proc /proc
mkdir -p "$1/etc"
# Once more where a file vanished under it, as when a test beside this one adds a user.
cp -a /etc/. "$1/etc/" || cp -a /etc/. "$1/etc/"
mount --bind "$1/etc" /etc
for folder in /home /run /var/log /var/mail /var/lib; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir -p /run/sshd /var/lib/strongroom
rm -f /etc/ssh/ssh_host_* /etc/ssh/sshd_config.d/*
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
ssh-keygen -q -t ed25519 -N '' -f /var/lib/strongroom/ssh_host_ed25519_key
printf 'Port %s\\nListenAddress 127.0.0.1\\n' "$2" > /etc/ssh/sshd_config.own
cat /etc/ssh/sshd_config >> /etc/ssh/sshd_config.own && mv /etc/ssh/sshd_config.own /etc/ssh/sshd_config
touch "$1/ready"
exec "$3" -c 'import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); signal.pause()' first-process
"""
_APPLY = """
import json, os, sys
os.umask(0o077)  # as the unit of the agent says
from strongroom.agent import accounts, config, sshd, state
told = json.load(sys.stdin)
here = config.load()
if told["server_id"]:
    state.prepare(here.state)
    state.remember_identity(here, state.Identity(told["server_id"], "one", "space", "http://x", "srv", 15, ""))
sshd.remember(here, told)
accounts.apply(here, told["accounts"], asked_at=told["asked_at"])
"""


@dataclass
class SshMachine:
    """`port` is where its sshd listens, once started; `ssh` says whether the agent lets people log in, and how."""

    folder: Path
    port: int
    pid: int

    def run(self, *command: str, stdin: str = "", check: bool = True) -> str:
        """What a command says that root runs there."""
        inside = [*AS_ROOT, "nsenter", f"--target={self.pid}", "--mount", "--pid", "--wd=/", "--"]
        environ = {**os.environ, "PYTHONPATH": str(_SOURCE), "HOME": "/root", "STRONGROOM_HINTS": "0"}
        kept = ["env", f"PYTHONPATH={_SOURCE}"] if AS_ROOT else []
        done = subprocess.run(
            [*inside, *kept, *command],
            input=stdin,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr)
        return (done.stdout + done.stderr).strip()

    def configure(self, ssh: str) -> None:
        """What root decided: `off`, `beside` or `only`."""
        self.write("/etc/strongroom/agent.json", json.dumps({"ssh": ssh}))

    def write(self, path: str, text: str) -> None:
        """Write a file there."""
        self.run("sh", "-c", f"umask 022; mkdir -p $(dirname {path}); cat > {path}", stdin=text)

    def read(self, path: str) -> str:
        """What a file there holds; empty where there is none."""
        return self.run("sh", "-c", f"cat {path} 2>/dev/null || true")

    def apply(
        self,
        *accounts: str,
        server_id: str = "",
        authority: str = "",
        certificate: str = "",
        asked_at: float | None = None,
    ) -> str:
        """Have the agent make a heartbeat's answer true; what it raised, if anything."""
        told = {
            "server_id": server_id,
            "ssh_ca": authority or self.read("/var/lib/strongroom/ssh_ca.pub"),
            "host_certificate": certificate or self.read("/var/lib/strongroom/host-cert.pub"),
            "accounts": [{"account": each, "name": f"Name of {each}"} for each in accounts],
            "asked_at": asked_at,
        }
        return self.run(*_AS_THE_UNIT, sys.executable, "-c", _APPLY, stdin=json.dumps(told), check=False)

    def end_sessions(self, account: str) -> None:
        """What the host of a created server runs there."""
        self.run(sys.executable, "-m", "strongroom.agent", "end-sessions", account)

    def start_sshd(self) -> None:
        """Start it, in place of one that runs; returns when it listens."""
        self.run("sh", "-c", "while kill $(cat /run/sshd.pid); do sleep 0.05; done 2>/dev/null; rm -f /var/log/sshd")
        self.run("/usr/sbin/sshd", "-E", "/var/log/sshd")
        self.until_listening(1)

    def until_listening(self, times: int) -> None:
        """Return when it has begun to listen so many times since it was started: each reload is one more."""
        deadline = time.monotonic() + 90
        while self.read("/var/log/sshd").count("Server listening on") < times:
            assert time.monotonic() < deadline, self.read("/var/log/sshd")
            time.sleep(0.05)

    def processes_of(self, account: str) -> str:
        """What runs there as this user."""
        return self.run("sh", "-c", f"ps -o comm= -u {account} || true")

    @property
    def host_key(self) -> str:
        """The public half of the key that its sshd shows when nobody else but people of Strongroom log in."""
        return self.read("/var/lib/strongroom/ssh_host_ed25519_key.pub")


@contextlib.contextmanager
def ssh_machine(folder: Path) -> Iterator[SshMachine]:
    """A machine that is gone at the end, with all that ran on it."""
    port = free_ports()
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation=private"]
    running = subprocess.Popen(
        [*AS_ROOT, *apart, "sh", "-c", _SET_UP, "machine", str(folder), str(port), sys.executable]
    )
    try:
        yield SshMachine(folder, port, _first_process(running, folder))
    finally:
        subprocess.run([*AS_ROOT, "kill", "-KILL", str(running.pid)], check=False)
        running.wait(60)


def _first_process(running: "subprocess.Popen[bytes]", folder: Path) -> int:
    deadline = time.monotonic() + 120
    while True:
        assert running.poll() is None and time.monotonic() < deadline, "the machine did not start"
        # It bears its name only a moment after it said that all is ready.
        found = _named("first-process", running.pid) if (folder / "ready").exists() else None
        if found is not None:
            return found
        time.sleep(0.02)


def _named(word: str, ancestor: int) -> int | None:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if word.encode() in words and _is_descendant(int(process.name), ancestor):
                return int(process.name)
    return None


def _is_descendant(process: int, ancestor: int) -> bool:
    while process > 1:
        if process == ancestor:
            return True
        status = Path(f"/proc/{process}/stat").read_text()
        process = int(status.rpartition(")")[2].split()[1])
    return False
