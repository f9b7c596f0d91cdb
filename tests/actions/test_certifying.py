"""Certificates for logging in: who gets one, for what, for how long, and what the ledger says of it."""

import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity
from django.utils import timezone

from strongroom.actions import certifying, mfa, servers, ssh_authority
from strongroom.actions.configuration import settings
from strongroom.core import sshsig
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound
from strongroom.core.names import account_name
from strongroom.core.vocabulary import Outcome, Power, Role, ServerKind, Verb
from strongroom.db.models import Event, Person, Server, Space
from tests.actions.attempts import refused
from tests.logins import HOST_KEY, KEY, takes_logins
from tests.phones import enrolled, proved
from tests.world import World


@pytest.fixture
def space(world: World) -> Space:
    return world.space()


@pytest.fixture
def server(world: World, space: Space) -> Server:
    return takes_logins(world.machine(space).row)


@pytest.fixture
def ada(world: World, space: Space) -> Actor:
    return proved(world.member(space, Role.RESEARCHER))


def _read(line: str) -> SSHCertificate:
    read = load_ssh_public_identity(line.encode())
    assert isinstance(read, SSHCertificate)
    read.verify_cert_signature()
    return read


def test_a_certificate_is_for_one_account_on_one_server_and_for_an_hour(server: Server, ada: Actor) -> None:
    before = timezone.now()
    made = certifying.certify(ada, server.id, public_key=KEY)
    read = _read(made.line)
    assert made.account == account_name(ada.email, ada.person_id)
    assert [each.decode() for each in read.valid_principals] == [f"{made.account}@{server.id}"] == [made.principal]
    assert (dict(read.extensions), dict(read.critical_options)) == ({b"permit-pty": b""}, {})
    assert (
        (read.serial, read.key_id.decode()) == (made.serial, made.key_id) == (made.serial, f"{ada.email}/{made.serial}")
    )
    assert timedelta(minutes=60) <= made.valid_until - before < timedelta(minutes=61)
    assert read.valid_before == int(made.valid_until.timestamp())
    assert 4 * 60 < before.timestamp() - read.valid_after < 6 * 60
    assert (made.host, made.port) == ("genomics.example.org", 2222)


def test_the_authority_of_servers_signs_nobody_in_and_that_of_people_no_server(server: Server, ada: Actor) -> None:
    certificate = _read(certifying.certify(ada, server.id, public_key=KEY).line)
    host = _read(certifying.host_certificate(server.id, HOST_KEY, timezone.now()))
    assert certificate.signature_key() != host.signature_key()
    assert [each.decode() for each in host.valid_principals] == [str(server.id)]


def test_every_certificate_has_a_number_of_its_own_and_an_entry_in_the_ledger(server: Server, ada: Actor) -> None:
    made = [certifying.certify(ada, server.id, public_key=KEY) for _ in range(3)]
    assert len({each.serial for each in made}) == 3
    entries = Event.objects.filter(verb=Verb.SERVER_CERTIFY, outcome=Outcome.DONE).order_by("sequence")
    assert [(each.after["serial"], each.after["key_id"]) for each in entries] == [
        (str(each.serial), each.key_id) for each in made
    ]
    last = entries[2]
    assert (last.subject, last.space_id, last.actor_email) == (server.name, server.space_id, ada.email)
    assert last.after["principal"] == made[2].principal
    assert last.after["valid_until"] == made[2].valid_until.isoformat()
    assert last.after["key"].startswith("SHA256:")


def test_the_account_of_a_person_stays_when_their_address_changes(server: Server, ada: Actor) -> None:
    first = certifying.certify(ada, server.id, public_key=KEY).account
    Person.objects.filter(id=ada.person_id).update(email="married@example.org")
    assert certifying.certify(ada, server.id, public_key=KEY).account == first


@pytest.mark.parametrize("role", [Role.OWNER, Role.STEWARD, Role.RESEARCHER])
def test_whoever_works_with_data_may_log_in(world: World, server: Server, space: Space, role: Role) -> None:
    assert certifying.certify(proved(world.member(space, role)), server.id, public_key=KEY).host


def test_auditors_staff_and_strangers_may_not_even_with_a_second_factor(
    world: World, server: Server, space: Space
) -> None:
    for actor in (proved(world.member(space, Role.AUDITOR)), proved(world.administrator)):
        with refused(Verb.SERVER_CERTIFY, actor, Forbidden, "role"):
            certifying.certify(actor, server.id, public_key=KEY)
    stranger = proved(world.person())
    with refused(Verb.SERVER_CERTIFY, stranger, NotFound, "not-found"):
        certifying.certify(stranger, server.id, public_key=KEY)


def test_without_a_second_factor_it_says_how_to_enrol_one(world: World, server: Server, space: Space) -> None:
    actor = world.member(space, Role.RESEARCHER)
    with refused(Verb.SERVER_CERTIFY, actor, Forbidden, "mfa-missing"):
        certifying.certify(actor, server.id, public_key=KEY)
    with pytest.raises(Forbidden) as refusal:
        certifying.certify(actor, server.id, public_key=KEY)
    assert "strongroom mfa enrol" in refusal.value.way_out


def test_a_proof_that_is_missing_too_old_or_of_another_token_does_not_count(
    world: World, server: Server, ada: Actor
) -> None:
    window = timedelta(minutes=settings().mfa_minutes)
    for proved_at in (None, timezone.now() - window):
        actor = replace(ada, mfa_proved_at=proved_at)
        with refused(Verb.SERVER_CERTIFY, actor, Forbidden, "mfa-needed"):
            certifying.certify(actor, server.id, public_key=KEY)
    almost = replace(ada, mfa_proved_at=timezone.now() - window + timedelta(seconds=20))
    assert certifying.certify(almost, server.id, public_key=KEY).line


def test_a_proof_ends_with_the_factor(world: World, server: Server, ada: Actor) -> None:
    mfa.reset(world.administrator, ada.person_id, reason="lost")
    with refused(Verb.SERVER_CERTIFY, ada, Forbidden, "mfa-missing"):
        certifying.certify(ada, server.id, public_key=KEY)
    enrolled(replace(ada, token_id=None))
    with refused(Verb.SERVER_CERTIFY, replace(ada, mfa_proved_at=None), Forbidden, "mfa-needed"):
        certifying.certify(replace(ada, mfa_proved_at=None), server.id, public_key=KEY)


def test_only_active_servers_that_take_logins_are_logged_in_to(
    world: World, server: Server, space: Space, ada: Actor
) -> None:
    silent = world.machine(space).row
    with refused(Verb.SERVER_CERTIFY, ada, Conflict, "no-ssh"):
        certifying.certify(ada, silent.id, public_key=KEY)
    joining = world.server(space)
    with refused(Verb.SERVER_CERTIFY, ada, Conflict, "state"):
        certifying.certify(ada, joining.id, public_key=KEY)
    servers.disable(world.owner(space), server.id, reason="a look at it")
    with refused(Verb.SERVER_CERTIFY, ada, Conflict, "state"):
        certifying.certify(ada, server.id, public_key=KEY)


def test_a_created_server_that_is_stopped_is_started_first(server: Server, ada: Actor) -> None:
    Server.objects.filter(id=server.id).update(kind=ServerKind.CREATED, power=Power.STOPPED)
    with refused(Verb.SERVER_CERTIFY, ada, Conflict, "power"):
        certifying.certify(ada, server.id, public_key=KEY)


@pytest.mark.parametrize("minutes", [0, 4, 61, -1])
def test_a_life_outside_of_the_bounds_is_refused(server: Server, ada: Actor, minutes: int) -> None:
    with refused(Verb.SERVER_CERTIFY, ada, Invalid, "invalid"):
        certifying.certify(ada, server.id, public_key=KEY, minutes=minutes)


def test_a_shorter_life_is_given_when_asked_for(server: Server, ada: Actor) -> None:
    made = certifying.certify(ada, server.id, public_key=KEY, minutes=5)
    assert made.valid_until - timezone.now() < timedelta(minutes=5)


def test_a_key_that_may_not_be_signed_is_refused(server: Server, ada: Actor) -> None:
    with refused(Verb.SERVER_CERTIFY, ada, Invalid, "invalid"):
        certifying.certify(ada, server.id, public_key="ssh-dss AAAA")


def test_the_certificate_of_a_host_stays_the_same_text_for_a_while_and_lives_two_months_at_least(
    server: Server,
) -> None:
    now = timezone.now()
    texts = {certifying.host_certificate(server.id, HOST_KEY, now + timedelta(days=day)) for day in range(61)}
    assert len(texts) == 3
    for day in range(61):
        at = now + timedelta(days=day)
        read = _read(certifying.host_certificate(server.id, HOST_KEY, at))
        assert read.valid_after < at.timestamp() and read.valid_before > (at + timedelta(days=59)).timestamp()


def test_ssh_trusts_the_host_certificate_by_the_line_for_known_hosts(server: Server, ada: Actor) -> None:
    known = certifying.certify(ada, server.id, public_key=KEY).known_hosts
    marker, name, *key = known.split()
    assert (marker, name) == ("@cert-authority", str(server.id))
    host = _read(certifying.host_certificate(server.id, HOST_KEY, timezone.now()))
    assert sshsig.parse_public_key_line(" ".join(key)) == host.signature_key().public_bytes_raw()  # type: ignore[union-attr]
    assert sshsig.parse_public_key_line(ssh_authority.user_authority())


def test_ssh_keygen_takes_the_certificate(server: Server, ada: Actor) -> None:
    line = certifying.certify(ada, server.id, public_key=KEY).line
    told = subprocess.run(["ssh-keygen", "-L", "-f", "-"], input=line, capture_output=True, text=True, check=True)
    assert "user certificate" in told.stdout
