"""Done means done: what was taken away is gone when a deed answers; what the engine could not do is done later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import converge, datasets, keys
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Unavailable
from strongroom.core.vocabulary import KeyStatus, Kind, State
from strongroom.db.models import Dataset
from tests.actions.attempts import failing
from tests.actions.rules import assert_rules_hold, work, work_until_settled
from tests.world import World, actor_of


@dataclass(frozen=True)
class Taking:
    """A deed that takes a key away; `removes_at_once`: no principal is left when it answers."""

    deed: Callable[[Actor, Dataset], object]
    state: State
    removes_at_once: bool
    kind: Kind = Kind.ORIGINAL


TAKINGS = {
    "finalize": Taking(lambda a, d: datasets.finalize(a, d.id, confirm_name=d.name), State.FINALIZED, True),
    "promote": Taking(
        lambda a, d: datasets.promote(a, d.id, confirm_name=d.name), State.FINALIZED, True, Kind.DERIVATIVE
    ),
    "delete": Taking(lambda a, d: datasets.delete(a, d.id, confirm_name=d.name), State.DELETED, True),
    "reset": Taking(lambda a, d: keys.reset(a, d.id), State.PENDING, False),
    "revoke": Taking(lambda a, d: keys.revoke(a, d.id), State.PENDING, False),
}


@pytest.mark.parametrize("name", TAKINGS)
def test_when_it_has_answered_the_old_key_is_dead(name: str, world: World) -> None:
    taking = TAKINGS[name]
    dataset = world.dataset(kind=taking.kind)
    key = world.uploaded(dataset)
    taking.deed(actor_of(dataset.created_by), dataset)
    assert not world.engine.put_as(key, dataset.repository, "after", b"")
    if taking.removes_at_once:
        assert world.engine.principals() == set()
    assert world.settled(dataset).state == taking.state
    assert not world.engine.knows(key)
    assert_rules_hold(world.engine)


@pytest.mark.parametrize("name", TAKINGS)
@pytest.mark.parametrize("call", ["apply_policy", "prove_policy", "freeze", "delete_principal", "create_access_key"])
def test_when_the_engine_goes_away_in_the_middle_the_worker_finishes(call: str, name: str, world: World) -> None:
    taking = TAKINGS[name]
    dataset = world.dataset(kind=taking.kind)
    key = world.uploaded(dataset)
    calls: list[str] = []
    world.engine.on_call = lambda called: (calls.append(called), failing(call)(called))
    try:
        taking.deed(actor_of(dataset.created_by), dataset)
        assert call not in calls, "it answered although the engine had not obeyed"
    except Unavailable:
        assert call in calls
        assert not Dataset.objects.get(id=dataset.id).is_settled
    work()
    world.engine.on_call = lambda _: None
    work_until_settled()
    assert world.state(dataset) is taking.state
    assert not world.engine.put_as(key, dataset.repository, "after", b"")
    assert_rules_hold(world.engine)


def test_asked_for_while_the_engine_is_down_it_stands_and_comes_true(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    key = world.uploaded(dataset)
    world.engine.is_down = True
    with pytest.raises(Unavailable) as refusal:
        datasets.delete(owner, dataset.id, confirm_name=dataset.name)
    assert refusal.value.code == "not-obeyed-yet" and refusal.value.way_out
    assert world.state(dataset) is State.DELETING
    assert dataset.keys.get().status == KeyStatus.REVOKED
    world.engine.is_down = False
    work_until_settled()
    assert world.state(dataset) is State.DELETED and not world.engine.knows(key)
    assert_rules_hold(world.engine)


def test_what_must_first_look_into_the_bucket_is_not_written_while_the_engine_is_down(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset)
    world.engine.is_down = True
    with pytest.raises(Unavailable):
        datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name)
    assert world.state(dataset) is State.PENDING
    with pytest.raises(Unavailable):
        datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name, allow_empty=True)
    assert world.state(dataset) is State.FINALIZING


def test_the_worker_waits_longer_after_each_failure_and_never_gives_up(world: World) -> None:
    dataset = world.dataset()
    world.engine.is_down = True
    with pytest.raises(Unavailable):
        datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name, allow_empty=True)
    waits = []
    for _ in range(12):
        Dataset.objects.update(next_try_at=timezone.now())
        assert converge.run_due() == 1
        row = Dataset.objects.get(id=dataset.id)
        assert row.next_try_at is not None
        waits.append((row.next_try_at - timezone.now()).total_seconds())
    assert waits[:5] == sorted(waits[:5]) and waits[0] < 2 < waits[3]
    assert 55 < waits[-1] <= converge.MAX_BACKOFF_SECONDS
    assert (row.failures, "does not answer" in row.last_error) == (13, True)
    assert converge.run_due() == 0
    world.engine.is_down = False
    work_until_settled()
    row = Dataset.objects.get(id=dataset.id)
    assert (row.state, row.failures, row.last_error) == (State.FINALIZED, 0, "")


@pytest.mark.parametrize("error", [Unavailable("away"), Conflict("locked"), ValueError("a bug"), KeyError("another")])
def test_nothing_comes_out_of_the_worker(error: Exception, world: World) -> None:
    for _ in range(2):
        world.key(world.dataset())
    Dataset.objects.update(is_settled=False, applied_revision=0, next_try_at=None)

    def fail(name: str) -> None:
        if name == "apply_policy" and not calls:
            calls.append(name)
            raise error

    calls: list[str] = []
    world.engine.on_call = fail
    assert converge.run_due() == 2
    assert Dataset.objects.filter(is_settled=True, failures=0).count() == 1
    [row] = Dataset.objects.filter(is_settled=False)
    assert (row.failures, row.last_error) == (1, str(error))
    work_until_settled()
    assert_rules_hold(world.engine)


def test_the_worker_leaves_a_data_set_to_the_request_that_just_changed_it(world: World) -> None:
    dataset = world.dataset()
    converge.request(dataset)
    assert converge.run_due() == 0
    Dataset.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
    assert converge.run_due() == 1


def test_a_settled_data_set_costs_no_call(world: World) -> None:
    world.finalized()
    calls: list[str] = []
    world.engine.on_call = calls.append
    assert converge.run_due() == 0
    assert calls == []


def test_a_change_made_while_the_worker_is_at_it_is_not_overlooked(world: World) -> None:
    dataset = world.dataset()
    key = world.uploaded(dataset)
    Dataset.objects.update(is_settled=False, applied_revision=0, next_try_at=None)

    def change(name: str) -> None:
        # Between writing the policy and the end of the worker's round, somebody deletes: only the rows know.
        if name == "prove_policy" and world.state(dataset) is State.PENDING:
            row = Dataset.objects.get(id=dataset.id)
            row.keys.update(status=KeyStatus.REVOKED)
            Dataset.objects.filter(id=row.id).update(state=State.DELETING, step="closing")
            converge.request(row)

    calls: list[str] = []
    world.engine.on_call = lambda name: (calls.append(name), change(name))
    converge.settle(dataset.id)
    assert "delete_repository" not in calls and "freeze" not in calls
    assert not Dataset.objects.get(id=dataset.id).is_settled
    work_until_settled()
    order = [name for name in calls if name in ("apply_policy", "freeze", "delete_repository", "is_drained")]
    assert order == ["apply_policy", "apply_policy", "freeze", "delete_repository", "is_drained", "delete_repository"]
    assert not world.engine.knows(key)
    assert_rules_hold(world.engine)


def test_a_bucket_that_is_gone_gets_no_policy_again(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset)
    datasets.delete(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name)
    world.engine.writes_in_flight = 1
    converge.settle(dataset.id)
    row = Dataset.objects.get(id=dataset.id)
    assert row.step == "removing"
    # As after a lost lease: the policy is to be looked at again, but there is no bucket any more.
    Dataset.objects.update(applied_revision=row.applied_revision - 1, next_try_at=None)
    world.engine.writes_in_flight = 0
    assert world.settled(dataset).state == State.DELETED
    assert_rules_hold(world.engine)


def test_a_finalized_derivative_is_no_longer_under_the_policy_of_its_closing(world: World) -> None:
    dataset = world.finalized(world.dataset(kind=Kind.DERIVATIVE))
    assert '"Frozen"' not in str(world.engine.read_policy(dataset.repository))
    assert '"Frozen"' in str(world.engine.read_policy(world.finalized().repository))
