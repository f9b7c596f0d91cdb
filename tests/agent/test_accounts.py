"""Accounts on a real machine, with a real sshd: let in, kept out, thrown out; and nobody else touched."""

import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.core import sshcert, sshsig
from strongroom.core.sshcert import Purpose, Statement
from tests.ssh_machine import SshMachine, ssh_machine

USERS, HOSTS = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
ONE, OTHER = "2f1b8a52-0c6e-4f0e-9a5e-0d7b3c1f9a11", "7d0c9f0e-51d4-4f3a-8a44-6f0b2f6f8c22"
ADA, EVE = "ada-x7q2", "eve-k3d4"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshMachine]:
    """A server that Strongroom created, with Ada on it."""
    folder = tmp_path_factory.mktemp("machine")
    with ssh_machine(folder) as made:
        made.configure("only")
        host = sshcert.parse_public_key(made.host_key)
        certificate = _signed(Statement(Purpose.HOST, 1, ONE, [ONE], *_life()), host, HOSTS)
        authority = sshsig.public_key_line(USERS.public_key().public_bytes_raw(), "users")
        assert made.apply(ADA, server_id=ONE, authority=authority, certificate=certificate) == ""
        assert made.apply(ADA) == ""
        made.start_sshd()
        yield made


@pytest.fixture
def key(tmp_path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    known = sshsig.public_key_line(HOSTS.public_key().public_bytes_raw(), "")
    (tmp_path / "known_hosts").write_text(f"@cert-authority {ONE} {known}\n")
    return tmp_path / "key"


def _life(minutes: float = 10) -> tuple[datetime, datetime]:
    return datetime.now(UTC) - timedelta(minutes=15), datetime.now(UTC) + timedelta(minutes=minutes)


def _signed(statement: Statement, key: sshcert.PublicKey, authority: Ed25519PrivateKey) -> str:
    raw = authority.public_key().public_bytes_raw()
    return sshcert.sign(statement, key, authority=raw, nonce=b"0" * 32, sign_raw=authority.sign)


def _certify(
    key: Path,
    principal: str,
    *,
    minutes: float = 10,
    authority: Ed25519PrivateKey = USERS,
    purpose: Purpose = Purpose.USER,
) -> None:
    """Put a certificate beside the key, as the control plane makes them."""
    extensions = ("permit-pty",) if purpose is Purpose.USER else ()
    statement = Statement(purpose, 7, "ada@example.org/7", [principal], *_life(minutes), extensions)
    public = sshcert.parse_public_key(key.with_suffix(".pub").read_text())
    key.with_name("key-cert.pub").write_text(_signed(statement, public, authority) + "\n")


def _ssh(machine: SshMachine, key: Path, account: str, *command: str, options: tuple[str, ...] = ()) -> list[str]:
    """The command line of a client that trusts the authority of servers, and asks nobody anything."""
    known = key.with_name("known_hosts")
    said = [f"HostKeyAlias={ONE}", f"UserKnownHostsFile={known}", "StrictHostKeyChecking=yes", "BatchMode=yes"]
    said += ["IdentitiesOnly=yes", "ConnectTimeout=90", *options]
    parts = [part for each in said for part in ("-o", each)]
    return ["ssh", "-F", "none", "-i", str(key), "-p", str(machine.port), *parts, f"{account}@127.0.0.1", *command]


def _login(machine: SshMachine, key: Path, account: str, *command: str, options: tuple[str, ...] = ()) -> str:
    """What came out, or `refused`."""
    done = subprocess.run(
        _ssh(machine, key, account, *command, options=options), capture_output=True, text=True, check=False, timeout=150
    )
    if done.returncode == 255:
        assert "Permission denied (publickey" in done.stderr or "account has expired" in done.stderr, done.stderr
        return "refused"
    return done.stdout.strip()


def test_a_certificate_opens_the_account_that_it_names_without_any_question(machine: SshMachine, key: Path) -> None:
    _certify(key, f"{ADA}@{ONE}")
    said = _login(machine, key, ADA, "id -un; id -Gn; pwd; stat -c %a .; tty || true")
    assert said.split("\n")[:4] == [ADA, f"{ADA} strongroom", f"/home/{ADA}", "700"]


def test_the_certificate_of_another_account_server_authority_time_or_purpose_opens_nothing(
    machine: SshMachine, key: Path
) -> None:
    assert machine.apply(ADA, EVE) == ""
    for principal in (f"{EVE}@{ONE}", f"{ADA}@{OTHER}", ADA, "root", ""):
        _certify(key, principal)
        assert _login(machine, key, ADA, "id") == "refused", principal
    _certify(key, f"{ADA}@{ONE}", minutes=-1)
    assert _login(machine, key, ADA, "id") == "refused"
    for authority in (Ed25519PrivateKey.generate(), HOSTS):
        _certify(key, f"{ADA}@{ONE}", authority=authority)
        assert _login(machine, key, ADA, "id") == "refused"
    _certify(key, f"{ADA}@{ONE}", purpose=Purpose.HOST)
    assert _login(machine, key, ADA, "id") == "refused"
    _certify(key, f"{ADA}@{ONE}")
    assert _login(machine, key, ADA, "id -un") == ADA


def test_the_key_alone_opens_nothing_even_where_somebody_authorized_it(machine: SshMachine, key: Path) -> None:
    public = key.with_suffix(".pub").read_text()
    for home in (f"/home/{ADA}", "~root"):
        machine.write(f"{home}/.ssh/authorized_keys", public)
    machine.run("chown", "-R", f"{ADA}:", f"/home/{ADA}/.ssh")
    assert _login(machine, key, ADA, "id") == "refused"
    assert _login(machine, key, "root", "id") == "refused"
    machine.run("sh", "-c", f"rm -r ~root/.ssh/authorized_keys /home/{ADA}/.ssh")


def test_no_password_opens_anything(machine: SshMachine, key: Path) -> None:
    machine.run("sh", "-c", f"echo {ADA}:right | chpasswd")
    ways = "PreferredAuthentications=password,keyboard-interactive"
    line = _ssh(machine, key, ADA, "id", options=(ways, "BatchMode=no"))
    done = subprocess.run(["sshpass", "-p", "right", *line], capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode and "Permission denied (publickey)." in done.stderr
    machine.run("usermod", "--password", "*", ADA)


def test_ports_and_agents_are_not_passed_on(machine: SshMachine, key: Path) -> None:
    _certify(key, f"{ADA}@{ONE}")
    assert _login(machine, key, ADA, "echo ${SSH_AUTH_SOCK:-none}", options=("ForwardAgent=yes",)) == "none"
    line = _ssh(machine, key, ADA, options=("ExitOnForwardFailure=yes",))
    done = subprocess.run([*line[:-1], "-W", f"127.0.0.1:{machine.port}", line[-1]], capture_output=True, check=False)
    assert b"administratively prohibited" in done.stderr


def test_a_server_whose_key_the_authority_did_not_sign_is_not_spoken_to(machine: SshMachine, key: Path) -> None:
    _certify(key, f"{ADA}@{ONE}")
    for alias in (OTHER, "genomics-1"):
        line = _ssh(machine, key, ADA, "id", options=())
        line = [part.replace(f"HostKeyAlias={ONE}", f"HostKeyAlias={alias}") for part in line]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=150)
        assert done.returncode == 255 and "Host key verification failed" in done.stderr


def test_whoever_vanishes_from_the_list_is_thrown_out_and_finds_their_home_when_they_come_back(
    machine: SshMachine, key: Path
) -> None:
    assert machine.apply(ADA, EVE) == ""
    _certify(key, f"{ADA}@{ONE}")
    _login(machine, key, ADA, "echo mine > notes")
    uid = machine.run("id", "-u", ADA)
    # What a person might leave running: a shell, and something that forks away and heeds no signal.
    forking = "trap '' HUP TERM; (while :; do sleep 1000 & sleep 0.01; done) </dev/null >/dev/null 2>&1 & sleep 1000"
    session = subprocess.Popen(_ssh(machine, key, ADA, forking), stdout=subprocess.DEVNULL)
    _until(lambda: machine.processes_of(ADA).count("sleep") > 3)
    assert machine.apply(EVE) == ""
    assert session.wait(90) != 0
    assert machine.processes_of(ADA) == ""
    assert _login(machine, key, ADA, "id") == "refused"
    assert machine.read(f"/home/{ADA}/notes") == "mine"
    assert machine.read(f"/etc/strongroom/principals/{ADA}") == ""
    assert machine.apply(ADA, EVE) == ""
    assert _login(machine, key, ADA, "cat notes; id -u") == f"mine\n{uid}"


def test_somebody_who_was_ended_is_not_let_in_again_by_an_answer_that_was_under_way(
    machine: SshMachine, key: Path
) -> None:
    _certify(key, f"{ADA}@{ONE}")
    asked_at = time.time()
    session = subprocess.Popen(_ssh(machine, key, ADA, "sleep 1000"))
    _until(lambda: "sleep" in machine.processes_of(ADA))
    machine.end_sessions(ADA)
    assert session.wait(90) != 0 and machine.processes_of(ADA) == ""
    assert machine.apply(ADA, asked_at=asked_at) == ""
    assert _login(machine, key, ADA, "id") == "refused"
    assert machine.apply(ADA, asked_at=time.time()) == ""
    assert _login(machine, key, ADA, "id -un") == ADA


def test_ending_the_sessions_of_whom_the_agent_did_not_make_does_nothing(machine: SshMachine) -> None:
    sleeping = machine.run("sh", "-c", "setpriv --reuid=1 --clear-groups sleep 1000 >/dev/null 2>&1 & echo $!")
    machine.end_sessions("daemon")
    assert machine.run("kill", "-0", sleeping) == ""
    machine.run("kill", sleeping)


def test_an_account_that_was_here_before_is_not_touched(machine: SshMachine, key: Path) -> None:
    machine.run("useradd", "--create-home", "bob-a1b2")
    before = machine.run("getent", "shadow", "bob-a1b2")
    said = machine.apply(ADA, "bob-a1b2")
    assert "was here before the agent, and is not touched" in said
    assert machine.read("/etc/strongroom/principals/bob-a1b2") == ""
    machine.apply(ADA)
    assert machine.run("getent", "shadow", "bob-a1b2") == before
    _certify(key, f"{ADA}@{ONE}")
    assert _login(machine, key, ADA, "id -un") == ADA, "the others are let in all the same"
    _certify(key, f"bob-a1b2@{ONE}")
    assert _login(machine, key, "bob-a1b2", "id") == "refused"


@pytest.mark.parametrize("name", ["../../etc/passwd", "root", "Ada", "a b", "-x", ""])
def test_a_name_that_is_no_account_of_ours_makes_nothing(machine: SshMachine, name: str) -> None:
    users = machine.run("getent", "passwd")
    said = machine.apply(ADA, name)
    assert "is no name of an account" in said or "was here before the agent" in said
    assert machine.run("getent", "passwd") == users


def test_an_account_that_took_the_name_of_one_of_ours_is_not_touched(machine: SshMachine) -> None:
    assert machine.apply(ADA, "kim-a1b2") == ""
    machine.run("userdel", "kim-a1b2")
    machine.run("useradd", "--uid", "1777", "kim-a1b2")
    before = machine.run("getent", "shadow", "kim-a1b2")
    sleeping = machine.run("sh", "-c", "setpriv --reuid=1777 --clear-groups sleep 1000 >/dev/null 2>&1 & echo $!")
    assert machine.apply(ADA) == ""
    assert machine.run("getent", "shadow", "kim-a1b2") == before
    assert machine.run("kill", "-0", sleeping) == ""
    machine.run("kill", sleeping)
    assert "is not touched" in machine.apply(ADA, "kim-a1b2")
    machine.run("userdel", "kim-a1b2")
    assert machine.apply(ADA) == ""


def test_who_has_to_leave_leaves_whatever_is_wrong_and_is_tried_again(machine: SshMachine) -> None:
    assert machine.apply(ADA, EVE) == ""
    machine.run("sh", "-c", f"setpriv --reuid=$(id -u {EVE}) --clear-groups sleep 1000 >/dev/null 2>&1 &")
    good = machine.run("sh", "-c", "command -v usermod")
    machine.run("mount", "--bind", "/bin/false", good)
    said = machine.apply("aaa-a1b2", ADA)  # one is to come first, and one to go
    assert "usermod failed" in said
    assert machine.processes_of(EVE) == ""
    assert machine.read(f"/etc/strongroom/principals/{EVE}") == ""
    machine.run("umount", good)
    assert ":!" not in machine.run("getent", "shadow", EVE)
    assert machine.apply(ADA) == ""
    assert ":!" in machine.run("getent", "shadow", EVE), "locked at the next try"


def test_a_number_that_somebody_left_files_with_is_given_to_nobody_else(machine: SshMachine) -> None:
    machine.run("sh", "-c", "mkdir /home/gone-a1b2 && chown 20900:20900 /home/gone-a1b2")
    for account in (f"new{letter}-a1b2" for letter in "abc"):
        assert machine.apply(ADA, account) == ""
        assert machine.run("id", "-u", account) != "20900"
    assert machine.apply(ADA, "gone-a1b2") == ""
    assert machine.run("id", "-u", "gone-a1b2") == "20900"


def test_a_system_that_was_made_anew_gets_its_accounts_with_their_old_numbers(machine: SshMachine, key: Path) -> None:
    uid = machine.run("id", "-u", ADA)
    machine.run("userdel", ADA)
    machine.run("sh", "-c", f"sed -i '/^{ADA}:/d' /etc/group /etc/gshadow")
    assert machine.apply(ADA) == ""
    assert machine.run("id", "-u", ADA) == uid
    _certify(key, f"{ADA}@{ONE}")
    assert _login(machine, key, ADA, "id -un") == ADA


def test_nothing_is_written_or_started_where_nothing_changed(machine: SshMachine) -> None:
    assert machine.apply(ADA) == ""
    look = "find /etc /var/lib/strongroom -newer /run/mark -type f ! -name '*.lock' ! -name identity.json"
    machine.run("touch", "/run/mark")
    assert machine.apply(ADA) == ""
    assert machine.run("sh", "-c", look) == ""


def test_what_sshd_does_not_take_is_put_back(machine: SshMachine) -> None:
    drop_in = "/etc/ssh/sshd_config.d/00-strongroom.conf"
    good = machine.read(drop_in)
    machine.write("/etc/ssh/sshd_config.d/00-earlier.conf", "X11Forwarding yes\n")
    machine.run("rm", "/var/lib/strongroom/sshd.stamp")
    said = machine.apply(ADA)
    assert "X11Forwarding is yes" in said and "00-strongroom.conf" in said
    assert machine.read(drop_in) == good
    machine.write("/etc/ssh/sshd_config.d/00-earlier.conf", "NoSuchWord yes\n")
    assert "sshd was left as it is" in machine.apply(ADA)
    machine.run("rm", "/etc/ssh/sshd_config.d/00-earlier.conf")
    assert machine.apply(ADA) == ""


def test_beside_others_everybody_who_logged_in_before_still_does(tmp_path: Path, key: Path) -> None:
    with ssh_machine(tmp_path) as enrolled:
        enrolled.run("useradd", "--create-home", "--password", "*", "janitor")
        enrolled.write("/home/janitor/.ssh/authorized_keys", key.with_suffix(".pub").read_text())
        enrolled.configure("beside")
        host = sshcert.parse_public_key(enrolled.read("/etc/ssh/ssh_host_ed25519_key.pub"))
        certificate = _signed(Statement(Purpose.HOST, 1, ONE, [ONE], *_life()), host, HOSTS)
        authority = sshsig.public_key_line(USERS.public_key().public_bytes_raw(), "users")
        enrolled.start_sshd()
        assert enrolled.apply(ADA, server_id=ONE, authority=authority, certificate=certificate) == ""
        enrolled.until_listening(2)
        assert _login(enrolled, key, "janitor", "id -un") == "janitor"
        _certify(key, f"{ADA}@{ONE}")
        assert _login(enrolled, key, ADA, "id -un") == ADA
        _certify(key, f"janitor@{ONE}")
        key.with_name("key-cert.pub").rename(key.with_name("cert"))
        enrolled.run("cp", "-a", "/home/janitor/.ssh", f"/home/{ADA}/")
        enrolled.run("chown", "-R", f"{ADA}:", f"/home/{ADA}/.ssh")
        assert _login(enrolled, key, ADA, "id") == "refused"
        enrolled.configure("off")
        plain = " ".join(enrolled.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
        key.with_name("known_hosts").write_text(f"{ONE} {plain}\n")
        assert enrolled.apply(ADA) == ""
        enrolled.until_listening(3)
        _certify(key, f"{ADA}@{ONE}")
        assert _login(enrolled, key, ADA, "id") == "refused"
        assert _login(enrolled, key, "janitor", "id -un") == "janitor"
        assert enrolled.read("/etc/ssh/sshd_config.d/00-strongroom.conf") == ""


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
