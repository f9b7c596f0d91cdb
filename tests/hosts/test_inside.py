"""What somebody in a created server can do and cannot, tried from inside, as its root and as one of its people."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.core.vocabulary import Power
from strongroom.hosts import ServerSpec
from strongroom.hosts.podman import containers
from tests.hosts.running import Place, Running, asked
from tests.runtime.front_door import eventually

pytestmark = pytest.mark.timeout(1200)
WHO = ["root", "person"]
# As sshd would: the banner of a server that listens where sshd does.
BANNER = """
import socket
listener = socket.create_server(("127.0.0.1", 22))
while True:
    person, _ = listener.accept()
    person.sendall(b"SSH-2.0-test\\n")
    person.close()
"""


@pytest.fixture(scope="module")
def server(running: Running) -> Iterator[ServerSpec]:
    """One that runs, with somebody who may work there."""
    spec = running.spec(name="genomics-1")
    running.host.create(spec)
    running.until_ready(spec)
    running.inside(spec.id, "useradd", "--create-home", "--groups", "strongroom", "person")
    yield spec
    running.host.delete(spec.id)


@pytest.fixture(scope="module")
def neighbour(running: Running) -> Iterator[ServerSpec]:
    """Another server of the same host."""
    spec = running.spec(name="neighbour")
    running.host.create(spec)
    yield running.until_ready(spec)
    running.host.delete(spec.id)


def talk(host: str, port: int, seconds: int = 4) -> str:
    """A shell script that says what a place says first, or why it does not; so many seconds are waited for it."""
    return f"timeout {seconds} bash -c 'exec 3<>/dev/tcp/{host}/{port} && head -n1 <&3' 2>&1 || echo closed"


@pytest.mark.parametrize("who", WHO)
def test_both_places_are_reached_by_the_urls_that_lead_to_them_outside(
    running: Running, server: ServerSpec, who: str
) -> None:
    for place in (running.gateway, running.control_plane):
        assert running.said(server.id, talk("127.0.0.1", place.port, 50), who) == place.name


@pytest.mark.parametrize("who", WHO)
def test_no_other_place_is_reached(running: Running, server: ServerSpec, who: str) -> None:
    """Neither what listens on this machine (the engine's inner ports, the database), nor anything beyond."""
    inner, wide = Place("inner"), Place("wide", "0.0.0.0")
    try:
        assert asked(inner.port, until=lambda answer: b"inner" in answer), "the place must be there to be missed"
        inner.visits = 0
        for host in ("127.0.0.1", own_address(), "10.0.2.2", "host.containers.internal", "localhost"):
            for place in (inner, wide):
                assert "closed" in running.said(server.id, talk(host, place.port), who), host
        for host, port in (("example.org", 80), ("192.0.2.1", 443), ("8.8.8.8", 53)):
            assert "closed" in running.said(server.id, talk(host, port), who), host
        assert (inner.visits, wide.visits) == (0, 0)
    finally:
        for place in (inner, wide):
            place.shutdown()
            place.server_close()


def own_address() -> str:
    """That of this machine on a network, as others reach it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def test_there_is_no_network_and_no_name_is_looked_up(running: Running, server: ServerSpec) -> None:
    assert running.said(server.id, "ls /sys/class/net") == "lo"
    assert running.said(server.id, "ip route; ip -6 route show default") == ""
    assert running.inside(server.id, "getent", "hosts", "example.org").returncode != 0


def test_the_sockets_of_another_server_are_not_there(
    running: Running, server: ServerSpec, neighbour: ServerSpec
) -> None:
    found = running.said(server.id, "find / -xdev -type s 2>/dev/null; find /run -type s")
    own = {
        "/run/strongroom/host/gateway.sock",
        "/run/strongroom/host/control-plane.sock",
        "/run/strongroom/ssh/ssh.sock",
    }
    assert {line for line in found.splitlines() if "strongroom" in line} == own
    inode = (running.folder(neighbour.id).host / "gateway.sock").stat().st_ino
    assert str(inode) not in running.said(server.id, "stat -c %i /run/strongroom/host/*.sock").split()
    # Abstract sockets belong to the network, and each server has one of its own.
    assert running.said(server.id, "grep -c @ /proc/net/unix") == "0"


def test_a_person_sees_neither_the_sockets_nor_the_token_nor_the_agent_s_key(
    running: Running, server: ServerSpec
) -> None:
    assert running.said(server.id, "cat /run/strongroom/host/join.token") == "no-such-token"
    for path in ("/run/strongroom/host", "/run/strongroom/ssh", "/var/lib/strongroom"):
        assert "Permission denied" in running.said(server.id, f"ls {path}", "person")


def test_what_the_host_hands_in_cannot_be_changed(running: Running, server: ServerSpec) -> None:
    for deed in ("rm gateway.sock", "echo x > relay.json", "mv control-plane.sock gateway.sock"):
        assert "Read-only file system" in running.said(server.id, f"cd /run/strongroom/host && {deed}")


def test_nothing_that_runs_there_could_change_the_network(running: Running, server: ServerSpec) -> None:
    """`podman exec`, by which these tests look in, is outside of that: only the operator has it."""
    relay = running.said(server.id, "pgrep -o -f '^python3 /usr/local/bin/strongroom relay'")
    assert running.said(server.id, "cat /proc/1/comm") == "tini"
    for pid in ("1", relay):
        bounds = int(running.said(server.id, f"sed -n 's/CapBnd:\\t//p' /proc/{pid}/status"), 16)
        for name, number in {"NET_ADMIN": 12, "NET_RAW": 13, "SYS_MODULE": 16, "SYS_PTRACE": 19, "MKNOD": 27}.items():
            assert not bounds >> number & 1, name


@pytest.mark.parametrize("who", WHO)
def test_nobody_makes_a_namespace_of_their_own(running: Running, server: ServerSpec, who: str) -> None:
    for words in ("unshare --user true", "unshare --user --net true", "python3 -c 'import os; os.unshare(0x10000000)'"):
        script = f"{words} && echo made"
        assert "made" not in running.said(server.id, script, who).splitlines()


def test_a_person_does_not_become_root_and_root_is_nobody_outside(running: Running, server: ServerSpec) -> None:
    assert "uid=0" not in running.said(server.id, "sudo -n id; su -c id </dev/null", "person")
    owner = (running.folder(server.id).ssh / "ssh.sock").stat().st_uid
    pid = int(running.podman.run("inspect", "--format", "{{.State.Pid}}", containers.name_of(server.id)))
    assert owner == Path(f"/proc/{pid}").stat().st_uid
    assert owner not in (0, os.geteuid()) or running.podman.is_rootless
    assert "Operation not permitted" in running.said(server.id, "mknod /tmp/disk b 254 0")


def test_memory_and_processes_have_the_size_that_was_chosen(running: Running, server: ServerSpec) -> None:
    limits = {
        "memory": "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
        "pids": "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null",
    }
    smallest = running.host.offerings()[0]
    wanted = {"memory": str(smallest.memory_bytes), "pids": "2048"}
    assert set(running.podman.controllers) >= set(limits), "run where podman may limit, such as cgroups v2 or as root"
    for what, script in limits.items():
        assert running.said(server.id, script) == wanted[what], what


def test_the_tools_are_there_and_a_folder_is_mounted_with_fuse(running: Running, server: ServerSpec) -> None:
    for program in ("s3fs --version", "rclone version", "aws --version", "strongroom --version", "/usr/sbin/sshd -t"):
        assert running.inside(server.id, *program.split()).returncode in (0, 1), program
    assert "rclone v1." in running.said(server.id, "rclone version")
    script = (
        "mkdir -p /mnt/there /tmp/source && echo content > /tmp/source/file && "
        "rclone mount /tmp/source /mnt/there --daemon --allow-other --read-only >/dev/null 2>&1; "
        "cat /mnt/there/file; su person -c 'cat /mnt/there/file'; fusermount3 -u /mnt/there"
    )
    assert running.said(server.id, script).splitlines() == ["content", "content"]


def test_people_come_in_by_the_server_s_own_port(running: Running, server: ServerSpec, neighbour: ServerSpec) -> None:
    with listening_as_sshd(running, server):
        answer = asked(server.ssh_port)
        assert answer == b"SSH-2.0-test\n"
        assert asked(neighbour.ssh_port) == b""


def test_a_link_in_place_of_the_way_in_leads_nowhere(running: Running, server: ServerSpec, tmp_path: Path) -> None:
    """Root inside may put anything there; what the host passes people on to must still be inside."""
    path = tmp_path / "secret.sock"
    visits: list[bool] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as secret:
        secret.bind(str(path))
        secret.listen()

        def serve() -> None:
            while True:
                try:
                    visitor, _ = secret.accept()
                except OSError:
                    return
                visits.append(True)
                visitor.close()

        threading.Thread(target=serve, daemon=True).start()
        way_in = "/run/strongroom/ssh/ssh.sock"
        try:
            running.said(server.id, f"mv {way_in} {way_in}.away && ln -s {path} {way_in}")
            assert (running.folder(server.id).ssh / "ssh.sock").readlink() == path
            assert asked(server.ssh_port, b"hello") == b""
            assert visits == []
            assert asked(0, path=str(path)) == b""
            assert visits == [True], "the socket must be there to be missed"
        finally:
            running.said(server.id, f"rm {way_in}; mv {way_in}.away {way_in}")
            secret.shutdown(socket.SHUT_RDWR)


def test_what_is_kept_outlives_a_crash_of_the_machine_and_a_newer_system(running: Running) -> None:
    spec = running.spec()
    running.host.create(spec)
    kept = ("/home/kept", "/var/lib/strongroom/kept", "/etc/strongroom/kept")
    running.said(spec.id, f"touch {' '.join(kept)}; touch /opt/lost")
    pid = int(running.podman.run("inspect", "--format", "{{.State.Pid}}", containers.name_of(spec.id)))
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: running.host.state(spec.id) is Power.STOPPED)
    running.host.start(spec.id)
    assert running.said(spec.id, f"ls {' '.join(kept)}").split() == sorted(kept)
    running.host.stop(spec.id)
    running.host.create(ServerSpec(spec.id, "another-name", spec.offering, spec.ssh_port))
    assert running.said(spec.id, "hostname") == "another-name"
    assert running.said(spec.id, f"ls {' '.join(kept)}").split() == sorted(kept)
    assert "No such file" in running.said(spec.id, "ls /opt/lost"), "only what is kept on purpose is kept"
    running.host.delete(spec.id)


def test_nothing_is_left_of_a_deleted_server(running: Running) -> None:
    spec = running.spec()
    running.host.create(spec)
    running.until_ready(spec)
    running.host.delete(spec.id)
    assert not running.folder(spec.id).path.exists()
    for words in (("ps", "--all", "--format", "{{.Names}}"), ("volume", "ls", "--format", "{{.Name}}")):
        assert str(spec.id) not in running.podman.run(*words)
    assert eventually(lambda: not is_open(spec.ssh_port))


def is_open(port: int) -> bool:
    """Whether anything listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class listening_as_sshd:  # noqa: N801 used like a function
    """Something in the server that answers where sshd does."""

    def __init__(self, running: Running, server: ServerSpec) -> None:
        self._running, self._server = running, server

    def __enter__(self) -> None:
        name = containers.name_of(self._server.id)
        self._running.podman.run("exec", "--detach", name, "python3", "-c", BANNER)
        assert eventually(lambda: asked(self._server.ssh_port) != b"")

    def __exit__(self, *_: object) -> None:
        self._running.said(self._server.id, "pkill -f create_server")
