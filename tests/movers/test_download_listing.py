"""What a download takes from the list of the store: the first files while it is read, and none without room for it."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.movers import ahead, download
from strongroom.movers.crew import Stopped
from strongroom.movers.download import Download, Full, Order
from strongroom.movers.s3 import Repository, Stored
from tests.movers.conftest import Bucket
from tests.movers.test_download import MIB, MIDDLE, SMALL, files, run
from tests.runtime.front_door import eventually


@pytest.mark.parametrize(("remembered", "passes"), [(3, 1), (0, 2)])
def test_the_store_is_asked_for_its_list_once_unless_it_is_too_long_to_remember(
    bucket: Bucket,
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    remembered: int,
    passes: int,
) -> None:
    asked: list[str] = []

    class Asked(Repository):
        def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
            asked.append(prefix)
            return super().list(prefix, after)

    for key in ("a", "b", "c"):
        repository.put(key, SMALL)
    monkeypatch.setattr(download, "_REMEMBERED", remembered)
    _, troubles = run(Asked(bucket.running.settings.endpoint, "us-east-1", bucket.name, bucket.credentials), tmp_path)
    assert files(tmp_path) == dict.fromkeys(("a", "b", "c"), SMALL) and troubles == []
    assert len(asked) == passes


def test_a_disk_without_room_for_all_is_told_how_much_there_is_and_takes_what_fits_at_most(
    bucket: Bucket, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Long(Repository):
        def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
            yield from super().list(prefix, after)
            assert eventually(lambda: bool(made.tally.sent_files)), "the first file did not come"

    repository.put("a", SMALL)
    repository.put("b", MIDDLE)
    repository.put("c", SMALL)  # would fit, but stands behind what does not
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2 * MIB))
    monkeypatch.setattr(ahead, "_TOGETHER", 1)
    long = Long(bucket.running.settings.endpoint, "us-east-1", bucket.name, bucket.credentials)
    made = Download(Order(str(tmp_path)), long)
    said = r"3,145,742 bytes are to come, and the disk of .* has room for 2,097,152; what came or was begun before"
    with pytest.raises(Full, match=said):
        made.run()
    assert files(tmp_path) == {"a": SMALL}


def test_the_first_files_come_while_the_list_of_the_store_is_still_read(
    bucket: Bucket, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came_before: list[bool] = []

    class Long(Repository):
        def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
            for number, each in enumerate(super().list(prefix, after)):
                if number == 64:
                    came_before.append(eventually((tmp_path / "00").exists))
                yield each

    for number in range(65):
        repository.put(f"{number:02}", SMALL)
    monkeypatch.setattr(ahead, "_TOGETHER_SECONDS", 600)
    made, troubles = run(Long(bucket.running.settings.endpoint, "us-east-1", bucket.name, bucket.credentials), tmp_path)
    assert came_before == [True] and troubles == []
    assert len(files(tmp_path)) == made.tally.found_files == 65 and made.tally.is_counted


def test_what_found_no_room_in_memory_follows_what_did(
    bucket: Bucket, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Long(Repository):
        def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
            for each in super().list(prefix, after):
                yield each
                assert eventually((tmp_path / "a").exists), "the first file did not come"

    for key in ("a", "b", "c"):
        repository.put(key, SMALL)
    monkeypatch.setattr(download, "_REMEMBERED", 1)
    made, troubles = run(Long(bucket.running.settings.endpoint, "us-east-1", bucket.name, bucket.credentials), tmp_path)
    assert files(tmp_path) == dict.fromkeys(("a", "b", "c"), SMALL) and troubles == []
    assert made.tally.sent_files == made.tally.found_files == 3


def test_the_list_is_read_no_further_once_the_download_has_ended(
    bucket: Bucket, repository: Repository, tmp_path: Path
) -> None:
    ended = threading.Event()
    read: list[str] = []

    class Long(Repository):
        def list(self, prefix: str = "", after: str = "") -> Iterator[Stored]:
            for each in super().list(prefix, after):
                read.append(each.key)
                ended.wait(60)
                yield each

    for number in range(3):
        repository.put(str(number), SMALL)
    long = Long(bucket.running.settings.endpoint, "us-east-1", bucket.name, bucket.credentials)
    nothing = download.Selection(exclude=("*",))  # also where no file is meant
    made = Download(Order(str(tmp_path), selection=nothing), long)

    def end() -> None:
        made.crew.stop()
        ended.set()

    before = set(threading.enumerate())
    threading.Timer(0.5, end).start()
    with pytest.raises(Stopped):
        made.run()
    for each in set(threading.enumerate()) - before:
        each.join(60)
    assert read == ["0"]
