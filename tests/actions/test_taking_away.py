"""Taking a role or a key away while its holder is at work: nothing is handed out afterwards, and nothing locks up."""

import time
from datetime import timedelta
from functools import partial
from threading import Thread

import pytest
from django.db import transaction
from django.utils import timezone

from strongroom.actions import converge, datasets, keys, members, people
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Refusal
from strongroom.core.vocabulary import KeyStatus, Role
from strongroom.db.models import Dataset
from tests.actions.rules import assert_rules_hold, work_until_settled
from tests.threads import at_once
from tests.world import World, actor_of


def test_whoever_was_disabled_while_asking_is_shown_no_key(world: World) -> None:
    dataset = world.dataset()
    asking = actor_of(dataset.created_by)  # signed in a moment ago
    people.disable(world.administrator, asking.person_id, reason="left")
    with pytest.raises(Forbidden) as refusal:
        keys.issue(asking, dataset.id)
    assert refusal.value.code == "disabled"
    assert dataset.keys.get().status == KeyStatus.LOST
    work_until_settled()
    assert world.engine.principals() == set()
    assert_rules_hold(world.engine)


def test_whoever_is_being_removed_while_asking_is_shown_no_key(lasting_world: World) -> None:
    world = lasting_world
    dataset = world.dataset()
    owner, leaving = world.owner(dataset.space), world.member(dataset.space, Role.STEWARD)
    outcomes: list[object] = []
    asking = Thread(target=lambda: outcomes.extend(at_once([lambda: keys.issue(leaving, dataset.id)])))
    with transaction.atomic():  # has looked for their keys, and is not committed yet
        members.remove(owner, dataset.space_id, leaving.person_id)
        asking.start()
        time.sleep(0.3)
    asking.join()
    assert isinstance(outcomes[0], Refusal), outcomes
    work_until_settled()
    assert world.engine.principals() == set()
    assert_rules_hold(world.engine)


def test_a_member_is_removed_while_a_data_set_whose_key_they_hold_is_deleted(lasting_world: World) -> None:
    world = lasting_world
    space = world.space()
    owner = world.owner(space)
    for _ in range(6):
        leaving = world.member(space, Role.STEWARD)
        dataset = world.dataset(space)
        keys.issue(leaving, dataset.id)
        outcomes = at_once(
            [
                lambda who=leaving: members.remove(owner, space.id, who.person_id),  # type: ignore[misc]
                lambda it=dataset: datasets.delete(owner, it.id, confirm_name=it.name),  # type: ignore[misc]
            ]
        )
        assert [each for each in outcomes if isinstance(each, Exception)] == []
    work_until_settled()
    assert_rules_hold(world.engine)


def test_two_who_end_the_same_keys_do_not_wait_for_each_other(lasting_world: World) -> None:
    world = lasting_world
    space = world.space()
    owner = world.owner(space)
    for _ in range(4):
        leaving = world.member(space, Role.STEWARD)
        pending = [world.dataset(space) for _ in range(3)]
        for dataset in pending:
            keys.issue(leaving, dataset.id)

        def disable(who: Actor = leaving) -> object:
            return people.disable(world.administrator, who.person_id, reason="left")

        def revoke(it: Dataset) -> object:
            return keys.revoke(owner, it.id)

        outcomes = at_once([disable, *(partial(revoke, it) for it in pending)])
        assert [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Conflict)] == []
    work_until_settled()
    assert world.engine.principals() == set()
    assert_rules_hold(world.engine)


@pytest.mark.parametrize("close", ["finalize", "revoke"])
def test_a_key_made_by_who_had_lost_the_lease_is_found_and_removed(close: str, world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    crossed: list[str] = []

    def cross(name: str) -> None:
        if name != "create_access_key" or crossed:
            return
        crossed.append(name)  # this process slept for longer than its lease; meanwhile another one closes
        Dataset.objects.filter(id=dataset.id).update(leased_until=timezone.now() - timedelta(seconds=1))
        if close == "finalize":
            datasets.finalize(owner, dataset.id, confirm_name=dataset.name, allow_empty=True)
        else:
            people.disable(world.administrator, owner.person_id, reason="left")
            converge.settle(dataset.id)

    world.engine.on_call = cross
    with pytest.raises(Conflict):
        keys.issue(owner, dataset.id)
    work_until_settled()
    assert world.engine.principals() == set()
    assert_rules_hold(world.engine)
