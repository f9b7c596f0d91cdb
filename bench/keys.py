"""How the time to make and remove an access key grows with the number of keys that the engine holds."""

import json

from bench.figures import spread, timed
from bench.inside import control_plane, database

STEPS, SAMPLE = (10, 50, 100, 200, 300), 10


def measure() -> dict[str, object]:
    """Milliseconds of the engine's part alone."""
    with control_plane() as place:
        assert place.running
        engine = place.running.engine
        told, number = [], 0
        for step in STEPS:
            while number < step:
                engine.create_access_key(f"up-held-{number}")
                number += 1
            made, removed = [], []
            engine.create_access_key("up-sample")
            for _ in range(SAMPLE):
                removed.append(timed(lambda: engine.delete_principal("up-sample"))[0])
                made.append(timed(lambda: engine.create_access_key("up-sample"))[0])
            engine.delete_principal("up-sample")
            told.append({"held": step, "make": spread(made).shown(1000, 0), "remove": spread(removed).shown(1000, 0)})
        return {"database": database(), "steps": told}


if __name__ == "__main__":
    print(json.dumps(measure()))
