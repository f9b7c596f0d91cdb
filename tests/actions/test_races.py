"""Many at once: one wins, the others are told; rows, engine and ledger agree. On the database as it is in life."""

import threading
import time
from collections.abc import Callable

import pytest

from strongroom.actions import datasets, keys, members, people, rechecking
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Invalid, NotFound, Refusal
from strongroom.core.vocabulary import KeyStatus, Kind, Outcome, Role, State, Verb
from strongroom.db.models import Dataset, Event
from tests.actions.attempts import attach, supersede
from tests.actions.rules import assert_ledger_is_whole, assert_rules_hold, work_until_settled
from tests.threads import at_once
from tests.world import World, actor_of

MANY = 20
Attempt = Callable[[Actor, Dataset], object]


def _pending(world: World) -> Dataset:
    dataset = world.dataset()
    world.uploaded(dataset)
    return dataset


def _derivative(world: World) -> Dataset:
    dataset = world.dataset(kind=Kind.DERIVATIVE)
    world.uploaded(dataset)
    return dataset


CONTESTS: dict[Verb, tuple[Callable[[World], Dataset], Attempt, type[Refusal]]] = {
    Verb.DATASET_FINALIZE: (_pending, lambda a, d: datasets.finalize(a, d.id, confirm_name=d.name), Conflict),
    Verb.DATASET_PROMOTE: (_derivative, lambda a, d: datasets.promote(a, d.id, confirm_name=d.name), Conflict),
    Verb.DATASET_DELETE: (_pending, lambda a, d: datasets.delete(a, d.id, confirm_name=d.name), Conflict),
    Verb.KEY_ISSUE: (lambda world: world.dataset(), lambda a, d: keys.issue(a, d.id), Conflict),
    Verb.KEY_RESET: (_pending, lambda a, d: keys.reset(a, d.id), Refusal),  # being issued, or the second one
    Verb.KEY_REVOKE: (_pending, lambda a, d: keys.revoke(a, d.id), Conflict),
    Verb.DATASET_REQUEST_DELETION: (
        lambda world: world.finalized(),
        lambda a, d: datasets.request_deletion(a, d.id, reason="over"),
        Conflict,
    ),
}


def assert_one_won(verb: Verb, outcomes: list[object], refusal: type[Refusal]) -> object:
    """Exactly one did it and the rest were refused, in what they were told and in the ledger."""
    won = [each for each in outcomes if not isinstance(each, Exception)]
    lost = [each for each in outcomes if isinstance(each, Exception)]
    assert len(won) == 1 and all(isinstance(each, refusal) for each in lost), lost
    told = Event.objects.filter(verb=verb.value)
    assert told.filter(outcome=Outcome.DONE).count() == 1
    assert told.filter(outcome=Outcome.REFUSED).count() == len(lost) == len(outcomes) - 1
    assert_ledger_is_whole()
    return won[0]


@pytest.mark.parametrize("verb", CONTESTS)
def test_of_many_who_ask_at_once_one_is_served(verb: Verb, lasting_world: World) -> None:
    prepare, attempt, refusal = CONTESTS[verb]
    dataset = prepare(lasting_world)
    owner = actor_of(dataset.created_by)
    outcomes = at_once([lambda: attempt(owner, dataset)] * MANY)
    won = assert_one_won(verb, outcomes, refusal)
    if isinstance(won, keys.IssuedKey):
        assert dataset.keys.get(status=KeyStatus.ACTIVE).id == won.key.id
    work_until_settled()
    assert_rules_hold(lasting_world.engine)


def test_of_many_who_confirm_a_deletion_one_does(lasting_world: World) -> None:
    dataset = lasting_world.finalized()
    datasets.request_deletion(actor_of(dataset.created_by), dataset.id, reason="over")
    steward = lasting_world.member(dataset.space, Role.STEWARD)
    confirm = [lambda: datasets.confirm_deletion(steward, dataset.id, confirm_name=dataset.name)] * MANY
    assert_one_won(Verb.DATASET_CONFIRM_DELETION, at_once(confirm), Conflict)
    work_until_settled()
    assert lasting_world.state(dataset) is State.DELETED
    assert_rules_hold(lasting_world.engine)


def test_of_many_who_supersede_a_document_one_does(lasting_world: World) -> None:
    dataset = lasting_world.dataset()
    owner = actor_of(dataset.created_by)
    old = attach(owner, dataset)
    lasting_world.finalized(dataset)
    outcomes = at_once([lambda: supersede(owner, dataset, old)] * MANY)
    won = assert_one_won(Verb.ATTACHMENT_SUPERSEDE, outcomes, Conflict)
    old.refresh_from_db()
    assert old.superseded_by == won
    assert dataset.attachments.filter(is_stored=True).count() == 2


def test_of_many_who_remove_a_member_one_does(lasting_world: World) -> None:
    space = lasting_world.space()
    owner, leaving = lasting_world.owner(space), lasting_world.member(space, Role.STEWARD)
    outcomes = at_once([lambda: members.remove(owner, space.id, leaving.person_id)] * MANY)
    assert_one_won(Verb.MEMBER_REMOVE, outcomes, NotFound)


@pytest.mark.parametrize("round_", range(3))
def test_whatever_is_asked_at_once_every_rule_holds(round_: int, lasting_world: World) -> None:
    world = lasting_world
    dataset = _pending(world)
    owner = actor_of(dataset.created_by)
    wishes: list[Attempt] = [attempt for _, attempt, _ in CONTESTS.values()] * 2
    outcomes = at_once([lambda wish=wish: wish(owner, dataset) for wish in wishes])  # type: ignore[misc]
    assert all(isinstance(each, Refusal) for each in outcomes if isinstance(each, Exception)), outcomes
    work_until_settled()
    assert_rules_hold(world.engine)


CLOSINGS: dict[str, tuple[Attempt, State]] = {
    "finalizing": (
        lambda a, d: datasets.finalize(a, d.id, confirm_name=d.name, allow_empty=True),
        State.FINALIZED,
    ),
    "deleting": (lambda a, d: datasets.delete(a, d.id, confirm_name=d.name), State.DELETED),
}


@pytest.mark.parametrize("closing", CLOSINGS)
@pytest.mark.parametrize("call", ["create_access_key", "apply_policy", "prove_access_key"])
@pytest.mark.parametrize("deed", [keys.issue, keys.reset])
def test_a_key_that_is_being_made_while_the_data_set_closes_is_not_shown_and_leaves_nothing(
    deed: Callable[..., object], call: str, closing: str, lasting_world: World
) -> None:
    world = lasting_world
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    if deed is keys.reset:
        world.key(dataset)
    close, state = CLOSINGS[closing]
    closed: list[object] = []
    closer = threading.Thread(target=lambda: closed.extend(at_once([lambda: close(owner, dataset)])))

    def cross(name: str) -> None:
        if name != call or closer.ident:
            return
        closer.start()
        while world.state(dataset) is State.PENDING and closer.is_alive():
            time.sleep(0.005)

    world.engine.on_call = cross
    [outcome] = at_once([lambda: deed(owner, dataset.id)])
    assert isinstance(outcome, Conflict) and outcome.code == "overtaken", outcome
    closer.join()
    assert not isinstance(closed[0], Exception), closed
    assert world.engine.principals() == set()
    world.engine.on_call = lambda _: None
    work_until_settled()
    assert world.state(dataset) is state
    assert_rules_hold(world.engine)


def test_a_source_is_not_deleted_while_somebody_derives_from_it(lasting_world: World) -> None:
    world = lasting_world
    space = world.space()
    owner = world.owner(space)
    for _ in range(6):
        source = world.dataset(space)

        def derive(source: Dataset = source) -> object:
            return world.dataset(space, kind=Kind.DERIVATIVE, source_ids=[source.id])

        def remove(source: Dataset = source) -> object:
            return datasets.delete(owner, source.id, confirm_name=source.name)

        derived, removed = at_once([derive, remove])
        assert isinstance(derived, Invalid) != isinstance(removed, Conflict), (derived, removed)


def test_no_two_data_sets_are_made_from_each_other(lasting_world: World) -> None:
    world = lasting_world
    space = world.space()
    owner = world.owner(space)
    for _ in range(6):
        pair = [world.dataset(space, kind=Kind.DERIVATIVE) for _ in range(2)]
        edits = [(pair[0], pair[1]), (pair[1], pair[0])]
        outcomes = at_once(
            lambda one=one, other=other: datasets.edit(owner, one.id, changes={"source_ids": [other.id]})
            for one, other in edits
        )
        assert sum(isinstance(each, Invalid) for each in outcomes) == 1, outcomes


def test_people_are_changed_while_they_work(lasting_world: World) -> None:
    world = lasting_world
    space = world.space()
    owner = world.owner(space)
    dataset = world.dataset(space)

    def rename() -> object:
        return people.edit(world.administrator, owner.person_id, changes={"name": "New"})

    def work() -> object:
        attach(owner, dataset)
        return world.dataset(space)

    outcomes = at_once([rename, work] * 8)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert_ledger_is_whole()


def test_a_late_object_is_told_while_people_edit(lasting_world: World) -> None:
    world = lasting_world
    dataset = world.finalized()
    owner = actor_of(dataset.created_by)
    for number in range(12):
        world.engine._store(dataset.repository, f"late{number}", b"1")

    def edit(number: int) -> object:
        return datasets.edit(owner, dataset.id, changes={"description": f"edit {number}"})

    edits = [lambda number=number: edit(number) for number in range(12)]
    outcomes = at_once([lambda: rechecking.recheck(dataset.id), *edits])
    assert outcomes[0] == 12
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert_ledger_is_whole()
