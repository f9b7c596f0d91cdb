"""Transfers that are opened, renewed and recorded while others do the same, or close the data set under them."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from strongroom.actions import datasets, members, transfers
from strongroom.core.actor import Actor
from strongroom.core.digests import Digest
from strongroom.core.errors import Conflict, Refusal
from strongroom.core.vocabulary import Role, State
from strongroom.db.models import Dataset, ObjectDigest, Transfer
from tests.actions.rules import assert_rules_hold, work_until_settled
from tests.threads import at_once
from tests.world import World, actor_of


def test_of_many_who_open_at_once_as_many_are_served_as_may_run(lasting_world: World, settings: Settings) -> None:
    settings.STRONGROOM = replace(settings.STRONGROOM, transfer_limit=6)
    world = lasting_world
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    outcomes = at_once([lambda: transfers.open_(owner, dataset.id)] * 10)
    opened = [each for each in outcomes if isinstance(each, transfers.OpenTransfer)]
    lost = [each for each in outcomes if not isinstance(each, transfers.OpenTransfer)]
    assert len(opened) == 6
    assert [isinstance(each, Conflict) and each.code for each in lost] == ["too-many-transfers"] * 4
    assert len({each.session.name for each in opened}) == 6
    assert all(world.engine.put_as(each.session, dataset.repository, "a", b"1") for each in opened)
    work_until_settled()
    assert_rules_hold(world.engine)


CLOSINGS: dict[str, tuple[Callable[[Actor, Dataset], object], State]] = {
    "finalizing": (lambda a, d: datasets.finalize(a, d.id, confirm_name=d.name, allow_empty=True), State.FINALIZED),
    "deleting": (lambda a, d: datasets.delete(a, d.id, confirm_name=d.name), State.DELETED),
}


@pytest.mark.parametrize("closing", CLOSINGS)
@pytest.mark.parametrize("call", ["apply_policy", "prove_policy"])
def test_a_transfer_that_is_being_opened_while_the_data_set_closes_is_not_shown_and_ends(
    call: str, closing: str, lasting_world: World
) -> None:
    world = lasting_world
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
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
    [outcome] = at_once([lambda: transfers.open_(owner, dataset.id)])
    assert isinstance(outcome, Conflict) and outcome.code == "state", outcome
    closer.join()
    assert not isinstance(closed[0], Exception), closed
    world.engine.on_call = lambda _: None
    work_until_settled()
    assert world.state(dataset) is state
    assert_rules_hold(world.engine)


def test_whatever_is_done_with_transfers_while_the_data_set_is_finalized_every_rule_holds(lasting_world: World) -> None:
    world = lasting_world
    for _ in range(3):
        dataset = world.dataset()
        owner = actor_of(dataset.created_by)
        running = [transfers.open_(owner, dataset.id) for _ in range(3)]
        for each in running:
            assert world.engine.put_as(each.session, dataset.repository, "a", b"1")
        digest = Digest("a", 1, "c4ca4238a0b923820dcc509a6f75849b", "0" * 64)
        deeds: list[Callable[[], object]] = [
            partial(transfers.open_, owner, dataset.id),
            partial(transfers.renew, owner, running[0].transfer.id),
            partial(transfers.record, owner, running[1].transfer.id, [digest]),
            partial(transfers.close, owner, running[2].transfer.id),
        ]
        finalize = partial(datasets.finalize, owner, dataset.id, confirm_name=dataset.name)
        outcomes = at_once([finalize, *deeds, *deeds])
        assert not isinstance(outcomes[0], Exception), outcomes
        assert all(isinstance(each, Conflict) for each in outcomes if isinstance(each, Exception)), outcomes
        opened = [each for each in outcomes if isinstance(each, transfers.OpenTransfer)]
        work_until_settled()
        for each in (*running, *opened):
            assert not world.engine.put_as(each.session, dataset.repository, "b", b"1")
        assert_rules_hold(world.engine)


def test_two_who_record_the_same_keys_do_not_wait_for_each_other(lasting_world: World) -> None:
    dataset = lasting_world.dataset()
    owner = actor_of(dataset.created_by)
    opened = [transfers.open_(owner, dataset.id).transfer for _ in range(2)]
    keys = [f"{number}" for number in range(200)]
    batches = [[Digest(key, 1, "e", f"{turn}" * 64) for key in keys] for turn in range(2)]
    batches[1].reverse()
    deeds = [partial(transfers.record, owner, one.id, batch) for one, batch in zip(opened, batches, strict=True)]
    assert at_once(deeds * 4) == [200] * 8
    assert ObjectDigest.objects.filter(dataset=dataset).count() == 200


def test_whoever_is_being_removed_while_asking_gets_no_credentials_that_work(lasting_world: World) -> None:
    world = lasting_world
    dataset = world.dataset()
    owner, leaving = world.owner(dataset.space), world.member(dataset.space, Role.STEWARD)
    outcomes: list[object] = []
    asking = threading.Thread(target=lambda: outcomes.extend(at_once([lambda: transfers.open_(leaving, dataset.id)])))
    with transaction.atomic():  # has looked for their transfers, and is not committed yet
        members.remove(owner, dataset.space_id, leaving.person_id)
        asking.start()
        time.sleep(0.3)
    asking.join()
    assert isinstance(outcomes[0], Refusal), outcomes
    work_until_settled()
    assert not dataset.transfers.filter(ended_at=None).exists()
    assert_rules_hold(world.engine)


def test_what_is_renewed_at_the_last_moment_is_not_ended_by_the_worker(lasting_world: World) -> None:
    world = lasting_world
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    for _ in range(6):
        row = transfers.open_(owner, dataset.id).transfer
        Transfer.objects.filter(id=row.id).update(expires_at=timezone.now() - timedelta(seconds=1))
        _, renewed = at_once([transfers.end_due, partial(transfers.renew, owner, row.id)])
        is_renewed = isinstance(renewed, transfers.OpenTransfer)
        assert is_renewed or (isinstance(renewed, Conflict) and renewed.code == "transfer-ended"), renewed
        assert (Transfer.objects.get(id=row.id).ended_at is None) == is_renewed
    work_until_settled()
    assert_rules_hold(world.engine)
