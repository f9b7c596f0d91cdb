"""Another user of the machine gets nothing out of the engine's internal ports and files, and breaks nothing."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine_fixture import Running
from tests.engines.conftest import new_repository
from tests.engines.test_contract import document, put

from strongroom.engines.seaweedfs.configuration import load_credentials

CONTENT = b"what the neighbour must not see"
KEY = "folder/secret-name.csv"
_NOBODY = 65534
_STRANGER = Path(__file__).with_name("stranger.py")

# Whose pages want no credential: sockets in the home, where others find no port at all.
HIDDEN = {"master", "storage", "storage-2", "gateway metrics"}

Attempt = dict[str, str]


@pytest.fixture(scope="module")
def repository(embedded_engine: Running) -> Iterator[str]:
    """One with an object and a policy."""
    engine, name = embedded_engine.engine, new_repository()
    engine.create_repository(name, tags={})
    put(engine, name, KEY, CONTENT)
    engine.apply_policy(name, document(engine, name, 1))
    yield name
    engine.delete_repository(name)


@pytest.fixture(scope="module")
def attempts(embedded_engine: Running, repository: str) -> list[Attempt]:
    """What a neighbour tried, and what came of it."""
    settings = embedded_engine.settings
    ports = settings.ports
    sockets = [
        settings.home / name for name in ("filer.sock", "private.sock", "public.sock", *settings.hidden.values())
    ]
    volumes = {each.name: each.port for each in settings.storages}
    grpc = {name: port + 1 for name, port in {**volumes, "master": ports.master, "filer": ports.filer}.items()}
    parts = [("volume", ports.volume() + 1), ("master", ports.master + 1), ("filer", ports.filer + 1)]
    task = {
        "ports": {
            "master": ports.master,
            **volumes,
            "filer": ports.filer,
            "private gateway": ports.private,
            "gateway metrics": ports.gateway_metrics,
        },
        "grpc": {**grpc, "private gateway": ports.private + 1, "public gateway": ports.gateway_grpc},
        "files": [str(path) for path in (settings.home, settings.home / "data", settings.security_file)],
        "sockets": [str(path) for path in (*sockets, *_sockets_in_tmp(parts))],
        "weed": str(settings.weed_program()),
        "shell": [
            f"-master=127.0.0.1:{ports.master}.{ports.master + 1}",
            f"-filer=127.0.0.1:{ports.filer}.{ports.filer + 1}",
        ],
        "bucket": repository,
        "key": KEY,
    }
    return _as_stranger(task)


def _as_stranger(task: dict[str, object]) -> list[Attempt]:
    """As `nobody` where the tests may become him; else as ourselves without any credentials, which is as far from
    the engine over its ports, and closer to its files: those are judged by their modes then."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    assert python, "a python3 that every user may run is needed: apt-get install python3"
    other = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [python, "-I", "-c", _STRANGER.read_text()],
        input=json.dumps(task),
        text=True,
        capture_output=True,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        timeout=250,
        check=False,
        **other,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
    told: list[Attempt] = json.loads(done.stdout)
    return told


def _sockets_in_tmp(parts: list[tuple[str, int]]) -> list[Path]:
    """Those that the parts of the first process share; a further process that has only volumes makes none."""
    found = [Path(f"/tmp/seaweedfs-{name}-grpc-{port}.sock") for name, port in parts]
    assert all(path.is_socket() for path in found)
    return found


def test_a_neighbour_tries_enough(attempts: list[Attempt]) -> None:
    answered = {each["attempt"].partition(":")[0] for each in attempts if each["outcome"].isdigit()}
    assert answered == {"filer", "private gateway"}
    assert len(attempts) > 150


def test_a_neighbour_finds_no_port_where_pages_want_no_credential(
    attempts: list[Attempt], embedded_engine: Running
) -> None:
    tried = [each for each in attempts if each["attempt"].partition(":")[0] in HIDDEN and "gRPC" not in each["attempt"]]
    assert len(tried) > 90
    assert {each["outcome"] for each in tried} == {"ConnectionRefusedError"}
    settings = embedded_engine.settings
    assert all((settings.home / name).is_socket() for name in settings.hidden.values())


def test_a_neighbour_writes_and_deletes_nothing_over_http(attempts: list[Attempt]) -> None:
    tried = [each for each in attempts if any(f": {verb} " in each["attempt"] for verb in ("PUT", "POST", "DELETE"))]
    done = [each for each in tried if each["outcome"].startswith(("2", "3"))]
    assert done == []


def test_a_neighbour_reads_no_content_no_key_and_no_secret(attempts: list[Attempt], embedded_engine: Running) -> None:
    settings = embedded_engine.settings
    credentials = load_credentials(settings)
    secrets = [credentials.admin.secret]
    secrets += [
        line.partition('"')[2].rstrip('"') for line in settings.security_file.read_text().splitlines() if "ke" in line
    ]
    for each in attempts:
        for secret in (CONTENT.decode(), *filter(None, secrets)):
            assert secret not in each["body"], each["attempt"]
        assert "secret-name" not in each["body"] or _is_echo(each), each


def test_a_neighbour_learns_no_name_of_a_bucket(attempts: list[Attempt], repository: str) -> None:
    assert [each for each in attempts if repository in each["body"] and not _is_echo(each)] == []


def _is_echo(each: Attempt) -> bool:
    """A refusal that repeats the path which the neighbour asked for."""
    return each["outcome"].startswith("4") and "BUCKET" in each["attempt"]


def test_a_neighbour_gets_nowhere_on_grpc(attempts: list[Attempt]) -> None:
    tried = [each for each in attempts if "gRPC" in each["attempt"]]
    assert len(tried) == 12
    assert [each for each in tried if each["outcome"] == "talks"] == []
    [shell] = [each for each in attempts if each["attempt"] == "weed shell"]
    assert shell["outcome"] != "exit 0"
    assert "buckets" not in shell["body"]


def test_a_neighbour_opens_no_file_and_no_socket(attempts: list[Attempt], embedded_engine: Running) -> None:
    home = embedded_engine.settings.home
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in home.rglob("*"):
        if path.is_dir() or path.suffix in {".toml", ".json", ".key", ".sock"}:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    if os.geteuid() == 0:
        doors = [each for each in attempts if each["attempt"].startswith(("file ", "socket "))]
        assert {each["outcome"] for each in doors} == {"PermissionError"}, doors


def test_all_is_as_it_was_after_the_neighbour_has_been(
    attempts: list[Attempt], embedded_engine: Running, repository: str
) -> None:
    assert attempts
    assert b"".join(embedded_engine.engine.read_object(repository, KEY)) == CONTENT
    embedded_engine.engine.prove_policy(repository, 1)
    assert all(part.is_healthy for part in embedded_engine.engine.health())
