"""A mover that is killed at any point goes on when it is started again: all arrives, and next to nothing goes twice."""

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

from strongroom.movers.plan import MIB, PART_BYTES
from tests.movers.conftest import Bucket
from tests.movers.here import Here, files_of, noise

KILLS = 50
RATE = 60 * MIB
THREADS = 4  # so many requests may be under way when it is killed
_MORTAL = str(Path(__file__).with_name("mortal.py"))
_ROOT = Path(__file__).parents[2]


def started(here: Here, endpoint: str, key: str, secret: str, bucket: str) -> "subprocess.Popen[bytes]":
    words = [sys.executable, _MORTAL, endpoint, key, secret, bucket]
    words += [str(here.folder), str(here.tmp / "journal"), str(RATE), str(THREADS)]
    return subprocess.Popen(words, cwd=_ROOT, env={"PYTHONPATH": f"{_ROOT}/src"})


def filled(here: Here) -> None:
    for number in range(150):
        here.write(f"small/{number}", noise(3000, number))
    here.write("huge", noise(40 * MIB, 1))
    here.write("other", noise(20 * MIB, 2))


def test_killed_at_50_random_points_it_sends_next_to_nothing_twice(here: Here) -> None:
    filled(here)
    chance, kills, in_this_round, finished = random.Random(5), 0, 0, 0
    size = sum(map(len, files_of(here.folder).values()))
    while kills < KILLS or not finished:
        asked = here.sink.requests
        mover = started(here, here.sink.url, "key", "secret", "bucket")
        while here.sink.requests == asked and mover.poll() is None:
            time.sleep(0.005)
        try:
            seconds = chance.uniform(0, 0.9) if kills < KILLS else 120
            assert mover.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            mover.kill()
            mover.wait()
            kills, in_this_round = kills + 1, in_this_round + 1
            continue
        assert here.sink.content() == files_of(here.folder) and not here.sink.uploads
        # At most what the store had taken when its answer found nobody. Bodies that broke off are not in it: each of
        # the requests under way may have left one, and nobody keeps a part of a body.
        assert here.sink.received.total() <= size + in_this_round * PART_BYTES
        assert here.sink.puts.total() <= 150 + 3 + 2 + in_this_round * THREADS
        finished, in_this_round = finished + 1, 0
        for each in (here.sink.objects, here.sink.received, here.sink.puts):
            each.clear()  # type: ignore[attr-defined]
        for path in here.tmp.glob("journal*"):
            path.unlink()


def test_killed_before_the_real_gateway_it_goes_on(here: Here, bucket: Bucket) -> None:
    filled(here)
    chance = random.Random(6)
    for seconds in [chance.uniform(0.3, 1.5) for _ in range(4)] + [120]:
        address = bucket.running.settings.endpoint
        mover = started(here, address, bucket.key.access_key_id, bucket.key.secret, bucket.name)
        try:
            assert mover.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            mover.kill()
            mover.wait()
    repository = bucket.repository()
    stored = {each.key: each for each in repository.list()}
    assert set(stored) == set(files_of(here.folder)) and not repository.list_uploads()
    for key, content in files_of(here.folder).items():
        with repository.get(key) as answer:
            assert hashlib.sha256(answer.read(1 << 30)).digest() == hashlib.sha256(content).digest()
    small = repository.head("small/7")
    assert small and small.metadata and small.metadata["sha256"] == hashlib.sha256(noise(3000, 7)).hexdigest()
