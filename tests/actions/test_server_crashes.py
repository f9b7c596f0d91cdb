"""Killed at any moment of a grant or of what takes it away, and started again: everything that was asked comes true."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import datasets, grants, lapsing, members, servers
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Kind, OperatingSystem, Outcome, Role, SystemFact, Verb
from strongroom.db.models import Dataset, Event, Grant, Server
from strongroom.engines.protocol import Session
from tests.actions.lives import live_and_die
from tests.actions.rules import assert_rules_hold, work_until_settled
from tests.machines import Machine
from tests.world import World


@dataclass
class Scene:
    """Two data sets, and a server of a steward; `token` is for another one that has not joined."""

    world: World
    owner: Actor
    steward: Actor
    datasets: list[Dataset]
    machine: Machine
    session: Session
    token: str

    @property
    def server(self) -> Server:
        """The server's row now."""
        return self.machine.row

    @property
    def first(self) -> Dataset:
        """The first data set."""
        return self.datasets[0]

    def reads(self) -> list[bool]:
        """Which of the data sets the server gets the file of."""
        engine, address = self.world.engine, self.machine.address
        return [
            engine.repository_exists(each.repository)
            and engine.get_as(self.session, each.repository, "first.csv", address=address) is not None
            for each in self.datasets
        ]


def told(word: Verb | SystemFact) -> int:
    """How often the ledger says that it was done."""
    return Event.objects.filter(verb=word.value, outcome=Outcome.DONE.value).count()


@dataclass(frozen=True)
class Story:
    """What is there before, what is done, its word in the ledger, and what the server reads when it was done.

    `comes_anyway`: no answer was owed to anybody; the worker does it after the restart.
    """

    before: Callable[[Scene], object]
    deed: Callable[[Scene], object]
    word: Verb | SystemFact
    reads: list[bool]
    comes_anyway: bool = False


def _granted(scene: Scene) -> None:
    for dataset in scene.datasets:
        grants.create(scene.owner, dataset.id, scene.server.id)


def _expiring(scene: Scene) -> None:
    _granted(scene)
    Grant.objects.filter(dataset=scene.first, server=scene.server).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )


def _silent(scene: Scene) -> None:
    _granted(scene)
    then = timezone.now() - timedelta(days=2)
    Server.objects.filter(id=scene.server.id).update(last_heartbeat_at=then, state_at=then)


def _disable(scene: Scene) -> None:
    servers.disable(scene.owner, scene.server.id, reason="look into it")


def _disabled(scene: Scene) -> None:
    _granted(scene)
    _disable(scene)


def _to_be_deleted(scene: Scene) -> None:
    _granted(scene)
    datasets.request_deletion(scene.owner, scene.first.id, reason="over")


def _promote(scene: Scene) -> None:
    datasets.promote(scene.owner, scene.first.id, confirm_name=scene.first.name)


def _delete_data_set(scene: Scene) -> None:
    datasets.confirm_deletion(scene.steward, scene.first.id, confirm_name=scene.first.name)


def _join(scene: Scene) -> None:
    """Another machine; what the first one reads does not change."""
    Machine().join(scene.token)


BOTH, NONE, SECOND = [True, True], [False, False], [False, True]

STORIES = {
    "grant": Story(
        lambda s: None,
        lambda s: grants.create(s.owner, s.first.id, s.server.id),
        Verb.GRANT_CREATE,
        [True, False],
    ),
    "revoke": Story(_granted, lambda s: grants.revoke(s.owner, s.first.id, s.server.id), Verb.GRANT_REVOKE, SECOND),
    "expiry": Story(_expiring, lambda s: grants.end_due(), SystemFact.GRANT_ENDED, SECOND, comes_anyway=True),
    "disable": Story(_granted, _disable, Verb.SERVER_DISABLE, NONE),
    "enable": Story(_disabled, lambda s: servers.enable(s.owner, s.server.id), Verb.SERVER_ENABLE, BOTH),
    "delete": Story(
        _granted, lambda s: servers.delete(s.owner, s.server.id, reason="retired"), Verb.SERVER_DELETE, NONE
    ),
    "lapse": Story(_silent, lambda s: lapsing.end_due(), SystemFact.SERVER_LAPSED, NONE, comes_anyway=True),
    "remove whose it is": Story(
        _granted,
        lambda s: members.remove(s.owner, s.first.space_id, s.steward.person_id),
        Verb.MEMBER_REMOVE,
        NONE,
    ),
    "promote what is granted": Story(_granted, _promote, Verb.DATASET_PROMOTE, BOTH),
    "delete what is granted": Story(_to_be_deleted, _delete_data_set, Verb.DATASET_CONFIRM_DELETION, SECOND),
    "join": Story(_granted, _join, SystemFact.SERVER_JOINED, BOTH),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_process_may_be_killed_at_any_moment_of(name: str, world: World) -> None:
    story, scene = STORIES[name], _scene(world)
    story.before(scene)
    reads_before, told_before = scene.reads(), told(story.word)

    def after(has_answered: bool) -> None:
        if has_answered and name != "promote what is granted":  # that one gives back what it took away meanwhile
            assert scene.reads() == story.reads
        work_until_settled()
        assert_rules_hold(world.engine)
        times = told(story.word) - told_before
        assert times == 1 if has_answered or story.comes_anyway else times in (0, 1)
        assert scene.reads() == (story.reads if times else reads_before)

    moments = _live(story, scene, after, ends_at=None)
    assert any(moment.startswith("committed") for moment in moments)
    for number in range(1, len(moments) + 1):
        assert _live(story, scene, after, ends_at=number) == moments[:number]


def _live(story: Story, scene: Scene, after: Callable[[bool], None], *, ends_at: int | None) -> list[str]:
    return live_and_die(scene.world, lambda: story.deed(scene), after, ends_at=ends_at)


def _scene(world: World) -> Scene:
    space = world.space()
    owner, steward = world.owner(space), world.member(space, Role.STEWARD)
    made = [world.finalized(world.dataset(space, kind=Kind.DERIVATIVE)) for _ in range(2)]
    machine = world.machine(space, by=steward)
    waiting = servers.enrol(owner, space.id, name="waiting", os=OperatingSystem.LINUX)
    grants.create(owner, made[0].id, waiting.server.id)
    work_until_settled()
    return Scene(world, owner, steward, made, machine, machine.session(), waiting.token)
