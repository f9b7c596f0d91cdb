"""Killed at any moment of what is done with a transfer, and started again: what was asked comes true, and no more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import datasets, members, transfers
from strongroom.core.actor import Actor
from strongroom.core.digests import Digest
from strongroom.core.vocabulary import Outcome, Role, SystemFact, Verb
from strongroom.db.models import Dataset, Event, ObjectDigest, Transfer
from strongroom.engines.protocol import Session
from tests.actions.lives import live_and_die
from tests.actions.rules import assert_rules_hold, work, work_until_settled
from tests.world import World


@dataclass
class Scene:
    """A pending data set, and a transfer that a steward runs."""

    world: World
    owner: Actor
    steward: Actor
    dataset: Dataset
    transfer: Transfer
    session: Session

    def writes(self) -> bool:
        """Whether the credentials that the steward holds still write."""
        return self.world.engine.put_as(self.session, self.dataset.repository, "try", b"?")


@dataclass(frozen=True)
class Story:
    """What is done, its word in the ledger, and whether the running transfer lives on when it was done.

    `comes_anyway`: no answer was owed to anybody; the worker does it after the restart.
    """

    deed: Callable[[Scene], object]
    word: Verb | SystemFact
    lives_on: bool = True
    comes_anyway: bool = False


def _expire(_: Scene) -> None:
    """Its time is over: from here on the worker alone acts."""


STORIES = {
    "open": Story(lambda s: transfers.open_(s.owner, s.dataset.id), Verb.TRANSFER_OPEN),
    "renew": Story(lambda s: transfers.renew(s.steward, s.transfer.id), Verb.TRANSFER_RENEW),
    "record": Story(
        lambda s: transfers.record(s.steward, s.transfer.id, [Digest("a", 1, "e", "0" * 64)]), Verb.TRANSFER_RECORD
    ),
    "close": Story(lambda s: transfers.close(s.steward, s.transfer.id), Verb.TRANSFER_CLOSE, lives_on=False),
    "expire": Story(_expire, SystemFact.TRANSFER_ENDED, lives_on=False, comes_anyway=True),
    "finalize": Story(
        lambda s: datasets.finalize(s.owner, s.dataset.id, confirm_name=s.dataset.name),
        Verb.DATASET_FINALIZE,
        lives_on=False,
    ),
    "delete": Story(
        lambda s: datasets.delete(s.owner, s.dataset.id, confirm_name=s.dataset.name),
        Verb.DATASET_DELETE,
        lives_on=False,
    ),
    "leave the space": Story(
        lambda s: members.remove(s.owner, s.dataset.space_id, s.steward.person_id),
        Verb.MEMBER_REMOVE,
        lives_on=False,
    ),
}


def _scene(world: World) -> Scene:
    dataset = world.dataset()
    steward = world.member(dataset.space, Role.STEWARD)
    opened = transfers.open_(steward, dataset.id)
    assert world.engine.put_as(opened.session, dataset.repository, "first", b"1")
    return Scene(world, world.owner(dataset.space), steward, dataset, opened.transfer, opened.session)


def _told(word: Verb | SystemFact) -> int:
    return Event.objects.filter(verb=word.value, outcome=Outcome.DONE.value).count()


@pytest.mark.parametrize("name", STORIES)
def test_a_process_may_be_killed_at_any_moment_of_what_is_done_with_a_transfer(name: str, world: World) -> None:
    story, scene = STORIES[name], _scene(world)
    if name == "expire":
        Transfer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    before = _told(story.word)

    def after(has_answered: bool) -> None:
        scene.world = world
        was_asked = story.comes_anyway or _told(story.word) > before
        if has_answered and not story.lives_on and not story.comes_anyway:
            assert not scene.writes(), "it still writes after the answer"
        work_until_settled()
        assert_rules_hold(world.engine)
        assert _told(story.word) - before == was_asked
        assert scene.writes() == (story.lives_on or not was_asked)
        assert ObjectDigest.objects.count() == (was_asked and name == "record")

    moments = live_and_die(world, lambda: story.deed(scene), after, ends_at=None)
    for number in range(1, len(moments) + 1):
        assert live_and_die(world, lambda: story.deed(scene), after, ends_at=number) == moments[:number]


def test_a_transfer_that_nobody_was_shown_ends_when_its_time_is_over(world: World) -> None:
    scene = _scene(world)

    def after(_: bool) -> None:
        Transfer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        work_until_settled()
        assert not Transfer.objects.filter(ended_at=None).exists()
        assert_rules_hold(world.engine)

    def deed() -> object:
        return transfers.open_(scene.owner, scene.dataset.id)

    for number in range(1, len(live_and_die(world, deed, after, ends_at=None)) + 1):
        live_and_die(world, deed, after, ends_at=number)
    assert work() == 0
