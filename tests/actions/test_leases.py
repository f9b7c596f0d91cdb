"""One process at a time speaks to the engine about a data set, and one that was overtaken can write nothing."""

import threading
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import InterfaceError, connections
from django.db.models import F, QuerySet
from django.utils import timezone

from strongroom.actions import converge, datasets, keys, leases
from strongroom.actions.leases import Busy, Lease, LeaseLost, leased
from strongroom.core.errors import Unavailable
from strongroom.core.vocabulary import KeyStatus, State
from strongroom.db.models import Dataset
from tests.actions.rules import assert_rules_hold, time_passes, work_until_settled
from tests.processes import eventually
from tests.threads import at_once
from tests.world import World, actor_of


def columns(dataset: Dataset) -> tuple[object, ...]:
    """Who holds the data set, and how far it is."""
    row = Dataset.objects.get(id=dataset.id)
    return (row.lease, row.leased_until, row.progress_objects, row.is_settled)


def overtake(dataset: Dataset) -> None:
    """Another process takes the lease, as it may once it has run out."""
    later = timezone.now() + timedelta(seconds=30)
    Dataset.objects.filter(id=dataset.id).update(lease=uuid4(), leased_until=later)


def test_a_lease_is_held_by_one_and_given_back(world: World) -> None:
    dataset = world.dataset()
    with leased(dataset.id, wait_seconds=0):
        with pytest.raises(Busy) as refusal, leased(dataset.id, wait_seconds=0.05):
            pass
        assert (refusal.value.code, refusal.value.status) == ("busy", 503)
    with leased(dataset.id, wait_seconds=0) as lease:
        lease.renew()
    assert columns(dataset)[:2] == (None, None)


def test_a_lease_is_given_back_when_its_work_fails(world: World) -> None:
    dataset = world.dataset()
    with pytest.raises(ValueError, match="broken"), leased(dataset.id, wait_seconds=0):
        raise ValueError("broken")
    assert columns(dataset)[:2] == (None, None)


def test_a_holder_that_lives_keeps_it_however_long_its_work_takes(
    lasting_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(leases, "_keeper", None)  # one of an earlier test may be asleep for longer
    dataset, other = lasting_world.dataset(), lasting_world.dataset()
    with leased(dataset.id, wait_seconds=0), leased(other.id, wait_seconds=0):
        for each in (dataset, other):
            with pytest.raises(Busy), leased(each.id, wait_seconds=1):
                pass
    Dataset.objects.filter(id=dataset.id).update(lease=uuid4(), leased_until=timezone.now())  # nobody renews this one
    with leased(dataset.id, wait_seconds=1):
        pass


@pytest.mark.parametrize("wrong", [InterfaceError("closed"), RuntimeError("no memory")], ids=["database", "other"])
def test_a_holder_keeps_it_although_renewing_failed_once(
    lasting_world: World, monkeypatch: pytest.MonkeyPatch, wrong: Exception
) -> None:
    dataset, failed, goes_on = lasting_world.dataset(), threading.Event(), threading.Event()
    rows = leases._all

    def fails_once(kind: leases.Leasable) -> "QuerySet[Any]":
        if threading.current_thread() is leases._keeper:
            (goes_on if failed.is_set() else failed).set()
            if not goes_on.is_set():
                raise wrong
        return rows(kind)

    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(leases, "_keeper", None)
    monkeypatch.setattr(leases, "_all", fails_once)
    with leased(dataset.id, wait_seconds=0):
        assert failed.wait(60)
        assert goes_on.wait(60), "it ended"
        before = columns(dataset)[1]
        assert eventually(lambda: columns(dataset)[1] != before, 60)


def test_the_lease_of_a_dead_process_runs_out(world: World) -> None:
    dataset = world.dataset()
    Dataset.objects.update(lease=uuid4(), leased_until=timezone.now() + timedelta(seconds=30), is_settled=False)
    assert converge.run_due() == 0
    with pytest.raises(Busy), leased(dataset.id, wait_seconds=0):
        pass
    time_passes()
    assert converge.run_due() == 1
    assert Dataset.objects.get(id=dataset.id).is_settled


def test_who_outlived_their_lease_writes_no_column_and_has_the_data_set_looked_at_again(world: World) -> None:
    dataset = world.dataset()
    with leased(dataset.id, wait_seconds=0) as lease:
        overtake(dataset)
        before = columns(dataset)
        applied = Dataset.objects.get(id=dataset.id).applied_revision
        with pytest.raises(LeaseLost):
            lease.save(progress_objects=7)
    row = Dataset.objects.get(id=dataset.id)
    assert columns(dataset) == (*before[:3], False)
    assert (row.applied_revision, row.next_try_at is not None) == (applied - 1, True)
    time_passes()
    calls: list[str] = []
    world.engine.on_call = calls.append
    work_until_settled()
    assert "apply_policy" in calls
    assert_rules_hold(world.engine)


@pytest.mark.parametrize("is_saved", [False, True], ids=["at the end", "before"])
def test_who_comes_late_with_an_older_policy_is_not_forgotten_by_whoever_is_at_it(world: World, is_saved: bool) -> None:
    dataset = world.dataset()
    late = Lease(dataset.id, uuid4())
    Dataset.objects.update(revision=F("revision") + 1, is_settled=False)
    with leased(dataset.id, wait_seconds=0) as lease:
        row = converge.follow_policy(lease)
        if is_saved:
            lease.save()
        with pytest.raises(LeaseLost):  # it wrote its policy a moment ago, and learns only now that it may not
            late.save()
        converge.finish(lease, row)
    left = Dataset.objects.get(id=dataset.id)
    assert (left.is_settled, left.applied_revision < left.revision) == (False, True)
    calls: list[str] = []
    world.engine.on_call = calls.append
    work_until_settled()
    assert "apply_policy" in calls


@pytest.mark.parametrize("call", ["apply_policy", "freeze", "list_objects", "abort_uploads", "put_object"])
def test_whoever_is_overtaken_in_the_middle_leaves_the_rest_to_the_other(call: str, world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    key = world.uploaded(dataset)

    def lose(name: str) -> None:
        if name == call and not lost and world.state(dataset) is State.FINALIZING:
            lost.append(name)
            overtake(dataset)

    lost: list[str] = []
    world.engine.on_call = lose
    try:
        datasets.finalize(owner, dataset.id, confirm_name=dataset.name)
        converge.settle(dataset.id)
    except Unavailable as refusal:
        assert refusal.code == "not-obeyed-yet"
    assert lost == [call]
    assert Dataset.objects.get(id=dataset.id).state != State.FINALIZED
    work_until_settled()
    assert world.state(dataset) is State.FINALIZED
    assert not world.engine.put_as(key, dataset.repository, "after", b"")
    assert_rules_hold(world.engine)


def test_a_key_is_not_shown_by_who_was_overtaken_while_making_it(world: World) -> None:
    dataset = world.dataset()

    def lose(name: str) -> None:
        if name == "prove_access_key":
            overtake(dataset)

    world.engine.on_call = lose
    with pytest.raises(Unavailable):
        keys.issue(actor_of(dataset.created_by), dataset.id)
    world.engine.on_call = lambda _: None
    assert dataset.keys.get().status == KeyStatus.LOST
    work_until_settled()
    assert_rules_hold(world.engine)


def test_a_busy_data_set_is_no_failure(world: World) -> None:
    dataset = world.dataset()
    Dataset.objects.update(is_settled=False)
    with leased(dataset.id, wait_seconds=0):
        converge.settle(dataset.id)
    row = Dataset.objects.get(id=dataset.id)
    assert (row.failures, row.last_error) == (0, "")


def test_two_that_converge_at_once_do_not_interleave(lasting_world: World) -> None:
    world = lasting_world
    dataset = world.dataset()
    Dataset.objects.update(is_settled=False, applied_revision=0)
    inside: list[int] = []
    overlaps: list[str] = []

    def enter(name: str) -> None:
        me = threading.get_ident()
        inside.append(me)
        time.sleep(0.01)
        if set(inside) != {me}:
            overlaps.append(name)
        inside.remove(me)

    world.engine.on_call = enter
    with_waiting = [lambda: converge.cut(dataset.id) for _ in range(4)]
    without = [lambda: converge.settle(dataset.id) for _ in range(4)]
    assert at_once([*with_waiting, *without]) == [None] * 8
    assert overlaps == []
    world.engine.on_call = lambda _: None
    work_until_settled()
    assert_rules_hold(world.engine)


def test_a_deed_waits_for_the_one_that_is_at_it(lasting_world: World) -> None:
    world = lasting_world
    dataset = world.dataset()
    key = world.uploaded(dataset)
    holding, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with leased(dataset.id, wait_seconds=0):
            holding.set()
            may_go.wait(60)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(60)
    letting_go = threading.Timer(0.2, may_go.set)
    letting_go.start()
    keys.revoke(actor_of(dataset.created_by), dataset.id)
    assert may_go.is_set(), "it did not wait"
    letting_go.join()
    holder.join()
    assert not world.engine.put_as(key, dataset.repository, "after", b"")


def test_a_deed_that_waited_in_vain_stands_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converge, "WAIT_SECONDS", 0.1)
    dataset = world.dataset()
    key = world.uploaded(dataset)
    overtake(dataset)
    with pytest.raises(Busy) as refusal:
        keys.revoke(actor_of(dataset.created_by), dataset.id)
    assert "stands" in refusal.value.way_out
    assert dataset.keys.get().status == KeyStatus.REVOKED
    work_until_settled()
    assert not world.engine.knows(key)
