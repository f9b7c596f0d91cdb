"""`python -m tests.journeys.deaths die|check REPORT`: a process that starts others which die at every engine call.

Uses the engine and the home that the environment names. `die` writes what died where; `check` looks, after a worker
has done what it could, whether every rule holds, and adds what does not.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "strongroom.runtime.django_settings"
django.setup()

from django.db import connections  # noqa: E402  Django must be set up first

from strongroom import engines  # noqa: E402
from strongroom.actions import converge, datasets, keys  # noqa: E402
from strongroom.core.vocabulary import KeyStatus, Kind, Outcome, Role, State, Verb  # noqa: E402
from strongroom.db.models import Dataset, Event  # noqa: E402
from strongroom.engines import AccessKey  # noqa: E402
from strongroom.engines.seaweedfs.engine import SeaweedEngine  # noqa: E402
from strongroom.runtime import compose, environment  # noqa: E402
from tests.actions import rules  # noqa: E402
from tests.journeys.mortal import MortalEngine, WatchedEngine  # noqa: E402
from tests.world import World, actor_of  # noqa: E402


@dataclass
class Death:
    """One process that died: in which deed, where, on which data set, and what was wrong after the restart."""

    deed: str
    moment: str
    dataset_id: str
    key: dict[str, str] | None
    wrong: str = ""


@dataclass(frozen=True)
class Story:
    """What is there before, what is done, and the verb that the ledger has once it was asked for."""

    before: Callable[[World], tuple[Dataset | None, AccessKey | None]]
    deed: Callable[[World, Dataset | None], Dataset | None]
    verb: Verb
    ends_as: State = State.PENDING


def _pending(world: World, **fields: Any) -> tuple[Dataset, AccessKey]:
    dataset = world.dataset(SPACE["is"], **fields)
    return dataset, world.uploaded(dataset, one=b"1", two=b"22")


def _bare(world: World) -> tuple[Dataset, None]:
    return world.dataset(SPACE["is"]), None


def _requested(world: World) -> tuple[Dataset, AccessKey]:
    dataset, key = _pending(world)
    world.finalized(dataset)
    datasets.request_deletion(actor_of(dataset.created_by), dataset.id, reason="the study is over")
    return dataset, key


def _create(world: World, _: Dataset | None) -> Dataset:
    return world.dataset(SPACE["is"])


def _by_owner(act: Callable[..., Any], **options: Any) -> Callable[[World, Dataset | None], Dataset | None]:
    def deed(_: World, dataset: Dataset | None) -> Dataset | None:
        assert dataset is not None
        named = {"confirm_name": dataset.name} if act.__module__ == datasets.__name__ else {}
        act(actor_of(dataset.created_by), dataset.id, **named, **options)
        return dataset

    return deed


def _confirm(world: World, dataset: Dataset | None) -> Dataset | None:
    assert dataset is not None
    datasets.confirm_deletion(world.administrator, dataset.id, confirm_name=dataset.name)
    return dataset


SPACE: dict[str, Any] = {}
STORIES = {
    "create": Story(lambda _: (None, None), _create, Verb.DATASET_CREATE),
    "issue": Story(_bare, _by_owner(keys.issue), Verb.KEY_ISSUE),
    "reset": Story(_pending, _by_owner(keys.reset), Verb.KEY_RESET),
    "revoke": Story(_pending, _by_owner(keys.revoke), Verb.KEY_REVOKE),
    "finalize": Story(_pending, _by_owner(datasets.finalize), Verb.DATASET_FINALIZE, State.FINALIZED),
    "promote": Story(
        lambda world: _pending(world, kind=Kind.DERIVATIVE),
        _by_owner(datasets.promote),
        Verb.DATASET_PROMOTE,
        State.FINALIZED,
    ),
    "delete": Story(_pending, _by_owner(datasets.delete), Verb.DATASET_DELETE, State.DELETED),
    "end of life": Story(_requested, _confirm, Verb.DATASET_CONFIRM_DELETION, State.DELETED),
}


def die(world: World) -> list[Death]:
    """Every deed, once for each of its engine calls, each time in a process that does not survive it."""
    mortal = MortalEngine(world.engine.settings)  # type: ignore[attr-defined]
    mortal.warm()
    SPACE["is"] = world.space()
    world.member(SPACE["is"], Role.STEWARD)
    deaths = []
    for name, story in STORIES.items():
        ends_at = 1
        while death := _one_death(world, mortal, name, story, ends_at):
            deaths.append(death)
            print(time.monotonic(), death.deed, death.moment, file=sys.stderr, flush=True)
            ends_at += 1
    return deaths


def _one_death(world: World, engine: MortalEngine, name: str, story: Story, ends_at: int) -> Death | None:
    """None when the deed came to its end before that moment.

    All that asks the engine is the child's: a connection over gRPC does not outlive a fork.
    """
    engine.ends_at = ends_at
    connections.close_all()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _live(world, story, engine, writing)
    os.close(writing)
    with os.fdopen(reading) as said:
        lines = said.read().splitlines()
    _, status = os.waitpid(child, 0)
    assert lines, f"{name} did not begin"
    before, moments = json.loads(lines[0]), lines[1:]
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0, f"{name} failed at {moments}"
        return None
    assert os.WTERMSIG(status) == signal.SIGKILL
    dataset_id = before["dataset_id"] or str(Dataset.objects.exclude(id__in=before["known"]).get().id)
    return Death(name, f"{ends_at}: {moments[-1]}", dataset_id, before["key"])


def _live(world: World, story: Story, engine: MortalEngine, writing: int) -> None:
    """What comes before the deed, the deed, and what the worker does about it; never returns."""

    def note(what: str) -> None:
        os.write(writing, f"{what}\n".encode())

    engine.note = note
    try:
        dataset, key = story.before(world)
        shown = {"principal": key.principal, "access_key_id": key.access_key_id, "secret": key.secret} if key else None
        known = [] if dataset else [str(each) for each in Dataset.objects.values_list("id", flat=True)]
        before = {"dataset_id": dataset and str(dataset.id), "key": shown, "known": known}
        note(json.dumps(before))
        engines.use(lambda: engine)
        done = story.deed(world, dataset)
        assert done is not None
        while not Dataset.objects.get(id=done.id).is_settled:
            converge.settle(done.id)
    except BaseException as problem:  # noqa: BLE001 a child that outlived its deed must not run on as its parent
        os.write(2, f"{problem!r}\n".encode())
        os._exit(1)
    os._exit(0)


def check(world: World, deaths: list[Death]) -> None:
    """Add what is wrong with each; raises what is wrong with the whole."""
    for death in deaths:
        try:
            _check_one(world, death)
        except AssertionError as problem:
            death.wrong = f"{death.moment}: {problem!r}"
    rules.assert_rules_hold(world.engine)


def _check_one(world: World, death: Death) -> None:
    story = STORIES[death.deed]
    dataset = Dataset.objects.get(id=death.dataset_id)
    asked = Event.objects.filter(verb=story.verb, dataset_id=dataset.id, outcome=Outcome.DONE.value).exists()
    before = State.FINALIZED if story.verb is Verb.DATASET_CONFIRM_DELETION else State.PENDING
    assert dataset.state == (story.ends_as if asked else before), f"{dataset.state}, asked: {asked}"
    took_away = asked and story.verb is not Verb.KEY_ISSUE
    if death.key is not None:
        writes = world.engine.put_as(AccessKey(**death.key), dataset.repository, "one", b"1")
        assert writes == (not took_away and before is State.PENDING), f"the old key writes: {writes}, asked: {asked}"
    assert not dataset.keys.filter(status=KeyStatus.ISSUING).exists()
    if dataset.state == State.PENDING and death.deed in ("create", "issue"):
        assert _can_get_a_key(world, dataset)


def _can_get_a_key(world: World, dataset: Dataset) -> bool:
    """A new one, or, where it was made and the process died before showing it, another one in its place."""
    owner = actor_of(dataset.created_by)
    has_one = dataset.keys.filter(status=KeyStatus.ACTIVE).exists()
    made = keys.reset(owner, dataset.id) if has_one else keys.issue(owner, dataset.id)
    key = AccessKey(made.key.principal, made.key.access_key_id, made.secret)
    return world.engine.put_as(key, dataset.repository, "again.csv", b"works")


def main(what: str, report: str) -> None:
    """Die, or check."""
    settings = environment.load()
    compose.join(settings)
    inner = engines.current()
    assert isinstance(inner, SeaweedEngine)
    watched = WatchedEngine(inner.settings)
    engines.use(lambda: watched)
    world = World(watched)  # type: ignore[arg-type]
    file = Path(report)
    if what == "die":
        deaths = die(world)
        rules.time_passes()
    else:
        deaths = [Death(**each) for each in json.loads(file.read_text())]
        check(world, deaths)
    file.write_text(json.dumps([asdict(each) for each in deaths]))


if __name__ == "__main__":
    main(*sys.argv[1:])
