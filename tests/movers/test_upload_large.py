"""Very many files, and a very large one: time and memory stay small."""

import os
import resource
from pathlib import Path
from typing import cast

import pytest

from strongroom.movers.journal import Journal, Sent
from strongroom.movers.plan import MIB
from strongroom.movers.s3 import Repository
from strongroom.movers.upload import Order, Told, Upload
from tests.movers.direct import Direct

COUNT = 100_000
SPARSE_BYTES = 20 * 10**9


def uploaded(tmp_path: Path, folder: Path, store: Direct) -> tuple[Upload, list[Sent]]:
    digests: list[Sent] = []
    journal = Journal(tmp_path / "journal")
    upload = Upload(Order(str(folder)), cast(Repository, store), journal, Told(digests=digests.extend))
    upload.run()
    journal.close()
    return upload, digests


def test_100_000_small_files_arrive_and_a_second_run_sends_none(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for each in range(100):
        (folder / str(each)).mkdir(parents=True)
        for number in range(COUNT // 100):
            (folder / str(each) / str(number)).write_bytes(b"%d" % number)
    store = Direct()
    upload, digests = uploaded(tmp_path, folder, store)
    assert upload.tally.sent_files == len(store.objects) == len({each.key for each in digests}) == COUNT
    upload, digests = uploaded(tmp_path, folder, store)
    assert (upload.tally.sent_files, upload.tally.kept_files, digests) == (0, COUNT, [])


@pytest.mark.timeout(900)
def test_a_sparse_file_of_20_gb_takes_neither_memory_nor_disk(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with (folder / "sparse").open("wb") as file:
        os.truncate(file.fileno(), SPARSE_BYTES)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    store = Direct()
    _, digests = uploaded(tmp_path, folder, store)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert store.objects["sparse"][0] == SPARSE_BYTES and len(digests) == 1
    assert store.largest == 16 * MIB and grown < 400 * MIB
    assert sum(path.stat().st_blocks * 512 for path in tmp_path.rglob("*")) < 100 * MIB
