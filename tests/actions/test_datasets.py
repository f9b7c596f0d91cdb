"""The life of a data set as its people see it: what each deed changes, and what of it stands in the ledger."""

from datetime import date, timedelta

from django.utils import timezone

from strongroom.actions import converge, datasets, manifests, receipts
from strongroom.core import receipt
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Kind, Role, State, Verb
from strongroom.db.models import Dataset, Event, Manifest
from tests.actions.attempts import attach
from tests.actions.checks import downloaded
from tests.actions.rules import assert_proved, assert_rules_hold, work, work_until_settled
from tests.world import World, actor_of


def last_event(verb: str) -> Event:
    """The newest entry of this kind."""
    return Event.objects.filter(verb=verb).order_by("-sequence")[0]


def test_a_new_data_set_has_a_bucket_of_its_own_and_nobody_in_it(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    seen = datasets.create(
        owner,
        space_id=space.id,
        kind=Kind.ORIGINAL,
        name="  Trial  ",
        description="One line\r\nand another",
        data_classifications=["health", "genetic", "health"],
        data_format="CSV",
        owner_contact="ada@example.org",
        needed_until=date(2031, 12, 31),
    )
    row = seen.dataset
    assert (row.name, row.description, row.state, row.is_settled) == (
        "Trial",
        "One line\nand another",
        State.PENDING,
        True,
    )
    assert (row.data_classifications, row.needed_until) == (["genetic", "health"], date(2031, 12, 31))
    assert row.repository == f"dataset-ss-{row.id}"
    assert world.engine._buckets[row.repository].tags["strongroom:dataset"] == str(row.id)
    event = last_event("dataset.create")
    assert (event.space_id, event.dataset_id, event.subject) == (space.id, row.id, "Trial")
    assert event.after == {"kind": "original", "repository": row.repository, "source_ids": []}
    assert_rules_hold(world.engine)


def test_a_data_set_is_created_while_the_engine_is_away_and_usable_afterwards(world: World) -> None:
    world.engine.is_down = True
    dataset = world.dataset()
    assert not dataset.is_settled and dataset.failures == 1
    world.engine.is_down = False
    work_until_settled()
    assert world.uploaded(dataset)


def test_a_derivative_names_its_sources_and_copies_nothing(world: World) -> None:
    space = world.space()
    source = world.finalized(world.dataset(space))
    attach(world.owner(space), source)
    derived = world.dataset(
        space, by=world.member(space, Role.RESEARCHER), kind=Kind.DERIVATIVE, source_ids=[source.id]
    )
    seen = datasets.show(actor_of(derived.created_by), derived.id)
    assert [each.id for each in seen.sources] == [source.id]
    assert last_event("dataset.create").after["source_ids"] == [str(source.id)]
    assert list(world.engine.list_objects(derived.repository)) == []
    assert not derived.attachments.exists()


def test_an_edit_keeps_what_was_there_before(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    source, other = world.dataset(space), world.dataset(space)
    dataset = world.dataset(space, kind=Kind.DERIVATIVE, name="First", source_ids=[source.id])
    changes = {"name": "Second", "description": "", "source_ids": [other.id], "needed_until": "2030-01-31"}
    seen = datasets.edit(owner, dataset.id, changes=changes)
    assert (seen.dataset.name, seen.dataset.needed_until) == ("Second", date(2030, 1, 31))
    assert [each.id for each in seen.sources] == [other.id]
    event = last_event("dataset.edit")
    assert event.before == {"name": "First", "needed_until": None, "source_ids": [str(source.id)]}
    assert event.after == {"name": "Second", "needed_until": "2030-01-31", "source_ids": [str(other.id)]}
    history = {row.field: (row.before, row.after) for row in datasets.history(owner, dataset.id)}
    assert history == {field: (event.before[field], event.after[field]) for field in event.after}


def test_finalizing_writes_the_policy_first_and_alone(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset)
    calls: list[str] = []
    world.engine.on_call = calls.append
    datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name)
    assert calls == ["list_objects", "apply_policy", "prove_policy", "freeze", "mark_writes", "delete_principal"]


def test_a_finalized_data_set_comes_with_its_proof(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    attached = attach(owner, dataset)
    world.uploaded(dataset, one=b"1", two=b"22")
    row = world.finalized(dataset)
    proof = assert_proved(row)
    assert (row.object_count, row.size_bytes, row.finalized_by_id) == (2, 3, owner.person_id)
    told = receipt.decode(receipts.show(owner, row.id).receipt)
    assert (told.finalized_by, told.kind, told.promoted_from_derivative) == (owner.email, Kind.ORIGINAL, False)
    assert [(each.id, each.sha256) for each in told.attachments] == [(attached.id, attached.sha256)]
    asked, done = last_event("dataset.finalize"), last_event("dataset.finalized")
    assert (asked.before, asked.after["state"]) == ({"kind": "original", "state": "pending"}, "finalizing")
    assert (done.actor_id, done.after["manifest_sha256"], done.after["object_count"]) == (None, proof.root_sha256, 2)
    assert told.ledger_sequence == done.sequence - 1
    assert manifests.show(owner, row.id).root_sha256 == proof.root_sha256
    lines = downloaded(owner, row.id)
    assert lines.count(b"\n") == 2
    assert last_event("manifest.download").after == {"manifest_sha256": proof.root_sha256, "form": "jsonl"}


def test_unfinished_uploads_end_with_finalizing(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset)
    world.engine._buckets[dataset.repository].uploads.append("half a file")
    world.finalized(dataset)
    assert world.engine._buckets[dataset.repository].uploads == []


def test_a_bucket_stays_frozen_until_no_write_is_on_its_way(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset)
    datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name)
    world.engine.writes_in_flight = 1
    for _ in range(3):
        work()
        Dataset.objects.update(next_try_at=None)
    row = Dataset.objects.get(id=dataset.id)
    assert (row.state, row.step, row.is_frozen, row.failures) == (State.FINALIZING, "draining", True, 0)
    world.engine.writes_in_flight = 0
    assert world.settled(dataset).state == State.FINALIZED
    assert not world.engine._buckets[dataset.repository].is_frozen


def test_after_waiting_long_enough_finalizing_goes_on_and_the_bucket_stays_frozen(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset)
    datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name)
    world.engine.writes_in_flight = 1
    began = dataset.created_at.replace(year=2020)
    Dataset.objects.update(step_at=began, next_try_at=None)
    converge.settle(dataset.id)
    row = Dataset.objects.get(id=dataset.id)
    assert (row.state, row.is_frozen, row.is_settled) == (State.FINALIZED, True, False)
    assert world.engine._buckets[dataset.repository].is_frozen
    world.engine.writes_in_flight = 0
    assert not world.settled(dataset).is_frozen


def test_promoting_a_pending_derivative_makes_it_an_original(world: World) -> None:
    dataset = world.dataset(kind=Kind.DERIVATIVE)
    owner = actor_of(dataset.created_by)
    key = world.uploaded(dataset)
    datasets.promote(owner, dataset.id, confirm_name=dataset.name)
    assert not world.engine.put_as(key, dataset.repository, "late", b"")
    row = world.settled(dataset)
    assert (row.kind, row.was_derivative, row.state) == (Kind.ORIGINAL, True, State.FINALIZED)
    assert receipt.decode(assert_proved(row).receipt).promoted_from_derivative
    event = last_event("dataset.promote")
    assert event.before == {"kind": "derivative", "state": "pending"}
    assert (event.after["kind"], event.after["state"]) == ("original", "finalizing")


def test_promoting_a_finalized_derivative_closes_it_and_keeps_both_manifests(world: World) -> None:
    dataset = world.finalized(world.dataset(kind=Kind.DERIVATIVE))
    owner = actor_of(dataset.created_by)
    first = assert_proved(dataset)
    world.engine._store(dataset.repository, "added by a server", b"1")
    datasets.promote(owner, dataset.id, confirm_name=dataset.name)
    assert world.engine._buckets[dataset.repository].is_frozen
    row = world.settled(dataset)
    second = assert_proved(row)
    assert (row.kind, row.object_count, Manifest.objects.filter(dataset=row).count()) == (Kind.ORIGINAL, 2, 2)
    assert first.root_sha256 != second.root_sha256
    assert Manifest.objects.get(id=first.id).receipt == first.receipt
    assert manifests.newest(row) == second
    assert Verb.DATASET_PROMOTE not in datasets.show(owner, row.id).may
    work_until_settled()
    assert_rules_hold(world.engine)


def test_a_deleted_pending_data_set_leaves_a_tombstone(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    key = world.uploaded(dataset)
    datasets.delete(owner, dataset.id, confirm_name=dataset.name, reason="the wrong space")
    assert not world.engine.put_as(key, dataset.repository, "late", b"")
    row = world.settled(dataset)
    assert (row.state, row.deletion_reason, row.deleted_at is not None) == (State.DELETED, "the wrong space", True)
    asked, done = last_event("dataset.delete"), last_event("dataset.deleted")
    assert (asked.before, asked.reason) == ({"state": "pending"}, "the wrong space")
    assert asked.after == {"state": "deleting", "grants_ended": 0, "transfers_ended": 0}
    assert (done.after["manifest_sha256"], done.after["repository"]) == (None, row.repository)
    assert_rules_hold(world.engine)


def test_the_tombstone_of_a_finalized_data_set_keeps_manifest_and_reason(world: World) -> None:
    dataset = world.finalized()
    owner, steward = actor_of(dataset.created_by), world.member(dataset.space, Role.STEWARD)
    proof = assert_proved(dataset)
    datasets.request_deletion(owner, dataset.id, reason="the study is over")
    datasets.withdraw_deletion(steward, dataset.id)
    assert last_event("dataset.withdraw_deletion").before == {"reason": "the study is over"}
    datasets.request_deletion(owner, dataset.id, reason="consent was withdrawn")
    datasets.confirm_deletion(steward, dataset.id, confirm_name=dataset.name)
    row = world.settled(dataset)
    assert (row.state, row.deletion_requested_by_id, row.deletion_confirmed_by_id) == (
        State.DELETED,
        owner.person_id,
        steward.person_id,
    )
    done = last_event("dataset.deleted")
    assert (done.reason, done.after["manifest_sha256"]) == ("consent was withdrawn", proof.root_sha256)
    assert manifests.show(owner, row.id).id == proof.id
    assert downloaded(owner, row.id)
    assert not world.engine.repository_exists(row.repository)


def test_a_bucket_that_a_write_under_way_made_again_goes_too(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    datasets.delete(owner, dataset.id, confirm_name=dataset.name)
    world.engine.writes_in_flight = 1
    converge.settle(dataset.id)
    assert Dataset.objects.get(id=dataset.id).step == "removing"
    world.engine.create_repository(dataset.repository, tags={})
    world.engine.writes_in_flight = 0
    assert world.settled(dataset).state == State.DELETED
    assert not world.engine.repository_exists(dataset.repository)


def test_what_is_locked_is_locked_in_the_engine_and_goes_only_after_its_date(world: World) -> None:
    until = timezone.now() + timedelta(days=30)
    dataset = world.finalized(locked_until=until)
    owner, steward = actor_of(dataset.created_by), world.member(dataset.space, Role.STEWARD)
    bucket = world.engine._buckets[dataset.repository]
    assert bucket.locked_until == {"first.csv": until}
    assert receipt.decode(assert_proved(dataset).receipt).locked_until == until
    assert last_event("dataset.finalized").after["locked_until"] == until.isoformat()
    # Rows that were tampered with do not help: the engine holds on, and the worker says why and does not give up.
    Dataset.objects.update(locked_until=None)
    datasets.request_deletion(owner, dataset.id, reason="over")
    datasets.confirm_deletion(steward, dataset.id, confirm_name=dataset.name)
    converge.settle(dataset.id)
    row = Dataset.objects.get(id=dataset.id)
    assert (row.state, row.failures, "locked until" in row.last_error) == (State.DELETING, 1, True)
    assert world.engine.repository_exists(dataset.repository)
    bucket.locked_until["first.csv"] = timezone.now()
    work_until_settled()
    assert world.state(dataset) is State.DELETED
    assert_rules_hold(world.engine)


def test_a_write_under_way_is_outwaited_before_the_bucket_is_thawed_to_be_locked(world: World) -> None:
    dataset = world.dataset()
    world.uploaded(dataset)
    bucket, until = world.engine._buckets[dataset.repository], timezone.now() + timedelta(days=30)
    world.engine.writes_in_flight = 1
    datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name, locked_until=until)
    for _ in range(3):
        Dataset.objects.update(step_at=timezone.now() - timedelta(hours=1))
        converge.settle(dataset.id)
    assert (Dataset.objects.get(id=dataset.id).step, bucket.is_frozen, bucket.locked_until) == ("locking", True, {})
    world.engine.writes_in_flight = 0
    assert world.settled(dataset).state == State.FINALIZED
    assert bucket.locked_until == {"first.csv": until}


def test_contents_come_in_pages_of_key_order(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    world.uploaded(dataset, **{f"f{number}": b"" for number in range(5)})
    first = datasets.contents(owner, dataset.id, limit=3)
    assert ([each.key for each in first.items], first.next_after) == (["f0", "f1", "f2"], "f2")
    rest = datasets.contents(owner, dataset.id, limit=3, after="f2")
    assert ([each.key for each in rest.items], rest.next_after) == (["f3", "f4"], None)


def test_lists_hold_what_one_may_see_and_asked_for(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    mine = [world.dataset(space, name=name) for name in ("B lungs", "a hearts")]
    done = world.finalized(world.dataset(space, name="C", kind=Kind.DERIVATIVE))
    world.dataset(name="Lungs elsewhere")
    assert {row.id for row in datasets.list_(owner).rows} == {mine[0].id, mine[1].id, done.id}
    assert [row.id for row in datasets.list_(owner, search="LUNG").rows] == [mine[0].id]
    assert [row.id for row in datasets.list_(owner, kind=Kind.DERIVATIVE, state=State.FINALIZED).rows] == [done.id]
    first = datasets.list_(owner, limit=2)
    rest = datasets.list_(owner, limit=2, cursor=first.next_cursor)
    assert len({row.id for row in [*first.rows, *rest.rows]}) == 3 and rest.next_cursor is None


def test_a_page_says_what_may_be_done_and_why_the_rest_is_closed(world: World) -> None:
    dataset = world.finalized()
    seen = datasets.show(actor_of(dataset.created_by), dataset.id)
    blocked = {each.verb: each.reason for each in seen.blocked}
    assert set(seen.may).isdisjoint(blocked)
    assert "Nothing is left to do" in blocked[Verb.DATASET_FINALIZE]
    assert Verb.DATASET_REQUEST_DELETION in seen.may
    assert (seen.role, seen.manifest is not None, seen.live_key) == (Role.OWNER, True, None)


def test_a_deletion_is_offered_for_an_answer_only_once_it_was_asked_for(world: World) -> None:
    dataset = world.finalized()
    owner, steward = actor_of(dataset.created_by), world.member(dataset.space, Role.STEWARD)
    ask, withdraw, confirm = (
        Verb.DATASET_REQUEST_DELETION,
        Verb.DATASET_WITHDRAW_DELETION,
        Verb.DATASET_CONFIRM_DELETION,
    )

    def offered(actor: Actor) -> set[Verb]:
        seen = datasets.show(actor, dataset.id)
        assert {ask, withdraw, confirm} <= {*seen.may, *(each.verb for each in seen.blocked)}
        return {ask, withdraw, confirm} & set(seen.may)

    assert offered(owner) == offered(steward) == {ask}
    datasets.request_deletion(owner, dataset.id, reason="over")
    assert (offered(owner), offered(steward)) == ({withdraw}, {withdraw, confirm})
    datasets.withdraw_deletion(steward, dataset.id)
    assert offered(owner) == offered(steward) == {ask}
