"""Every operation, asked by everybody: strangers, ended tokens, outsiders, each role, staff, tokens too narrow.

The expectations are written down here by hand; they are not derived from the table of rules that the code walks.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from strongroom.actions import datasets, grants, mappings, mfa, servers, tokens, transfers
from strongroom.api.api import api
from strongroom.api.openapi import operations
from strongroom.core import terms
from strongroom.core.actor import Actor
from strongroom.core.credentials import digest
from strongroom.core.vocabulary import IdentityKind, Kind, Role, Scope, StaffRole
from strongroom.db.models import Dataset, Event, LedgerHead, Server, Space, Token
from strongroom.engines.memory import MemoryEngine
from strongroom.hosts.memory import MemoryHost
from tests.actions.attempts import attach
from tests.api.callers import Caller
from tests.bearers import bearer, secret_of
from tests.browsers import session_of
from tests.keyrings import kept_for
from tests.logins import KEY, takes_logins
from tests.phones import Phone, enrolled
from tests.world import World

# 2: done; else the last digit of 401, 403, 404. Who asks, in this order:
#   nobody, an expired and a revoked token; somebody outside of the space; its owner, steward, researcher, the
#   researcher who made the data set, its auditor; administrator and support of the platform; then somebody who may,
#   with a token that lacks the scope, and with a token of another space.
WHO = tuple(
    "nobody expired revoked outsider owner steward researcher creator auditor admin support scopeless elsewhere".split()  # noqa: SIM905 a column each
)
EXPECTED = """
person.create             111 3 33333 23 33
person.list               111 3 33333 22 33
person.show               111 3 33333 22 33
person.edit               111 3 33333 23 33
person.invite             111 3 33333 22 33
person.disable            111 3 33333 23 33
person.enable             111 3 33333 23 33
person.sign_in            111 1 11111 11 11
device.begin              222 2 22222 22 22
device.claim              111 1 11111 11 11
person.remove             111 3 33333 23 33
session.list              111 2 22222 22 32
session.end               111 2 22222 22 32
passkey.list              111 2 22222 22 32
passkey.remove            111 2 22222 22 32
terms.show                111 2 22222 22 32
terms.accept              111 2 22222 22 32
mfa.show                  111 2 22222 22 32
mfa.enrol                 111 2 22222 22 32
mfa.confirm               111 2 22222 22 32
mfa.prove                 111 2 22222 22 32
mfa.remove                111 2 22222 22 32
mfa.reset                 111 3 33333 23 33
token.create              111 2 22222 22 32
token.list                111 2 22222 22 32
token.revoke              111 2 22222 22 22
space.create              111 2 22222 22 33
space.list                111 2 22222 22 32
space.show                111 4 22222 22 34
space.edit                111 4 23333 23 34
member.add                111 4 23333 23 34
member.list               111 4 22332 23 34
member.edit               111 4 23333 23 34
member.remove             111 4 23333 23 34
mapping.add               111 3 33333 23 33
mapping.list              111 3 33333 22 33
mapping.remove            111 3 33333 23 33
dataset.create            111 4 22223 33 34
dataset.list              111 2 22222 22 32
dataset.show              111 4 22222 22 34
dataset.edit              111 4 22323 33 34
dataset.finalize          111 4 22323 33 34
dataset.promote           111 4 22323 33 34
dataset.delete            111 4 22323 33 34
dataset.request_deletion  111 4 22323 33 34
dataset.withdraw_deletion 111 4 22323 33 34
dataset.confirm_deletion  111 4 22333 23 34
dataset.history           111 4 22222 22 34
dataset.contents          111 4 22222 33 34
dataset.connect           111 4 22223 33 34
key.issue                 111 4 22323 33 34
key.list                  111 4 22322 32 34
key.reset                 111 4 22323 32 34
key.renew                 111 4 22323 33 34
key.revoke                111 4 22323 33 34
transfer.open             111 4 22323 33 34
transfer.renew            111 4 22323 33 34
transfer.record           111 4 22323 33 34
transfer.close            111 4 22323 33 34
transfer.list             111 4 22322 32 34
transfer.show             111 4 22322 32 34
attachment.add            111 4 22323 33 34
attachment.list           111 4 22222 33 34
attachment.link           111 4 22222 33 34
attachment.remove         111 4 22323 33 34
attachment.supersede      111 4 22323 33 34
server.offerings          111 2 22222 22 32
server.create             111 4 22333 33 34
server.enrol              111 4 22333 33 34
server.rejoin             111 4 22333 33 34
server.list               111 2 22222 22 32
server.show               111 4 22222 22 34
server.edit               111 4 22333 33 34
server.start              111 4 22223 33 34
server.stop               111 4 22223 33 34
server.disable            111 4 22333 23 34
server.enable             111 4 22333 33 34
server.delete             111 4 22333 33 34
server.certify            111 4 22223 33 34
grant.create              111 4 22323 33 34
grant.list                111 4 22222 22 34
grant.edit                111 4 22323 33 34
grant.revoke              111 4 22323 23 34
agent.join                111 1 11111 11 11
agent.heartbeat           111 1 11111 11 11
agent.credentials         111 1 11111 11 11
agent.manifest            111 1 11111 11 11
agent.download            222 2 22222 22 22
manifest.show             111 4 22222 33 34
manifest.download         111 4 22222 33 34
receipt.show              111 4 22222 33 34
receipt.key               222 2 22222 22 22
audit.list                111 4 23332 23 34
audit.export              111 4 23332 23 34
audit.verify              111 4 23332 23 34
system.status             111 3 33333 22 33
"""
TABLE = {line.split()[0]: "".join(line.split()[1:]) for line in EXPECTED.strip().splitlines()}
OPERATIONS = {each["operationId"]: (path, method, each) for path, method, each in operations(api.get_openapi_schema())}
WRITE_SCOPES = {"dataset", "key", "transfer", "attachment", "server", "grant"}

# What leaves an entry in the ledger when it was done; of these, READS leave none when they are refused.
READS = {"attachment.link", "manifest.download", "audit.export"}
RECORDED = {name for name, (_, method, _) in OPERATIONS.items() if method != "get"} | READS
RECORDED -= {"device.begin"}  # nobody has done anything yet

# What is asked: the path's placeholders and the query, then the body or the form.
SPACE, PENDING, BLANK, DONE, ASKED = "space", "pending", "blank", "done", "asked"
OFFERING = "linux-small"
GRANTED, FREE, OFF, RUNNING, IDLE = "granted", "free", "off", "running", "idle"
BODIES: dict[str, dict[str, Any]] = {
    "person.create": {"email": "new@example.org", "name": "New"},
    "person.edit": {"name": "Renamed"},
    "person.disable": {"reason": "left"},
    "device.begin": {"token_name": "laptop"},
    "device.claim": {"device_code": "srd_x"},
    "person.remove": {"reason": "left"},
    "terms.accept": {"version": terms.version(terms.TEXT)},
    "person.sign_in": {"code": "0000-0000-0000-0000"},
    "token.create": {"name": "t", "scopes": ["read"], "days": 1},
    "space.create": {"name": "S", "risk_level": "low"},
    "space.edit": {"contact": "c"},
    "member.edit": {"role": "auditor"},
    "dataset.edit": {"description": "d"},
    "dataset.finalize": {"confirm_name": PENDING, "allow_empty": True},
    "dataset.promote": {"confirm_name": PENDING, "allow_empty": True},
    "dataset.request_deletion": {"reason": "over"},
    "dataset.confirm_deletion": {"confirm_name": ASKED},
    "key.reset": {"reason": "the laptop was lost"},
    "key.renew": {"days": 2},
    "transfer.open": {"label": "l"},
    "transfer.record": {"items": [{"key": "a", "size_bytes": 1, "etag": "e", "sha256": "0" * 64}]},
    "transfer.close": {"file_count": 1},
    "server.create": {"name": "new", "offering": OFFERING},
    "server.enrol": {"name": "new"},
    "server.edit": {"description": "d"},
    "server.disable": {"reason": "stolen"},
    "grant.edit": {"expires_at": "2036-12-31T00:00:00Z"},
    "agent.join": {"token": "srj_x", "public_key": "ssh-ed25519 x", "hostname": "h", "os": "linux"},
}
DATASETS = {
    "dataset.request_deletion": DONE,
    "dataset.withdraw_deletion": ASKED,
    "dataset.confirm_deletion": ASKED,
    "key.issue": BLANK,
    "attachment.supersede": DONE,
    "manifest.show": DONE,
    "manifest.download": DONE,
    "receipt.show": DONE,
    "grant.create": DONE,
    "grant.edit": DONE,
    "grant.revoke": DONE,
}
QUERIES = {
    "dataset.delete": f"?confirm_name={PENDING}",
    "server.delete": "?reason=over",
    "grant.list": "?dataset_id={}",
    "grant.revoke": "?reason=over",
}
SERVERS = {"server.enable": OFF, "server.start": IDLE, "server.stop": RUNNING, "grant.create": FREE}


@dataclass
class Scene:
    """A space with somebody of every kind, and data sets in every state that an operation needs."""

    world: World
    space: Space
    actors: dict[str, Actor]
    datasets: dict[str, Dataset]
    servers: dict[str, Server]
    attachments: dict[str, str]
    victim: Actor


@pytest.fixture
def scene(world: World, host: MemoryHost) -> Scene:
    space = world.space()
    actors = {role.value: world.member(space, role) for role in Role}
    actors |= {"creator": world.member(space, Role.RESEARCHER), "outsider": world.person("outsider")}
    actors |= {"admin": world.person("admin", staff_role=StaffRole.ADMINISTRATOR)}
    actors |= {"support": world.person("support", staff_role=StaffRole.SUPPORT)}
    creator = actors["creator"]
    names = (PENDING, BLANK, DONE, ASKED)
    made = {name: world.dataset(space, by=creator, kind=Kind.DERIVATIVE, name=name) for name in names}
    documents = {name: str(attach(creator, made[name]).id) for name in (PENDING, DONE)}
    world.key(made[PENDING])
    made |= {name: world.finalized(made[name]) for name in (DONE, ASKED)}
    datasets.request_deletion(world.owner(space), made[ASKED].id, reason="over")
    machines = _servers(world, space)
    grants.create(creator, made[DONE].id, machines[GRANTED].id)
    takes_logins(machines[GRANTED])
    mappings.add(world.administrator, provider=IdentityKind.OIDC, group="it", staff_role=StaffRole.SUPPORT)
    return Scene(world, space, actors, made, machines, documents, world.member(space, Role.RESEARCHER))


def _servers(world: World, space: Space) -> dict[str, Server]:
    owner = world.owner(space)
    made = {name: world.machine(space).row for name in (GRANTED, FREE, OFF)}
    servers.disable(owner, made[OFF].id, reason="stolen")
    for name in (RUNNING, IDLE):
        made[name] = servers.create(owner, space.id, name=name, offering=OFFERING).server
    servers.stop(owner, made[IDLE].id)
    return made


def test_the_table_names_every_operation_and_everybody() -> None:
    assert set(TABLE) == set(OPERATIONS)
    assert {len(row) for row in TABLE.values()} == {len(WHO)}


@pytest.mark.parametrize("operation", TABLE)
def test_an_operation_answers_everybody_as_it_should(scene: Scene, operation: str) -> None:
    found = {}
    for who in WHO:
        with _undone(scene.world.engine):
            found[who] = _ask(scene, operation, _secret(scene, operation, who), who)
    assert found == dict(zip(WHO, map(_status, TABLE[operation]), strict=True))


def _status(digit: str) -> str:
    return "done" if digit == "2" else f"40{digit}"


def _ask(scene: Scene, operation: str, secret: str | None, who: str) -> str:
    path, method, described = OPERATIONS[operation]
    caller, body = Caller(secret), _body(scene, operation) or _of_second_factor(scene, operation, secret)
    url = path.removeprefix("/api/v1").format(**_places(scene, operation, who)) + _query(scene, operation)
    before = LedgerHead.objects.get().sequence
    is_form = operation in ("attachment.add", "attachment.supersede")
    answer = caller(method.upper(), url, form=body) if is_form else caller(method.upper(), url, body)
    if answer.status_code >= 400:
        assert json.loads(answer.content)["detail"]
        assert _recorded(operation, before) == (["refused"] if _is_refusal_kept(operation, answer.status_code) else [])
        return str(answer.status_code)
    assert str(answer.status_code) in described["responses"]
    b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    assert _recorded(operation, before) == (["done"] if operation in RECORDED else [])
    return "done"


def _recorded(operation: str, before: int) -> list[str]:
    """How the ledger says that it ended, since then."""
    return list(Event.objects.filter(sequence__gt=before, verb=operation).values_list("outcome", flat=True))


def _is_refusal_kept(operation: str, status: int) -> bool:
    """The refusal of a write; a request that nobody is known to have made is only in the log."""
    return operation in RECORDED - READS and status != 401


def _body(scene: Scene, operation: str) -> dict[str, Any] | None:
    if operation == "dataset.create":
        origin = {"kind": "derivative", "external_source": "A registry"}
        return {"space_id": str(scene.space.id), "name": "New", **origin}
    if operation == "grant.create":
        return {"server_id": str(scene.servers[FREE].id)}
    if operation == "member.add":
        return {"email": scene.actors["outsider"].email, "role": "auditor"}
    if operation == "mapping.add":
        return {"group": "auditors", "space_id": str(scene.space.id), "role": "auditor"}
    if operation in ("attachment.add", "attachment.supersede"):
        reason = {"reason": "renewed"} if operation == "attachment.supersede" else {}
        return {"title": "A", "kind": "other", "file": SimpleUploadedFile("a.txt", b"a"), **reason}
    return BODIES.get(operation)


def _of_second_factor(scene: Scene, operation: str, secret: str | None) -> dict[str, Any] | None:
    """A body that holds a code, or that needs a proof: of a factor that was enrolled for this."""
    if operation == "mfa.reset":
        enrolled(scene.victim)
        return {"reason": "lost"}
    if operation not in ("mfa.confirm", "mfa.prove", "mfa.remove", "server.certify", "passkey.remove"):
        return None
    phone = Phone("A" * 32)
    if secret is not None and _works(secret):
        actor = replace(bearer(secret), scopes=frozenset(Scope), space_id=None)
        phone = Phone(mfa.enrol(actor).secret) if operation == "mfa.confirm" else enrolled(actor)[0]
    if operation == "passkey.remove":
        return None
    return {"public_key": KEY} if operation == "server.certify" else {"code": phone.code()}


def _works(secret: str) -> bool:
    live = Token.objects.filter(secret_sha256=digest(secret), revoked_at=None, expires_at__gt=timezone.now())
    return live.exists()


def _places(scene: Scene, operation: str, who: str) -> dict[str, object]:
    dataset = DATASETS.get(operation, PENDING)
    if operation == "passkey.remove":  # a factor that is there changes what other operations ask
        return {"passkey_id": kept_for(scene.actors.get(who, scene.actors["owner"])).id}
    pending = scene.datasets[PENDING]
    runner = scene.actors[who if who in ("owner", "steward", "creator") else "owner"]  # nobody else renews a transfer
    return {
        "transfer_id": transfers.open_(runner, pending.id).transfer.id if operation.startswith("transfer.") else "",
        "person_id": scene.victim.person_id,
        "token_id": "current",
        "mapping_id": mappings.list_(scene.world.administrator).rows[0].id,
        "session_id": session_of(scene.actors.get(who, scene.actors["owner"]), has_accepted=False).id,
        "space_id": scene.space.id,
        "dataset_id": scene.datasets[dataset].id,
        "attachment_id": scene.attachments.get(dataset, ""),
        "server_id": scene.servers[SERVERS.get(operation, GRANTED)].id,
        "filename": "install.sh",
    }


def _query(scene: Scene, operation: str) -> str:
    if operation.startswith("audit."):
        return f"?space_id={scene.space.id}"
    return QUERIES.get(operation, "").format(scene.datasets[DONE].id)


def _secret(scene: Scene, operation: str, who: str) -> str | None:
    if who == "nobody":
        return None
    if who in ("expired", "revoked"):
        return _ended(scene.actors["admin"], who)
    is_of_staff = operation.partition(".")[0] in ("person", "system", "mapping") or operation == "mfa.reset"
    holder = scene.actors["admin" if is_of_staff else "owner"]
    if who == "scopeless":
        return secret_of(holder, scopes=tuple(set(Scope) - {_scope(operation)}))
    if who == "elsewhere":
        other = scene.world.space(scene.actors["owner"])
        return secret_of(holder, space_id=other.id)
    return secret_of(scene.actors[who])


def _scope(operation: str) -> Scope:
    if OPERATIONS[operation][1] == "get" or operation in ("attachment.link", "mfa.prove"):
        return Scope.READ
    return Scope.WRITE if operation.partition(".")[0] in WRITE_SCOPES else Scope.MANAGE


def _ended(actor: Actor, how: str) -> str:
    secret = secret_of(actor)
    row = Token.objects.get(secret_sha256=digest(secret))
    if how == "revoked":
        tokens.revoke(actor, row.id)
    else:
        Token.objects.filter(id=row.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    return secret


@contextmanager
def _undone(engine: MemoryEngine) -> Iterator[None]:
    """What is done inside leaves nothing behind, in the rows or in the engine, so that everybody finds the same."""
    kept = copy.deepcopy((engine._buckets, engine._keys))
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    engine._buckets, engine._keys = kept
