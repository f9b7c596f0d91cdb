"""The engine is killed, its keys are swapped or lost: nothing acknowledged is lost, and nothing opens."""

import hashlib
import json
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from tests.engine_fixture import Running, start_embedded
from tests.engines.conftest import new_repository
from tests.engines.test_contract import document, keys, put
from tests.processes import sockets

from strongroom.core.errors import Unavailable
from strongroom.engines.seaweedfs import embedded
from strongroom.engines.seaweedfs.settings import SeaweedSettings


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An engine that may be broken."""
    made = start_embedded(tmp_path_factory.mktemp("broken") / "home")
    yield made
    made.stop()


@pytest.fixture
def repository(running: Running) -> str:
    """A new one, in an engine that runs."""
    running.start()
    name = new_repository()
    running.engine.create_repository(name, tags={})
    return name


class Load:
    """Threads that write until they are stopped, and remember what the engine acknowledged."""

    def __init__(self, running: Running, repository: str) -> None:
        self.acknowledged: dict[str, str] = {}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(running, repository, n)) for n in range(4)]
        for thread in self._threads:
            thread.start()

    def _write(self, running: Running, repository: str, writer: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            key, content = f"{writer}/{number}", secrets.token_bytes(secrets.choice([100, 70_000, 5_000_000]))
            try:
                running.client().put_object(Bucket=repository, Key=key, Body=content)
            except (ClientError, BotoCoreError):
                time.sleep(0.05)
            else:
                self.acknowledged[key] = hashlib.sha256(content).hexdigest()

    def stop(self) -> None:
        """Return when nobody writes any more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("victim", ["storage", "gateway"])
def test_what_was_acknowledged_is_there_after_a_kill(running: Running, repository: str, victim: str) -> None:
    running.engine.apply_policy(repository, document(running.engine, repository, 1))
    load = Load(running, repository)
    _until(lambda: len(load.acknowledged) > 20)
    running.kill9(victim)
    running.restart()
    before = len(load.acknowledged)
    _until(lambda: len(load.acknowledged) > before)
    load.stop()
    found = {
        key: hashlib.sha256(b"".join(running.engine.read_object(repository, key))).hexdigest()
        for key in keys(running.engine, repository)
    }
    assert load.acknowledged.items() <= found.items()
    running.engine.prove_policy(repository, 1)


def _until(is_so: object, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_gateway_that_lags_after_a_restart_of_the_storage_is_waited_for(running: Running, repository: str) -> None:
    for generation in (1, 2):
        running.engine.apply_policy(repository, document(running.engine, repository, generation))
        running.kill9("storage")
        running.restart()
        running.engine.apply_policy(repository, document(running.engine, repository, generation + 10))
        running.engine.prove_policy(repository, generation + 10)


def test_a_freeze_outlives_a_kill(running: Running, repository: str) -> None:
    running.engine.freeze(repository)
    running.kill9("storage")
    running.restart()
    with pytest.raises(Unavailable):
        put(running.engine, repository, "key")
    running.engine.thaw(repository)
    put(running.engine, repository, "key")


def test_a_wrong_encryption_key_is_noticed_before_the_gateway_opens(running: Running, repository: str) -> None:
    put(running.engine, repository, "key", b"precious")
    running.cut()
    right = running.settings.security_file.read_text()
    wrong = re.sub(r'kek = "\w+"', f'kek = "{secrets.token_hex(32)}"', right)
    assert wrong != right
    running.settings.security_file.write_text(wrong)
    with pytest.raises(Unavailable, match=re.escape(str(running.settings.security_file))) as refusal:
        running.start()
    assert "backup" in refusal.value.way_out
    assert not running.is_running("gateway")
    running.cut()
    running.settings.security_file.write_text(right)
    running.start()
    assert b"".join(running.engine.read_object(repository, "key")) == b"precious"


def test_lost_keys_are_not_replaced_by_new_ones(running: Running) -> None:
    running.cut()
    security = running.settings.security_file
    aside = security.rename(security.with_suffix(".aside"))
    with pytest.raises(Unavailable, match=re.escape(str(security))):
        running.start()
    assert not security.exists()
    aside.rename(security)
    running.start()


def test_a_stopped_engine_says_so_in_a_sentence(running: Running, repository: str) -> None:
    running.cut()
    engine = running.engine
    attempts = {
        "apply_policy": lambda: engine.apply_policy(repository, "{}"),
        "prove_policy": lambda: engine.prove_policy(repository, 1),
        "create_access_key": lambda: engine.create_access_key("up-1"),
        "freeze": lambda: engine.freeze(repository),
        "is_drained": lambda: engine.is_drained(""),
        "list_objects": lambda: list(engine.list_objects(repository)),
        "read_object": lambda: list(engine.read_object(repository, "key")),
        "repository_exists": lambda: engine.repository_exists(repository),
    }
    for name, attempt in attempts.items():
        with pytest.raises(Unavailable) as refusal:
            attempt()
        assert str(refusal.value).startswith("The storage engine"), name
        assert refusal.value.way_out, name
    assert not all(part.is_healthy for part in engine.health())


def test_everything_private_is_private_and_kept_over_a_restart(running: Running) -> None:
    running.start()
    home = running.settings.home
    for path in (home, home / "data", home / "certs"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    secret = [running.settings.security_file, running.settings.credentials_file, *(home / "certs").iterdir()]
    for path in secret:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = {path: path.read_bytes() for path in secret}
    running.stop()
    running.start()
    assert {path: path.read_bytes() for path in secret} == before


def test_the_key_that_encrypts_the_data_is_not_beside_the_data(running: Running, repository: str) -> None:
    put(running.engine, repository, "key", b"x" * 1000)
    [key] = re.findall(r'kek = "(\w{64})"', running.settings.security_file.read_text())
    files = [path for path in (running.settings.home / "data").rglob("*") if path.is_file()]
    assert any(path.name.startswith(repository) for path in files)
    for path in files:
        content = path.read_bytes()
        assert key.encode() not in content, path
        assert bytes.fromhex(key) not in content, path


def test_no_secret_is_on_a_command_line(running: Running) -> None:
    known = json.loads(running.settings.credentials_file.read_text())
    hidden = [known["admin"]["secret"]]
    hidden += re.findall(r'(?:key|kek) = "(\w{64})"', running.settings.security_file.read_text())
    assert len(hidden) == 6
    for spec in embedded.processes(running.settings):
        assert not [secret for secret in hidden if any(secret in word for word in spec.argv)]


def test_nothing_listens_beyond_loopback_and_telemetry_is_off(running: Running) -> None:
    running.start()
    inodes = {inode for pid in running.pids() for inode in sockets(pid)}
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and row[9] in inodes}
    assert len(listening) == 8
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}
    storage = embedded.processes(running.settings)[0]
    assert "-master.telemetry=false" in storage.argv


def test_a_socket_of_somebody_else_in_the_engines_place_is_named(running: Running) -> None:
    if os.geteuid() != 0:
        pytest.fail("run this as root: only root can play another user")
    squatted = Path(f"/tmp/seaweedfs-filer-grpc-{running.settings.ports.filer + 1}.sock")
    running.cut()
    squatted.unlink(missing_ok=True)
    squatted.touch()
    os.chown(squatted, 65534, 65534)
    try:
        with pytest.raises(Unavailable, match=str(squatted)) as refusal:
            embedded.processes(running.settings)
        assert "STRONGROOM_ENGINE_PORT" in refusal.value.way_out
    finally:
        squatted.unlink()


def test_a_missing_program_is_named_with_the_setting_that_says_where_it_is(tmp_path: Path) -> None:
    settings = SeaweedSettings(tmp_path / "home", org="test", weed=tmp_path / "nothing")
    with pytest.raises(Unavailable, match="nothing") as refusal:
        embedded.processes(settings)
    assert "STRONGROOM_WEED" in refusal.value.way_out
