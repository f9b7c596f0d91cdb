"""Digests are completed and signed behind the answer; what is read again and is not as listed is named, and told."""

import gzip
import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from strongroom.actions import (
    audit,
    checking,
    crates,
    datasets,
    fixity,
    inventory,
    manifests,
    overview,
    receipts,
    rechecking,
    signing,
    system,
)
from strongroom.core import bag, digest_receipt, manifest, sshsig
from strongroom.core.errors import Conflict, Unavailable
from strongroom.core.vocabulary import CheckState, Kind, ManifestForm, Role, State
from strongroom.db.models import Dataset, DigestList, FixityCheck, FixityDifference, Manifest
from tests.actions.checks import FILES, checked, downloaded, facts, last, row, spoil, work, write_manifest
from tests.actions.rules import assert_ledger_is_whole, is_valid
from tests.world import World, actor_of


def test_every_object_has_a_digest_a_while_after_the_data_set_is_finalized(world: World, frozen: Dataset) -> None:
    owner = world.owner(frozen.space)
    with pytest.raises(Conflict, match="not complete"):
        downloaded(owner, frozen.id, form=ManifestForm.BAGIT)
    work(world)
    lines = downloaded(owner, frozen.id, form=ManifestForm.DIGESTS).splitlines()
    expected = {key: f"sha256:{hashlib.sha256(content).hexdigest()}" for key, content in FILES.items()}
    assert {each.key: each.checksum for each in manifest.read(lines)} == expected
    bagged = downloaded(owner, frozen.id, form=ManifestForm.BAGIT)
    assert dict(map(reversed, bag.read(bagged.splitlines(), is_bag=True))) == {
        key: digest.removeprefix("sha256:") for key, digest in expected.items()
    }
    summed = downloaded(owner, frozen.id, form=ManifestForm.SHA256SUM)
    assert {key for _, key in bag.read(summed.splitlines(), is_bag=False)} == set(FILES)
    as_it_was = downloaded(owner, frozen.id)
    assert hashlib.sha256(as_it_was).hexdigest() == Manifest.objects.get(dataset=frozen).root_sha256


def _rewritten(world: World, key: str, change: Callable[[bytes], bytes]) -> None:
    """As if somebody had been at the file of a list."""
    content = b"".join(world.engine.read_object(inventory.records(), key))
    world.engine.put_object(inventory.records(), key, io.BytesIO(change(content)))


@pytest.mark.parametrize(
    "change",
    [
        lambda packed: packed[: len(packed) // 2],
        lambda packed: gzip.compress(gzip.decompress(packed).replace(b"half", b"all").replace(b"c.csv", b"d.csv")),
        lambda packed: gzip.compress(b"no line of a manifest\n"),
        lambda packed: b"not packed",
    ],
    ids=["cut", "altered", "no manifest", "not packed"],
)
def test_no_form_of_a_manifest_begins_unless_it_is_there_to_its_end(
    world: World, frozen: Dataset, change: Callable[[bytes], bytes]
) -> None:
    work(world)
    owner, recorded = world.owner(frozen.space), Manifest.objects.get(dataset=frozen)
    _rewritten(world, recorded.object_key, change)
    _rewritten(world, recorded.digests.object_key, change)
    for form in ManifestForm:
        with pytest.raises(Unavailable, match="altered"):
            downloaded(owner, frozen.id, form=form)


def test_without_room_a_manifest_is_refused_with_the_way_out(
    world: World, frozen: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "r+b"))  # noqa: PTH123, SIM115
    with pytest.raises(Unavailable, match="No space left") as refusal:
        downloaded(world.owner(frozen.space), frozen.id)
    assert "make room" in refusal.value.way_out
    assert facts(frozen, "manifest.download") == []


def test_what_is_kept_in_reserve_for_the_database_holds_no_manifest(
    world: World, frozen: Dataset, settings: Any
) -> None:
    settings.STRONGROOM = replace(settings.STRONGROOM, disk_reserve_bytes=10**15)
    with pytest.raises(Unavailable, match="less is free than STRONGROOM_DISK_RESERVE_BYTES"):
        downloaded(world.owner(frozen.space), frozen.id)
    with pytest.raises(Unavailable, match="less is free"):
        crates.show(world.owner(frozen.space), frozen.id)
    Dataset.objects.update(recheck_at=timezone.now())
    assert rechecking.run_due() == 1
    assert row(frozen).recheck_at is not None, "the second look waits"


def test_a_bag_that_is_not_the_one_that_was_signed_for_ends_before_its_end(world: World, frozen: Dataset) -> None:
    work(world)
    DigestList.objects.update(bagit_sha256="0" * 64, bagit_bytes=None)
    file = manifests.download(world.owner(frozen.space), frozen.id, form=ManifestForm.BAGIT)
    assert file.size_bytes is None, "of an older list it is not known"
    with pytest.raises(Unavailable, match="altered"):
        b"".join(file.chunks)


def test_the_second_receipt_names_the_first_and_both_lists(world: World, frozen: Dataset) -> None:
    owner = world.owner(frozen.space)
    assert receipts.show(owner, frozen.id).digests is None
    work(world)
    signed = receipts.show(owner, frozen.id)
    assert signed.digests is not None
    told = digest_receipt.decode(signed.digests.receipt)
    lists = {
        form: hashlib.sha256(downloaded(owner, frozen.id, form=form)).hexdigest()
        for form in (ManifestForm.DIGESTS, ManifestForm.BAGIT)
    }
    assert (told.digests_sha256, told.bagit_sha256) == (lists[ManifestForm.DIGESTS], lists[ManifestForm.BAGIT])
    assert told.receipt_sha256 == hashlib.sha256(signed.receipt.encode()).hexdigest()
    assert (told.dataset_id, told.object_count, told.computed_count) == (frozen.id, len(FILES), len(FILES))
    trusted, said = [signing.signer().public_key], signed.digests.receipt.encode()
    sshsig.verify(signed.digests.signature, said, namespace=sshsig.NAMESPACE, trusted=trusted, is_valid=is_valid)
    [event] = facts(frozen, "dataset.digested")
    assert (event.after["digests_sha256"], event.actor_id) == (told.digests_sha256, None)
    assert_ledger_is_whole()
    assert audit.verify(world.administrator).is_whole
    assert [each.key for each in world.engine.list_objects(inventory.records(), prefix="digests/")] == [
        f"digests/{frozen.id}/{Manifest.objects.get(dataset=frozen).revision}.jsonl.gz"
    ]


def test_a_ledger_that_was_rewritten_behind_the_second_receipt_is_found_out(world: World, frozen: Dataset) -> None:
    work(world)
    listed = DigestList.objects.get()
    told = json.loads(listed.receipt)
    listed.receipt = listed.receipt.replace(told["ledger_hash"], "0" * 64)
    listed.save()
    assert not audit.verify(world.administrator).is_whole


def test_what_came_with_a_digest_is_not_read_for_it(world: World, frozen: Dataset) -> None:
    recorded = Manifest.objects.get(dataset=frozen)
    entries = list(manifest.read(inventory.lines(recorded)))
    known = [manifest.Entry(e.key, e.size_bytes, e.etag, e.modified_at, "sha256:" + "ab" * 32) for e in entries[:2]]
    write_manifest(world, recorded, known + entries[2:])
    reads: list[str] = []
    world.engine.on_call = reads.append
    work(world)
    told = digest_receipt.decode(DigestList.objects.get().receipt)
    assert (told.object_count, told.computed_count) == (4, 2)


def test_a_data_set_without_objects_has_its_digests_too(world: World) -> None:
    dataset = world.dataset()
    datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name, allow_empty=True)
    world.settled(dataset)
    work(world)
    assert DigestList.objects.get().bagit_sha256 == hashlib.sha256(b"").hexdigest()


def test_a_check_reads_everything_again_and_says_that_it_is_as_it_was(world: World, frozen: Dataset) -> None:
    work(world)
    check = checked(world, frozen)
    assert (check.state, check.difference_count, check.completes_digests) == (CheckState.PASSED, 0, False)
    assert (check.objects_done, check.read_count, check.read_bytes) == (4, 4, sum(map(len, FILES.values())))
    [event] = facts(frozen, "fixity.ended")
    assert event.after["state"] == "passed"
    due = row(frozen).fixity_due_at
    assert due is not None and timedelta(days=89) < due - timezone.now() < timedelta(days=91)


def test_what_was_altered_or_is_gone_is_named_told_and_shown(world: World, frozen: Dataset) -> None:
    work(world)
    owner = world.owner(frozen.space)
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    spoil(world, frozen, "b/c.csv", b"short")
    world.engine.delete_object(frozen.repository, "50%.txt")
    check = checked(world, frozen)
    assert (check.state, check.difference_count) == (CheckState.FAILED, 3)
    found = fixity.show(owner, frozen.id).differences.rows
    assert [(each.key, each.damage) for each in found] == [
        ("50%.txt", "missing"),
        ("a.csv", "altered"),
        ("b/c.csv", "altered"),
    ]
    assert found[1].found == f"sha256:{hashlib.sha256(b'a,b' + bytes([10]) + b'1,3' + bytes([10])).hexdigest()}"
    [alarm] = facts(frozen, "fixity.difference")
    assert alarm.after["first"][0] == {"key": "50%.txt", "damage": "missing"}
    assert facts(frozen, "fixity.ended")[-1].after["state"] == "failed"
    assert world.view(owner, frozen.id).dataset.damaged_objects == 3
    assert [each.id for each in overview.show(owner).damaged] == [frozen.id]
    assert not system.status(world.administrator).is_healthy


def test_the_alarm_ends_when_a_later_check_finds_all_as_it_was(world: World, frozen: Dataset) -> None:
    work(world)
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    checked(world, frozen)
    spoil(world, frozen, "a.csv", FILES["a.csv"])
    assert checked(world, frozen).state == CheckState.PASSED
    assert row(frozen).damaged_objects == 0
    assert overview.show(world.owner(frozen.space)).damaged == []
    files = [part for part in system.status(world.administrator).parts if part.part == "files"]
    assert files[0].is_healthy


def test_what_was_altered_before_its_digest_was_known_is_never_signed_for(world: World, frozen: Dataset) -> None:
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")  # its MD5 stands in the manifest
    work(world)
    check = last(frozen)
    assert (check.state, check.ended_at, check.difference_count) == (CheckState.READING, None, 1)
    assert check.objects_done == len(FILES), "the others are digested all the same"
    assert row(frozen).damaged_objects == 1
    assert not DigestList.objects.exists()
    spoil(world, frozen, "a.csv", FILES["a.csv"])
    work(world)
    assert (last(frozen).state, row(frozen).damaged_objects) == (CheckState.PASSED, 0)
    lines = downloaded(world.owner(frozen.space), frozen.id, form=ManifestForm.DIGESTS).splitlines()
    found = {each.key: each.checksum for each in manifest.read(lines)}
    assert found["a.csv"] == f"sha256:{hashlib.sha256(FILES['a.csv']).hexdigest()}"


class Unreadable:
    """An engine that is well, but for some objects of which it gives only the beginning."""

    def __init__(self, world: World, *keys: str) -> None:
        engine, read = world.engine, world.engine.read_object
        self.keys = set(keys)

        def broken(repository: str, key: str) -> Iterator[bytes]:
            yield b""
            raise Unavailable(f"The storage engine did not read {key} to its end.")

        def choose(repository: str, key: str) -> Iterator[bytes]:
            return broken(repository, key) if key in self.keys else read(repository, key)

        engine.read_object = choose  # type: ignore[method-assign]  # the engine's part, not ours


def test_an_object_that_cannot_be_read_does_not_stop_the_others_and_is_tried_again(
    world: World, frozen: Dataset, quick: None
) -> None:
    broken = Unreadable(world, "b/c.csv")
    work(world)
    view = fixity.show(world.owner(frozen.space), frozen.id)
    assert [(each.key, each.damage) for each in view.differences.rows] == [("b/c.csv", "unreadable")]
    assert "tried again" in view.check.last_error
    broken.keys.clear()
    work(world)
    assert DigestList.objects.count() == 1
    assert fixity.show(world.owner(frozen.space), frozen.id).differences.rows == []


def test_an_engine_that_is_away_damages_nothing(world: World, frozen: Dataset, quick: None) -> None:
    work(world)
    fixity.start(world.owner(frozen.space), frozen.id)
    world.engine.is_down = True
    assert checking.run_due() == 1
    check = last(frozen)
    assert (check.difference_count, check.ended_at) == (0, None)
    assert check.last_error and check.next_at is not None and check.next_at > timezone.now()
    world.engine.is_down = False
    work(world)
    assert last(frozen).state == CheckState.PASSED


def test_a_list_of_digests_that_was_altered_is_not_compared_with(world: World, frozen: Dataset) -> None:
    work(world)
    content = gzip.compress(b"{}\n")
    world.engine.put_object(inventory.records(), DigestList.objects.get().object_key, io.BytesIO(content))
    fixity.start(world.owner(frozen.space), frozen.id)
    checking.run_due()
    assert "altered" in last(frozen).last_error


def test_a_derivative_has_no_check_and_no_digests_until_it_is_promoted(world: World) -> None:
    dataset = world.finalized(world.dataset(kind=Kind.DERIVATIVE))
    owner = world.owner(dataset.space)
    work(world)
    assert not FixityCheck.objects.exists()
    with pytest.raises(Conflict, match="derivative") as refused:
        fixity.start(owner, dataset.id)
    assert "Promote it" in refused.value.way_out
    with pytest.raises(Conflict, match="servers may work in it"):
        downloaded(owner, dataset.id, form=ManifestForm.BAGIT)
    datasets.promote(owner, dataset.id, confirm_name=dataset.name)
    world.settled(dataset)
    work(world)
    assert DigestList.objects.get().manifest_id == manifests.show(owner, dataset.id).id


def test_a_locked_original_is_read_as_any_other(world: World) -> None:
    dataset = world.finalized(locked_until=timezone.now() + timedelta(days=400))
    work(world)
    assert checked(world, dataset).state == CheckState.PASSED


def test_a_check_that_is_under_way_is_hurried_not_begun_twice(world: World, frozen: Dataset) -> None:
    owner, steward = world.owner(frozen.space), world.member(frozen.space, Role.STEWARD)
    work(world)
    first, second = fixity.start(owner, frozen.id), fixity.start(steward, frozen.id)
    assert first.id == second.id
    assert fixity.list_(owner, frozen.id).rows[0].asked_by == first.asked_by


def test_the_calendar_starts_a_check(world: World, frozen: Dataset) -> None:
    work(world)
    Dataset.objects.filter(id=frozen.id).update(fixity_due_at=timezone.now())
    work(world)
    check = last(frozen)
    assert (check.completes_digests, check.asked_by, check.state) == (False, None, CheckState.PASSED)


def test_a_data_set_that_is_deleted_is_not_read_any_more(world: World, frozen: Dataset) -> None:
    owner, steward = world.owner(frozen.space), world.member(frozen.space, Role.STEWARD)
    datasets.request_deletion(owner, frozen.id, reason="over")
    checking.run_due()
    fixity.start(owner, frozen.id)
    datasets.confirm_deletion(steward, frozen.id, confirm_name=frozen.name)
    work(world)
    assert all(each.ended_at for each in FixityCheck.objects.all())
    world.settled(frozen)
    assert row(frozen).state == State.DELETED
    assert row(frozen).fixity_due_at is None


def test_many_objects_are_read_in_segments_and_none_twice_after_a_kill(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "SEGMENT_OBJECTS", 10)
    monkeypatch.setattr(checking, "TURN_SECONDS", 0.0)
    dataset = world.dataset()
    world.uploaded(dataset, **{f"{number:03}.txt": b"%d" % number for number in range(95)})
    world.finalized(dataset)
    for segment in range(1, 10):
        assert checking.run_due() == 1
        check = last(dataset)
        assert (check.objects_done, check.pieces, check.lease) == (10 * segment, segment, None)
    work(world)
    assert digest_receipt.decode(DigestList.objects.get().receipt).computed_count == 95


def test_of_very_many_differences_the_first_have_rows_and_all_are_counted(
    world: World, frozen: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(world)
    monkeypatch.setattr(checking, "MOST_DIFFERENCES", 2)
    for key in FILES:
        world.engine.delete_object(frozen.repository, key)
    check = checked(world, frozen)
    assert (check.difference_count, FixityDifference.objects.count()) == (4, 2)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is tried again at once."""
    from strongroom.actions import reading

    monkeypatch.setattr(reading, "_RETRY_SECONDS", (0.0, 0.0))
