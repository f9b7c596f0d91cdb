"""How long after the finalize call a write still succeeds: never after the answer."""

import time

from tests.journeys.system import System
from tests.journeys.writers import writing


def test_no_write_that_ends_after_the_answer_of_finalize_succeeds(strongroom: System) -> None:
    study = strongroom.study()
    with writing(study, processes=2, threads=4, size_bytes=20_000) as writers:
        strongroom.until(lambda: len(writers.acknowledged) > 100, "writes to succeed")
        called = time.monotonic()
        study.finalize()
        answered = time.monotonic()
        strongroom.until(lambda: sum(each.began > answered for each in writers.puts) > 20, "writes after the answer")
    last = max(each.ended for each in writers.acknowledged)
    after = [each for each in writers.puts if each.began > answered]
    under_way = [each for each in writers.puts if each.began < answered < each.ended]
    print(
        f"finalize answered after {(answered - called) * 1000:.0f} ms; last success {(last - called) * 1000:.0f} ms "
        f"after the call; {len(writers.acknowledged)} writes succeeded; {len(under_way)} were under way at the answer, "
        f"{len(after)} began after it, none of them succeeded"
    )
    assert last < answered
    assert {each.status for each in after} == {403}
    assert not any(each.is_acknowledged for each in under_way)
    shown = strongroom.settled(study)
    stored = {key: etag for key, (_, etag) in strongroom.listing(study.repository).items()}
    assert shown["object_count"] == len(stored)
    acknowledged = {each.key: each.md5 for each in writers.acknowledged}
    assert {key: stored.get(key) for key in acknowledged} == acknowledged
    tried = {each.key: each.md5 for each in writers.puts}
    assert all(tried[key] == etag for key, etag in stored.items())
