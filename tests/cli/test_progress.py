"""What a mover says on its way: files, bytes, rate, time left and what is wrong, for people and for programs."""

import io
import json
import sys
import threading
import time

import pytest
from rich.console import Console

from strongroom.cli import progress
from strongroom.cli.progress import Progress
from strongroom.cli.session import Session, Wishes
from strongroom.movers.tally import Tally

MB = 1_000_000


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


@pytest.fixture
def tally() -> Tally:
    """Ten files are found, and none is done."""
    made = Tally()
    made.found_files, made.found_bytes, made.step = 10, 100 * MB, "receiving"
    return made


def shown(made: Progress) -> str:
    console = Console(width=120, force_terminal=False)
    with console.capture() as captured:
        console.print(made._shown())
    return captured.get()


def moved(tally: Tally, files: int, count: int) -> None:
    tally.sent_files, tally.sent_bytes, tally.moved_bytes = files, count, count


def test_a_person_sees_files_bytes_rate_and_time_left(clock: Clock, tally: Tally) -> None:
    made = Progress(Session(Wishes()), tally)
    assert "0 of 10 files so far, 0 bytes of 100 MB, 0 bytes/s" in shown(made) and "%" not in shown(made)
    tally.is_counted, clock.now = True, clock.now + 5
    moved(tally, 4, 20 * MB)
    said = shown(made)
    assert " 20 %" in said and "4 of 10 files, 20.0 MB of 100 MB, 4.0 MB/s, 20 s left" in said
    assert "receiving" in said


def test_a_person_sees_what_is_wrong_while_it_is(clock: Clock, tally: Tally) -> None:
    made = Progress(Session(Wishes()), tally)
    for _ in range(3):
        assert "waiting for the store" not in shown(made)
        clock.now += 4
    assert "receiving, waiting for the store" in shown(made)
    tally.broke("the gateway does not answer")
    tally.troubled(is_problem=True)
    assert "the gateway does not answer: trying again" in shown(made) and "1 problem" in shown(made)
    tally.works()
    assert "trying again" not in shown(made)


def test_a_program_is_told_the_same_in_numbers(clock: Clock, tally: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    made = Progress(Session(Wishes(is_json=True)), tally)
    assert made._numbers()["seconds_left"] is None and made._numbers()["is_counted"] is False
    tally.is_counted, clock.now = True, clock.now + 5
    moved(tally, 4, 20 * MB)
    made._event(made._numbers())
    told = json.loads(capsys.readouterr().err)
    assert (told["event"], told["step"], told["files"], told["files_done"]) == ("progress", "receiving", 10, 4)
    assert (told["bytes"], told["bytes_done"], told["bytes_per_second"]) == (100 * MB, 20 * MB, 4 * MB)
    assert (told["seconds_left"], told["problems"], told["outage"]) == (20, 0, "")


class SlowStream(io.StringIO):
    """Takes a while to write, once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_go = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.begun.set()
        self.may_go.wait(60)
        time.sleep(0.2)
        return super().write(text)


def test_no_line_comes_after_the_end(monkeypatch: pytest.MonkeyPatch, tally: Tally) -> None:
    stream = SlowStream()
    monkeypatch.setattr(progress, "_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(Session(Wishes()), tally):
        assert stream.begun.wait(60)
        stream.may_go.set()
    told = stream.getvalue()
    assert "0 of 10 files" in told and told.endswith("\n")
