"""The second look: whatever came late or was changed behind Strongroom's back is found and told, once."""

import gzip
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import datasets, inventory, manifests, rechecking
from strongroom.core.errors import Unavailable
from strongroom.core.policy import Access, compile_policy
from strongroom.core.vocabulary import Kind
from strongroom.db.models import Dataset, Event, LateObject, Manifest
from tests.actions.attempts import failing
from tests.actions.rules import assert_proved, assert_rules_hold, work_until_settled
from tests.world import World, actor_of


def look(dataset: Dataset) -> int:
    """Have a second look now; how many data sets were looked at."""
    Dataset.objects.filter(id=dataset.id).update(recheck_at=timezone.now())
    return rechecking.run_due()


def told(dataset: Dataset) -> list[tuple[str, str, str]]:
    """What the ledger says was found: verb, change and key."""
    found = Event.objects.filter(dataset_id=dataset.id, verb__in=["dataset.late_object", "dataset.altered"])
    return [(each.verb, each.after["change"], each.after["key"]) for each in found.order_by("sequence")]


def test_an_original_is_looked_at_at_once_and_once_more_when_nothing_can_be_under_way(world: World) -> None:
    dataset = world.finalized()
    assert dataset.recheck_at is not None and dataset.recheck_at <= timezone.now()
    assert rechecking.run_due() == 1
    row = Dataset.objects.get(id=dataset.id)
    assert row.finalized_at is not None
    assert row.recheck_at == row.finalized_at + timedelta(seconds=300)
    assert rechecking.run_due() == 0
    Dataset.objects.update(finalized_at=timezone.now() - timedelta(seconds=301))
    assert (look(dataset), rechecking.run_due()) == (1, 0)
    assert Dataset.objects.get(id=dataset.id).recheck_at is None
    assert told(dataset) == []


def test_a_derivative_goes_on_changing_and_is_not_looked_at(world: World) -> None:
    assert world.finalized(world.dataset(kind=Kind.DERIVATIVE)).recheck_at is None
    assert rechecking.run_due() == 0


def test_a_late_object_is_taken_out_and_told_once(world: World) -> None:
    dataset = world.finalized()
    world.engine._store(dataset.repository, "late.csv", b"too late")
    for _ in range(3):
        assert look(dataset) == 1
    [late] = LateObject.objects.all()
    assert (late.key, late.size_bytes, late.is_altered) == ("late.csv", 8, False)
    assert told(dataset) == [("dataset.late_object", "added", "late.csv")]
    assert b"".join(world.engine.read_object(inventory.records(), late.quarantine_key)) == b"too late"
    assert datasets.show(actor_of(dataset.created_by), dataset.id).late_objects == 1
    assert manifests.differences(actor_of(dataset.created_by), dataset.id).rows == [late]
    work_until_settled()
    assert_proved(dataset)
    assert_rules_hold(world.engine)


def test_the_same_name_come_late_twice_is_told_and_kept_twice(world: World) -> None:
    dataset = world.finalized()
    for content in (b"one", b"two"):
        world.engine._store(dataset.repository, "late.csv", content)
        look(dataset)
    kept = [world.engine.read_object(inventory.records(), late.quarantine_key) for late in LateObject.objects.all()]
    assert {b"".join(each) for each in kept} == {b"one", b"two"}


def test_what_was_altered_or_is_missing_is_told_once_and_left_as_it_is(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset, kept=b"1", altered=b"2", missing=b"3")
    world.finalized(dataset)
    world.engine._store(dataset.repository, "altered", b"9")
    world.engine.delete_object(dataset.repository, "missing")
    for _ in range(2):
        look(dataset)
    assert told(dataset) == [("dataset.altered", "altered", "altered"), ("dataset.altered", "missing", "missing")]
    assert set(LateObject.objects.values_list("is_altered", "quarantine_key")) == {(True, "")}
    assert [each.key for each in world.engine.list_objects(dataset.repository)] == ["altered", "kept"]


def test_attachments_that_are_added_later_are_not_late(world: World) -> None:
    dataset = world.finalized()
    world.engine._store(dataset.repository, "_attachments/x.pdf", b"%PDF")
    look(dataset)
    assert told(dataset) == []


@pytest.mark.parametrize("call", ["list_objects", "read_object", "move_object"])
def test_a_look_that_could_not_be_finished_is_taken_again(call: str, world: World) -> None:
    dataset = world.finalized()
    world.engine._store(dataset.repository, "late.csv", b"too late")
    world.engine.on_call = failing(call)
    look(dataset)
    row = Dataset.objects.get(id=dataset.id)
    assert row.recheck_at is not None and row.recheck_at > timezone.now()
    world.engine.on_call = lambda _: None
    look(dataset)
    assert told(dataset) == [("dataset.late_object", "added", "late.csv")]
    assert_proved(dataset)


def test_a_policy_that_somebody_changed_is_put_back_and_told(world: World) -> None:
    dataset = world.dataset()
    key = world.uploaded(dataset)
    world.finalized(dataset)
    open_to_all = Access(dataset.repository, 1, (key.principal,), (), (), is_frozen=False)
    foreign = compile_policy(open_to_all, world.engine.dialect)
    world.engine.apply_policy(dataset.repository, foreign)
    assert (rechecking.check_policies(), rechecking.check_policies()) == (1, 0)
    [event] = Event.objects.filter(verb="dataset.repaired")
    assert (event.before, event.actor_id) == ({"policy": foreign}, None)
    assert_rules_hold(world.engine)


def test_a_policy_that_was_taken_away_is_put_back(world: World) -> None:
    dataset = world.dataset()
    world.engine._buckets[dataset.repository].policy = None
    assert rechecking.check_policies() == 1
    assert Event.objects.get(verb="dataset.repaired").before == {"policy": None}
    assert_rules_hold(world.engine)


def test_a_bucket_that_is_gone_is_told_once_and_shown(world: World) -> None:
    dataset = world.finalized()
    world.engine.delete_repository(dataset.repository)
    for _ in range(2):
        Dataset.objects.filter(id=dataset.id).update(recheck_at=timezone.now(), policy_checked_at=None)
        rechecking.run_due()
        rechecking.check_policies()
    event = Event.objects.get(verb="dataset.missing")
    assert (event.dataset_id, event.before) == (dataset.id, {"repository": dataset.repository})
    assert "not in the storage engine" in Dataset.objects.get(id=dataset.id).last_error


def test_policies_are_checked_in_turn_and_not_all_the_time(world: World) -> None:
    first, second = world.dataset(), world.finalized(world.dataset(kind=Kind.DERIVATIVE))
    calls: list[str] = []
    world.engine.on_call = calls.append
    assert (rechecking.check_policies(limit=1), calls) == (0, ["read_policy"])
    assert (rechecking.check_policies(limit=1), len(calls)) == (0, 2)
    assert (rechecking.check_policies(), len(calls)) == (0, 2)
    Dataset.objects.filter(id=first.id).update(policy_checked_at=timezone.now() - timedelta(hours=2))
    assert (rechecking.check_policies(), len(calls)) == (0, 3)
    assert Dataset.objects.filter(id=second.id, policy_checked_at=None).count() == 0
    assert not Event.objects.filter(verb="dataset.repaired").exists()


def test_a_check_that_finds_the_engine_away_comes_back_in_its_turn(world: World) -> None:
    dataset = world.dataset()
    world.engine.is_down = True
    assert (rechecking.check_policies(), rechecking.check_policies()) == (0, 0)
    assert Dataset.objects.get(id=dataset.id).policy_checked_at is not None


def test_an_original_that_cannot_be_looked_at_does_not_stand_in_the_way_of_the_others(world: World) -> None:
    poisoned, other = world.finalized(), world.finalized()
    lost = Manifest.objects.get(dataset=poisoned)
    damaged = inventory.records()
    world.engine.delete_object(damaged, lost.object_key)
    world.engine.put_object(damaged, lost.object_key, io.BytesIO(b"no gzip at all"))
    world.engine.put_object(other.repository, "late.csv", io.BytesIO(b"late"))
    assert rechecking.run_due() == 2
    assert [each.dataset_id for each in LateObject.objects.all()] == [other.id]
    again = Dataset.objects.get(id=poisoned.id).recheck_at
    assert again is not None and again > timezone.now()


@pytest.mark.parametrize(
    "cut",
    [
        lambda packed: gzip.compress(gzip.decompress(packed).splitlines(keepends=True)[0]),
        lambda packed: packed[:-12],
        lambda packed: b"",
    ],
    ids=["after a line", "anywhere", "all"],
)
def test_behind_the_cut_of_a_manifest_nothing_is_late(world: World, cut: Callable[[bytes], bytes]) -> None:
    dataset = world.dataset()
    names = [f"{number:03}.csv" for number in range(50)]
    world.uploaded(dataset, **dict.fromkeys(names, b"kept"))
    world.finalized(dataset)
    recorded = Manifest.objects.get(dataset=dataset)
    packed = b"".join(world.engine.read_object(inventory.records(), recorded.object_key))
    world.engine.put_object(inventory.records(), recorded.object_key, io.BytesIO(cut(packed)))
    assert rechecking.run_due() == 1
    assert not LateObject.objects.exists()
    assert [each.key for each in world.engine.list_objects(dataset.repository)] == names
    found = Dataset.objects.get(id=dataset.id)
    assert "missing or altered" in found.last_error
    assert found.recheck_at is not None and found.recheck_at > timezone.now() + timedelta(minutes=5)
    world.engine.put_object(inventory.records(), recorded.object_key, io.BytesIO(packed))
    assert look(dataset) == 1
    assert Dataset.objects.get(id=dataset.id).last_error == ""


def test_a_manifest_whose_file_is_missing_says_so_before_the_answer_begins(world: World) -> None:
    dataset = world.finalized()
    world.engine.delete_object(inventory.records(), Manifest.objects.get(dataset=dataset).object_key)
    with pytest.raises(Unavailable, match="missing"):
        manifests.download(world.owner(dataset.space), dataset.id)
