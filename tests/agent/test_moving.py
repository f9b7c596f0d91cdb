"""A server brings a data set into a folder, and results into a derivative, with nothing installed; a revoke ends it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.agent.room import until
from tests.agent.site import Server, Site
from tests.journeys.api import Study

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def big(place: Site, serving: Server) -> Study:
    """An original that takes a while at the rate of the tests."""
    study = place.system.uploaded()
    s3 = place.system.s3(study)
    for number in range(12):
        s3.put_object(Bucket=study.repository, Key=f"scans/{number:02}.dcm", Body=bytes([number]) * MIB)
    place.system.finalized(study)
    serving.grant(study)
    return study


def downloaded(server: Server, folder: Path, dataset: str, *words: str) -> Any:
    """What the command tells programs; it must succeed."""
    done = server.run("download", dataset, str(folder), "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_granted_data_set_comes_and_is_proved_by_its_manifest(
    serving: Server, place: Site, open_folder: Path
) -> None:
    folder = open_folder / "first"
    told = downloaded(serving, folder, place.original.name)
    assert files(folder) == {f"first/{number}.csv": f"row {number}\n".encode() for number in range(3)}
    assert told["files_received"] == 3 and told["problems"] == 0
    again = downloaded(serving, folder, place.original.repository)
    assert (again["files_received"], again["files_kept"]) == (0, 3)

    part = downloaded(serving, open_folder / "part", place.original.name, "--prefix", "first")
    assert part["files_received"] == 3 and set(files(open_folder / "part")) == {"0.csv", "1.csv", "2.csv"}

    done = serving.run("verify", str(folder), "--dataset", place.original.name)
    assert (done.returncode, done.stdout) == (0, "3 files (18 bytes) are what the manifest says.\n"), done.stderr
    (folder / "first" / "1.csv").write_bytes(b"row X\n")
    (folder / "extra").write_bytes(b"")
    done = serving.run("verify", str(folder), "--dataset", place.original.id)
    assert done.returncode == 9 and "is not what the manifest says: 2 differences." in done.stderr
    assert "altered    first/1.csv: its MD5 is another one" in done.stdout
    assert "extra      extra: it is not in the manifest" in done.stdout

    done = serving.run("download", place.original.name, str(folder))
    assert done.returncode == 1 and "first/1.csv: another file of this name is here already" in done.stderr
    assert downloaded(serving, folder, place.original.name, "--delete")["files_removed"] == 1
    assert len(files(folder)) == 3


def test_a_manifest_that_was_saved_does_as_well(serving: Server, place: Site, open_folder: Path) -> None:
    folder, saved = open_folder / "saved", open_folder / "manifest.jsonl"
    downloaded(serving, folder, place.original.name)
    saved.write_bytes(place.system.owner.bytes(f"{place.original.path}/manifest/download"))
    shown = place.system.owner.get(f"{place.original.path}/manifest")
    assert hashlib.sha256(saved.read_bytes()).hexdigest() == shown["root_sha256"]
    assert serving.run("verify", str(folder), "--manifest", str(saved)).returncode == 0
    saved.write_bytes(b"none\n")
    done = serving.run("verify", str(folder), "--manifest", str(saved))
    assert done.returncode == 2 and "line 1 is not one of a manifest" in done.stderr
    assert serving.run("verify", str(folder)).returncode == 2


def test_a_mount_says_itself_which_data_set_it_is(serving: Server, place: Site, open_folder: Path) -> None:
    mount = open_folder / "mounted"
    mount.mkdir()
    try:
        done = serving.run("mount", place.original.name, str(mount))
        assert done.returncode == 0, done.stderr
        done = serving.run("verify", str(mount), "--json")
        assert done.returncode == 0 and json.loads(done.stdout)["same_files"] == 3, done
    finally:
        assert serving.run("umount", str(mount)).returncode == 0


def test_what_was_not_granted_is_not_had(serving: Server, place: Site, open_folder: Path) -> None:
    other = place.system.uploaded()
    place.system.finalized(other)
    done = serving.run("download", other.id, str(open_folder / "other"))
    assert done.returncode == 13 and "was not granted access" in done.stderr and not (open_folder / "other").exists()


def test_a_revoke_in_the_middle_ends_it_with_one_clear_line(
    big: Study, serving: Server, place: Site, open_folder: Path
) -> None:
    folder, log = open_folder / "big", open_folder / "download.log"
    command = serving.command("download", big.name, str(folder), "--limit", "600k")
    going = place.machine.start(*command, environ=place.environ(), log=log)
    until(lambda: len(list(folder.glob("scans/*.dcm"))) >= 2, "two files", more=lambda: log.read_text())
    place.system.owner.delete(f"{big.path}/grants/{serving.id}")
    assert going.wait(150) == 14, log.read_text()
    (line,) = log.read_text().splitlines()
    assert line.startswith(f"strongroom: Access to “{big.name}” ended in the middle") and "Ask a steward" in line
    came = files(folder)
    assert 2 <= sum(name.endswith(".dcm") for name in came) < 12

    serving.grant(big)
    told = downloaded(serving, folder, big.name)
    assert told["files_kept"] >= 2 and told["problems"] == 0
    assert serving.run("verify", str(folder), "--dataset", big.name).returncode == 0
    assert files(folder)["scans/11.dcm"] == bytes([11]) * MIB


@pytest.fixture(scope="module")
def results(place: Site, serving: Server) -> Study:
    """A derivative that the server works in; it was finalized with `first/0.csv` to `first/2.csv`."""
    study = place.system.uploaded(kind="derivative", source_ids=[place.original.id])
    place.system.finalized(study)
    serving.grant(study)
    return study


def uploaded(server: Server, verb: str, folder: Path, dataset: str, *words: str) -> Any:
    """What the command tells programs; it must succeed."""
    done = server.run(verb, str(folder), dataset, "--json", *words)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def held(place: Site, study: Study, prefix: str) -> dict[str, int]:
    """Sizes by key below a prefix, as the engine has them."""
    listing = place.system.listing(study.repository)
    return {key[len(prefix) :]: size for key, (size, _) in listing.items() if key.startswith(prefix)}


def test_results_go_into_a_derivative_and_nothing_goes_into_an_original(
    results: Study, serving: Server, place: Site, open_folder: Path
) -> None:
    folder = open_folder / "results"
    (folder / "tables").mkdir(parents=True)
    for number in range(5):
        (folder / "tables" / f"{number}.csv").write_text(f"{number}\n")
    (folder / "volume.bin").write_bytes(bytes(18 * MIB))
    (folder / "notes.tmp").write_text("mine")

    before = place.system.listing(place.original.repository)
    done = serving.run("upload", str(folder), place.original.name)
    assert (done.returncode, done.stdout) == (13, "") and done.stderr.count("\n") == 1, done
    assert "is an original: servers read it" in done.stderr and "--kind derivative" in done.stderr
    assert place.system.listing(place.original.repository) == before

    words = ("--into", "run-7/", "--exclude", "*.tmp")
    assert uploaded(serving, "upload", folder, results.name, *words, "--dry-run")["send"] == 6
    assert held(place, results, "run-7/") == {}
    told = uploaded(serving, "upload", folder, results.name, *words)
    assert (told["sent_files"], told["left_out"], told["problems"]) == (6, 1, 0)
    expected = {f"tables/{number}.csv": 2 for number in range(5)} | {"volume.bin": 18 * MIB}
    assert held(place, results, "run-7/") == expected
    lines = [json.loads(line) for line in Path(told["manifest"]).read_text().splitlines()]
    assert {line["key"][len("run-7/") :]: line["size_bytes"] for line in lines} == expected
    assert Path(told["manifest"]).is_relative_to(serving.folder / "state" / "transfers")
    more = ("--read-all", "--patience", "1", "--label", "night run")
    again = uploaded(serving, "upload", folder, results.id, *words, *more)
    assert (again["sent_files"], again["there_already"]) == (0, 6)
    assert json.loads(Path(again["manifest"]).read_text().splitlines()[0]) == {"label": "night run"}
    assert uploaded(serving, "upload", folder, results.id, *words, "--abort") == {"aborted": 0}
    assert not Path(again["manifest"]).with_suffix(".journal").exists() and len(held(place, results, "run-7/")) == 6
    assert place.system.owner.get(f"{results.path}/transfers")["items"] == []

    (folder / "tables" / "4.csv").unlink()
    done = serving.run("sync", str(folder), results.name, *words, "--delete")
    assert done.returncode == 2 and "Nothing was done" in done.stderr and len(held(place, results, "run-7/")) == 6
    one = folder / "volume.bin"
    done = serving.run("sync", str(one), results.name, "--delete", "--confirm", results.name)
    assert done.returncode == 2 and "is a file" in done.stderr and len(held(place, results, "run-7/")) == 6
    told = uploaded(serving, "sync", folder, results.name, *words, "--delete", "--confirm", results.name)
    assert told["deleted"] == 1 and len(held(place, results, "run-7/")) == 5
    assert len(held(place, results, "first/")) == 3

    copy = open_folder / "results-copy"
    told = uploaded(serving, "sync", copy, results.name, "--down", "--into", "run-7", "--threads", "1", "--read-all")
    assert (told["files_received"], told["problems"]) == (5, 0)
    assert {key: len(content) for key, content in files(copy).items()} == held(place, results, "run-7/")


def test_a_revoke_ends_an_upload_with_one_clear_line_and_it_goes_on_later(
    results: Study, serving: Server, place: Site, open_folder: Path
) -> None:
    folder, log = open_folder / "many", open_folder / "upload.log"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02}.dcm").write_bytes(bytes([number]) * MIB)
    words = ("upload", str(folder), results.name, "--into", "many")
    going = place.machine.start(
        *serving.command(*words, "--limit", "600k", "--threads", "2"), environ=place.environ(), log=log
    )
    until(lambda: len(held(place, results, "many/")) >= 2, "two files", more=lambda: log.read_text())
    place.system.owner.delete(f"{results.path}/grants/{serving.id}")
    assert going.wait(150) == 14, log.read_text()
    (line,) = log.read_text().splitlines()
    assert line.startswith(f"strongroom: Access to “{results.name}” ended in the middle") and "Ask a steward" in line
    there = len(held(place, results, "many/"))
    assert 2 <= there < 12

    serving.grant(results)
    told = uploaded(serving, *words[:1], folder, results.name, *words[3:])
    assert (told["sent_files"] + told["there_already"], told["problems"]) == (12, 0)
    assert told["there_already"] >= there
    assert held(place, results, "many/") == {f"{number:02}.dcm": MIB for number in range(12)}


def strongroom(place: Site, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command line on somebody's own machine, signed in as the owner of the data sets."""
    environ = place.environ(STRONGROOM_URL=place.url, STRONGROOM_TOKEN=place.system.owner.token)
    command = [sys.executable, "-m", "strongroom.cli", *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=200)


def test_off_a_server_only_a_pending_data_set_is_downloaded(place: Site, open_folder: Path) -> None:
    study, folder = place.system.uploaded(), open_folder / "own"
    done = strongroom(place, "download", study.id, str(folder), "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["compared_by"] == {"MD5": 3}, done
    assert files(folder) == {f"first/{number}.csv": f"row {number}\n".encode() for number in range(3)}
    ended = place.system.owner.get(f"{study.path}/transfers")["items"]
    assert [(each["direction"], each["end"]) for each in ended] == [("download", "closed")]

    (folder / "first" / "0.csv").write_bytes(b"mine")
    (folder / "more").write_bytes(b"")
    done = strongroom(place, "download", study.id, str(folder))
    assert done.returncode == 10 and "another file of this name is here already" in done.stderr, done
    done = strongroom(place, "sync", "--down", "--delete", str(folder), study.id, "--confirm", study.name)
    assert done.returncode == 0 and len(files(folder)) == 3, done
    assert strongroom(place, "download", study.id, str(folder), "--dry-run", "--json").returncode == 0

    place.system.finalized(study)
    done = strongroom(place, "download", study.id, str(folder))
    assert done.returncode == 6 and "only on servers that were granted access" in done.stderr, done
