"""Servers and grants over HTTP: what is shown of them, once and for good, and what a page of many costs."""

import json
import uuid

from strongroom.actions import grants
from strongroom.core.vocabulary import Role
from strongroom.db.models import Dataset, Grant, Server
from tests.api.callers import calling
from tests.api.test_datasets import load
from tests.api.test_problems import problem
from tests.world import World

IN_LIST = {
    "id", "space_id", "space_name", "name", "description", "kind", "os", "state", "state_reason", "state_at",
    "is_online", "owner", "created_at", "created_by", "joined_at", "join_expires_at", "last_heartbeat_at",
    "session_expires_at", "address", "hostname", "os_version", "agent_version", "ssh_host", "ssh_port", "offering",
    "power", "observed", "is_settled", "last_error", "mounts",
}  # fmt: skip
IN_FULL = IN_LIST | {"public_key", "owner_id", "grants", "role", "may", "blocked"}
ENROL = {"name": "genomics-1"}


def test_a_join_token_is_shown_once_and_a_repetition_says_so(world: World) -> None:
    space = world.space()
    owner, path = calling(world.owner(space)), f"/spaces/{space.id}/enrolments"
    first = load(owner("POST", path, ENROL, Idempotency_Key="k"))
    second = load(owner("POST", path, ENROL, Idempotency_Key="k"))
    assert str(first["join_token"]) in str(first["join_command"])
    assert (second["join_token"], second["join_command"]) == (None, None)
    assert "not stored" in str(second["note"])
    assert first["server"] == second["server"]
    shown = owner("GET", f"/servers/{first['server']['id']}").content.decode()  # type: ignore[index]
    assert str(first["join_token"]) not in shown and "sha256" not in shown
    assert set(json.loads(shown)) == IN_FULL


def test_a_server_is_shown_listed_and_edited(world: World) -> None:
    space = world.space()
    machine, steward = world.machine(space), world.member(space, Role.STEWARD)
    owner = calling(world.owner(space))
    listed = load(owner("GET", f"/servers?space_id={space.id}&search=server"))["items"]
    assert [set(each) for each in listed] == [IN_LIST]  # type: ignore[attr-defined]
    assert (listed[0]["id"], listed[0]["power"], listed[0]["state"]) == (machine.server_id, None, "active")  # type: ignore[index]
    changes = {"name": "other-1", "owner_id": str(steward.person_id)}
    edited = load(owner("PATCH", f"/servers/{machine.server_id}", changes))
    assert (edited["name"], edited["owner"]) == ("other-1", steward.email)
    problem(owner("PATCH", f"/servers/{machine.server_id}", {"owner_id": None}), 422, "invalid")
    problem(owner("PATCH", f"/servers/{machine.server_id}", {"name": "Not A Host Name"}), 422, "invalid")


def test_a_grant_is_shown_with_the_names_of_what_it_binds(world: World) -> None:
    dataset = world.finalized()
    owner, machine = calling(world.owner(dataset.space)), world.machine(dataset.space)
    path = f"/datasets/{dataset.id}/grants"
    body = {"server_id": machine.server_id, "reason": "a study", "expires_at": "2036-12-31T00:00:00Z"}
    made = load(owner("POST", path, body))
    assert (made["dataset_name"], made["server_name"]) == (dataset.name, machine.row.name)
    assert (made["access"], made["reason"], made["expires_at"]) == ("read", "a study", "2036-12-31T00:00:00Z")
    assert load(owner("PATCH", f"{path}/{machine.server_id}", {"expires_at": None}))["expires_at"] is None
    problem(owner("PATCH", f"{path}/{machine.server_id}", {}), 422, "invalid")
    assert load(owner("GET", f"/datasets/{dataset.id}"))["live_grants"] == 1
    ended = load(owner("DELETE", f"{path}/{machine.server_id}?reason=over"))
    assert (ended["end"], ended["end_reason"]) == ("revoked", "over")
    assert load(owner("GET", f"/grants?dataset_id={dataset.id}&is_live=true"))["items"] == []
    assert len(load(owner("GET", f"/grants?server_id={machine.server_id}"))["items"]) == 1  # type: ignore[arg-type]
    problem(owner("GET", "/grants"), 422, "invalid")


def test_a_server_of_another_space_does_not_exist_there(world: World) -> None:
    dataset = world.finalized()
    elsewhere = world.machine(world.space())
    owner = calling(world.owner(dataset.space))
    problem(owner("POST", f"/datasets/{dataset.id}/grants", {"server_id": elsewhere.server_id}), 404, "not-found")
    problem(owner("GET", f"/servers/{elsewhere.server_id}"), 404, "not-found")


def test_pages_of_many_servers_and_grants_cost_as_many_queries_as_of_one(
    world: World, django_assert_max_num_queries: object
) -> None:
    dataset = world.finalized()
    owner, machine = calling(world.owner(dataset.space)), world.machine(dataset.space)
    granted = grants.create(world.owner(dataset.space), dataset.id, machine.row.id)
    _many(dataset, machine.row, granted)
    owner("GET", "/servers")  # notes the use of the token
    for path, most in (
        ("/servers?limit=500", 3),
        (f"/grants?dataset_id={dataset.id}&limit=500", 5),
        (f"/servers/{machine.server_id}", 12),
        (f"/datasets/{dataset.id}", 20),
    ):
        with django_assert_max_num_queries(most):  # type: ignore[operator]
            load(owner("GET", path))
    assert len(load(owner("GET", f"/servers/{machine.server_id}"))["grants"]) == 51  # type: ignore[arg-type]


def _many(dataset: Dataset, server: Server, granted: Grant) -> None:
    """Fifty more servers that were granted the data set, and fifty data sets that the server was granted."""
    servers = [Server(**_like(server, name=f"bulk-{number}")) for number in range(50)]
    datasets = [Dataset(**_like(dataset, name=f"Bulk {number}", repository=f"bulk-{number}")) for number in range(50)]
    Server.objects.bulk_create(servers)
    Dataset.objects.bulk_create(datasets)
    pairs = [(dataset, each) for each in servers] + [(each, server) for each in datasets]
    Grant.objects.bulk_create(Grant(**_like(granted, dataset_id=data.id, server_id=each.id)) for data, each in pairs)


def _like(row: Server | Dataset | Grant, **differing: object) -> dict[str, object]:
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {**columns, "id": uuid.uuid4(), **differing}
