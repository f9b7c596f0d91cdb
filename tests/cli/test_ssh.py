"""`strongroom ssh` with a real `ssh`, into a real sshd whose accounts the agent's own code keeps."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from tests.bearers import bearer, secret_of
from tests.cli.live import Terminal
from tests.machines import Machine
from tests.phones import Phone, enrolled
from tests.ssh_machine import SshMachine, ssh_machine
from tests.world import World

from strongroom.actions import members, servers
from strongroom.cli.exits import Exit
from strongroom.core.actor import Actor
from strongroom.core.credentials import digest
from strongroom.core.vocabulary import Role, SystemFact, Verb
from strongroom.db.models import Event, Space, Token

PROGRAM = [sys.executable, "-m", "strongroom.cli"]


@dataclass
class Door:
    """A server with its sshd, and a researcher of its space at their own terminal."""

    world: World
    space: Space
    machine: Machine
    inside: SshMachine
    person: Actor
    secret: str
    phone: Phone
    environ: dict[str, str]

    @property
    def name(self) -> str:
        return self.machine.row.name

    @property
    def folder(self) -> Path:
        """Where the command line keeps what belongs to this server."""
        return Path(self.environ["HOME"]) / ".config" / "strongroom" / "ssh" / self.machine.server_id

    def beat(self) -> None:
        """A heartbeat of the agent, and what follows from its answer."""
        asked_at = time.time()
        place = f"127.0.0.1:{self.inside.port}"
        told = self.machine.heartbeat(ssh_host_key=self.inside.host_key, ssh_host=place)
        done = self.inside.apply(
            *(each.account for each in told.accounts),
            server_id=self.machine.server_id,
            authority=told.ssh_ca,
            certificate=told.host_certificate,
            asked_at=asked_at,
        )
        assert done == ""

    def __call__(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line to its end, with nobody to ask."""
        return subprocess.run(
            [*PROGRAM, *argv],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    def ssh(self, *command: str) -> str:
        """What a command says that is run on the server."""
        done = self("ssh", self.name, "--", *command)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def forget_the_proof(self) -> None:
        """The second factor was proved too long ago."""
        Token.objects.filter(secret_sha256=digest(self.secret)).update(mfa_proved_at=timezone.now() - timedelta(days=1))


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshMachine]:
    with ssh_machine(tmp_path_factory.mktemp("machine")) as made:
        made.configure("only")
        yield made


@pytest.fixture
def door(terminal: Terminal, inside: SshMachine, home: Path) -> Door:
    world = terminal.world
    space = world.space()
    machine, person = world.machine(space), world.member(space, Role.RESEARCHER)
    secret = secret_of(person)
    phone, _ = enrolled(bearer(secret))
    signed_in = {"STRONGROOM_URL": terminal.url, "STRONGROOM_TOKEN": secret, "HOME": str(home)}
    kept = {name: value for name, value in os.environ.items() if name not in ("SSH_AUTH_SOCK", "XDG_CONFIG_HOME")}
    made = Door(world, space, machine, inside, person, secret, phone, {**kept, **signed_in})
    inside.run("rm", "-rf", "/etc/ssh/sshd_config.d/00-strongroom.conf", "/var/lib/strongroom/sshd.stamp")
    made.beat()
    made.beat()  # the first one made an account, with which this one looks whether sshd obeys
    inside.start_sshd()
    return made


def test_one_command_leads_to_a_shell_without_any_question(door: Door) -> None:
    account = door.ssh("id", "-un")
    assert account.startswith("researcher") and door.ssh("hostname") == door.inside.run("hostname")
    assert {each.name for each in door.folder.iterdir()} >= {"key", "key.pub", "key-cert.pub", "known_hosts", "config"}
    assert all(each.stat().st_mode & 0o077 == 0 for each in door.folder.iterdir())
    entry = Event.objects.filter(verb=Verb.SERVER_CERTIFY, outcome="done").latest("sequence")
    assert (entry.actor_email, entry.subject) == (door.person.email, door.name)
    assert f"{door.person.email}/{entry.after['serial']}" in door.inside.read("/var/log/sshd")


def test_the_exit_code_and_the_words_are_those_of_what_ran_there(door: Door) -> None:
    done = door("ssh", door.name, "--", "echo", "'two  blanks'", ";", "exit", "7")
    assert (done.returncode, done.stdout) == (7, "two  blanks\n")


def test_plain_ssh_and_scp_work_with_what_was_written(door: Door, home: Path, tmp_path: Path) -> None:
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh" / "config").write_text("Host elsewhere\n    User somebody\n")
    assert door("ssh", door.name, "--write-config").returncode == 0
    config = home / ".ssh" / "config"
    first = config.read_text()
    assert door("ssh", "--write-config").returncode == 0
    assert config.read_text() == first and first.endswith("Host elsewhere\n    User somebody\n")
    plain = ["-F", str(config), "-o", "BatchMode=yes"]
    said = subprocess.run(["ssh", *plain, door.name, "id -un"], env=door.environ, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    (tmp_path / "notes").write_text("mine")
    done = subprocess.run(["scp", "-q", *plain, tmp_path / "notes", f"{door.name}:"], env=door.environ, check=False)
    assert done.returncode == 0
    assert door.ssh("cat", "notes") == "mine"
    theirs = subprocess.run(["ssh", "-G", *plain, "elsewhere"], capture_output=True, text=True, check=True).stdout
    assert "user somebody\n" in theirs and "hostkeyalias" not in theirs


def test_plain_ssh_renews_a_certificate_that_has_ended(door: Door, home: Path) -> None:
    block = door("ssh", door.name, "--config").stdout
    config = home / "config"
    # The program as it is started here; an installed one is found by its name.
    config.write_text(block.replace('exec "', 'exec "' + " ".join(PROGRAM) + " ssh ").replace(_program(block), "", 1))
    long_ago = (timezone.now() - timedelta(minutes=1)).isoformat()
    kept = door.folder / "login.json"
    before = (door.folder / "key-cert.pub").read_text()
    kept.write_text(kept.read_text().replace(_valid_until(kept.read_text()), long_ago))
    done = subprocess.run(["ssh", "-F", config, door.name, "id -un"], env=door.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (door.folder / "key-cert.pub").read_text() != before


def _program(block: str) -> str:
    """The beginning of the command in a `Match … exec "…"`, up to its words."""
    line = next(line for line in block.splitlines() if " exec " in line)
    return line.partition('exec "')[2].partition(" ssh ")[0] + " ssh "


def _valid_until(text: str) -> str:
    return text.partition('"valid_until": "')[2].partition('"')[0]


def test_without_a_second_factor_it_says_how_to_get_one(door: Door) -> None:
    other = door.world.member(door.space, Role.STEWARD)
    door.environ["STRONGROOM_TOKEN"] = secret_of(other)
    done = door("ssh", door.name, "--", "id")
    assert done.returncode == Exit.FORBIDDEN and "strongroom mfa enrol" in done.stderr


def test_a_proof_that_is_too_old_is_renewed_with_a_code_that_works_once(door: Door) -> None:
    door.forget_the_proof()
    done = door("ssh", door.name, "--", "id")
    assert done.returncode == Exit.FORBIDDEN and "strongroom mfa prove" in done.stderr
    code = door.phone.code()
    assert door("ssh", door.name, "--code", code, "--", "id").returncode == 0
    door.forget_the_proof()
    done = door("ssh", door.name, "--code", code, "--", "id")
    assert done.returncode == Exit.INVALID and "was used already" in done.stderr


def test_a_certificate_that_still_works_is_used_where_nobody_can_be_asked(door: Door) -> None:
    door.ssh("true")
    door.forget_the_proof()
    assert door.ssh("id", "-un").startswith("researcher")


def test_somebody_at_a_terminal_is_asked_for_a_code_may_mistype_and_finds_a_shell(door: Door) -> None:
    door.forget_the_proof()
    question = "Code of your authenticator app:"
    said = [(question, door.phone.wrong_code()), (question, door.phone.code()), ("$ ", "tty; exit 3")]
    drawn, code = _at_terminal(door, said, "ssh", door.name)
    assert code == 3, drawn
    assert "This code is wrong" in drawn and "/dev/pts/" in drawn


def _at_terminal(door: Door, said: list[tuple[str, str]], *argv: str) -> tuple[str, int]:
    """What was drawn, and the exit code; each answer is typed when what it is for stands there."""
    here, there = pty.openpty()
    running = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *PROGRAM, *argv], stdin=there, stdout=there, stderr=there, env=door.environ
    )
    os.close(there)
    drawn, read = "", 0
    with suppress(OSError):  # the terminal is gone when everybody left it
        while text := os.read(here, 4096).decode(errors="replace"):
            drawn += text
            if said and said[0][0] in drawn[read:]:
                read = len(drawn)
                os.write(here, (said.pop(0)[1] + "\n").encode())
    os.close(here)
    return drawn, running.wait(150)


def test_whoever_leaves_the_space_finds_no_server_and_loses_the_session_that_runs(door: Door, home: Path) -> None:
    door("ssh", door.name, "--write-config")
    door.ssh("true")
    running = subprocess.Popen(
        [*PROGRAM, "ssh", door.name, "--", "sleep 1000"], env=door.environ, stderr=subprocess.DEVNULL
    )
    account = door.ssh("id", "-un")
    deadline = time.monotonic() + 90
    while "sleep" not in door.inside.processes_of(account):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    members.remove(door.world.owner(door.space), door.space.id, door.person.person_id)
    done = door("ssh", door.name, "--", "id")
    assert done.returncode == Exit.NOT_FOUND and door.name in done.stderr
    door.beat()
    assert running.wait(90) == 255
    assert door.inside.processes_of(account) == ""
    # The certificate itself has not ended; the server does not know the person any more.
    plain = ["ssh", "-F", str(home / ".ssh" / "config"), "-o", "BatchMode=yes", door.name, "id"]
    refused = subprocess.run(plain, env=door.environ, capture_output=True, text=True, check=False)
    assert refused.returncode == 255 and "Permission denied (publickey)" in refused.stderr


def test_a_server_that_is_disabled_says_so(door: Door) -> None:
    servers.disable(door.world.owner(door.space), door.machine.row.id, reason="a look at it")
    done = door("ssh", door.name, "--", "id")
    assert done.returncode == Exit.CONFLICT and "is disabled" in done.stderr and "Enable it first" in done.stderr


def test_whoever_was_just_added_is_told_that_the_server_hears_of_them_soon(door: Door) -> None:
    late = door.world.member(door.space, Role.RESEARCHER)
    door.environ["STRONGROOM_TOKEN"] = secret = secret_of(late)
    enrolled(bearer(secret))
    done = door("ssh", door.name, "--", "id")
    assert done.returncode == 255 and "Permission denied" in done.stderr
    assert "lets new members in when its agent is heard next" in done.stderr
    door.beat()
    assert door.ssh("id", "-un").startswith("researcher")


def test_a_key_of_ones_own_is_certified_beside_it(door: Door, tmp_path: Path) -> None:
    key = tmp_path / "mine"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f", key], check=True)
    done = door("server", "certify", door.name, "--public-key", f"{key}.pub", "--minutes", "5")
    assert done.returncode == 0, done.stderr
    told = subprocess.run(["ssh-keygen", "-L", "-f", f"{key}-cert.pub"], capture_output=True, text=True, check=True)
    assert f"{door.person.email}/" in told.stdout and f"@{door.machine.server_id}" in told.stdout
    assert door("ssh", door.name, "--identity", str(key), "--", "true").returncode == 0


def test_a_private_key_given_by_mistake_stays_here(door: Door, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "mine"], check=True)
    before = Event.objects.exclude(verb=SystemFact.SERVER_SESSION).count()
    done = door("server", "certify", door.name, "--public-key", str(tmp_path / "mine"))
    assert done.returncode == Exit.INVALID and "private key" in done.stderr
    assert Event.objects.exclude(verb=SystemFact.SERVER_SESSION).count() == before, "it was not sent"
