"""What the disk refuses or loses while a data set comes: named, and never taken for what was proved."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.movers import download, settling
from strongroom.movers.download import Download, Full, Order
from strongroom.movers.listed import Listed, of_stored
from strongroom.movers.receiving import PARTIAL, Task, beside_of
from strongroom.movers.s3 import Repository
from strongroom.movers.settling import Settling, Unwritable
from tests.movers.test_download import BIG, MIDDLE, SMALL, files, run


def test_one_file_that_cannot_be_written_is_named_and_the_others_come(repository: Repository, tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d" * 250] * 13)  # a little more, and the system refuses the path
    folder.mkdir(parents=True)
    too_long = "/".join(["e" * 200] * 5)
    for key in ("a", "bad", "big", too_long, "z"):
        repository.put(key, BIG if key == "big" else SMALL)
    for entry in of_stored(repository.list()):
        if entry.key in ("bad", "big"):  # in the way of what is written
            Path(beside_of(Task(entry, str(folder / entry.key)))).mkdir()
    made, troubles = run(repository, folder)
    assert {each.key: each.reason for each in troubles} == {
        "bad": "it cannot be written: Is a directory",
        "big": "it cannot be written: Is a directory",
        too_long: "it cannot be written: File name too long",
    }
    assert files(folder) == {"a": SMALL, "z": SMALL} and made.tally.problems == 3


def test_a_folder_that_vanishes_in_the_middle_ends_the_download(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_REMEMBERED", 0)
    for key in ("a", "b/c"):
        repository.put(key, SMALL)
    entries, folder, times = list(of_stored(repository.list())), tmp_path / "folder", []

    def manifest() -> Iterator[Listed]:
        times.append(1)
        if len(times) == 2:
            shutil.rmtree(folder)
        yield from entries

    with pytest.raises(Unwritable, match="is not there any more"):
        Download(Order(str(folder)), repository, manifest).run()
    (tmp_path / "file").touch()
    with pytest.raises(Unwritable, match="Not a directory"):
        run(repository, tmp_path / "file" / "folder")


def test_a_disk_that_fills_in_the_middle_ends_the_download(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        repository.put(str(number), SMALL)
    came, write = [], os.write

    def full(handle: int, content: memoryview) -> int:
        if len(content) == len(SMALL) and bytes(content) == SMALL:
            came.append(handle)
            if len(came) > 3:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, content)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Full, match="is full"):
        run(repository, tmp_path)
    assert len([name for name in files(tmp_path) if not name.endswith(PARTIAL)]) == 3


def test_a_large_file_is_on_the_disk_before_it_has_its_name(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.put("key", MIDDLE)
    deeds, fsync, replace_ = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (deeds.append("on the disk"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda *paths: (deeds.append("named"), replace_(*paths)))
    run(repository, tmp_path)
    assert deeds == ["on the disk", "named"]


class PowerCut(Settling):
    """The power is lost before anything was on the disk for certain."""

    def settle(self) -> None:
        raise InterruptedError("no power")


def test_what_a_loss_of_power_may_have_taken_from_small_files_is_found_by_the_next_run(
    repository: Repository, tmp_path: Path
) -> None:
    for key in ("taken", "whole"):
        repository.put(key, SMALL)
    with pytest.raises(InterruptedError):
        Download(Order(str(tmp_path)), repository, settling=PowerCut()).run()
    told = (tmp_path / "taken").stat().st_mtime_ns
    (tmp_path / "taken").write_bytes(bytes(len(SMALL)))
    os.utime(tmp_path / "taken", ns=(told, told))
    made, troubles = run(repository, tmp_path)
    assert troubles == [] and (made.tally.kept_files, made.tally.sent_files) == (1, 1)
    assert files(tmp_path) == {"taken": SMALL, "whole": SMALL}


@pytest.mark.parametrize("has_syncfs", [True, False])
def test_files_get_their_times_together_once_they_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_syncfs: bool
) -> None:
    if not has_syncfs:  # as on macOS and Windows
        monkeypatch.setattr(settling, "_syncfs", None)
    found = Settling(most=3)
    for number in range(4):
        path = tmp_path / str(number)
        path.touch()
        found.add(str(path), 5.0)
    (tmp_path / "gone").touch()
    found.add(str(tmp_path / "gone"), 5.0)
    (tmp_path / "gone").unlink()
    assert [path.stat().st_mtime == 5 for path in sorted(tmp_path.iterdir())] == [True, True, True, False]
    found.settle()
    assert {path.stat().st_mtime for path in tmp_path.iterdir()} == {5.0}
