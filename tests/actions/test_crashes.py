"""Killed at any moment of any deed and started again, everything that was asked comes true and every rule holds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import attachments, checking, datasets, fixity, inventory, keys
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import CheckState, KeyStatus, Kind, Outcome, Role, State, Verb
from strongroom.db.models import Attachment, Dataset, DigestList, Event, FixityCheck, LateObject, Space
from strongroom.engines import AccessKey
from tests.actions.attempts import attach, supersede
from tests.actions.lives import live_and_die
from tests.actions.rules import assert_rules_hold, work_until_settled
from tests.world import World


@dataclass
class Scene:
    """One data set and those who work on it, made anew for every death."""

    world: World
    space: Space
    owner: Actor
    steward: Actor
    dataset: Dataset | None = None
    key: AccessKey | None = None
    has_answered: bool = False

    @property
    def it(self) -> Dataset:
        """The data set's row now."""
        assert self.dataset is not None
        return Dataset.objects.get(id=self.dataset.id)

    def was_asked(self, verb: Verb) -> bool:
        """Whether the deed stands in the ledger."""
        asked = Event.objects.filter(verb=verb.value, outcome=Outcome.DONE.value)
        return asked.filter(dataset_id=self.dataset.id if self.dataset else None).exists()

    def can_write(self) -> bool:
        """Whether the key that people hold still writes."""
        assert self.key is not None
        return self.world.engine.put_as(self.key, self.it.repository, "try.csv", b"?")


Deed = Callable[[Scene], object]


def _nothing(_: Scene) -> None:
    pass


def _pending(scene: Scene, **fields: object) -> None:
    scene.dataset = scene.world.dataset(scene.space, **fields)
    scene.key = scene.world.uploaded(scene.dataset, one=b"1", two=b"22")
    work_until_settled()


def _derivative(scene: Scene) -> None:
    _pending(scene, kind=Kind.DERIVATIVE)


def _finalized(scene: Scene) -> None:
    _pending(scene)
    scene.dataset = scene.world.finalized(scene.it)
    work_until_settled()


def _finalized_derivative(scene: Scene) -> None:
    _derivative(scene)
    scene.dataset = scene.world.finalized(scene.it)


def _unissued(scene: Scene) -> None:
    scene.dataset = scene.world.dataset(scene.space)


def _to_be_deleted(scene: Scene) -> None:
    _finalized(scene)
    datasets.request_deletion(scene.owner, scene.it.id, reason="the study is over")


def _with_document(scene: Scene) -> None:
    _pending(scene)
    attach(scene.owner, scene.it)


def _finalized_with_document(scene: Scene) -> None:
    _with_document(scene)
    scene.dataset = scene.world.finalized(scene.it)
    work_until_settled()


def _remove_document(scene: Scene) -> None:
    attachments.remove(scene.owner, scene.it.id, scene.it.attachments.all()[0].id)


def _late(scene: Scene) -> None:
    _finalized(scene)
    scene.world.engine._store(scene.it.repository, "late.csv", b"too late")
    Dataset.objects.filter(id=scene.it.id).update(recheck_at=timezone.now())


def _create(scene: Scene) -> None:
    made = datasets.create(scene.owner, space_id=scene.space.id, kind=Kind.ORIGINAL, name="New")
    scene.dataset = made.dataset


def _finalize(scene: Scene) -> None:
    datasets.finalize(scene.owner, scene.it.id, confirm_name=scene.it.name)


def _finalize_locked(scene: Scene) -> None:
    until = timezone.now() + timedelta(days=1)
    datasets.finalize(scene.owner, scene.it.id, confirm_name=scene.it.name, locked_until=until)


def _promote(scene: Scene) -> None:
    datasets.promote(scene.owner, scene.it.id, confirm_name=scene.it.name)


def _delete(scene: Scene) -> None:
    datasets.delete(scene.owner, scene.it.id, confirm_name=scene.it.name, reason="a mistake")


def _confirm(scene: Scene) -> None:
    datasets.confirm_deletion(scene.steward, scene.it.id, confirm_name=scene.it.name)


# After the restart


def _usable(scene: Scene) -> None:
    for dataset in Dataset.objects.all():
        assert Event.objects.filter(verb="dataset.create", dataset_id=dataset.id).count() == 1
        assert scene.world.key(dataset)


def _issued_or_lost(scene: Scene) -> None:
    last = scene.it.keys.first()
    assert last is None or last.status in (KeyStatus.ACTIVE, KeyStatus.LOST)
    if last and last.status == KeyStatus.ACTIVE:
        assert keys.reset(scene.owner, scene.it.id).secret
    else:
        assert keys.issue(scene.owner, scene.it.id).secret


def _reset_or_as_before(scene: Scene) -> None:
    assert scene.can_write() == (not scene.was_asked(Verb.KEY_RESET))
    # A key that nobody was shown does not use up the one reset.
    if scene.it.keys.exclude(status=KeyStatus.LOST).count() == 1:
        assert keys.reset(scene.owner, scene.it.id).secret


def _still_writes(scene: Scene) -> None:
    assert scene.can_write()


def _revoked_or_as_before(scene: Scene) -> None:
    assert scene.can_write() == (not scene.was_asked(Verb.KEY_REVOKE))


def _closed_by(verb: Verb, state: State, otherwise: State) -> Deed:
    def check(scene: Scene) -> None:
        assert scene.it.state == (state if scene.was_asked(verb) else otherwise)
        assert scene.can_write() == (scene.it.state == State.PENDING)
        if state is State.DELETED and scene.was_asked(verb):
            assert Event.objects.filter(verb="dataset.deleted", dataset_id=scene.it.id).count() == 1
        if state is State.FINALIZED and scene.was_asked(verb):
            times = 2 if otherwise is State.FINALIZED else 1
            assert Event.objects.filter(verb="dataset.finalized", dataset_id=scene.it.id).count() == times

    return check


def _digested(scene: Scene) -> None:
    _finalized(scene)
    _checked(scene)
    objects = scene.world.engine._buckets[scene.it.repository].objects
    objects["one"] = (objects["one"][0], b"?")  # other content behind everybody's back: the listing stays as it was


def _checked(scene: Scene) -> None:
    fixity.start(scene.owner, scene.it.id)
    _read(scene)


def _read(scene: Scene) -> None:
    """Be the worker that reads until no check is due; time has moved on far enough for leases and back-off."""
    for _ in range(10):
        FixityCheck.objects.exclude(lease=None).update(leased_until=timezone.now() - timedelta(seconds=1))
        FixityCheck.objects.exclude(next_at=None).update(next_at=timezone.now() - timedelta(seconds=1))
        if not checking.run_due():
            return


def _digested_once(scene: Scene) -> None:
    _read(scene)
    assert DigestList.objects.count() == 1
    assert Event.objects.filter(verb="dataset.digested", dataset_id=scene.it.id).count() == 1
    left = scene.world.engine.list_objects(inventory.records(), prefix="digests/")
    assert len(list(left)) == 1, "pieces are left"


def _told_once(scene: Scene) -> None:
    _read(scene)
    checks = FixityCheck.objects.filter(completes_digests=False)
    assert checks.count() == (1 if scene.was_asked(Verb.FIXITY_START) and checks.exists() else 0)
    for check in checks:
        assert (check.state, check.difference_count, check.differences.count()) == (CheckState.FAILED, 1, 1)
        assert Event.objects.filter(verb="fixity.difference", dataset_id=scene.it.id).count() == 1
        assert Event.objects.filter(verb="fixity.ended", dataset_id=scene.it.id).count() == 1


def _reported_once(scene: Scene) -> None:
    assert LateObject.objects.filter(dataset=scene.it).count() == 1
    assert Event.objects.filter(verb="dataset.late_object", dataset_id=scene.it.id).count() == 1


def _documents_are_whole(scene: Scene) -> None:
    """Every document that is listed lies in the bucket, and a day later nothing else does."""
    Attachment.objects.update(added_at=timezone.now() - timedelta(days=2))
    Attachment.objects.exclude(removed_at=None).update(removed_at=timezone.now() - timedelta(days=1))
    while attachments.forget_abandoned():
        pass
    listed = {each.object_key for each in attachments.list_(scene.owner, scene.it.id)}
    objects = {each.key for each in scene.world.engine.list_objects(scene.it.repository, prefix="_attachments/")}
    assert listed == objects


@dataclass(frozen=True)
class Story:
    """What is there before, what is done, and what must be true however often it was cut short."""

    before: Deed
    deed: Deed
    after: Deed
    takes_away: bool = False  # once it has answered, the key that people hold is dead


STORIES = {
    "create": Story(_nothing, _create, _usable),
    "issue": Story(_unissued, lambda s: keys.issue(s.owner, s.it.id), _issued_or_lost),
    "reset": Story(_pending, lambda s: keys.reset(s.owner, s.it.id), _reset_or_as_before, True),
    "renew": Story(_pending, lambda s: keys.renew(s.owner, s.it.id, days=7), _still_writes),
    "revoke": Story(_pending, lambda s: keys.revoke(s.owner, s.it.id), _revoked_or_as_before, True),
    "finalize": Story(_pending, _finalize, _closed_by(Verb.DATASET_FINALIZE, State.FINALIZED, State.PENDING), True),
    "finalize and lock": Story(
        _pending, _finalize_locked, _closed_by(Verb.DATASET_FINALIZE, State.FINALIZED, State.PENDING), True
    ),
    "promote": Story(_derivative, _promote, _closed_by(Verb.DATASET_PROMOTE, State.FINALIZED, State.PENDING), True),
    "promote what is finalized": Story(
        _finalized_derivative, _promote, _closed_by(Verb.DATASET_PROMOTE, State.FINALIZED, State.FINALIZED)
    ),
    "delete": Story(_pending, _delete, _closed_by(Verb.DATASET_DELETE, State.DELETED, State.PENDING), True),
    "confirm deletion": Story(
        _to_be_deleted, _confirm, _closed_by(Verb.DATASET_CONFIRM_DELETION, State.DELETED, State.FINALIZED)
    ),
    "attach": Story(_pending, lambda s: attach(s.owner, s.it), _documents_are_whole),
    "remove a document": Story(_with_document, _remove_document, _documents_are_whole),
    "supersede a document": Story(_finalized_with_document, lambda s: supersede(s.owner, s.it), _documents_are_whole),
    "digests": Story(_finalized, _checked, _digested_once),
    "a check": Story(_digested, _checked, _told_once),
    "quarantine": Story(_late, _nothing, _reported_once),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_process_may_be_killed_at_any_moment_of(name: str, world: World) -> None:
    story, space = STORIES[name], world.space()
    scene = Scene(world, space, world.owner(space), world.member(space, Role.STEWARD))
    story.before(scene)
    moments = _live_and_die(story, scene, ends_at=None)
    assert name == "renew" or any(moment.startswith("after") for moment in moments)
    for number in range(1, len(moments) + 1):
        lived = _live_and_die(story, scene, ends_at=number)
        assert lived == moments[:number]


def _live_and_die(story: Story, scene: Scene, *, ends_at: int | None) -> list[str]:
    """One life and what came after; rows and engine are then as they were before."""
    scene = replace(scene)

    def after(has_answered: bool) -> None:
        scene.has_answered = has_answered
        _after_the_end(story, scene)

    return live_and_die(scene.world, lambda: story.deed(scene), after, ends_at=ends_at)


def _after_the_end(story: Story, scene: Scene) -> None:
    if story.takes_away and scene.has_answered:
        assert not scene.can_write(), "the key still writes after the answer"
    work_until_settled()
    assert_rules_hold(scene.world.engine)
    story.after(scene)
