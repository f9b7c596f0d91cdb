"""A data set comes into a folder whole, proved, and with nothing else touched, from the real gateway."""

import hashlib
import secrets
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.movers import download
from strongroom.movers.download import Download, Order
from strongroom.movers.errors import Refused
from strongroom.movers.listed import Listed, of_stored
from strongroom.movers.places import Places
from strongroom.movers.receiving import PARTIAL, Task, beside_of
from strongroom.movers.retrying import Patience
from strongroom.movers.s3 import Repository
from strongroom.movers.walk import Trouble
from tests.engines.test_contract import document
from tests.movers.conftest import Bucket

MIB = 1024 * 1024
SMALL = b"content"
MIDDLE = secrets.token_bytes(3 * MIB)
BIG = secrets.token_bytes(70 * MIB)


def run(repository: Repository, folder: Path, *told: Listed, **order: object) -> tuple[Download, list[Trouble]]:
    """A download that is over, and what it says of files that did not come."""
    troubles: list[Trouble] = []
    made = Download(
        Order(str(folder), ranges_from_bytes=64 * MIB, **order),  # type: ignore[arg-type]
        repository,
        (lambda: told) if told else None,
        lambda event: troubles.append(event) if isinstance(event, Trouble) else None,
    )
    made.run()
    return made, troubles


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if not path.is_dir()}


def only(repository: Repository) -> Listed:
    """The one object there is."""
    (found,) = of_stored(repository.list())
    return found


def put_in_parts(repository: Repository, key: str, content: bytes, part_bytes: int) -> None:
    upload = repository.create_upload(key)
    parts = [content[at : at + part_bytes] for at in range(0, len(content), part_bytes)]
    etags = [(number, repository.put_part(key, upload, number, part)) for number, part in enumerate(parts, 1)]
    repository.complete_upload(key, upload, etags)


def test_everything_comes_and_a_second_run_brings_nothing(repository: Repository, tmp_path: Path) -> None:
    contents = {"a": SMALL, "d/empty": b"", "d/e/ü b+c": SMALL, "d0": MIDDLE, "in parts": MIDDLE * 2, "big": BIG}
    for key, content in contents.items():
        if len(content) > len(MIDDLE):
            put_in_parts(repository, key, content, 5 * MIB)
        else:
            repository.put(key, content)
    made, troubles = run(repository, tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert files(folder) == contents and troubles == []
    assert made.compared == {"MD5": 4, "MD5 of its parts": 2}
    assert made.tally.sent_files == made.tally.found_files == 6 and made.tally.is_counted
    assert {each.key: int(each.modified_at.timestamp()) for each in repository.list()} == {
        key: int((folder / key).stat().st_mtime) for key in contents
    }
    again, troubles = run(repository, folder)
    assert (again.tally.moved_bytes, again.tally.kept_files, troubles) == (0, 6, [])


def test_what_movers_recorded_is_compared_where_it_speaks_of_this_object(
    repository: Repository, tmp_path: Path
) -> None:
    put_in_parts(repository, "big", BIG, 5 * MIB)
    big = only(repository)
    repository.put("other", SMALL)
    sha256, wrong = f"sha256:{hashlib.sha256(BIG).hexdigest()}", f"sha256:{'0' * 64}"
    # Of objects that are gone, or were written over since, the record says nothing.
    stale = (big._replace(key="gone", checksum=wrong), big._replace(key="other", checksum=wrong))
    right = Download(Order(str(tmp_path / "a")), repository, recorded=lambda _: (big._replace(checksum=sha256), *stale))
    right.run()
    assert files(tmp_path / "a") == {"big": BIG, "other": SMALL}
    assert (right.compared, right.tally.problems) == ({"SHA-256": 1, "MD5": 1}, 0)
    off = Download(Order(str(tmp_path / "b")), repository, recorded=lambda _: (big._replace(checksum=wrong), *stale))
    off.run()
    assert files(tmp_path / "b") == {"other": SMALL}
    assert off.tally.problems == 1


@pytest.mark.parametrize("content", [MIDDLE, BIG], ids=["middle", "big"])
def test_what_broke_off_is_gone_on_with(repository: Repository, tmp_path: Path, content: bytes) -> None:
    repository.put("key", content)
    beside = Path(beside_of(Task(only(repository), str(tmp_path / "key"))))
    beside.write_bytes(content[: 2 * MIB])
    made, _ = run(repository, tmp_path)
    assert files(tmp_path) == {"key": content}
    assert made.tally.moved_bytes == len(content) - 2 * MIB


@pytest.mark.parametrize("came", [5 * MIB, 2 * MIB, 0], ids=["at a part", "within a part", "nothing"])
def test_an_object_of_parts_is_gone_on_with_from_anywhere(repository: Repository, tmp_path: Path, came: int) -> None:
    put_in_parts(repository, "key", BIG, 5 * MIB)
    Path(beside_of(Task(only(repository), str(tmp_path / "key")))).write_bytes(BIG[:came])
    made, troubles = run(repository, tmp_path)
    assert files(tmp_path) == {"key": BIG} and troubles == []
    assert (made.compared, made.tally.moved_bytes) == ({"MD5 of its parts": 1}, len(BIG) - came)


def test_what_broke_off_and_was_altered_since_is_brought_anew(repository: Repository, tmp_path: Path) -> None:
    repository.put("key", MIDDLE)
    beside = Path(beside_of(Task(only(repository), str(tmp_path / "key"))))
    for kept in (bytes(2 * MIB), bytes(9 * MIB)):
        beside.write_bytes(kept)
        _, troubles = run(repository, tmp_path, overwrites=True, trusts_times=False)
        assert files(tmp_path) == {"key": MIDDLE} and troubles == []
        (tmp_path / "key").unlink()


@pytest.mark.parametrize("content", [SMALL, MIDDLE], ids=["little", "much"])
def test_what_is_not_what_the_manifest_says_is_told_and_leaves_no_file(
    repository: Repository, tmp_path: Path, content: bytes
) -> None:
    repository.put("key", content)
    found = only(repository)
    right = Listed(
        *(found.key, found.size_bytes, found.etag, found.modified_at), f"sha256:{hashlib.sha256(content).hexdigest()}"
    )
    wrong = Listed(*(found.key, found.size_bytes, found.etag, found.modified_at), f"sha256:{'0' * 64}")
    gone = Listed("less", 1, "", found.modified_at)
    made, troubles = run(repository, tmp_path, wrong, gone)
    assert [(each.key, each.reason) for each in troubles] == [
        ("key", "what came is not what the data set holds: its SHA-256 is another one"),
        ("less", "the manifest has it, but the store does not"),
    ] or [each.key for each in troubles] == ["less", "key"]
    assert files(tmp_path) == {} and made.tally.problems == 2
    made, troubles = run(repository, tmp_path, right)
    assert made.compared == {"SHA-256": 1} and files(tmp_path) == {"key": content}


def test_a_file_that_is_another_one_stays_until_it_may_be_replaced(repository: Repository, tmp_path: Path) -> None:
    repository.put("key", SMALL)
    repository.put("same", SMALL)
    (tmp_path / "key").write_bytes(b"another one")
    (tmp_path / "same").write_bytes(SMALL)
    made, troubles = run(repository, tmp_path)
    assert [each.reason for each in troubles] == [
        "another file of this name is here already: move it away, or say --overwrite"
    ]
    assert files(tmp_path) == {"key": b"another one", "same": SMALL} and made.tally.kept_files == 1
    run(repository, tmp_path, overwrites=True)
    assert files(tmp_path) == {"key": SMALL, "same": SMALL}


def test_nothing_is_written_through_links_or_over_folders(repository: Repository, tmp_path: Path) -> None:
    for key in ("link/file", "file", "folder"):
        repository.put(key, SMALL)
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    (folder / "folder").mkdir(parents=True)
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "file")
    _, troubles = run(repository, folder, overwrites=True)
    assert sorted(each.key for each in troubles) == ["file", "folder", "link/file"]
    assert list(outside.iterdir()) == []


def test_what_the_data_set_does_not_have_is_removed_where_that_is_asked(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("a", "d/x", "kept.log", f".abc{PARTIAL}"):
        (tmp_path / name).write_bytes(b"old")
    _, troubles = run(repository, tmp_path, deletes=True)
    assert [each.reason for each in troubles] == ["nothing was removed here: the data set is empty"]
    repository.put("d/y", SMALL)
    selection = download.Selection(exclude=("*.log",))
    made = Download(Order(str(tmp_path), deletes=True, selection=selection), repository)
    assert sorted((each.step, each.key) for each in made.rehearse()) == [
        *(("delete", f".abc{PARTIAL}"), ("delete", "a"), ("delete", "d/x")),
        ("receive", "d/y"),
    ]
    assert len(files(tmp_path)) == 4
    made.run()
    assert files(tmp_path) == {"d/y": SMALL, "kept.log": b"old"} and made.tally.deleted_files == 3


def test_a_name_that_the_system_spells_otherwise_is_not_removed(repository: Repository, tmp_path: Path) -> None:
    repository.put("readme", SMALL)
    (tmp_path / "README").write_bytes(SMALL)
    (tmp_path / "more").write_bytes(SMALL)
    made = Download(Order(str(tmp_path), deletes=True), repository, _places=Places(str(tmp_path), folds=True))
    made.run()
    assert files(tmp_path) == {"readme": SMALL, "README": SMALL} and made.tally.deleted_files == 1


def test_what_is_not_in_the_manifest_of_an_original_is_told_and_a_copy_of_it_stays(
    repository: Repository, tmp_path: Path
) -> None:
    for key in ("altered", "late", "same"):
        repository.put(key, SMALL)
    altered, _, same = of_stored(repository.list())
    told = (altered._replace(etag="0" * 32), same._replace(key="lost"), same)
    for key in ("altered", "lost"):
        (tmp_path / key).write_bytes(b"as it was")
    made, troubles = run(repository, tmp_path, *told, deletes=True, overwrites=True)
    assert sorted(each.key for each in troubles) == ["altered", "late", "lost"] and made.tally.problems == 3
    assert files(tmp_path) == {"altered": b"as it was", "lost": b"as it was", "same": SMALL}


def test_a_large_object_that_was_changed_meanwhile_is_named_and_the_others_come(
    repository: Repository, tmp_path: Path
) -> None:
    for key, content in (("a", SMALL), ("big", BIG), ("z", SMALL)):
        repository.put(key, content)
    first, *others = of_stored(repository.list())

    def manifest() -> Iterator[Listed]:
        yield first
        repository.put("big", bytes(len(BIG)))  # the listing was had by now
        yield from others

    troubles: list[object] = []
    made = Download(Order(str(tmp_path), ranges_from_bytes=64 * MIB), repository, manifest, troubles.append)
    made.run()
    assert troubles == [Trouble("big", "somebody changed or removed it meanwhile: run it again")]
    assert {name for name in files(tmp_path) if not name.endswith(PARTIAL)} == {"a", "z"}


def test_a_folder_of_the_data_set_comes_without_what_marks_it(repository: Repository, tmp_path: Path) -> None:
    for key in ("scans/", "scans/1", "scans2/1"):
        repository.put(key, b"")
    made, troubles = run(repository, tmp_path, prefix="scans/")
    assert files(tmp_path) == {"1": b""} and troubles == [] and made.tally.found_files == 1


def test_access_that_ends_in_the_middle_ends_the_download(
    bucket: Bucket, repository: Repository, tmp_path: Path
) -> None:
    engine = bucket.running.engine
    for number in range(40):
        repository.put(f"{number:02}", MIDDLE)
    made = Download(Order(str(tmp_path), bytes_per_second=8 * MIB), repository)

    def cut() -> None:
        while not made.tally.sent_files:
            made.crew.rest(0.01)
        engine.apply_policy(bucket.name, document(engine, bucket.name, 2))
        engine.prove_policy(bucket.name, 2)

    cutting = threading.Thread(target=cut)
    cutting.start()
    try:
        with pytest.raises(Refused) as refused:
            made.run()
    finally:
        cutting.join()
        engine.apply_policy(bucket.name, document(engine, bucket.name, 3, bucket.key.principal))
        engine.prove_policy(bucket.name, 3)
    assert refused.value.is_access and 0 < made.tally.sent_files < 40
    assert all(content == MIDDLE for key, content in files(tmp_path).items() if not key.endswith(PARTIAL))
    made, troubles = run(repository, tmp_path)
    assert made.tally.kept_files > 0 and troubles == [] and set(files(tmp_path).values()) == {MIDDLE}


class Cutter:
    """Leads to the gateway, and cuts every connection after so many bytes of answers."""

    def __init__(self, port: int, after_bytes: int) -> None:
        self._port, self._after_bytes = port, after_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            threading.Thread(target=self._lead, args=(client, server, 1 << 60), daemon=True).start()
            threading.Thread(target=self._lead, args=(server, client, self._after_bytes), daemon=True).start()

    def _lead(self, source: socket.socket, target: socket.socket, left: int) -> None:
        while left > 0:
            try:
                content = source.recv(min(left, 65536))
                if not content:
                    break
                target.sendall(content)
            except OSError:
                break
            left -= len(content)
        self.cuts += left <= 0
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def cutter(bucket: Bucket) -> Iterator[Cutter]:
    found = Cutter(bucket.running.settings.public_port, 20_000 + 4 * MIB)
    yield found
    found.close()


def test_connections_that_break_off_again_and_again_do_no_harm(
    bucket: Bucket, repository: Repository, cutter: Cutter, tmp_path: Path
) -> None:
    contents = {"big": BIG, "middle": MIDDLE, **{f"{number}": secrets.token_bytes(90_000) for number in range(20)}}
    for key, content in contents.items():
        repository.put(key, content)
    patience = Patience(rest=lambda _: None)
    through = Repository(cutter.url, "us-east-1", bucket.name, bucket.credentials, patience=patience)
    _, troubles = run(through, tmp_path)
    assert files(tmp_path) == contents and troubles == [] and cutter.cuts > 15
