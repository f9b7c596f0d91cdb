"""Grants: a server reads what it was given, for as long as it was given it, and not one request longer."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from strongroom.actions import datasets, grants, members, servers
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from strongroom.core.policy_evaluation import is_allowed
from strongroom.core.vocabulary import GrantEnd, Kind, Permission, Role, Scope, ServerState, StaffRole, Verb
from strongroom.db.models import Dataset, Event, Grant, Server
from strongroom.engines.protocol import Session
from tests.actions.attempts import failing, refused
from tests.actions.rules import assert_rules_hold, work_until_settled
from tests.machines import Machine
from tests.world import World, actor_of

ADDRESS = "192.0.2.50"
FILE = "first.csv"


def reads(world: World, session: Session, dataset: Dataset) -> bool:
    """Whether the server gets the file."""
    return world.engine.get_as(session, dataset.repository, FILE, address=ADDRESS) is not None


def allowed(world: World, session: Session, dataset: Dataset, action: str, key: str) -> bool:
    """What the policy in force says of the server."""
    policy = world.engine.read_policy(dataset.repository)
    assert policy is not None
    caller = world.engine.session_caller(session.name)
    return is_allowed(policy, caller, action, f"arn:aws:s3:::{dataset.repository}/{key}")


def derivative(world: World) -> Dataset:
    """A finalized derivative with one file."""
    return world.finalized(world.dataset(kind=Kind.DERIVATIVE))


def expire(grant: Grant) -> None:
    """Let its time be over, as if it had passed."""
    Grant.objects.filter(id=grant.id).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_a_server_reads_an_original_once_it_was_granted_and_no_more_once_revoked(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.machine(dataset.space)
    session = machine.session()
    assert not reads(world, session, dataset)
    grant = grants.create(owner, dataset.id, machine.row.id, reason="analysis")
    assert reads(world, session, dataset)
    assert not allowed(world, session, dataset, "s3:PutObject", "new.csv")
    assert not allowed(world, session, dataset, "s3:DeleteObject", FILE)
    revoked = grants.revoke(owner, dataset.id, machine.row.id, reason="done")
    assert not reads(world, session, dataset)
    assert (revoked.id, revoked.end, revoked.end_reason) == (grant.id, GrantEnd.REVOKED, "done")
    assert revoked.ended_by_id == owner.person_id
    assert_rules_hold(world.engine)


def test_a_server_works_in_a_derivative_but_only_reads_its_attachments(world: World) -> None:
    dataset = derivative(world)
    session = world.granted(dataset).session()
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert allowed(world, session, dataset, action, "work/new.csv")
    assert allowed(world, session, dataset, "s3:GetObject", "_attachments/dua.pdf")
    assert not allowed(world, session, dataset, "s3:PutObject", "_attachments/dua.pdf")
    assert not allowed(world, session, dataset, "s3:DeleteObject", "_attachments/dua.pdf")


def test_what_was_revoked_can_be_granted_again(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.granted(dataset)
    session = machine.session()
    for _ in range(2):
        grants.revoke(owner, dataset.id, machine.row.id)
        assert not reads(world, session, dataset)
        grants.create(owner, dataset.id, machine.row.id)
        assert reads(world, session, dataset)
    assert [row.ended_at is None for row in grants.list_(owner, dataset_id=dataset.id).rows] == [True, False, False]
    assert len(grants.list_(owner, dataset_id=dataset.id, is_live=True).rows) == 1
    assert len(grants.list_(owner, server_id=machine.row.id, is_live=False).rows) == 2
    assert_rules_hold(world.engine)


def test_the_ledger_tells_who_gave_what_to_whom_why_and_until_when(world: World) -> None:
    dataset = world.finalized()
    until = timezone.now() + timedelta(days=7)
    machine = world.granted(dataset, reason="analysis", expires_at=until)
    event = Event.objects.get(verb="grant.create")
    assert (event.dataset_id, event.reason) == (dataset.id, "analysis")
    assert event.after["server"] == machine.server_id
    assert (event.after["permission"], event.after["expires_at"]) == (Permission.READ, until.isoformat())


def test_a_grant_and_a_revoke_are_one_write_and_one_proof_each_and_leave_nothing_for_later(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.machine(dataset.space)
    asked: list[str] = []
    world.engine.on_call = asked.append
    grants.create(owner, dataset.id, machine.row.id)
    assert asked == ["apply_policy", "prove_policy"]
    grants.revoke(owner, dataset.id, machine.row.id)
    assert asked == ["apply_policy", "prove_policy"] * 2
    assert Dataset.objects.get(id=dataset.id).is_settled


def test_the_other_servers_keep_what_they_have(world: World) -> None:
    dataset = world.finalized()
    one, two = world.granted(dataset), world.granted(dataset)
    sessions = [one.session(), two.session()]
    grants.revoke(world.owner(dataset.space), dataset.id, one.row.id)
    assert [reads(world, each, dataset) for each in sessions] == [False, True]


def test_a_live_grant_is_not_given_twice(world: World) -> None:
    dataset = world.finalized()
    until = timezone.now() + timedelta(days=1)
    owner, machine = world.owner(dataset.space), world.granted(dataset, expires_at=until)
    with refused(Verb.GRANT_CREATE, owner, Conflict, "granted-already"):
        grants.create(owner, dataset.id, machine.row.id)


def test_a_pending_data_set_is_granted_to_nobody(world: World) -> None:
    dataset = world.dataset()
    machine, owner = world.machine(dataset.space), world.owner(dataset.space)
    with refused(Verb.GRANT_CREATE, owner, Conflict, "state"):
        grants.create(owner, dataset.id, machine.row.id)


def test_a_server_of_another_space_does_not_exist_here(world: World) -> None:
    dataset = world.finalized()
    owner = world.owner(dataset.space)
    mine_elsewhere = world.machine(world.space(owner))
    for server_id in (mine_elsewhere.row.id, uuid4()):
        with refused(Verb.GRANT_CREATE, owner, NotFound, "not-found"):
            grants.create(owner, dataset.id, server_id)
        with refused(Verb.GRANT_REVOKE, owner, NotFound, "not-found"):
            grants.revoke(owner, dataset.id, server_id)


def test_a_deleted_server_is_granted_nothing(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.machine(dataset.space)
    servers.delete(owner, machine.row.id, reason="retired")
    with refused(Verb.GRANT_CREATE, owner, Conflict, "state"):
        grants.create(owner, dataset.id, machine.row.id)


def test_what_was_never_granted_cannot_be_revoked_or_prolonged(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.machine(dataset.space)
    with refused(Verb.GRANT_REVOKE, owner, Conflict, "not-granted"):
        grants.revoke(owner, dataset.id, machine.row.id)
    with refused(Verb.GRANT_EDIT, owner, Conflict, "not-granted"):
        grants.edit(owner, dataset.id, machine.row.id, expires_at=None)


def test_a_researcher_grants_what_they_made_and_nothing_else(world: World) -> None:
    space = world.space()
    maker, other = world.member(space, Role.RESEARCHER), world.member(space, Role.RESEARCHER)
    made = world.finalized(world.dataset(space, by=maker, kind=Kind.DERIVATIVE))
    machine = world.machine(space)
    with refused(Verb.GRANT_CREATE, other, Forbidden, "role"):
        grants.create(other, made.id, machine.row.id)
    assert grants.create(maker, made.id, machine.row.id)
    with refused(Verb.GRANT_REVOKE, other, Forbidden, "role"):
        grants.revoke(other, made.id, machine.row.id)


def test_an_administrator_revokes_with_a_reason_and_grants_nothing(world: World) -> None:
    dataset = world.finalized()
    machine, administrator = world.granted(dataset), world.administrator
    with refused(Verb.GRANT_REVOKE, administrator, Invalid, "invalid"):
        grants.revoke(administrator, dataset.id, machine.row.id)
    grants.revoke(administrator, dataset.id, machine.row.id, reason="incident 7")
    with refused(Verb.GRANT_CREATE, administrator, Forbidden, "role"):
        grants.create(administrator, dataset.id, machine.row.id)


def test_a_grant_ends_by_itself_when_its_time_is_over(world: World) -> None:
    dataset = world.finalized()
    machine = world.granted(dataset, expires_at=timezone.now() + timedelta(hours=1))
    session = machine.session()
    assert grants.end_due() == 0
    assert reads(world, session, dataset)
    expire(dataset.grants.get())
    assert not machine.heartbeat().datasets  # not shown any more, even before the worker was there
    assert grants.end_due() == 1
    assert not reads(world, session, dataset)  # the chore itself cut it
    assert (dataset.grants.get().end, grants.end_due()) == (GrantEnd.EXPIRED, 0)
    assert Event.objects.get(verb="grant.ended").after["end"] == "expired"
    assert_rules_hold(world.engine)


def test_the_end_of_a_grant_can_be_put_off_brought_forward_and_taken_away(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.granted(dataset)
    soon = timezone.now() + timedelta(hours=1)
    for until in (soon, soon + timedelta(days=1), None):
        assert grants.edit(owner, dataset.id, machine.row.id, expires_at=until).expires_at == until
    event = Event.objects.filter(verb="grant.edit").latest("sequence")
    assert event.before["expires_at"] == (soon + timedelta(days=1)).isoformat()
    assert event.after["expires_at"] is None


def test_an_end_lies_in_the_future_and_in_a_time_zone(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.machine(dataset.space)
    naive = datetime(2036, 1, 1)  # noqa: DTZ001 that is what is refused
    for wrong in (timezone.now() - timedelta(seconds=1), naive):
        with refused(Verb.GRANT_CREATE, owner, Invalid, "invalid"):
            grants.create(owner, dataset.id, machine.row.id, expires_at=wrong)


def test_what_has_expired_is_not_prolonged_but_granted_anew(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.granted(dataset)
    expire(dataset.grants.get())  # and no worker was there yet
    with refused(Verb.GRANT_EDIT, owner, Conflict, "not-granted"):
        grants.edit(owner, dataset.id, machine.row.id, expires_at=None)
    grants.create(owner, dataset.id, machine.row.id)
    assert reads(world, machine.session(), dataset)
    assert grants.end_due() == 0
    assert_rules_hold(world.engine)


def test_what_has_expired_is_cut_by_a_revoke_where_no_worker_was_there_yet(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.granted(dataset)
    expire(dataset.grants.get())
    session = machine.session()
    assert reads(world, session, dataset), "the engine obeys the rows, and nobody has ended it in them"
    grants.revoke(owner, dataset.id, machine.row.id)
    assert not reads(world, session, dataset)
    assert grants.end_due() == 0
    with refused(Verb.GRANT_REVOKE, owner, Conflict, "not-granted"):
        grants.revoke(owner, dataset.id, machine.row.id)


def test_a_promoted_derivative_stays_readable_to_its_servers_and_takes_no_more_writes(world: World) -> None:
    dataset = derivative(world)
    machine = world.granted(dataset)
    session = machine.session()
    datasets.promote(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name)
    assert not allowed(world, session, dataset, "s3:PutObject", "late.csv")
    work_until_settled()
    assert reads(world, session, dataset)
    assert not allowed(world, session, dataset, "s3:PutObject", "late.csv")
    assert [each.access for each in machine.heartbeat().datasets] == [Permission.READ]
    assert_rules_hold(world.engine)


def test_the_deletion_of_a_data_set_ends_its_grants(world: World) -> None:
    dataset = world.finalized()
    machine, session_of = world.granted(dataset), world.owner(dataset.space)
    session = machine.session()
    datasets.request_deletion(session_of, dataset.id, reason="over")
    assert reads(world, session, dataset)
    steward = world.member(dataset.space, Role.STEWARD)
    datasets.confirm_deletion(steward, dataset.id, confirm_name=dataset.name)
    assert not reads(world, session, dataset)
    assert dataset.grants.get().end == GrantEnd.DATASET_DELETED
    work_until_settled()
    assert_rules_hold(world.engine)


def test_a_revoke_that_the_engine_has_not_followed_is_not_called_done(world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.granted(dataset)
    session = machine.session()
    world.engine.on_call = failing("apply_policy")
    with pytest.raises(Unavailable) as refusal:
        grants.revoke(owner, dataset.id, machine.row.id)
    assert refusal.value.code == "not-obeyed-yet"
    world.engine.on_call = lambda _: None
    work_until_settled()
    assert not reads(world, session, dataset)
    assert_rules_hold(world.engine)


def test_as_many_servers_as_a_policy_can_name_and_no_more(world: World) -> None:
    dataset = world.finalized()
    owner, like = world.owner(dataset.space), world.server(dataset.space)
    many = Server.objects.bulk_create(_like(like, f"copy-{number}") for number in range(300))
    # Nearly as many as fit straight into the rows: what is asked is where it ends.
    now, who = timezone.now(), owner.person_id
    Grant.objects.bulk_create(
        Grant(dataset=dataset, server=server, created_at=now, created_by_id=who) for server in many[:210]
    )
    with pytest.raises(Conflict) as refusal:
        for server in many[210:]:
            grants.create(owner, dataset.id, server.id)
    assert refusal.value.code == "policy-too-large"
    assert "Revoke" in refusal.value.way_out
    granted = dataset.grants.filter(ended_at=None).count()
    assert granted > 210
    Server.objects.update(state=ServerState.ACTIVE)  # all of them come to life, and the policy still fits
    grants.revoke(owner, dataset.id, many[0].id)
    policy = world.engine.read_policy(dataset.repository)
    assert policy is not None and 19_000 < len(policy) <= 20_480
    grants.create(owner, dataset.id, many[0].id)
    with refused(Verb.GRANT_CREATE, owner, Conflict, "policy-too-large"):
        grants.create(owner, dataset.id, many[granted].id)


def _like(server: Server, name: str) -> Server:
    copy = Server.objects.get(id=server.id)
    copy.id, copy.name = uuid4(), name
    return copy


@pytest.mark.parametrize("by", ["dataset_id", "server_id"])
def test_a_list_of_many_costs_few_questions(by: str, world: World) -> None:
    dataset = world.finalized()
    owner, machine = world.owner(dataset.space), world.machine(dataset.space)
    Grant.objects.bulk_create(
        Grant(
            dataset=dataset,
            server=machine.row,
            created_at=timezone.now(),
            created_by_id=owner.person_id,
            ended_at=timezone.now(),
            end=GrantEnd.REVOKED,
        )
        for _ in range(50)
    )
    wanted = {"dataset_id": dataset.id, "server_id": machine.row.id}[by]
    with CaptureQueriesContext(connection) as captured:
        rows = grants.list_(owner, **{by: wanted}, limit=20).rows  # type: ignore[arg-type]
        assert {(row.dataset.name, row.server.name, row.created_by.email) for row in rows}
    assert len(rows) == 20
    assert len(captured) <= 3


def test_a_list_of_nothing_in_particular_is_refused(world: World) -> None:
    with pytest.raises(Invalid):
        grants.list_(world.administrator)


@pytest.mark.parametrize("role", [*Role, *StaffRole])
def test_whoever_sees_the_data_set_sees_its_grants(role: Role | StaffRole, world: World) -> None:
    dataset = world.finalized()
    machine = world.granted(dataset)
    who = world.member(dataset.space, role) if isinstance(role, Role) else world.person("staff", staff_role=role)
    assert len(grants.list_(who, dataset_id=dataset.id).rows) == 1
    assert len(grants.list_(who, server_id=machine.row.id).rows) == 1


def test_a_stranger_sees_no_grants(world: World) -> None:
    dataset = world.finalized()
    machine, stranger = world.granted(dataset), world.person("stranger")
    with pytest.raises(NotFound):
        grants.list_(stranger, dataset_id=dataset.id)
    with pytest.raises(NotFound):
        grants.list_(stranger, server_id=machine.row.id)


def test_a_token_that_only_reads_grants_and_revokes_nothing(world: World) -> None:
    dataset = world.finalized()
    machine: Machine = world.granted(dataset)
    reader: Actor = replace(world.owner(dataset.space), scopes=frozenset({Scope.READ}))
    with refused(Verb.GRANT_REVOKE, reader, Forbidden, "scope"):
        grants.revoke(reader, dataset.id, machine.row.id)


def test_the_data_set_and_the_server_say_how_they_are_joined(world: World) -> None:
    dataset = world.finalized()
    machine, owner = world.granted(dataset), world.owner(dataset.space)
    assert world.view(owner, dataset.id).live_grants == 1
    assert [grant.dataset_id for grant in servers.show(owner, machine.row.id).grants] == [dataset.id]
    grants.revoke(owner, dataset.id, machine.row.id)
    assert world.view(owner, dataset.id).live_grants == 0
    assert not servers.show(owner, machine.row.id).grants


def test_a_granted_data_set_survives_its_granter(world: World) -> None:
    dataset = world.finalized()
    steward = world.member(dataset.space, Role.STEWARD)
    machine = world.machine(dataset.space)
    grants.create(steward, dataset.id, machine.row.id)
    members.remove(world.owner(dataset.space), dataset.space_id, steward.person_id)
    assert reads(world, machine.session(), dataset)
