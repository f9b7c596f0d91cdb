"""How the time to make, prove and remove an access key grows with the number of keys that the engine holds."""

import json

from bench.figures import spread, timed
from bench.inside import control_plane, database
from strongroom.core.policy import access_of, compile_policy
from strongroom.core.vocabulary import Kind, State
from strongroom.engines import Engine

STEPS, SAMPLE = (10, 100, 300, 1_000), 20
SAMPLED, REPOSITORY = "up-sample", "dataset-bench-keys"


def measure() -> dict[str, object]:
    """Milliseconds of the engine's part alone."""
    with control_plane() as place:
        assert place.running
        engine = place.running.engine
        _open(engine)
        told, number = [], 0
        for step in STEPS:
            while number < step:
                engine.create_access_key(f"up-held-{number}")
                number += 1
            told.append({"held": step, **_sampled(engine)})
        return {"database": database(), "steps": told}


def _open(engine: Engine) -> None:
    """A repository that the sampled key may list."""
    engine.create_repository(REPOSITORY, tags={})
    access = access_of(
        repository=REPOSITORY,
        generation=1,
        kind=Kind.ORIGINAL,
        state=State.PENDING,
        uploaders=[SAMPLED],
        servers=(),
    )
    engine.apply_policy(REPOSITORY, compile_policy(access, engine.dialect))
    engine.prove_policy(REPOSITORY, 1)


def _sampled(engine: Engine) -> dict[str, str]:
    """Make, prove that it works, remove: the gateways have followed before the next one is made."""
    made, proved, removed = [], [], []
    for _ in range(SAMPLE):
        seconds, key = timed(lambda: engine.create_access_key(SAMPLED))
        made.append(seconds)
        proved.append(seconds + timed(lambda: engine.prove_access_key(key, REPOSITORY))[0])  # noqa: B023 - called at once
        removed.append(timed(lambda: engine.delete_principal(SAMPLED))[0])
    return {
        "make": spread(made).shown(1000),
        "proved": spread(proved).shown(1000, 0),
        "remove": spread(removed).shown(1000, 0),
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
