"""The store is away or says no: the mover waits, says so, and the next run goes on from there."""

import threading
import time

import pytest

from strongroom.movers.crew import Crew
from strongroom.movers.errors import Refused, Unreachable
from strongroom.movers.journal import InUse
from strongroom.movers.plan import MIB
from strongroom.movers.retrying import Patience
from strongroom.movers.tally import Outage, Restored
from tests.movers.here import Here, noise

# When the store is away, or says no


def test_an_outage_is_waited_for_and_told(here: Here) -> None:
    here.write("a", b"1")
    here.write("huge", noise(40 * MIB))
    began: list[float] = []

    def refuse(method: str, key: str, query: dict[str, str]) -> "tuple[int, str] | None":
        if method != "PUT":
            return None
        began.append(time.monotonic())
        return (503, "SlowDown") if began[-1] < began[0] + 0.6 else None

    here.sink.refuse = refuse
    here.patience = Patience(seconds=30, first_seconds=0.05)
    assert here.run().problems == 0
    kinds = [type(each) for each in here.events]
    assert kinds.count(Outage) == kinds.count(Restored) >= 1


def test_when_patience_ends_the_next_run_goes_on_from_there(here: Here) -> None:
    here.write("huge", noise(80 * MIB))
    here.sink.refuse = lambda method, key, query: (503, "SlowDown") if query.get("partNumber") == "4" else None
    with pytest.raises(Unreachable):
        here.run(threads=1)
    sent = here.sink.puts["huge"]
    assert sent >= 3
    here.sink.refuse = lambda *_: None
    assert here.run().problems == 0
    assert here.sink.content()["huge"] == noise(80 * MIB) and here.sink.puts["huge"] == 5


def test_what_denied_raises_ends_the_mover(here: Here) -> None:
    class Finalized(Exception):
        pass

    def denied(refusal: Refused) -> None:
        raise Finalized

    for number in range(200):
        here.write(f"{number:03}", b"1")
    here.sink.refuse = lambda method, key, query: (403, "AccessDenied") if len(here.sink.objects) > 50 else None
    here.denied = denied
    with pytest.raises(Finalized):
        here.run()
    assert 50 < len(here.sink.objects) < 200


def test_an_upload_that_somebody_aborts_is_begun_again(here: Here) -> None:
    here.write("huge", noise(64 * MIB))
    aborted = threading.Event()

    def refuse(method: str, key: str, query: dict[str, str]) -> None:
        if query.get("partNumber") == "3" and not aborted.is_set():
            aborted.set()
            here.sink.uploads.clear()

    here.sink.refuse = refuse
    assert here.run().problems == 0 and here.sink.content()["huge"] == noise(64 * MIB)


def test_two_runs_of_one_folder_do_not_work_at_once(here: Here) -> None:
    journal = here.journal()
    with pytest.raises(InUse):
        here.journal()
    journal.close()
    here.journal().close()


class Resting(Crew):
    """Does not rest, but knows how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0

    def rest(self, seconds: float) -> None:
        super().rest(0)
        self.longest = max(self.longest, seconds)


def test_a_limit_holds_for_all_threads_together(here: Here) -> None:
    for number in range(8):
        here.write(str(number), noise(25_000, number))
    journal = here.journal()
    upload = here.upload(journal, bytes_per_second=1.0)
    crew = upload.crew = Resting()
    upload.run()
    journal.close()
    # The last has to wait for all before it, whoever sends them: two days, less what the test takes.
    assert 6 * 25_000 < crew.longest <= 7 * 25_000 and len(here.sink.objects) == 8
