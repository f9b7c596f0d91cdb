"""What is known decides what is done; parts suit the size; the journal survives, and says when it cannot be kept."""

import hashlib
import os
import resource
from pathlib import Path

import pytest

from strongroom.movers import plan, transfer_manifest
from strongroom.movers.journal import Holding, Journal, Known, Sent, Unwritable
from strongroom.movers.limiting import Limit, rate
from strongroom.movers.plan import MIB, Step
from strongroom.movers.walk import File, Trouble

FILE = File("a", "/a", 10, 5)
SENT, STORED = Sent("a", 10, 5, "e", "s"), Holding("a", 10, "e")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, Step.SEND),
        (Known(SENT, None), Step.SEND),
        (Known(None, STORED), Step.COMPARE),
        (Known(SENT, STORED), Step.KEEP),
        (Known(SENT._replace(mtime_ns=6), STORED), Step.COMPARE),
        (Known(SENT, STORED._replace(etag="f")), Step.COMPARE),
        (Known(SENT, STORED._replace(size_bytes=9)), Step.SEND),
    ],
)
def test_what_is_known_decides_what_is_done(known: "Known | None", expected: Step) -> None:
    assert plan.step(FILE, known) is expected
    if expected is Step.KEEP:
        assert plan.step(FILE, known, trusts_times=False) is Step.COMPARE


@pytest.mark.parametrize("size", [1, 16 * MIB, 160_000 * MIB, 160_000 * MIB + 1, 5 * 1024**4])
def test_no_file_has_more_than_10_000_parts(size: int) -> None:
    part = plan.part_bytes(size)
    assert -(-size // part) <= 10_000 and part % MIB == 0 and part >= 16 * MIB


@pytest.mark.parametrize(("etag", "parts"), [("x-3", 8 * MIB), ("x-2", 10 * MIB), ("x", 0), ("x-77", 0), ("x-y", 0)])
def test_the_parts_of_other_programs_are_guessed_from_the_etag(etag: str, parts: int) -> None:
    assert plan.parts_of_etag(etag, 20 * MIB) in (parts, 16 * MIB if etag == "x-2" else parts)


@pytest.mark.parametrize(
    ("said", "found"), [("500", 500), ("800kB", 8e5), ("20M", 2e7), ("1.5 gb/s", 1.5e9), ("0", None), ("fast", None)]
)
def test_a_rate_is_read_as_people_type_it(said: str, found: float | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match="is not a rate like 50MB"):
            rate(said)
    else:
        assert rate(said) == found


def test_a_limit_lets_bytes_go_at_its_rate_whoever_asks() -> None:
    now, waited = [100.0], []

    def rest(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    limit = Limit(1000, clock=lambda: now[0], rest=rest)
    for _ in range(5):
        limit.take(500)
    assert waited == [0.5] * 4
    now[0] += 60
    limit.take(500)
    assert len(waited) == 4


def test_a_journal_is_gone_on_with_and_knows_its_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.note_sent([SENT, SENT._replace(key="b")])
    journal.begin("huge", "id")
    journal.close()
    journal = Journal(tmp_path / "j")
    assert journal.run == 2 and journal.unfinished() == {"huge": "id"} and len(journal.unreported(10)) == 2
    journal.note_stored([STORED])
    assert journal.known(["a", "c"]) == {"a": Known(SENT, STORED)}
    journal.note_kept(["a"])
    assert list(journal.of_this_run()) == [SENT] and not list(journal.differing())
    journal.note_stored([STORED, Holding("old", 1, "e")])
    assert [each.key for each in journal.surplus()] == ["old"]
    journal.note_trouble([Trouble("z", "why"), Trouble("y", "so", is_problem=False)])
    digest = transfer_manifest.write(tmp_path / "m", journal)
    assert hashlib.sha256((tmp_path / "m").read_bytes()).hexdigest() == digest
    lines = (tmp_path / "m").read_text().splitlines()
    assert lines[1:] == [
        '{"key": "z", "problem": "why"}',
        '{"key": "y", "remark": "so"}',
    ]
    journal.forget()
    assert not list(tmp_path.glob("j*"))


def test_a_journal_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unwritable):
        Journal(tmp_path / "file" / "j")
    (tmp_path / "damaged").write_bytes(os.urandom(5000))
    with pytest.raises(Unwritable, match="damaged"):
        Journal(tmp_path / "damaged")
    journal = Journal(tmp_path / "j")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)  # as a full disk: no file may grow beyond this
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(Unwritable, match="cannot be kept"):
            journal.note_sent([SENT._replace(key=str(number)) for number in range(5000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    journal.note_sent([SENT])
    assert [each.key for each in journal.of_this_run()] == ["a"]
    journal.close()
