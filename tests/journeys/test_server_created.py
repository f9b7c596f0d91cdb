"""The reference page's story on a server that Strongroom makes: from its price to a shell, a mount and the end."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from strongroom.hosts.podman import containers
from tests.agent.network import PATIENT
from tests.hosts.running import SSH_PORTS, Running, build_image
from tests.journeys.api import Study
from tests.journeys.desk import Desk
from tests.journeys.system import System, running
from tests.ports import free_ports

pytestmark = pytest.mark.timeout(1200)
SERVER = "genomics-1"
_AWS = " ".join(["env", *(f"{name}={value}" for name, value in PATIENT.items()), "aws"])


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Running:
    """The podman of this machine; the image is there already, or is made now."""
    found = Running(tmp_path_factory.mktemp("host"))
    found.host.check()
    build_image(found.podman)
    found.close()
    return found


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, host: Running) -> Iterator[System]:
    """A system that makes servers."""
    folder = tmp_path_factory.mktemp("created")
    first = free_ports(SSH_PORTS)
    with running(folder, server_ssh_ports=f"{first}-{first + SSH_PORTS - 1}", heartbeat_seconds="1") as made:
        yield made
        servers = [each["id"] for each in made.administrator.all("/servers")]
        for each in servers:
            made.owner.status_of("DELETE", f"/servers/{each}?reason=end")
        made.until(lambda: not _left(host, servers), "every server to be gone")


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


@pytest.fixture(scope="module")
def theirs(system: System, server: str) -> Desk:
    """A researcher's, who may log in as well."""
    other, email = system.person("researcher")
    member = system.owner.post(f"/spaces/{system.space_id}/members", email=email, role="researcher")
    made = Desk(system, other, "theirs", person_id=member["person_id"])
    made.enrol()
    system.until(lambda: made.shell("true").returncode == 0, "their account")
    return made


def test_nobody_logs_in_without_a_second_factor(desk: Desk, server: str) -> None:
    done = desk.shell("true")
    assert done.returncode != 0
    assert "mfa enrol" in done.stderr


def test_somebody_logs_in_with_it_and_needs_no_key_there(desk: Desk, server: str, study: Study) -> None:
    desk.enrol()
    said = desk.there("id -un; env | grep -i aws_secret; ls -a ~/.aws 2>/dev/null; true").split()
    assert len(said) == 1, said
    aws = f"{_AWS} --endpoint-url {study.endpoint} s3"
    desk.system.until(lambda: desk.shell(f"{aws} ls s3://{study.repository}/").returncode == 0, "the grant")
    assert desk.there(f"{aws} cp s3://{study.repository}/first/1.csv -") == "row 1\n"
    remote = f":s3,provider=Other,env_auth=true,no_check_bucket=true,endpoint='{study.endpoint}':{study.repository}"
    assert desk.there(f'rclone cat "{remote}/first/2.csv"') == "row 2\n"


def test_somebody_mounts_reads_and_cannot_write(desk: Desk, theirs: Desk, study: Study) -> None:
    desk.there(f"mkdir -p ~/mnt && strongroom mount {study.repository} ~/mnt")
    assert desk.there("cat ~/mnt/first/0.csv") == "row 0\n"
    assert desk.shell("touch ~/mnt/new").returncode != 0
    desk.there("strongroom umount ~/mnt")
    options = f"-o url={study.endpoint},use_path_request_style"
    page = f"s3fs -o iam_role=auto -o allow_other -o umask=002,uid=$(id -u) {options} {study.repository} /mnt/page"
    waiting = "for n in $(seq 600); do mountpoint -q /mnt/page && break; sleep 0.1; done"
    assert desk.there(f"mkdir /mnt/page && {page} && {waiting}; df -h /mnt/page").splitlines()[1].startswith("s3fs")
    assert desk.there("cat /mnt/page/first/1.csv") == theirs.there("cat /mnt/page/first/1.csv") == "row 1\n"
    assert desk.shell("cp /etc/hostname /mnt/page/first/new").returncode != 0
    desk.there("for n in $(seq 100); do fusermount3 -u /mnt/page && exit; sleep 0.2; done; exit 1")
    assert len(desk.system.listing(study.repository)) == 3


def test_somebody_works_in_a_derivative(desk: Desk, server: str) -> None:
    made = desk.system.uploaded(kind="derivative", external_source="The registry, 2019")
    desk.system.finalized(made)
    desk.ok("grant", "create", made.id, SERVER)
    mounted = f"mkdir -p ~/results && strongroom mount {made.repository} ~/results"
    desk.system.until(lambda: desk.shell(mounted).returncode == 0, "the grant")
    desk.there("cp /etc/hostname ~/results/first/mine && rm ~/results/first/0.csv && strongroom umount ~/results")
    desk.there(f"echo result | {_AWS} --endpoint-url {made.endpoint} s3 cp - s3://{made.repository}/result.csv")
    assert set(desk.system.listing(made.repository)) == {"first/1.csv", "first/2.csv", "first/mine", "result.csv"}


# Says of each read when it began, by the clock that the server has from its host, and what came.
_READING = """
while [ ! -e ~/enough ]; do
    began=$EPOCHREALTIME
    echo "$began $(cat {path} 2>/dev/null | wc -c)"
done
"""


def test_revoked_while_reading_and_granted_again(desk: Desk, server: str, study: Study) -> None:
    desk.there(f"mkdir -p ~/mnt && strongroom mount {study.repository} ~/mnt")
    words = ("ssh", SERVER, "--", _READING.format(path="~/mnt/first/0.csv"))
    command = [sys.executable, "-m", "strongroom.cli", *words]
    reader = subprocess.Popen(command, env=desk.environ, stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    said = [reader.stdout.readline() for _ in range(5)]
    desk.ok("grant", "revoke", study.id, SERVER, "--reason", "the project ended")
    answered = time.time()
    while float(said[-1].split()[0]) < answered + 1:
        said.append(reader.stdout.readline())
    desk.there("touch ~/enough")
    reader.communicate(timeout=200)
    reads = [(float(began), int(size)) for began, size in map(str.split, said)]
    assert any(size == len("row 0\n") for _, size in reads), "it never read"
    assert not [each for each in reads if each[0] > answered and each[1]]
    desk.shell("strongroom umount ~/mnt --force")
    desk.ok("grant", "create", study.id, SERVER)
    mounted = f"strongroom mount {study.repository} ~/mnt && cat ~/mnt/first/2.csv"
    desk.system.until(lambda: desk.shell(mounted).stdout.endswith("row 2\n"), "the mount after the new grant")
    shown = desk.ok("server", "show", SERVER)
    assert "/mnt" in shown, shown
    desk.there("strongroom umount ~/mnt")


def test_nothing_of_the_inside_is_reached_from_there(desk: Desk, server: str, study: Study) -> None:
    system = desk.system
    ports = range(system.door.first_port, system.door.first_port + 22)
    ports = [*ports, *(port + 10_000 for port in ports)]
    opened = {port for port in ports if _is_open(port)}
    outside = {system.door.first_port, system.door.first_port + 1}
    assert len(opened - outside) > 5, "the inner ports must be there to be missed"
    knock = "(exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null && echo $port"
    found = desk.there(f"for port in {' '.join(map(str, ports))}; do {knock}; done; true")
    assert set(map(int, found.split())) == outside
    assert system.door.home.is_dir()
    assert desk.shell(f"ls {system.door.home}").returncode != 0
    assert desk.there("find / -xdev -name '*.sqlite3*' 2>/dev/null; getent hosts example.org; true") == ""


def test_plain_ssh_works_with_the_written_config(desk: Desk, server: str) -> None:
    desk.ok("ssh", "--write-config")
    config = desk.home / ".ssh" / "config"
    done = subprocess.run(
        ["ssh", "-F", str(config), "-o", "BatchMode=yes", SERVER, "echo", "plain"],
        env=desk.environ,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.stdout == "plain\n", done.stderr


def test_stopped_and_started_it_has_its_files_its_access_and_its_mounts(desk: Desk, server: str, study: Study) -> None:
    desk.there(f"echo kept > ~/note; mkdir -p ~/kept && strongroom mount {study.repository} ~/kept --persist")
    desk.ok("server", "stop", SERVER, "--wait")
    desk.ok("server", "start", SERVER, "--wait")
    desk.system.until(lambda: _is_whole(desk, study), "the server to be back")


def test_a_host_that_lost_its_power_gets_its_servers_back_with_their_mounts(
    desk: Desk, system: System, server: str, study: Study, host: Running
) -> None:
    system.door.end(signal.SIGKILL)
    host.podman.run("kill", containers.name_of(UUID(server)))
    system.door.start()
    system.until(lambda: _is_whole(desk, study), "the server to be back")


def test_a_person_who_leaves_is_thrown_out_at_once(desk: Desk, theirs: Desk, system: System) -> None:
    session = subprocess.Popen(
        [sys.executable, "-m", "strongroom.cli", "ssh", SERVER, "--", "sleep 300"],
        env=theirs.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        session.wait(3)
    system.owner.delete(f"/spaces/{system.space_id}/members/{theirs.person_id}")
    assert session.wait(90) != 0
    assert theirs.shell("true").returncode != 0


def _is_whole(desk: Desk, study: Study) -> bool:
    """Whether a file of theirs, the data set, and the mount that is to come back are all there."""
    aws = f"{_AWS} --endpoint-url {study.endpoint} s3 cp s3://{study.repository}/first/1.csv -"
    return desk.shell(f"cat ~/note; {aws}; cat ~/kept/first/2.csv").stdout == "kept\nrow 1\nrow 2\n"


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _left(host: Running, servers: list[str]) -> list[str]:
    """What podman still has of these servers."""
    found = [host.podman.run("ps", "--all", "--format", "{{.Names}}"), host.podman.run("volume", "ls", "--quiet")]
    return [line for line in "".join(found).splitlines() if any(each in line for each in servers)]
