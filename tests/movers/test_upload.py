"""A folder is brought into a store: what is there stays, and what differs is sent."""

import hashlib
import os
import time

import pytest

from strongroom.movers import plan
from strongroom.movers.errors import Refused
from strongroom.movers.patterns import Selection
from strongroom.movers.plan import MIB
from strongroom.movers.upload import Order
from strongroom.movers.walk import FOLLOW
from tests.movers.here import Here, files_of, noise


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


def test_a_file_that_was_just_written_is_read_again_for_its_time_says_nothing_yet(here: Here) -> None:
    path = here.write("a", b"old")
    huge = here.write("huge", noise(20 * MIB))
    now = time.time_ns() + 60 * 10**9  # however late they are read
    for each in (path, huge):
        os.utime(each, ns=(now, now))
    here.run()
    path.write_bytes(b"new")
    with huge.open("r+b") as file:
        file.write(b"changed")
    for each in (path, huge):  # as in the same tick of a coarse clock
        os.utime(each, ns=(now, now))
    assert here.run().sent_files == 2 and here.sink.content() == files_of(here.folder)


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
    tally = here.run()
    assert tally.problems == 1 and "does not hold" in here.said()["a"]
    assert (tally.sent_files, tally.sent_bytes, tally.done_files) == (1, len(b"mine too"), 1)
    here.sink.refuse = lambda *_: None
    assert here.run().sent_files == 1
    listings: list[str] = []

    def at_last(method: str, key: str, query: dict[str, str]) -> None:
        if method == "GET" and "uploads" not in query:
            listings.append(key)
            if len(listings) == 2:
                here.sink.objects.pop("b")

    here.write("c", b"new")
    here.sink.refuse = at_last
    tally = here.run()
    assert (tally.problems, tally.sent_files, tally.kept_files, tally.kept_bytes) == (1, 1, 1, len(b"mine"))


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


@pytest.mark.parametrize("why", ["the folder is empty", "not all of it was read"])
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


def test_nothing_is_deleted_below_a_link_that_was_not_followed(here: Here) -> None:
    outside = here.tmp / "outside"
    outside.mkdir()
    (outside / "scan").write_bytes(b"1")
    here.write("a", b"1")
    (here.folder / "link").symlink_to(outside)
    here.run(links=FOLLOW)
    assert sorted(here.sink.objects) == ["a", "link/scan"]
    here.run(deletes=True)
    assert sorted(here.sink.objects) == ["a", "link/scan"]
    assert any("nothing was deleted" in each for each in here.said().values())


def test_what_ends_the_mover_while_much_is_to_be_deleted_is_raised(here: Here) -> None:
    here.write("a", b"1")
    here.sink.objects.update({f"old/{number}": (1, "e", b"") for number in range(500)})
    here.sink.refuse = lambda method, key, query: (403, "AccessDenied") if method == "DELETE" else None

    def denied(refusal: Refused) -> None:
        raise LookupError("the data set was finalized")

    here.denied = denied
    with pytest.raises(LookupError, match="finalized"):
        here.run(deletes=True, threads=2)
