"""A folder is brought into a store: what is there stays, what differs is sent, and whatever goes wrong is said."""

import hashlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from strongroom.movers import plan, reading
from strongroom.movers.errors import Refused, Unreachable
from strongroom.movers.journal import InUse, Journal, Sent
from strongroom.movers.patterns import Selection
from strongroom.movers.plan import MIB
from strongroom.movers.retrying import Patience
from strongroom.movers.s3 import Credentials, Repository
from strongroom.movers.tally import Event, Outage, Restored, Tally
from strongroom.movers.upload import Order, Planned, Told, Upload
from strongroom.movers.walk import FOLLOW, SKIP, Trouble
from tests.movers.sink import Sink, sink


@dataclass
class Here:
    """A folder, a store, and the journal between them. `run` is one run of the mover."""

    sink: Sink
    tmp: Path
    events: list[Event] = field(default_factory=list)
    digests: dict[str, Sent] = field(default_factory=dict)
    planned: list[Planned] = field(default_factory=list)
    denied: Callable[[Refused], object] = lambda _: None
    patience: Patience = field(default_factory=lambda: Patience(seconds=0))

    @property
    def folder(self) -> Path:
        return self.tmp / "folder"

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def journal(self) -> Journal:
        return Journal(self.tmp / "journal.db")

    def upload(self, journal: Journal, **order: object) -> Upload:
        who = Credentials("key", "secret")
        repository = Repository(self.sink.url, "us-east-1", "bucket", lambda: who, patience=self.patience)
        told = Told(self.events.append, self._digests, self.denied, self.planned.append)
        return Upload(Order(str(self.folder), **order), repository, journal, told)  # type: ignore[arg-type]

    def run(self, **order: object) -> Tally:
        self.events.clear()
        journal = self.journal()
        try:
            upload = self.upload(journal, **order)
            upload.run()
            return upload.tally
        finally:
            journal.close()

    def said(self, *, is_problem: bool = True) -> dict[str, str]:
        found = [each for each in self.events if isinstance(each, Trouble) and each.is_problem is is_problem]
        return {each.key: each.reason for each in found}

    def _digests(self, batch: Sequence[Sent]) -> None:
        self.digests.update({each.key: each for each in batch})


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with sink() as made:
        found = Here(made, tmp_path)
        found.folder.mkdir()
        yield found


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_of_every_size_arrive_with_their_digests(here: Here) -> None:
    for size in (0, 1, 16_384, plan.ONE_PIECE_BYTES, plan.ONE_PIECE_BYTES + 1, 2 * plan.PART_BYTES, 40 * MIB + 7):
        here.write(f"deep/er/{size}.bin", noise(size, size))
    tally = here.run()
    assert here.sink.content() == files_of(here.folder)
    assert (tally.sent_files, tally.problems, here.sink.uploads) == (7, 0, {})
    for key, content in files_of(here.folder).items():
        digest = here.digests[key]
        assert digest.sha256 == hashlib.sha256(content).hexdigest()
        assert (digest.size_bytes, digest.etag) == here.sink.objects[key][:2]
    assert here.sink.metadata["deep/er/1.bin"] == hashlib.sha256(noise(1, 1)).hexdigest()


def test_a_second_run_sends_and_reads_nothing(here: Here) -> None:
    for number in range(300):
        here.write(f"{number}.txt", noise(10, number))
    here.write("huge", noise(20 * MIB))
    here.run()
    here.digests.clear()
    (here.folder / "5.txt").chmod(0)
    tally = here.run()
    assert (tally.sent_files, tally.kept_files, tally.problems) == (0, 301, 0)
    assert sum(here.sink.puts.values()) == 302 and not here.digests


def test_without_a_journal_what_is_there_is_recognised_by_its_content(here: Here) -> None:
    for number in range(50):
        here.write(f"{number}.txt", noise(10, number))
    here.write("huge", noise(50 * MIB))
    here.run()
    (here.tmp / "journal.db").unlink()
    here.digests.clear()
    sent = here.sink.puts.total()
    tally = here.run()
    assert (tally.sent_files, tally.kept_files, here.sink.puts.total()) == (0, 51, sent)
    assert here.digests["huge"].sha256 == hashlib.sha256(noise(50 * MIB)).hexdigest()


def test_what_another_program_sent_in_parts_of_its_own_is_not_sent_again(here: Here) -> None:
    content = noise(20 * MIB + 3)
    here.write("huge", content)
    eights = [content[at : at + 8 * MIB] for at in range(0, len(content), 8 * MIB)]
    joined = b"".join(hashlib.md5(each).digest() for each in eights)
    here.sink.objects["huge"] = (len(content), f"{hashlib.md5(joined).hexdigest()}-3", content)
    assert here.run().kept_files == 1
    here.sink.objects["huge"] = (len(content), hashlib.md5(content).hexdigest(), content)
    assert here.run().kept_files == 1 and not here.sink.puts


def test_what_has_changed_is_sent_again_and_alone(here: Here) -> None:
    for number in range(5):
        here.write(f"{number}.txt", b"old")
    here.run()
    here.write("3.txt", b"new")
    os.utime(here.folder / "3.txt", ns=(1, 1))
    tally = here.run()
    assert (tally.sent_files, tally.kept_files) == (1, 4)
    assert here.sink.content()["3.txt"] == b"new" and here.sink.puts["3.txt"] == 2


def test_a_change_that_keeps_size_and_time_is_found_when_times_are_not_trusted(here: Here) -> None:
    path = here.write("a", b"old")
    os.utime(path, ns=(1, 1))
    here.run()
    path.write_bytes(b"new")
    os.utime(path, ns=(1, 1))
    assert here.run().sent_files == 0
    assert here.run(trusts_times=False).sent_files == 1


def test_what_somebody_else_changed_in_the_store_is_brought_back(here: Here) -> None:
    here.write("a", b"mine")
    here.run()
    here.sink.objects["a"] = (4, hashlib.md5(b"urs.").hexdigest(), b"urs.")
    assert here.run().sent_files == 1 and here.sink.content()["a"] == b"mine"


def test_the_last_listing_finds_what_was_changed_meanwhile(here: Here) -> None:
    here.write("a", b"mine")
    here.write("b", b"mine too")

    def refuse(method: str, key: str, query: dict[str, str]) -> None:
        if method == "GET" and "a" in here.sink.objects and "uploads" not in query:
            here.sink.objects.pop("a")

    here.sink.refuse = refuse
    assert here.run().problems == 1 and "does not hold" in here.said()["a"]
    here.sink.refuse = lambda *_: None
    assert here.run().sent_files == 1


def test_a_prefix_is_a_folder_of_the_data_set(here: Here) -> None:
    here.write("a/b", b"1")
    here.run(prefix="scans/2024/")
    assert list(here.sink.objects) == ["scans/2024/a/b"]


def test_a_single_file_may_be_given(here: Here) -> None:
    one = here.write("one.csv", b"1")
    journal = here.journal()
    upload = here.upload(journal)
    upload.order = Order(str(one), prefix="x/")
    upload.run()
    journal.close()
    assert here.sink.content() == {"x/one.csv": b"1"}


# What is left out, and what goes


def test_included_and_excluded_files_are_told_apart(here: Here) -> None:
    for name in ("a.csv", "b.tmp", "sub/c.csv", "sub/d.txt", "cache/e.csv"):
        here.write(name, b"1")
    tally = here.run(selection=Selection(("*.csv",), ("cache/",)))
    assert sorted(here.sink.objects) == ["a.csv", "sub/c.csv"] and tally.left_out == 3


def test_deleting_takes_away_what_the_folder_does_not_hold_and_nothing_else(here: Here) -> None:
    for name in ("a", "b/c", "keep.log"):
        here.write(name, name.encode())
    here.run()
    for name in ("b/c", "keep.log"):
        (here.folder / name).unlink()
    here.sink.objects["_attachments/x"] = (1, "e", b"1")
    tally = here.run(deletes=True, selection=Selection((), ("*.log",)))
    assert sorted(here.sink.objects) == ["_attachments/x", "a", "keep.log"] and tally.deleted_files == 1


@pytest.mark.parametrize("why", ["the folder is empty", "part of it could not be read"])
def test_nothing_is_deleted_for_a_folder_that_was_not_seen(here: Here, why: str) -> None:
    path = here.write("a", b"1")
    here.run()
    path.unlink()
    if "read" in why:
        here.write("b", b"2")
        (here.folder / "c").symlink_to("nowhere")
    tally = here.run(deletes=True, links=FOLLOW)
    assert "a" in here.sink.objects and tally.problems
    assert any("nothing was deleted" in each for each in here.said().values())


def test_a_rehearsal_says_what_would_be_done_and_does_nothing(here: Here) -> None:
    for name in ("same", "other", "new"):
        here.write(name, b"1")
    here.sink.objects.update({"other": (2, "e", b""), "gone": (1, "e", b"")})
    here.sink.objects["same"] = (1, hashlib.md5(b"1").hexdigest(), b"")
    journal = here.journal()
    here.upload(journal, deletes=True).rehearse()
    journal.close()
    assert {each.key: each.step for each in here.planned} == {
        "same": "compare", "other": "send", "new": "send", "gone": "delete",
    }  # fmt: skip
    assert not here.sink.puts and len(here.sink.objects) == 3


# Files that are not as they should be


def test_a_file_that_changes_while_it_is_read_is_read_once_more(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.write("small", b"1")
    big = here.write("huge", noise(40 * MIB))
    written = threading.Event()

    def refuse(method: str, key: str, query: dict[str, str]) -> None:
        if method == "PUT" and key == "huge" and not written.is_set():
            written.set()
            with big.open("r+b") as file:
                file.seek(39 * MIB)
                file.write(b"changed")

    here.sink.refuse = refuse
    assert here.run(threads=1, memory_bytes=1).problems == 0
    assert here.sink.content()["huge"] == big.read_bytes() and not here.sink.uploads


def test_a_file_that_never_rests_is_reported_and_not_stored(here: Here) -> None:
    big = here.write("huge", noise(40 * MIB))
    here.write("fine", b"1")

    def refuse(method: str, key: str, query: dict[str, str]) -> None:
        if method == "PUT" and key == "huge":
            with big.open("ab") as file:
                file.write(b"more")

    here.sink.refuse = refuse
    tally = here.run(threads=1, memory_bytes=1)
    assert tally.problems == 1 and "while it was read" in here.said()["huge"]
    assert list(here.sink.objects) == ["fine"] and not here.sink.uploads


def test_a_small_file_that_is_written_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1" * 5_000_000)
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            with path.open("r+b") as file:
                file.write(os.urandom(1000))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(reading.Changed):
            while True:
                reading.whole(str(path), 8 * MIB)
    finally:
        over.set()
        writer.join()


def test_what_cannot_be_an_object_is_named_and_the_rest_arrives(here: Here) -> None:
    here.write("fine", b"1")
    here.write("_attachments/agreement.pdf", b"1")
    here.write("line\nbreak", b"1")
    here.write("back\\slash", b"1")
    os.mkfifo(here.folder / "pipe")
    (here.folder / "link").symlink_to("fine")
    (here.folder / "empty").mkdir()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(here.folder / "socket"))
        Path(os.fsdecode(os.fsencode(here.folder) + b"/caf\xe9")).write_bytes(b"1")
        tally = here.run()
    assert list(here.sink.objects) == ["fine"]
    said = here.said()
    assert tally.problems == len(said) == 7
    assert "agreements" in said["_attachments/"] and "line break" in said["line\nbreak"]
    assert "slash" in said["back\\slash"] and "FIFO" in said["pipe"] and "socket" in said["socket"]
    assert "--follow-links" in said["link"] and "UTF-8" in said["caf\\xe9"]
    assert "keeps no folders" in here.said(is_problem=False)["empty/"]


def test_links_are_followed_or_left_out_as_told(here: Here) -> None:
    here.write("a/real", b"1")
    (here.folder / "link").symlink_to("a/real")
    (here.folder / "folder").symlink_to("a")
    (here.folder / "a" / "circle").symlink_to("..")
    assert here.run(links=SKIP).skipped_links == 3 and list(here.sink.objects) == ["a/real"]
    tally = here.run(links=FOLLOW)
    assert {"a/real", "link", "folder/real"} == set(here.sink.objects)
    assert tally.problems == 2 and all("circle" in each for each in here.said().values())


@pytest.mark.parametrize("size", [10, 20 * MIB])
def test_a_file_that_is_removed_before_it_is_read_is_named(here: Here, size: int) -> None:
    gone = here.write("gone", noise(size))
    here.write("fine", b"1")
    journal = here.journal()
    upload = here.upload(journal)
    listed = upload._tasks

    def then_removed(files: Sequence[object]) -> object:
        gone.unlink(missing_ok=True)
        return listed(files)  # type: ignore[arg-type]

    upload._tasks = then_removed  # type: ignore[method-assign, assignment]
    upload.run()
    journal.close()
    assert "removed before it was read" in here.said()["gone"] and list(here.sink.objects) == ["fine"]


def test_a_key_that_the_store_refuses_is_one_problem_and_not_the_end(here: Here) -> None:
    here.write("odd", b"1")
    here.write("fine", b"1")
    here.sink.refuse = lambda method, key, query: (400, "InvalidArgument") if key == "odd" else None
    assert here.run().problems == 1 and "InvalidArgument" in here.said()["odd"]


# When the store is away, or says no


def test_an_outage_is_waited_for_and_told(here: Here) -> None:
    here.write("a", b"1")
    here.write("huge", noise(40 * MIB))
    ends = time.monotonic() + 0.6

    def refuse(method: str, key: str, query: dict[str, str]) -> "tuple[int, str] | None":
        return (503, "SlowDown") if method == "PUT" and time.monotonic() < ends else None

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


def test_a_limit_holds_for_all_threads_together(here: Here) -> None:
    for number in range(8):
        here.write(str(number), noise(25_000, number))
    began = time.monotonic()
    here.run(bytes_per_second=400_000)
    assert time.monotonic() - began > 0.4  # 200 kB, of which the first goes at once


def test_100_000_small_files_arrive(here: Here) -> None:
    here.sink.keeps = False
    for folder in range(100):
        (here.folder / str(folder)).mkdir()
        for number in range(1000):
            (here.folder / str(folder) / str(number)).write_bytes(b"%d" % number)
    tally = here.run()
    assert tally.sent_files == len(here.sink.objects) == len(here.digests) == 100_000
    assert here.sink.puts.total() == 100_000
