"""Each process of a running Strongroom killed with SIGKILL: nothing acknowledged is lost, and everything is back."""

import hashlib
import os
import signal
import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.journeys.api import Refused, Study
from tests.journeys.system import System, running
from tests.journeys.writers import Put, writing
from tests.processes import descendants, eventually, is_alive, words

PARTS = {"storage": "weed -v=0 -logtostderr=true server", "gateway": "weed -v=0 -logtostderr=true s3"}
PARTS |= {"web": "strongroom.runtime web", "worker": "strongroom.runtime worker"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One of its own: what is killed here must not disturb others."""
    with running(tmp_path_factory.mktemp("killed"), finalize_drain_seconds="5") as system:
        yield system


def _pid(system: System, part: str) -> int:
    """The process of this part; of several web processes, the one that started the others."""
    found = [pid for pid in system.door.pids() if PARTS[part] in " ".join(words(pid))]
    assert found, f"no process of ours is the {part}"
    return found[0]


def _killed(system: System, part: str) -> int:
    """Dead, and with it whoever would still have answered for it; which process it was."""
    old = _pid(system, part)
    gone = [old, *descendants(old)] if part == "web" else [old]
    os.kill(old, signal.SIGKILL)
    system.until(lambda: not any(map(is_alive, gone)), f"the {part} to be dead")
    return old


def kill(system: System, part: str) -> None:
    """And wait until another one has taken its place."""
    old = _killed(system, part)
    system.until(lambda: _is_up(system, part, old), f"the {part} to be back")


def _is_up(system: System, part: str, old: int) -> bool:
    try:
        return _pid(system, part) != old and system.door.readiness().status_code == 200
    except Exception:  # noqa: BLE001 not there yet, in whatever way
        return False


def _assert_stored(system: System, study: Study, puts: list[Put]) -> None:
    for each in puts:
        body = b"".join(system.engine.read_object(study.repository, each.key))
        assert hashlib.md5(body).hexdigest() == each.md5, each.key


@pytest.mark.parametrize("part", ["storage", "gateway"])
def test_the_engine_killed_under_load_loses_nothing_it_acknowledged(system: System, part: str) -> None:
    study = system.study()
    with writing(study, processes=4, threads=1, size_bytes=200_000) as writers:
        system.until(lambda: len(writers.acknowledged) > 40, "writes to succeed")
        killed_at = time.monotonic()
        kill(system, part)
        system.until(
            lambda: sum(each.began > killed_at + 1 for each in writers.acknowledged) > 40, "writes to go on", 60
        )
    lost = [each for each in writers.puts if not each.is_acknowledged]
    first = min(each.ended for each in writers.acknowledged if each.began > killed_at)
    print(
        f"{part}: {len(writers.acknowledged)} writes acknowledged, {len(lost)} not; "
        f"written again {first - killed_at:.1f} s after the kill"
    )
    assert lost, "nobody noticed the kill"
    _assert_stored(system, study, writers.acknowledged)
    shown = system.finalized(study)
    assert shown["object_count"] == len(system.listing(study.repository)) >= len(writers.acknowledged)


@pytest.mark.parametrize("part", ["storage", "gateway"])
def test_an_engine_that_comes_back_lets_no_dead_key_in(system: System, part: str) -> None:
    study = system.uploaded()
    system.finalized(study)
    old = _killed(system, part)
    for _ in range(50):
        assert _is_dead_or_away(system, study)
        time.sleep(0.1)
    system.until(lambda: _is_up(system, part, old), f"the {part} to be back")
    assert system.s3_is_dead(study)


def _is_dead_or_away(system: System, study: Study) -> bool:
    """Refused, or nobody answers."""
    try:
        system.s3(study).get_object(Bucket=study.repository, Key="first/0.csv")
    except (ClientError, BotoCoreError):
        return True
    return False


@pytest.mark.parametrize("part", ["worker", "web", "storage"])
def test_a_finalize_that_was_asked_for_is_done_whoever_dies(system: System, part: str) -> None:
    study = system.uploaded()
    study.finalize()
    old = _killed(system, part)
    system.until(lambda: _is_up(system, part, old), f"the {part} to be back")
    shown = system.settled(study)
    assert shown["object_count"] == 3
    assert system.s3_is_dead(study)


def test_a_supervisor_that_is_killed_leaves_nobody_behind_and_everything_comes_back(system: System) -> None:
    finalized, pending, closing = system.uploaded(), system.uploaded(), system.uploaded()
    system.finalized(finalized)
    signed = f"{finalized.path}/receipt"
    system.until(lambda: finalized.api.get(signed)["digests"] is not None, "the digests to be signed")
    receipts = finalized.api.get(signed)
    closing.finalize()
    left = system.door.pids()
    assert len(left) >= 4
    system.door.end(signal.SIGKILL)
    assert eventually(lambda: not any(is_alive(pid) for pid in left)), "somebody outlived the supervisor"
    system.door.start()
    assert system.door.code() is None, "a second administrator was invited"
    assert finalized.api.get(signed) == receipts
    assert system.s3_is_dead(finalized)
    system.settled(closing)
    assert system.s3_is_dead(closing)
    system.s3(pending).put_object(Bucket=pending.repository, Key="again.csv", Body=b"goes on")
    assert set(system.listing(pending.repository)) == {"first/0.csv", "first/1.csv", "first/2.csv", "again.csv"}
    assert system.administrator.get("/audit/verify")["is_intact"]
    with pytest.raises(Refused):
        closing.finalize()
