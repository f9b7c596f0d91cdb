"""Checks of the whole go on beside the digests that wait for what is damaged, and trust nothing that was not signed."""

import gzip
import hashlib
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import checking, datasets, digesting, fixity, inventory, pacing, signed_lists
from strongroom.actions.pacing import Pace, Stopped
from strongroom.core import manifest
from strongroom.core.vocabulary import CheckState, Role
from strongroom.db.models import Dataset, DigestList, FixityCheck, Manifest
from tests.actions.checks import FILES, checked, last, row, spoil, work, write_manifest
from tests.world import World


def test_one_damaged_object_holds_up_no_check_of_the_others(world: World, frozen: Dataset) -> None:
    owner = world.owner(frozen.space)
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")  # before its digest was known
    work(world)
    due = row(frozen).fixity_due_at
    assert due is not None and timedelta(days=89) < due - timezone.now() < timedelta(days=91)

    Dataset.objects.filter(id=frozen.id).update(fixity_due_at=timezone.now())
    work(world)
    check = last(frozen)
    assert (check.completes_digests, check.state, check.read_count) == (False, CheckState.FAILED, len(FILES))
    assert [each.key for each in fixity.show(owner, frozen.id).differences.rows] == ["a.csv"]
    assert row(frozen).damaged_objects == 1 and row(frozen).fixity_due_at is not None
    assert not DigestList.objects.exists()

    spoil(world, frozen, "50%.txt", b"HALF")  # its digest is known, though no list of all was signed yet
    assert checked(world, frozen).difference_count == 2
    found = fixity.show(owner, frozen.id).differences.rows
    assert [(each.key, each.expected.partition(":")[0]) for each in found] == [("50%.txt", "sha256"), ("a.csv", "md5")]
    assert row(frozen).damaged_objects == 2

    spoil(world, frozen, "a.csv", FILES["a.csv"])
    FixityCheck.objects.filter(ended_at=None).update(next_at=timezone.now())
    assert checking.run_due() == 1
    assert DigestList.objects.exists() and row(frozen).damaged_objects == 2, "no other alarm ends with that"
    work(world)
    assert (last(frozen).difference_count, row(frozen).damaged_objects) == (1, 1), "all is read again by itself"
    spoil(world, frozen, "50%.txt", FILES["50%.txt"])
    assert checked(world, frozen).state == CheckState.PASSED and row(frozen).damaged_objects == 0


def test_digests_that_were_altered_while_they_wait_are_not_compared_with(world: World, frozen: Dataset) -> None:
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    [piece] = [each.key for each in world.engine.list_objects(inventory.records(), prefix="digests/")]
    world.engine.put_object(inventory.records(), piece, io.BytesIO(gzip.compress(b"")))
    fixity.start(world.owner(frozen.space), frozen.id)
    checking.run_due()
    checking.run_due()
    assert "altered" in last(frozen).last_error and last(frozen).ended_at is None


@pytest.mark.parametrize("packed", [b"no gzip", gzip.compress(b"{}\n")], ids=["cannot-be-unpacked", "no-list"])
def test_what_is_no_piece_of_digests_any_more_is_said_to_be_altered(
    world: World, frozen: Dataset, packed: bytes
) -> None:
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    digests = last(frozen)
    [piece] = [each.key for each in world.engine.list_objects(inventory.records(), prefix="digests/")]
    world.engine.put_object(inventory.records(), piece, io.BytesIO(packed))
    check = fixity.start(world.owner(frozen.space), frozen.id)
    _go_on(check)
    spoil(world, frozen, "a.csv", FILES["a.csv"])
    _go_on(digests)
    for each in FixityCheck.objects.all():
        assert each.last_error.endswith("altered in the storage engine."), each.last_error
    assert not DigestList.objects.exists()


def _begin_anew(digests: FixityCheck) -> None:
    """As migration 0013 has done to what completed digests."""
    digests.differences.all().delete()
    columns = ("objects_done", "read_count", "read_bytes", "pieces", "difference_count")
    FixityCheck.objects.filter(id=digests.id).update(**dict.fromkeys(columns, 0), pieces_sha256="")


def test_while_digests_begin_anew_a_check_beside_them_waits_and_accuses_nobody(
    world: World, frozen: Dataset, one_by_one: None
) -> None:
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    digests, owner = last(frozen), world.owner(frozen.space)
    check = fixity.start(owner, frozen.id)
    _go_on(check)
    _begin_anew(digests)
    completing = world.view(owner, frozen.id).completing
    assert completing is not None and not completing.waits_for_damaged
    for _ in range(2):
        _go_on(check)
        check.refresh_from_db()
        assert check.last_error == "The digests are being put together."
        _go_on(digests)
    for _ in ("the digests", "the check"):
        work(world)
    check.refresh_from_db()
    assert (check.state, check.difference_count) == (CheckState.FAILED, 1)


def test_a_worker_that_comes_too_late_writes_over_no_piece(world: World, frozen: Dataset) -> None:
    late = fixity.start(world.owner(frozen.space), frozen.id)
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    digesting.keep_piece(late, list(manifest.read(inventory.lines(late.manifest)))[:2])  # its segment was shorter
    assert checked(world, frozen).difference_count == 1
    spoil(world, frozen, "a.csv", FILES["a.csv"])
    work(world)
    assert DigestList.objects.exists()
    assert len(list(world.engine.list_objects(inventory.records(), prefix="digests/"))) == 1, "pieces are left"


def test_pieces_that_were_named_by_their_number_alone_are_found(
    world: World, frozen: Dataset, one_by_one: None
) -> None:
    for _ in range(3):
        checking.run_due()
    records = inventory.records()
    pieces = [each.key for each in world.engine.list_objects(records, prefix="digests/")]
    for piece in pieces[:2]:
        folder, _, name = piece.rpartition("/")
        world.engine.move_object(records, piece, records, f"{folder}/{name.partition('-')[0]}.jsonl.gz")
    work(world)
    assert DigestList.objects.exists()


def test_the_proof_of_a_list_ends_when_the_process_is_to_end(
    world: World, frozen: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "ASK_LINES", 2)
    check = fixity.start(world.owner(frozen.space), frozen.id)
    with pytest.raises(Stopped), signed_lists.left(check, Pace(0, lambda _: True)):
        pass


def test_putting_digests_together_ends_when_the_process_is_to_end(
    world: World, frozen: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    assert last(frozen).last_error.startswith("1 object could not be digested; it is tried again")
    monkeypatch.setattr(pacing, "ASK_LINES", 1)
    with pytest.raises(Stopped):
        digesting.assemble(last(frozen), Pace(0, lambda _: True))
    assert not DigestList.objects.exists()


def test_no_piece_of_a_data_set_that_was_deleted_stays(world: World, frozen: Dataset) -> None:
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    _begin_anew(last(frozen))
    owner, steward = world.owner(frozen.space), world.member(frozen.space, Role.STEWARD)
    datasets.request_deletion(owner, frozen.id, reason="over")
    datasets.confirm_deletion(steward, frozen.id, confirm_name=frozen.name)
    work(world)
    assert not list(world.engine.list_objects(inventory.records(), prefix="digests/"))


def test_what_was_put_back_is_read_also_when_the_turn_before_was_killed(world: World, frozen: Dataset) -> None:
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    FixityCheck.objects.update(last_error="")  # as a turn does at its beginning
    spoil(world, frozen, "a.csv", FILES["a.csv"])
    _go_on(last(frozen))
    assert DigestList.objects.exists()


def test_digests_that_were_altered_while_they_wait_are_not_signed_for(world: World, frozen: Dataset) -> None:
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    [piece] = [each.key for each in world.engine.list_objects(inventory.records(), prefix="digests/")]
    kept = gzip.decompress(b"".join(world.engine.read_object(inventory.records(), piece)))
    altered = kept.replace(b'"size_bytes":4}', b'"size_bytes":5}')
    assert altered != kept
    world.engine.put_object(inventory.records(), piece, io.BytesIO(gzip.compress(altered)))
    spoil(world, frozen, "a.csv", FILES["a.csv"])
    FixityCheck.objects.filter(ended_at=None).update(next_at=timezone.now())
    checking.run_due()
    assert not DigestList.objects.exists()
    assert "50%.txt" in last(frozen).last_error and "signed manifest" in last(frozen).last_error


def test_a_digest_that_was_altered_while_it_waits_is_neither_signed_for_nor_compared_with(
    world: World, frozen: Dataset
) -> None:
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    digests = last(frozen)
    [piece] = [each.key for each in world.engine.list_objects(inventory.records(), prefix="digests/")]
    spoil(world, frozen, "50%.txt", b"HALF")
    _alter(world, piece, "50%.txt", _sha256(b"HALF"))
    check = fixity.start(world.owner(frozen.space), frozen.id)
    _go_on(check)
    check.refresh_from_db()
    assert "altered" in check.last_error and (check.objects_done, check.ended_at) == (0, None)

    spoil(world, frozen, "a.csv", FILES["a.csv"])
    _go_on(digests)
    digests.refresh_from_db()
    assert "altered" in digests.last_error and not DigestList.objects.exists()
    _alter(world, piece, "50%.txt", _sha256(FILES["50%.txt"]))  # put back
    work(world)
    assert DigestList.objects.exists()
    assert [each.key for each in fixity.show(world.owner(frozen.space), frozen.id).differences.rows] == ["50%.txt"]


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _alter(world: World, object_key: str, key: str, checksum: str | None) -> None:
    """Another checksum of one object in a file of the records bucket, behind everybody's back."""
    lines = gzip.decompress(b"".join(world.engine.read_object(inventory.records(), object_key))).splitlines()
    altered = [replace(each, checksum=checksum) if each.key == key else each for each in manifest.read(lines)]
    packed = gzip.compress(b"".join(map(manifest.encode, altered)))
    world.engine.put_object(inventory.records(), object_key, io.BytesIO(packed))


@pytest.mark.parametrize(
    ("key", "checksum"),
    [("50%.txt", _sha256(b"HALF")), ("50%.txt", None), ("b/c.csv", "md5:" + "0" * 32), ("b/c.csv", None)],
    ids=["signed-digest-swapped", "signed-digest-left-out", "md5-swapped", "md5-left-out"],
)
def test_no_checksum_that_was_signed_may_be_another_one_while_digests_wait(
    world: World, frozen: Dataset, key: str, checksum: str | None
) -> None:
    recorded = Manifest.objects.get()
    told = {"50%.txt": _sha256(FILES["50%.txt"])}  # by whoever sent it
    listed = manifest.read(inventory.lines(recorded))
    write_manifest(world, recorded, [replace(each, checksum=told.get(each.key, each.checksum)) for each in listed])
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    [piece] = [each.key for each in world.engine.list_objects(inventory.records(), prefix="digests/")]
    spoil(world, frozen, "50%.txt", b"HALF")
    _alter(world, piece, key, checksum)
    check = fixity.start(world.owner(frozen.space), frozen.id)
    _go_on(check)
    check.refresh_from_db()
    assert "altered" in check.last_error and (check.objects_done, check.ended_at) == (0, None)


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each turn of a check reads one object."""
    monkeypatch.setattr(checking, "SEGMENT_OBJECTS", 1)
    monkeypatch.setattr(checking, "TURN_SECONDS", 0.0)


def _go_on(check: FixityCheck) -> None:
    """One turn of this check, and of no other."""
    later = timezone.now() + timedelta(minutes=1)
    FixityCheck.objects.filter(next_at__isnull=False).update(next_at=later)
    FixityCheck.objects.filter(id=check.id).update(next_at=timezone.now())
    assert checking.run_due() == 1


def _digested_beside(world: World, frozen: Dataset, *, turns: int) -> FixityCheck:
    """A check of the whole has had some turns when the damaged object is put back and the digests are completed."""
    spoil(world, frozen, "a.csv", b"a,b\n1,3\n")
    work(world)
    digests = last(frozen)
    check = fixity.start(world.owner(frozen.space), frozen.id)
    for _ in range(turns):
        _go_on(check)
    spoil(world, frozen, "a.csv", FILES["a.csv"])
    _go_on(digests)
    assert DigestList.objects.exists()
    check.refresh_from_db()
    assert (check.state, check.objects_done) == (CheckState.READING, turns)
    return check


def test_a_check_that_saw_damage_before_the_digests_were_completed_is_followed_by_another(
    world: World, frozen: Dataset, one_by_one: None
) -> None:
    check = _digested_beside(world, frozen, turns=2)
    while check.ended_at is None:
        _go_on(check)
        check.refresh_from_db()
    assert (check.state, row(frozen).damaged_objects) == (CheckState.FAILED, 1)
    work(world)
    assert (last(frozen).state, row(frozen).damaged_objects) == (CheckState.PASSED, 0)
    due = row(frozen).fixity_due_at
    assert due is not None and due > timezone.now() + timedelta(days=89), "no third one at once"


def test_a_list_of_digests_that_came_while_a_check_read_is_proved_before_it_goes_on(
    world: World, frozen: Dataset, one_by_one: None
) -> None:
    check = _digested_beside(world, frozen, turns=1)
    spoil(world, frozen, "b/c.csv", b"y" * 3_000_000)
    _alter(world, DigestList.objects.get().object_key, "b/c.csv", _sha256(b"y" * 3_000_000))
    for _ in FILES:
        _go_on(check)
    check.refresh_from_db()
    assert "altered" in check.last_error and (check.objects_done, check.ended_at) == (1, None)


def test_a_list_that_was_altered_between_two_turns_is_noticed_before_the_next_one_reads(
    world: World, frozen: Dataset, one_by_one: None
) -> None:
    work(world)
    check = fixity.start(world.owner(frozen.space), frozen.id)
    _go_on(check)
    content, object_key = b"y" * 3_000_000, DigestList.objects.get().object_key
    spoil(world, frozen, "b/c.csv", content)
    _alter(world, object_key, "b/c.csv", _sha256(content))
    _go_on(check)
    check.refresh_from_db()
    assert "altered" in check.last_error and (check.objects_done, check.ended_at) == (1, None)

    _alter(world, object_key, "b/c.csv", _sha256(FILES["b/c.csv"]))  # put back
    work(world)
    assert [each.key for each in fixity.show(world.owner(frozen.space), frozen.id).differences.rows] == ["b/c.csv"]


def test_nothing_is_digested_by_a_manifest_that_was_altered_between_two_turns(
    world: World, frozen: Dataset, one_by_one: None
) -> None:
    recorded, content = Manifest.objects.get(), b"a,b\n1,3\n"
    checking.run_due()  # keys are in the order of their bytes: this was `50%.txt`
    check = last(frozen)
    spoil(world, frozen, "a.csv", content)
    _alter(world, recorded.object_key, "a.csv", f"md5:{hashlib.md5(content, usedforsecurity=False).hexdigest()}")
    for _ in FILES:
        _go_on(check)
    check.refresh_from_db()
    assert "altered" in check.last_error and (check.objects_done, check.ended_at) == (1, None)
    assert not DigestList.objects.exists()


@pytest.mark.parametrize("content", [b"", b"{}\n", None], ids=["empty", "no-list", "cannot-be-unpacked"])
def test_a_list_that_is_none_any_more_is_said_to_be_altered(
    world: World, frozen: Dataset, one_by_one: None, content: bytes | None
) -> None:
    work(world)
    check = fixity.start(world.owner(frozen.space), frozen.id)
    packed = b"no gzip" if content is None else gzip.compress(content)
    world.engine.put_object(inventory.records(), DigestList.objects.get().object_key, io.BytesIO(packed))
    _go_on(check)
    check.refresh_from_db()
    assert "altered" in check.last_error and check.objects_done == 0


def test_a_turn_takes_so_many_lines_at_most(world: World, frozen: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_lists, "TURN_LINES", 3)
    checking.run_due()
    check = last(frozen)
    assert (check.objects_done, check.ended_at, check.last_error) == (3, None, "")
    _go_on(check)
    assert DigestList.objects.exists()
