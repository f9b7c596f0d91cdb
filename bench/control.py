"""Control operations: how many requests each sends to the engine, and its time over that of the bare requests.

Beside them what no deed can do without: its commits, each of one statement, as durable as its own.
"""

import io
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bench.bare import Bare
from bench.figures import spread, timed
from bench.inside import Place, control_plane, database

WARM_UP, ROUNDS = 5, 30
COMMITS = {"dataset.create": 2, "key.issue": 2, "key.reset": 2}


@dataclass
class Taken:
    """What was measured of one operation. `requests` before the answer and `later` are those of the last round."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    statements: int = 0
    requests: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


class Statements:
    """Counts what is asked of the database, and passes it on; commits are not among them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., object], *asked: object) -> object:
        self.count += 1
        return execute(*asked)


def measure() -> dict[str, object]:
    """Every operation, ours and bare in turn. Seconds."""
    with control_plane() as place:
        taken: dict[str, Taken] = defaultdict(Taken)
        assert place.running
        bare = Bare(place.running.settings)
        bare.prepare_commits()
        for number in range(WARM_UP + ROUNDS):
            _round(place, bare, taken if number >= WARM_UP else defaultdict(Taken), number)
        return {"database": database(), "operations": {name: _told(each) for name, each in taken.items()}}


def _told(taken: Taken) -> dict[str, object]:
    ratios = [ours / bare for ours, bare in zip(taken.ours, taken.bare, strict=True)]
    return {
        **_floor(taken),
        "processor": spread(taken.processor).shown(1000),
        "statements": taken.statements,
        "ours": spread(taken.ours).shown(1000),
        "bare": spread(taken.bare).shown(1000),
        "ratio": spread(ratios).shown(1, 2),
        "ratio_of_medians": spread(taken.ours).median / spread(taken.bare).median,
        "requests": taken.requests,
        "later": taken.later,
    }


def _floor(taken: Taken) -> dict[str, object]:
    """The bare requests with the bare commits, where it is known how many there must be."""
    if not taken.commits:
        return {}
    floor = spread([bare + commits for bare, commits in zip(taken.bare, taken.commits, strict=True)])
    return {"floor": floor.shown(1000), "floor_ratio_of_medians": spread(taken.ours).median / floor.median}


def _round(place: Place, bare: Bare, taken: dict[str, Taken], number: int) -> None:
    from django.db import connection

    from strongroom.actions import converge, datasets, keys
    from strongroom.core.policy import probe_prefix
    from strongroom.core.vocabulary import Kind
    from strongroom.db.models import Dataset

    assert place.running
    statements = Statements()
    engine = place.running.engine
    bucket = f"dataset-test-bare-{database().lower()}-{number}"
    principals = [f"bare-{number}-{turn}" for turn in (1, 2)]

    def ours(name: str, do: Callable[[], object]) -> Dataset:
        """Do it, then let the worker's part be done; both counted, only the first timed."""
        with place.running.counted() as requests, connection.execute_wrapper(statements):  # type: ignore[union-attr]
            statements.count, began = 0, time.thread_time()
            seconds, result = timed(do)
            taken[name].processor.append(time.thread_time() - began)
            taken[name].statements = statements.count
        with place.running.counted() as later:  # type: ignore[union-attr]
            settled(dataset_id := getattr(result, "dataset", dataset).id)
        taken[name].ours.append(seconds)
        taken[name].requests, taken[name].later = requests, later
        return Dataset.objects.get(id=dataset_id)

    def theirs(name: str, do: Callable[[], object]) -> None:
        taken[name].bare.append(timed(do)[0])
        if many := COMMITS.get(name):
            taken[name].commits.append(timed(partial(bare.commit, many))[0])

    def document(principal: str = "") -> str:
        text = converge.document_of(dataset).replace(dataset.repository, bucket)
        found = dataset.keys.order_by("-issued_at").first()
        return text.replace(found.principal, principal) if found and principal else text

    dataset = Dataset()
    create = {"space_id": place.space.id, "kind": Kind.ORIGINAL, "name": f"Bench {number}"}
    dataset = ours("dataset.create", lambda: datasets.create(place.actor, **create))  # type: ignore[arg-type]
    theirs("dataset.create", partial(bare.create, bucket, document(), probe_prefix(dataset.revision)))
    dataset = ours("key.issue", lambda: keys.issue(place.actor, dataset.id))
    theirs("key.issue", partial(bare.issue, bucket, principals[0], document(principals[0])))
    dataset = ours("key.reset", lambda: keys.reset(place.actor, dataset.id))
    theirs("key.reset", partial(bare.issue, bucket, principals[1], document(principals[1])))
    engine.put_object(dataset.repository, "first.csv", io.BytesIO(b"a,b\n"))
    bare.upload(bucket)
    finalize = partial(datasets.finalize, place.actor, dataset.id, confirm_name=dataset.name)
    dataset = ours("dataset.finalize", finalize)
    prefix = probe_prefix(dataset.revision)
    theirs("dataset.finalize", partial(bare.close, bucket, principals[1:], document(), prefix))
    bare.remove(bucket)


def settled(dataset_id: object) -> None:
    """The worker's part, until nothing is left."""
    from strongroom.actions import converge
    from strongroom.db.models import Dataset

    while not Dataset.objects.get(id=dataset_id).is_settled:  # type: ignore[misc]
        converge.settle(dataset_id)  # type: ignore[arg-type]


if __name__ == "__main__":
    print(json.dumps(measure()))
