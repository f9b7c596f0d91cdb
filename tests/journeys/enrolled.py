"""A machine that the institution already runs, with a network and a disk of its own, and the agent on it."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.agent import network
from tests.journeys.api import Api, Study
from tests.journeys.system import System, running

OWN = ("/etc", "/usr/local", "/var/lib", "/run", "/home", "/srv", "/mnt")
"""What the machine has for itself: it sees the host's, and what it writes there nobody else sees."""

SETTINGS = {
    "heartbeat_seconds": "1",
    "finalize_drain_seconds": "2",
    "policy_check_seconds": "5",
}

# Not every test machine has it; root needs no password.
_SUDO = """printf '#!/bin/sh\\nexec "$@"\\n' > /usr/local/bin/sudo && chmod +x /usr/local/bin/sudo"""


@dataclass
class Enrolled:
    """`cable` is its network. Its processes live in the namespaces of one that only holds them open."""

    system: System
    cable: network.Machine
    folder: Path
    name: str = "genomics-1"
    server_id: str = ""
    _holder: "subprocess.Popen[bytes] | None" = None
    _agent: "subprocess.Popen[bytes] | None" = None
    _others: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    # The machine

    def boot(self) -> "Enrolled":
        """Start it, with the disk that it had."""
        # What others have mounted on this host is not this machine's.
        lines = ["mount --make-rprivate /", "umount --all --lazy --types fuse.rclone,fuse.s3fs"]
        for own in OWN:
            upper, work = (self.folder / "disk" / f"{own.strip('/').replace('/', '-')}.{part}" for part in "uw")
            upper.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            lines.append(f"mount -t overlay overlay -o lowerdir={own},upperdir={upper},workdir={work} {own}")
        lines += [f"mkdir -p {self.disk}", "ip link set lo up", "echo booted", "exec sleep infinity"]
        command = self.cable.inside(["unshare", "--mount", "sh", "-ec", "\n".join(lines)])
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"booted\n", "the machine did not start"
        return self

    @property
    def disk(self) -> Path:
        """A folder on the machine's own disk."""
        return Path("/srv/data")

    def argv(self, *words: str, user: int | None = None) -> list[str]:
        """A command as it runs there."""
        assert self._holder is not None
        inside = ["nsenter", f"--target={self._holder.pid}", "--mount", "--net", "--wd=/"]
        return [*inside, *(network.as_user(user) if user is not None else ()), *words]

    def run(
        self, command: str, *, user: int | None = None, seconds: float = 200, **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        """What a shell there does with these lines, stopping at the first that fails."""
        return subprocess.run(
            self.argv("sh", "-ec", command, user=user),
            env=self.environ | environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
        )

    def ok(self, command: str, *, user: int | None = None, seconds: float = 200, **environ: str) -> str:
        """What lines print that must succeed."""
        done = self.run(command, user=user, seconds=seconds, **environ)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}\n{self.log()}"
        return done.stdout

    def refused(self, command: str, *, user: int | None = None, says: str = "", **environ: str) -> str:
        """What lines say that must fail."""
        done = self.run(command, user=user, **environ)
        said = done.stdout + done.stderr
        assert done.returncode != 0, f"succeeded: {command}\n{said}"
        assert says in said, said
        return said

    def umount(self, path: str) -> None:
        """By hand; again while the agent looks at it in that very moment."""
        self.ok(f"for n in $(seq 100); do umount {path} && exit; sleep 0.2; done; exit 1")

    def follow(self, printed: str) -> str:
        """What a person's shell there prints for these lines, which must succeed."""
        return self.ok(f"bash -ec {shlex.quote(printed)}")

    def start(self, command: str, *, user: int | None = None) -> "subprocess.Popen[bytes]":
        """Lines that go on by themselves, until the machine is switched off."""
        with self.log_file.open("ab") as log:
            made = subprocess.Popen(
                self.argv("sh", "-ec", f"exec {command}", user=user), env=self.environ, stdout=log, stderr=log
            )
        self._others.append(made)
        return made

    @property
    def environ(self) -> dict[str, str]:
        """No key, no address of a gateway, nothing of this machine's own settings."""
        programs = Path(sys.executable).parent
        path = f"/usr/local/bin:{programs}:{os.environ['PATH']}"
        return {"HOME": "/root", "PATH": path, "LANG": "C.UTF-8", **network.PATIENT}

    @property
    def log_file(self) -> Path:
        return self.folder / "machine.log"

    def log(self) -> str:
        """What its processes said last."""
        return self.log_file.read_text(errors="replace")[-4000:] if self.log_file.exists() else ""

    # The agent

    def join(self, api: Api, space_id: str) -> Any:
        """Enrol it, and do on it what the join command says; what `server show` then says."""
        enrolment = api.post(f"/spaces/{space_id}/enrolments", name=self.name, os="linux")
        self.server_id = enrolment["server"]["id"]
        self.join_as(enrolment["join_command"])
        return self.shown(api)

    def join_as(self, command: str) -> None:
        """What the join command says, but for starting the agent: no machine here runs systemd."""
        self.ok(_SUDO)
        self.ok(f"{command} --no-start")
        self.start_agent()

    def start_agent(self) -> None:
        """As its unit does at boot, and wait until it has credentials."""
        self._agent = self.start("strongroom run")
        self.system.until(lambda: self.run("strongroom credentials").returncode == 0, "credentials", more=self.log)

    def stop_agent(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Its mounts outlive it."""
        assert self._agent is not None
        self._agent.send_signal(how)
        self._agent.wait(90)

    def takes_logins(self) -> None:
        """As root allows it: people come with certificates, beside whoever comes already, to the machine's own sshd."""
        self.ok("rm -rf /run/systemd /run/sshd.pid; mkdir -p /run/sshd; ssh-keygen -A >/dev/null")
        self.start(f"/usr/sbin/sshd -D -e -o ListenAddress={self.cable.address}")
        self.system.until(lambda: self.run("test -s /run/sshd.pid").returncode == 0, "sshd", more=self.log)
        told = json.dumps({"ssh": "beside", "ssh_host": self.cable.address})
        self.ok(f"mkdir -p /etc/strongroom; printf %s {shlex.quote(told)} > /etc/strongroom/agent.json")
        self.stop_agent()
        self.start_agent()

    def shown(self, api: Api) -> Any:
        """The server as the API tells it."""
        return api.get(f"/servers/{self.server_id}")

    def knows(self, study: Study, *, is_granted: bool = True) -> None:
        """Wait until the agent was told that it has this data set, or that it has not."""

        def told() -> bool:
            known = json.loads(self.run("strongroom status --json").stdout or "{}").get("datasets") or []
            return (study.repository in [each["repository"] for each in known]) == is_granted

        self.system.until(told, f"the agent to hear of {study.name}", more=self.log)

    # The end

    def off(self) -> None:
        """As when the power goes: every process ends at once, and with the last one every mount."""
        for each in [*self._others, *([self._holder] if self._holder else [])]:
            each.kill()
            each.wait(60)
        for pid in _processes_of(self.cable.name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while _processes_of(self.cable.name) and time.monotonic() < deadline:
            time.sleep(0.05)
        self._others, self._holder, self._agent = [], None, None


@contextlib.contextmanager
def enrolled(folder: Path, **settings: str) -> Iterator[Enrolled]:
    """A whole system, and beside it a machine that has not joined yet; nothing is left of either."""
    with network.machine() as cable:
        listening = {"web_host": cable.here, "gateway_host": cable.here}
        with running(folder, **{**SETTINGS, **listening, **settings}) as system:
            (folder / "machine").mkdir()
            here = Enrolled(system, cable, folder / "machine").boot()
            try:
                yield here
            except Exception as problem:
                problem.add_note(here.log())
                raise
            finally:
                here.off()


def _processes_of(name: str) -> list[int]:
    """What runs on this network."""
    found = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
    return [int(each) for each in found.stdout.split()]
