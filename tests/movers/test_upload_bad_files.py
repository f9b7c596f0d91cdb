"""Files that change, vanish or cannot be objects are named, and never stored half."""

import os
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from strongroom.movers import reading
from strongroom.movers.plan import MIB
from strongroom.movers.walk import FOLLOW, SKIP
from tests.movers.here import Here, noise

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


def test_a_small_file_that_has_become_large_is_sent_by_one_thread_too(here: Here) -> None:
    here.write("a", b"1")
    grown = here.write("b", b"1")

    def refuse(method: str, key: str, query: dict[str, str]) -> None:
        if method == "PUT" and key == "a":
            grown.write_bytes(noise(20 * MIB))

    here.sink.refuse = refuse
    assert here.run(threads=1).problems == 0
    assert here.sink.content() == {"a": b"1", "b": noise(20 * MIB)}
