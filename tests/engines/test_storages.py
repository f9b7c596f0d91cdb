"""The objects of one engine shared out between two storage processes: everything works on both, and nothing is lost."""

import dataclasses
import hashlib
import io
import resource
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.engine_fixture import Running, start_embedded
from tests.engines.conftest import new_repository
from tests.engines.test_contract import document, keys, put

from strongroom.core.errors import Unavailable
from strongroom.engines.seaweedfs import metrics, storages, volumes
from strongroom.engines.seaweedfs.settings import SeaweedSettings, Storage

FOLDERS = ("data", "data-2")
_PART = 5 << 20


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An engine of two storage processes that may be broken."""
    made = start_embedded(tmp_path_factory.mktemp("shared") / "home", storage_processes=2)
    yield made
    made.stop()


@pytest.fixture
def pair(running: Running) -> tuple[str, str]:
    """A repository in each of the two folders, each with an object."""
    running.start()
    return _pair(running)


def _pair(running: Running) -> tuple[str, str]:
    found: dict[str, str] = {}
    while len(found) < 2:
        name = new_repository()
        running.engine.create_repository(name, tags={})
        put(running.engine, name, "key", name.encode())
        found[_folder(running, name)] = name
    return found["data"], found["data-2"]


def _files(running: Running, repository: str) -> list[Path]:
    return [path for folder in FOLDERS for path in (running.settings.home / folder).glob(f"{repository}_*")]


def _folder(running: Running, repository: str) -> str:
    [name] = {path.parent.name for path in _files(running, repository)}
    return name


def _read(running: Running, repository: str, key: str = "key") -> bytes:
    return b"".join(running.engine.read_object(repository, key))


def _assert_readable(running: Running, pair: tuple[str, str]) -> None:
    assert [_read(running, each) for each in pair] == [each.encode() for each in pair]


def test_everything_works_in_both(running: Running, pair: tuple[str, str]) -> None:
    for repository in pair:
        running.engine.apply_policy(repository, document(running.engine, repository, 1, "up-1"))
        key = running.engine.create_access_key("up-1")
        running.engine.prove_access_key(key, repository)
        client = running.client(key)
        client.put_object(Bucket=repository, Key="key", Body=b"again")
        assert client.get_object(Bucket=repository, Key="key")["Body"].read() == b"again"
        upload = client.create_multipart_upload(Bucket=repository, Key="large")["UploadId"]
        bodies = [secrets.token_bytes(_PART), secrets.token_bytes(_PART), b"end"]
        parts = [
            {
                "PartNumber": number,
                "ETag": client.upload_part(
                    Bucket=repository, Key="large", UploadId=upload, PartNumber=number, Body=body
                )["ETag"],
            }
            for number, body in enumerate(bodies, 1)
        ]
        client.complete_multipart_upload(
            Bucket=repository, Key="large", UploadId=upload, MultipartUpload={"Parts": parts}
        )
        assert hashlib.sha256(_read(running, repository, "large")).digest() == hashlib.sha256(b"".join(bodies)).digest()
        client.delete_object(Bucket=repository, Key="key")
        assert keys(running.engine, repository) == ["large"]
        running.engine.freeze(repository)
        with pytest.raises(ClientError):
            client.put_object(Bucket=repository, Key="late", Body=b"")
        running.engine.thaw(repository)
        running.engine.delete_repository(repository)
        assert _files(running, repository) == []


@pytest.mark.parametrize("victim", ["storage", "storage-2"])
def test_one_of_them_killed_loses_nothing_and_what_the_other_holds_goes_on(
    running: Running, pair: tuple[str, str], victim: str
) -> None:
    running.kill9(victim)
    if victim == "storage-2":
        assert _read(running, pair[0]) == pair[0].encode()
        assert [each.part for each in running.engine.health() if not each.is_healthy] == ["storage-2", "open files"]
    running.restart()
    _assert_readable(running, pair)
    for repository in pair:
        put(running.engine, repository, "more", b"goes on")
        assert _read(running, repository, "more") == b"goes on"
    assert all(each.is_healthy for each in running.engine.health())


def test_a_volume_made_while_one_is_away_never_gets_the_number_of_another(
    running: Running, pair: tuple[str, str]
) -> None:
    running.kill9("storage-2")
    running.kill9("storage")
    running.start_only("storage")
    new = new_repository()
    running.engine.create_repository(new, tags={})
    put(running.engine, new, "key", new.encode())
    running.restart()
    _assert_readable(running, (pair[0], pair[1]))
    assert _read(running, new) == new.encode()
    numbers = [
        path.stem.rpartition("_")[2] for folder in FOLDERS for path in (running.settings.home / folder).glob("*.dat")
    ]
    assert len(numbers) == len(set(numbers))


def test_a_deletion_is_done_only_when_no_file_is_left_also_of_one_that_was_away(
    running: Running, pair: tuple[str, str]
) -> None:
    running.kill9("storage-2")
    running.engine.delete_repository(pair[0])
    for _ in range(2):  # the bucket is gone after the first time; its files are not
        with pytest.raises(Unavailable, match=r"storage-2 .* did not remove the files") as refusal:
            running.engine.delete_repository(pair[1])
        assert refusal.value.way_out
    assert _files(running, pair[1])
    running.restart()
    running.engine.delete_repository(pair[1])
    assert [path for each in pair for path in _files(running, each)] == []


def test_a_home_of_one_becomes_a_home_of_two_and_stays_it_while_the_second_holds_anything(tmp_path: Path) -> None:
    one = start_embedded(tmp_path / "home")
    old = new_repository()
    try:
        one.engine.create_repository(old, tags={})
        put(one.engine, old, "key", old.encode())
    finally:
        one.cut()
    two = Running(dataclasses.replace(one.settings, storage_processes=2))
    try:
        two.start()
        assert _read(two, old) == old.encode()
        pair = _pair(two)
    finally:
        two.cut()
    again = Running(one.settings)
    try:
        again.start()
        assert again.is_running("storage-2")
        _assert_readable(again, pair)
        again.engine.delete_repository(pair[1])
        for path in (again.settings.home / "data-2").glob("*.dat"):
            again.engine.delete_repository(path.stem.rpartition("_")[0])
    finally:
        again.stop()
    assert [each.name for each in again.settings.storages] == ["storage", "storage-2"]
    storages.make_folders(again.settings)
    assert [each.name for each in again.settings.storages] == ["storage"]


@pytest.mark.parametrize(
    ("limit", "wanted", "count"),
    [
        (20_000, 0, 2),
        (25_000, 0, 1),
        (65_536, 0, 1),
        (resource.RLIM_INFINITY, 0, 1),
        (10_000, 0, 3),
        (4_096, 0, 5),
        (1_024, 0, 5),
        (65_536, 3, 3),
        (4_096, 1, 1),
    ],
)
def test_as_many_run_as_ten_thousand_data_sets_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, wanted: int, count: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    settings = SeaweedSettings(tmp_path, org="test", storage_processes=wanted)
    storages.make_folders(settings)
    assert len(settings.storages) == count
    assert count in (1, 5) or count * storages.volumes_each() >= 12_000
    ports = [port for each in settings.storages for port in (each.port, each.port + 1)]
    assert len(set(ports)) == 2 * count and set(ports) <= set(settings.ports.all)


def test_volumes_that_could_not_all_be_opened_stop_the_start_with_the_limit_that_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SeaweedSettings(tmp_path, org="test")
    (tmp_path / "data").mkdir()
    for number in range(420):
        (tmp_path / "data" / f"dataset-x_{number}.dat").touch()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_024, 1_024))
    with pytest.raises(Unavailable, match="420 volumes, for which the storage engine must open 1,040 files") as refusal:
        storages.make_folders(settings)
    assert "ulimit -Hn" in refusal.value.way_out


@pytest.mark.parametrize(
    ("found", "short"),
    [
        ([("storage", 300, 20_000), ("storage-2", 200, 20_000)], None),
        ([("storage", 19_100, 20_000), ("storage-2", 200, 20_000)], None),  # has all the volumes that it may
        ([("storage", 19_600, 20_000), ("storage-2", 200, 20_000)], "connections of storage;"),
        ([("storage", 200, 20_000), ("storage-2", 19_600, 20_000)], "connections of storage-2;"),
        ([("storage", 850, 1_024), ("storage-2", 60, 1_024)], None),
        ([("storage", 900, 1_024), ("storage-2", 60, 1_024)], "connections of storage;"),
        ([("storage", 17_500, 20_000), ("storage-2", 17_500, 20_000)], "STRONGROOM_STORAGE_PROCESSES"),
        ([("storage", 17_500, 20_000)], "STRONGROOM_STORAGE_PROCESSES"),
    ],
)
def test_one_that_runs_out_of_open_files_is_named_however_many_the_others_have_left(
    found: list[tuple[str, int, int]], short: str | None
) -> None:
    health = metrics.open_files(found)
    assert health.is_healthy is (short is None)
    assert (short or f"storage {found[0][1]:,} of {found[0][2]:,}") in health.detail


def test_a_process_without_volumes_counts_once_the_engine_may_make_some_in_it(tmp_path: Path) -> None:
    fresh = start_embedded(tmp_path / "fresh", storage_processes=2)
    try:
        assert volumes._members(fresh.settings) == {f"127.0.0.1:{each.port}" for each in fresh.settings.storages}
        assert [volumes.are_known(fresh.settings, each) for each in fresh.settings.storages] == [True, True]
        third = Storage(3, fresh.settings.ports)
        (fresh.settings.home / third.folder).mkdir()
        assert not volumes.are_known(fresh.settings, third)
    finally:
        fresh.stop()


def test_what_is_too_much_for_the_open_files_of_one_goes_to_the_other_and_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(storages, "OTHER_FILES", most - 16)  # eight volumes each, two files a volume
    small = start_embedded(tmp_path / "small", storage_processes=2)
    try:
        names = [new_repository() for _ in range(17)]
        stored = []
        for name in names:
            small.engine.create_repository(name, tags={})
            try:
                small.engine.put_object(name, "key", io.BytesIO(name.encode()))
            except Unavailable:
                break
            stored.append(name)
        assert 8 < len(stored) < 17
        assert {_folder(small, name) for name in stored} == set(FOLDERS)
        assert [_read(small, name) for name in stored] == [name.encode() for name in stored]
        small.engine.put_object(stored[0], "another", io.BytesIO(b"more"))
    finally:
        small.stop()
