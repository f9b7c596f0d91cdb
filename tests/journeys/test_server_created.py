"""The reference page's story on a server that Strongroom makes: from its price to a shell, a mount and the end."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from strongroom.core import totp
from tests.hosts.running import SSH_PORTS, Running, build_image
from tests.journeys.api import Api, Study
from tests.journeys.system import System, running
from tests.runtime.front_door import free_ports

pytestmark = pytest.mark.timeout(1200)
SERVER = "genomics-1"


@dataclass
class Desk:
    """Somebody's own computer: the command line, signed in, and the app with their second factor."""

    system: System
    api: Api
    name: str
    secret: str = ""

    def __post_init__(self) -> None:
        self.home.mkdir()
        self.ok("login", self.system.door.url, "--with-token", stdin=self.api.token)

    @property
    def home(self) -> Path:
        return self.system.door.home.with_suffix(f".{self.name}")

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config")}

    def enrol(self) -> None:
        """Learn the secret of a second factor, and confirm it with a first code."""
        self.secret = self.api.post("/mfa/enrol")["secret"]
        code = totp.code_at(self.secret, totp.step_of(datetime.now(UTC)))
        self.api.post("/mfa/confirm", code=code)

    def run(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """One `strongroom …` command."""
        return subprocess.run(
            [sys.executable, "-m", "strongroom.cli", *words],
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=200,
        )

    def ok(self, *words: str, stdin: str = "") -> str:
        """What a command prints that must succeed."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}\n{self.system.logs()}"
        return done.stdout

    def shell(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Log in and run lines."""
        return self.run("ssh", SERVER, "--", script)

    def there(self, script: str) -> str:
        """What lines print on the server that must succeed."""
        done = self.shell(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that makes servers; the image is there already, or is made now."""
    folder = tmp_path_factory.mktemp("created")
    host = Running(folder / "host")
    host.host.check()
    build_image(host.podman)
    host.close()
    first = free_ports(SSH_PORTS)
    with running(folder, server_ssh_ports=f"{first}-{first + SSH_PORTS - 1}", heartbeat_seconds="1") as made:
        yield made
        servers = [each["id"] for each in made.administrator.all("/servers")]
        for each in servers:
            made.owner.status_of("DELETE", f"/servers/{each}?reason=end")
        made.until(lambda: not _left(host, servers), "every server to be gone", 60)


@pytest.fixture(scope="module")
def desk(system: System) -> Desk:
    """The owner's."""
    return Desk(system, system.owner, "desk")


@pytest.fixture(scope="module")
def study(system: System) -> Study:
    """A finalized original."""
    made = system.uploaded()
    system.finalized(made)
    return made


@pytest.fixture(scope="module")
def server(system: System, desk: Desk, study: Study) -> str:
    """Created from the command line, and granted the data set; its id."""
    assert "linux-small" in desk.ok("server", "offerings")
    made = desk.ok(
        *("server", "create", system.space_id, SERVER, "--offering", "linux-small", "--yes", "--wait", "--json")
    )
    server_id = str(json.loads(made)["id"])
    desk.ok("grant", "create", study.id, SERVER, "--reason", "the analysis plan")
    return server_id


def test_nobody_logs_in_without_a_second_factor(desk: Desk, server: str) -> None:
    done = desk.shell("true")
    assert done.returncode != 0
    assert "mfa enrol" in done.stderr


def test_somebody_logs_in_with_it_and_needs_no_key_there(desk: Desk, server: str, study: Study) -> None:
    desk.enrol()
    said = desk.there("id -un; env | grep -i aws_secret; ls -a ~/.aws 2>/dev/null; true").split()
    assert len(said) == 1, said
    aws = f"aws --endpoint-url {study.endpoint} s3"
    desk.system.until(lambda: desk.shell(f"{aws} ls s3://{study.repository}/").returncode == 0, "the grant", 30)
    assert desk.there(f"{aws} cp s3://{study.repository}/first/1.csv -") == "row 1\n"
    remote = f":s3,provider=Other,env_auth=true,no_check_bucket=true,endpoint='{study.endpoint}':{study.repository}"
    assert desk.there(f'rclone cat "{remote}/first/2.csv"') == "row 2\n"


def test_somebody_mounts_reads_and_cannot_write(desk: Desk, server: str, study: Study) -> None:
    desk.there(f"mkdir -p ~/mnt && strongroom mount {study.repository} ~/mnt")
    assert desk.there("cat ~/mnt/first/0.csv") == "row 0\n"
    assert desk.shell("touch ~/mnt/new").returncode != 0
    desk.there("strongroom umount ~/mnt")
    options = f"-o url={study.endpoint},use_path_request_style"
    page = f"s3fs -o iam_role=auto -o umask=002,uid=$(id -u) {options} {study.repository} ~/mnt"
    desk.there(f"{page} && for n in $(seq 50); do mountpoint -q ~/mnt && break; sleep 0.1; done; df -h ~/mnt")
    assert desk.there("cat ~/mnt/first/1.csv") == "row 1\n"
    assert desk.shell("cp /etc/hostname ~/mnt/first/new").returncode != 0
    desk.there("fusermount -u ~/mnt || fusermount3 -u ~/mnt")
    assert len(desk.system.listing(study.repository)) == 3


def test_revoked_while_mounted_and_granted_again(desk: Desk, server: str, study: Study) -> None:
    desk.there(f"strongroom mount {study.repository} ~/mnt && cat ~/mnt/first/0.csv")
    desk.ok("grant", "revoke", study.id, SERVER, "--reason", "the project ended")
    assert desk.shell("cat ~/mnt/first/1.csv").returncode != 0
    desk.shell("strongroom umount ~/mnt --force")
    desk.ok("grant", "create", study.id, SERVER)
    mounted = f"strongroom mount {study.repository} ~/mnt && cat ~/mnt/first/2.csv"
    desk.system.until(lambda: desk.shell(mounted).stdout.endswith("row 2\n"), "the mount after the new grant", 30)
    shown = desk.ok("server", "show", SERVER)
    assert "/mnt" in shown, shown
    desk.there("strongroom umount ~/mnt")


def test_plain_ssh_works_with_the_written_config(desk: Desk, server: str) -> None:
    desk.ok("ssh", "--write-config")
    config = desk.home / ".ssh" / "config"
    done = subprocess.run(
        ["ssh", "-F", str(config), "-o", "BatchMode=yes", SERVER, "echo", "plain"],
        env=desk.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "plain\n", done.stderr


def test_stopped_and_started_it_has_its_files_and_its_access(desk: Desk, server: str, study: Study) -> None:
    desk.there("echo kept > ~/note")
    desk.ok("server", "stop", SERVER, "--wait")
    desk.ok("server", "start", SERVER, "--wait")
    aws = f"aws --endpoint-url {study.endpoint} s3 cp s3://{study.repository}/first/1.csv -"
    desk.system.until(lambda: desk.shell(f"cat ~/note; {aws}").stdout == "kept\nrow 1\n", "the server to be back", 60)


def test_a_person_who_leaves_is_thrown_out_at_once(desk: Desk, server: str, system: System) -> None:
    other, email = system.person("researcher")
    member = system.owner.post(f"/spaces/{system.space_id}/members", email=email, role="researcher")
    theirs = Desk(system, other, "theirs")
    theirs.enrol()
    system.until(lambda: theirs.shell("true").returncode == 0, "their account", 30)
    session = subprocess.Popen(
        [sys.executable, "-m", "strongroom.cli", "ssh", SERVER, "--", "sleep 300"],
        env=theirs.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        session.wait(3)
    system.owner.delete(f"/spaces/{system.space_id}/members/{member['person_id']}")
    assert session.wait(20) != 0
    assert theirs.shell("true").returncode != 0


def _left(host: Running, servers: list[str]) -> list[str]:
    """What podman still has of these servers."""
    found = [host.podman.run("ps", "--all", "--format", "{{.Names}}"), host.podman.run("volume", "ls", "--quiet")]
    return [line for line in "".join(found).splitlines() if any(each in line for each in servers)]
