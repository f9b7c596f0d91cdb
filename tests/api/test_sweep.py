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

from strongroom.actions import datasets, fixity, grants, mappings, mfa, servers, tokens, transfers
from strongroom.api.api import api
from strongroom.api.openapi import operations
from strongroom.core import terms
from strongroom.core.actor import Actor
from strongroom.core.credentials import digest
from strongroom.core.vocabulary import IdentityKind, Kind, Role, Scope, StaffRole
from strongroom.db.models import Dataset, Event, FixityCheck, LedgerHead, Server, Space, Token
from strongroom.engines.memory import MemoryEngine
from tests.actions.attempts import attach
from tests.api.callers import Caller
from tests.api.sweep_table import TABLE, WHO
from tests.bearers import bearer, secret_of
from tests.browsers import session_of
from tests.keyrings import kept_for
from tests.logins import KEY, takes_logins
from tests.phones import Phone, enrolled
from tests.world import World

OPERATIONS = {each["operationId"]: (path, method, each) for path, method, each in operations(api.get_openapi_schema())}
WRITE_SCOPES = {"dataset", "key", "transfer", "attachment", "server", "grant", "fixity"}

# What leaves an entry in the ledger when it was done; of these, READS leave none when they are refused.
READS = {"attachment.link", "manifest.download", "audit.export"}
RECORDED = {name for name, (_, method, _) in OPERATIONS.items() if method != "get"} | READS
RECORDED -= {"device.begin"}  # nobody has done anything yet

# What is asked: the path's placeholders and the query, then the body or the form.
SPACE, PENDING, BLANK, DONE, ASKED, FROZEN = "space", "pending", "blank", "done", "asked", "frozen"
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
    "crate.show": DONE,
    "fixity.start": FROZEN,
    "fixity.list": FROZEN,
    "fixity.show": FROZEN,
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


@pytest.fixture(scope="module")
def scene(kept_world: World) -> Scene:
    """One for all operations: whatever is done in it is undone."""
    world = kept_world
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
    made[FROZEN] = _promoted(world, creator, world.dataset(space, by=creator, kind=Kind.DERIVATIVE, name=FROZEN))
    datasets.request_deletion(world.owner(space), made[ASKED].id, reason="over")
    machines = _servers(world, space)
    grants.create(creator, made[DONE].id, machines[GRANTED].id)
    takes_logins(machines[GRANTED])
    mappings.add(world.administrator, provider=IdentityKind.OIDC, group="it", staff_role=StaffRole.SUPPORT)
    return Scene(world, space, actors, made, machines, documents, world.member(space, Role.RESEARCHER))


def _promoted(world: World, creator: Actor, dataset: Dataset) -> Dataset:
    """An original whose digests are being completed."""
    datasets.promote(creator, dataset.id, confirm_name=dataset.name, allow_empty=True)
    world.settled(dataset)
    fixity.start(creator, dataset.id)
    return dataset


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


@pytest.mark.django_db
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
        "check_id": FixityCheck.objects.get().id,
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
