"""The worker: what is due is done, what crashes does not stop the rest, and it ends when asked."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.utils import OperationalError
from django.utils import timezone

from strongroom.actions import attachments, system
from strongroom.core.errors import Unavailable
from strongroom.core.vocabulary import StaffRole
from strongroom.db.models import Attachment
from strongroom.runtime import worker
from strongroom.runtime.worker import Chore, Round, chores, host_chores, measure_chores
from tests.actions.attempts import attach
from tests.runtime.front_door import FrontDoor, eventually
from tests.world import World


def test_a_chore_runs_at_once_and_then_only_when_it_is_due() -> None:
    ran: list[str] = []
    often = Chore("often", 0, lambda: ran.append("often") or 1)  # type: ignore[func-returns-value]
    rarely = Chore("rarely", 600, lambda: ran.append("rarely") or 0)  # type: ignore[func-returns-value]
    round_ = Round((often, rarely))
    assert round_.run() == 1
    assert round_.run() == 1
    assert ran == ["often", "rarely", "often"]


def test_a_host_that_hangs_keeps_nothing_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, ended = threading.Event(), threading.Event()
    monkeypatch.setattr(worker, "host_chores", lambda: (Chore("host", 0, lambda: int(answers.wait(120))),))

    def end() -> int:
        ended.set()
        os.kill(os.getpid(), signal.SIGTERM)
        answers.set()
        return 0

    monkeypatch.setattr(worker, "close_old_connections", lambda: None)  # there is no database here
    monkeypatch.setattr(worker, "chores", lambda: (Chore("end_grants", 0.1, end),))
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        began = time.monotonic()
        worker.run()
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert ended.is_set() and time.monotonic() - began < 100


@pytest.mark.timeout(60)
def test_a_signal_at_the_moment_in_which_its_event_is_looked_at_ends_a_process() -> None:
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    worker.set_by_signals(stop)
    try:
        with stop._cond:  # type: ignore[attr-defined]  # as its wait() does
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)
        assert stop.wait(30)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("error", [OperationalError("the database is away"), ZeroDivisionError()])
def test_a_chore_that_crashes_does_not_stop_the_others(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_DATABASE_PATIENCE_SECONDS", 0)

    def crash() -> int:
        raise error

    assert Round((Chore("crash", 0, crash), Chore("work", 0, lambda: 3))).run() == 3


def test_every_chore_runs_on_a_platform_where_nothing_is_due(world: World) -> None:
    call_command("createcachetable")
    for chore in (*chores(), *host_chores(), *measure_chores(threading.Event())):
        assert chore.run() == 0, chore.name


def test_a_document_that_was_removed_while_the_engine_was_away_is_gone_after_a_round(world: World) -> None:
    call_command("createcachetable")
    dataset = world.dataset()
    owner = world.owner(dataset.space)
    document = attach(owner, dataset)
    world.engine.is_down = True
    with pytest.raises(Unavailable):
        attachments.remove(owner, dataset.id, document.id)
    world.engine.is_down = False
    Attachment.objects.update(removed_at=timezone.now() - timedelta(hours=1))
    Round(chores()).run()
    assert [each.key for each in world.engine.list_objects(dataset.repository)] == []


def test_the_heartbeat_is_what_the_status_shows(world: World) -> None:
    call_command("createcachetable")
    next(chore for chore in chores() if chore.name == "heartbeat").run()
    status = system.status(world.person(staff_role=StaffRole.ADMINISTRATOR))
    assert [part.is_healthy for part in status.parts if part.part == "worker"] == [True]


def test_two_workers_run_beside_each_other_and_end_when_asked(tmp_path: Path) -> None:
    door = FrontDoor(tmp_path / "var")
    assert door.operate("migrate").returncode == 0
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "strongroom.runtime", "worker", "--ready-file", str(tmp_path / f"{number}.pid")],
            env=door.environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for number, process in enumerate(started):
        ready = tmp_path / f"{number}.pid"
        assert eventually(ready.exists)
        assert int(ready.read_text()) == process.pid
    for process in started:
        os.kill(process.pid, signal.SIGTERM)
        errors = process.communicate(timeout=90)[1]
        assert process.returncode == 0
        assert "worker_stopped" in errors
        assert "level=error" not in errors
