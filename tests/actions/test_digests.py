"""Digests that movers report: in the manifest where size and ETag fit, and nowhere else."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from strongroom.actions import datasets, digests, inventory, transfers
from strongroom.core import manifest
from strongroom.core.actor import Actor
from strongroom.core.digests import Digest
from strongroom.core.errors import Conflict, Forbidden, Invalid
from strongroom.core.vocabulary import Kind, Role, State, Verb
from strongroom.db.models import Dataset, Event, Manifest, ObjectDigest
from strongroom.engines.protocol import Session
from tests.actions.attempts import refused
from tests.actions.rules import assert_rules_hold, work_until_settled
from tests.world import World, actor_of

ZEROS = "0" * 64


class Mover:
    """Sends files within a transfer of its own."""

    def __init__(self, world: World, dataset: Dataset) -> None:
        self.world, self.dataset = world, dataset
        self.actor: Actor = actor_of(dataset.created_by)
        opened = transfers.open_(self.actor, dataset.id)
        self.id, self.session = opened.transfer.id, opened.session

    def send(self, key: str, content: bytes) -> Digest:
        """Upload one file; its digest."""
        assert isinstance(self.session, Session)
        assert self.world.engine.put_as(self.session, self.dataset.repository, key, content)
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return Digest(key, len(content), etag, hashlib.sha256(content).hexdigest())

    def record(self, *reported: Digest) -> int:
        """Report digests."""
        return transfers.record(self.actor, self.id, reported)


@pytest.fixture
def mover(world: World) -> Mover:
    """One that has just begun."""
    return Mover(world, world.dataset())


def checksums(dataset: Dataset) -> dict[str, str | None]:
    """What the manifest says of each object."""
    newest = Manifest.objects.filter(dataset=dataset).order_by("-revision")[0]
    return {entry.key: entry.checksum for entry in manifest.read(inventory.lines(newest))}


def test_the_manifest_holds_the_digests_that_fit_and_the_md5_of_the_rest(mover: Mover, world: World) -> None:
    first, second = mover.send("first", b"1"), mover.send("ä/second", b"22")
    changed, replaced = mover.send("changed", b"333"), mover.send("replaced", b"4")
    unreported = mover.send("unreported", b"55555")
    assert mover.record(first, second, changed, replaced) == 4
    mover.send("changed", b"444")  # the same size, another content
    newer = mover.send("replaced", b"new")
    assert mover.record(newer, Digest("gone", 1, "e", ZEROS)) == 2
    datasets.finalize(mover.actor, mover.dataset.id, confirm_name=mover.dataset.name)
    work_until_settled()
    assert checksums(mover.dataset) == {
        "first": f"sha256:{first.sha256}",
        "ä/second": f"sha256:{second.sha256}",
        "replaced": f"sha256:{newer.sha256}",
        "changed": f"md5:{hashlib.md5(b'444', usedforsecurity=False).hexdigest()}",
        "unreported": f"md5:{unreported.etag}",
    }
    assert_rules_hold(world.engine)


def test_digests_are_found_again_in_many_batches(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "BATCH", 3)
    sent = [mover.send(f"{number:02}", bytes([number])) for number in range(10)]
    mover.record(*sent)
    datasets.finalize(mover.actor, mover.dataset.id, confirm_name=mover.dataset.name)
    work_until_settled()
    assert checksums(mover.dataset) == {each.key: f"sha256:{each.sha256}" for each in sent}


def test_a_manifest_with_digests_is_compared_with_the_bucket_as_before(mover: Mover, world: World) -> None:
    mover.record(mover.send("a", b"1"))
    dataset = world.finalized(mover.dataset)
    work_until_settled()
    assert not dataset.late_objects.exists()


def test_digests_go_with_the_original_and_stay_with_a_derivative_that_may_be_promoted(world: World) -> None:
    original, derivative, pending = world.dataset(), world.dataset(kind=Kind.DERIVATIVE), world.dataset()
    for dataset in (original, derivative, pending):
        mover = Mover(world, dataset)
        mover.record(mover.send("a", b"1"), mover.send("b", b"2"))
    for dataset in (original, derivative):
        datasets.finalize(actor_of(dataset.created_by), dataset.id, confirm_name=dataset.name)
        world.settled(dataset)
    assert [digests.forget_some(limit=1) for _ in range(3)] == [1, 1, 0]
    assert set(ObjectDigest.objects.values_list("dataset_id", flat=True)) == {derivative.id, pending.id}

    owner = actor_of(derivative.created_by)
    datasets.promote(owner, derivative.id, confirm_name=derivative.name)
    work_until_settled()
    assert all(str(checksum).startswith("sha256:") for checksum in checksums(derivative).values())
    datasets.delete(actor_of(pending.created_by), pending.id, confirm_name=pending.name)
    work_until_settled()
    assert world.state(pending) is State.DELETED
    while digests.forget_some():
        pass
    assert not ObjectDigest.objects.exists()


def test_recording_is_told_by_number_and_size_and_only_for_ones_own_running_transfer(
    mover: Mover, world: World
) -> None:
    sent = mover.send("a", b"12")
    assert mover.record(sent, Digest("b", 5, "e", ZEROS)) == 2
    after = Event.objects.get(verb="transfer.record").after
    assert (after["digests"], after["size_bytes"]) == (2, 7)
    steward = world.member(mover.dataset.space, Role.STEWARD)
    with refused(Verb.TRANSFER_RECORD, steward, Forbidden, "not-yours"):
        transfers.record(steward, mover.id, [sent])
    transfers.close(mover.actor, mover.id)
    with refused(Verb.TRANSFER_RECORD, mover.actor, Conflict, "transfer-ended"):
        mover.record(sent)


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_has_a_size(count: int, mover: Mover) -> None:
    many = [Digest(f"{number}", 1, "e", ZEROS) for number in range(count)]
    with refused(Verb.TRANSFER_RECORD, mover.actor, Invalid, "invalid"):
        mover.record(*many)


def test_a_thousand_at_once_are_recorded_and_replaced(mover: Mover) -> None:
    for sha256 in (ZEROS, "1" * 64):
        assert mover.record(*(Digest(f"{number}", 1, "e", sha256) for number in range(1000))) == 1000
    assert set(ObjectDigest.objects.values_list("sha256", flat=True)) == {"1" * 64}
    assert ObjectDigest.objects.count() == 1000


def _all_recorded(mover: Mover, limit: int = transfers.MOST_DIGESTS) -> Iterator[str]:
    after: str | None = ""
    while after is not None:
        page = transfers.recorded(mover.actor, mover.dataset.id, after=after, limit=limit)
        yield from (each.key for each in page.items)
        after = page.next_after


@pytest.mark.parametrize("limit", [1, 3, 4, 9, 1000])
def test_what_was_recorded_is_read_in_the_order_of_bytes(mover: Mover, limit: int) -> None:
    keys = [f"{letter}{number}" for letter in ("a", "B", "ä", "\U0001f600", "\uffee") for number in range(2)][:9]
    mover.record(*(Digest(key, 1, "e", ZEROS) for key in keys))
    found = _all_recorded(mover, limit)
    first = next(found)
    mover.record(later := Digest("\U0001f600~", 1, "e", ZEROS))
    expected = sorted([*keys, later.key] if limit < len(keys) else keys, key=str.encode)
    assert [first, *found] == expected


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 1001}, {"after": "a\0"}], ids=str)
def test_a_part_of_what_was_recorded_has_a_size_and_begins_at_a_key(mover: Mover, wrong: dict[str, Any]) -> None:
    with refused(Verb.TRANSFER_RECORDED, mover.actor, Invalid, "invalid", is_recorded=False):
        transfers.recorded(mover.actor, mover.dataset.id, **wrong)


def test_what_is_forgotten_while_it_is_read_is_never_a_shorter_list(
    mover: Mover, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mover.record(*(mover.send(key, key.encode()) for key in "abc"))
    page = transfers.recorded(mover.actor, mover.dataset.id, limit=2)
    assert ([each.key for each in page.items], page.next_after) == (["a", "b"], "b")
    read = digests.recorded

    def finalized_and_forgotten_first(*at: Any, **how: Any) -> object:
        datasets.finalize(mover.actor, mover.dataset.id, confirm_name=mover.dataset.name)
        work_until_settled()
        assert digests.forget_some() == 3
        return read(*at, **how)

    monkeypatch.setattr(digests, "recorded", finalized_and_forgotten_first)
    for _ in range(2):
        with pytest.raises(Conflict) as refusal:
            transfers.recorded(mover.actor, mover.dataset.id, after="b")
    assert "is finalized, and what transfers recorded is forgotten" in str(refusal.value)


def test_a_key_that_stands_twice_in_a_batch_is_refused(mover: Mover) -> None:
    with refused(Verb.TRANSFER_RECORD, mover.actor, Invalid, "invalid"):
        mover.record(Digest("a", 1, "e", ZEROS), Digest("a", 2, "f", ZEROS))


GOOD: dict[str, Any] = {"key": "a/b", "size_bytes": 1, "etag": "0123-2", "sha256": ZEROS}
WRONG: list[dict[str, Any]] = [
    {"key": ""},
    {"key": "a\0b"},
    {"key": "\ud800"},
    {"key": "x" * 1025},
    {"key": "_attachments/x"},
    {"key": "_attachments"},
    {"size_bytes": -1},
    {"size_bytes": 2**63},
    {"etag": ""},
    {"etag": '"quoted"'},
    {"etag": "x" * 101},
    {"sha256": "A" * 64},
    {"sha256": "0" * 63},
    {"sha256": "0" * 64 + "\n"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_cannot_be_a_digest_is_refused_with_the_field_that_is_wrong(wrong: dict[str, Any]) -> None:
    assert Digest(**GOOD)
    with pytest.raises(Invalid) as refusal:
        Digest(**{**GOOD, **wrong})
    assert set(refusal.value.fields) == set(wrong)
