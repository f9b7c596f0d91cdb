"""`strongroom upload` and `sync` as typed: transfers opened, renewed, closed; a summary; an end for every trouble."""

import hashlib
import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.live import Terminal
from tests.movers.sink import Sink, sink

from strongroom.agent import moving_runs
from strongroom.cli import lease
from strongroom.cli.client import Api
from strongroom.cli.exits import Exit
from strongroom.cli.output import Json
from strongroom.cli.problems import unavailable
from strongroom.cli.progress import Progress
from strongroom.cli.session import Session, Wishes
from strongroom.db.models import Dataset, ObjectDigest
from strongroom.engines.memory import MemoryEngine
from strongroom.movers.tally import Tally
from strongroom.movers.walk import Trouble

NAME = "Cohort 2025"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """Where the engine of the tests says that its public gateway is."""
    with sink() as made:
        monkeypatch.setattr(MemoryEngine, "public_endpoint", made.url)
        yield made


@pytest.fixture
def pending(terminal: Terminal, store: Sink, monkeypatch: pytest.MonkeyPatch, home: Path) -> Terminal:
    """Somebody with a pending data set, in a folder with files."""
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    terminal.ok("space", "create", "Heart study", "--risk", "high")
    terminal.ok("dataset", "create", "Heart study", NAME, "--kind", "original")
    Path("cohort/deep").mkdir(parents=True)
    for number in range(20):
        Path(f"cohort/deep/{number}.csv").write_bytes(b"row %d\n" % number)
    Path("cohort/empty.txt").touch()
    return terminal


def test_a_folder_arrives_and_the_second_run_has_nothing_to_send(pending: Terminal, store: Sink) -> None:
    said = pending.ok("upload", "cohort", NAME)
    assert f"21 files (130 bytes) of {NAME} proved in the store: 21 files sent" in " ".join(said.split())
    assert store.content()["deep/7.csv"] == b"row 7\n" and len(store.objects) == 21
    told = pending.json("upload", "cohort", NAME)
    assert (told["sent_files"], told["there_already"], told["problem_count"]) == (0, 21, 0)
    closed = pending.json("transfer", "list", NAME, "--all")
    assert [(each["end"], each["file_count"], each["problem_count"]) for each in closed] == [("closed", 21, 0)] * 2
    content = Path(told["manifest"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == closed[0]["manifest_sha256"]
    lines = {each["key"]: each for each in map(json.loads, content.splitlines())}
    assert lines["deep/7.csv"]["sha256"] == hashlib.sha256(b"row 7\n").hexdigest() and len(lines) == 21


def test_the_digests_are_kept_for_the_manifest(pending: Terminal) -> None:
    pending.ok("upload", "cohort", NAME)
    kept = {each.key: each.sha256 for each in ObjectDigest.objects.filter(dataset=Dataset.objects.get())}
    assert len(kept) == 21 and kept["empty.txt"] == hashlib.sha256().hexdigest()


def test_what_the_last_listing_shows_otherwise_is_not_counted_as_sent(pending: Terminal, store: Sink) -> None:
    def refuse(method: str, key: str, query: dict[str, str]) -> None:
        if method == "GET" and "uploads" not in query:
            store.objects.pop("deep/7.csv", None)

    store.refuse = refuse
    result = pending("upload", "cohort", NAME, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == Exit.INCOMPLETE and "deep/7.csv" in result.stderr
    assert (told["sent_files"], told["file_count"], told["size_bytes"], told["problem_count"]) == (20, 20, 124, 1)
    [closed] = pending.json("transfer", "list", NAME, "--all")
    assert (closed["file_count"], closed["size_bytes"], closed["problem_count"]) == (20, 124, 1)


@pytest.mark.parametrize("file", ["nowhere/told.jsonl", "cohort"])
def test_a_transfer_manifest_that_cannot_be_written_is_told_before_anything_is_sent(
    pending: Terminal, store: Sink, file: str
) -> None:
    result = pending("upload", "cohort", NAME, "--manifest", file)
    assert result.exit_code == Exit.USAGE and file in result.stderr and not store.requests
    pending.ok("upload", "cohort", NAME, "--manifest", "told.jsonl")
    assert len(Path("told.jsonl").read_bytes().splitlines()) == 21


class Written(io.StringIO):
    """A stream that knows what was written to it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        self.pieces.append(text)
        return len(text)


def test_events_for_programs_are_whole_lines_whichever_thread_tells_them(monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written()
    monkeypatch.setattr(sys, "stderr", written)
    Progress(Session(Wishes(is_json=True)), Tally()).tell(Trouble("key", "reason"))
    moving_runs.told(is_json=True)(Trouble("key", "reason"))
    assert [(each[-1], json.loads(each)["key"]) for each in written.pieces] == [("\n", "key")] * 2


def test_a_file_that_cannot_be_kept_is_named_everywhere_and_the_exit_code_says_so(pending: Terminal) -> None:
    os.mkfifo("cohort/pipe")
    result = pending("upload", "cohort", NAME)
    assert result.exit_code == Exit.INCOMPLETE
    assert "pipe: it is a named pipe (FIFO), not a file." in result.stderr and "1 problem" in result.stderr
    manifest = next(line for line in result.stderr.splitlines() if line.startswith("Transfer manifest: "))
    last = json.loads(Path(manifest.partition(": ")[2]).read_text().splitlines()[-1])
    assert last["key"] == "pipe" and "FIFO" in last["problem"]
    assert pending.json("transfer", "list", NAME, "--all")[0]["problem_count"] == 1
    result = pending("upload", "cohort", NAME, "--json")
    assert result.exit_code == Exit.INCOMPLETE and json.loads(result.stdout)["problem_count"] == 1
    events = [json.loads(line) for line in result.stderr.splitlines() if line.startswith('{"event"')]
    assert events[0]["event"] == "problem" and events[0]["key"] == "pipe"


def test_a_dry_run_says_what_would_be_done_and_sends_nothing(pending: Terminal, store: Sink) -> None:
    store.objects["old"] = (1, "etag", b"1")
    said = pending.ok("sync", "cohort", NAME, "--delete", "--dry-run", "--include", "*.csv", "--include", "old")
    assert "20 files (" in said and "1 deleted" in said and "deep/7.csv" in said
    assert list(store.objects) == ["old"]


def test_sync_deletes_only_when_it_is_meant(pending: Terminal, store: Sink) -> None:
    store.objects["old"] = (1, "etag", b"1")
    pending.ok("sync", "cohort", NAME)
    assert "old" in store.objects
    assert pending("sync", "cohort", NAME, "--delete").exit_code == Exit.USAGE
    told = pending.json("sync", "cohort", NAME, "--delete", "--confirm", NAME)
    assert told["deleted"] == 1 and "old" not in store.objects and len(store.objects) == 21


@pytest.mark.parametrize("just_renewed_seconds", [0.0, 60.0])
def test_a_finalize_in_the_middle_is_said_with_its_time_and_author(
    pending: Terminal, store: Sink, monkeypatch: pytest.MonkeyPatch, just_renewed_seconds: float
) -> None:
    monkeypatch.setattr(lease, "_JUST_RENEWED_SECONDS", just_renewed_seconds)
    issued = pending.json("key", "issue", NAME)
    assert pending.upload(issued, "a.csv", b"1")  # an empty data set cannot be finalized

    def finalize() -> None:
        pending.ok("dataset", "finalize", NAME, "--confirm", NAME, "--no-wait")

    once = threading.Lock()

    def refuse(method: str, key: str, query: dict[str, str]) -> "tuple[int, str] | None":
        if not once.locked() and (method != "PUT" or len(store.objects) < 5):
            return None
        if once.acquire(blocking=False):
            finalize()
        return (403, "AccessDenied")

    store.refuse = refuse
    result = pending("upload", "cohort", NAME, "--threads", "1")
    assert result.exit_code == Exit.CONFLICT
    assert "finaliz" in result.stderr and pending.email in result.stderr
    assert 5 <= len(store.objects) < 21


def test_credentials_are_renewed_for_as_long_as_it_runs(
    pending: Terminal, store: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_EARLY", 1.0)
    monkeypatch.setattr(lease, "_AT_MOST_EARLY_SECONDS", 3600 - 0.3)
    store.refuse = lambda method, key, query: time.sleep(0.1) if method == "PUT" else None
    pending.ok("upload", "cohort", NAME, "--threads", "1")
    deeds = [each["verb"] for each in pending.json("audit", "list", "--dataset", NAME)]
    assert deeds.count("transfer.renew") >= 3 and len(store.objects) == 21


@pytest.mark.parametrize("days", [-3, 3])
def test_a_clock_that_is_days_off_renews_neither_always_nor_never(
    pending: Terminal, store: Sink, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    json_of = Api._json

    def elsewhere(api: Api, method: str, where: str, **how: Any) -> Json:
        """What the server says of times, as if this machine's clock were the other way off."""
        answer = json_of(api, method, where, **how)
        if "expires_at" in answer:
            answer["expires_at"] = (datetime.fromisoformat(answer["expires_at"]) + timedelta(days=days)).isoformat()
        return answer

    def renewals() -> int:
        return [each["verb"] for each in pending.json("audit", "list", "--dataset", NAME)].count("transfer.renew")

    monkeypatch.setattr(Api, "_json", elsewhere)
    pending.ok("upload", "cohort", NAME, "--threads", "1")
    assert renewals() == 0
    monkeypatch.setattr(lease, "_EARLY", 1.0)
    monkeypatch.setattr(lease, "_AT_MOST_EARLY_SECONDS", 3600 - 0.3)
    for number in range(5):
        Path(f"cohort/{number}").write_bytes(b"new")
    store.refuse = lambda method, key, query: time.sleep(0.2) if method == "PUT" else None
    pending.ok("upload", "cohort", NAME, "--threads", "1")
    assert renewals() > 0


def test_a_key_that_the_store_does_not_take_any_more_is_renewed_once(pending: Terminal, store: Sink) -> None:
    refused: list[str] = []

    def refuse(method: str, key: str, query: dict[str, str]) -> "tuple[int, str] | None":
        if method == "PUT" and len(refused) < 1 and len(store.objects) > 3:
            refused.append(key)
            return (403, "ExpiredToken")
        return None

    store.refuse = refuse
    pending.ok("upload", "cohort", NAME, "--threads", "1")
    assert len(store.objects) == 21 and refused


def test_a_store_that_stays_away_ends_with_a_way_on(pending: Terminal, store: Sink) -> None:
    store.refuse = lambda *_: (503, "SlowDown")
    result = pending("upload", "cohort", NAME, "--patience", "0")
    assert result.exit_code == Exit.UNAVAILABLE
    assert "The same command goes on from here." in result.stderr
    store.refuse = lambda *_: None
    pending.ok("upload", "cohort", NAME)


def test_what_was_begun_is_cleaned_up_and_forgotten(pending: Terminal, store: Sink) -> None:
    with Path("cohort/huge").open("wb") as file:
        file.truncate(40_000_000)
    store.refuse = lambda method, key, query: (503, "SlowDown") if query.get("partNumber") == "2" else None
    assert pending("upload", "cohort", NAME, "--patience", "0").exit_code == Exit.UNAVAILABLE
    assert len(store.uploads) == 1
    store.refuse = lambda *_: None
    assert "1 unfinished upload aborted" in pending.ok("upload", "cohort", NAME, "--abort")
    assert not store.uploads and "huge" not in store.objects
    assert not list(Path(os.environ["XDG_STATE_HOME"]).rglob("*.journal"))


@pytest.mark.parametrize("words", [("--limit", "fast"), ("--into", "_attachments"), ("--into", "a/../b")])
def test_what_cannot_be_meant_is_refused(pending: Terminal, words: tuple[str, str]) -> None:
    result = pending("upload", "cohort", NAME, *words)
    assert result.exit_code == Exit.USAGE and words[1].partition("/")[0] in result.stderr


def test_words_that_would_do_something_else_are_refused(pending: Terminal, store: Sink) -> None:
    pending.ok("upload", "cohort", NAME)
    for words in (
        ("sync", "cohort/empty.txt", NAME, "--delete", "--confirm", NAME),
        ("sync", "--down", "cohort", NAME, "--abort"),
        ("sync", "--down", "cohort", NAME, "--manifest", "told.jsonl"),
        ("sync", "--down", "cohort", NAME, "--skip-links"),
    ):
        assert pending(*words).exit_code == Exit.USAGE, words
    assert len(store.objects) == 21


def test_an_end_whose_answer_was_lost_is_asked_for_again_and_found(
    pending: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, lost = Api.create, []

    def loses_one(api: Api, where: str, body: Json) -> Json:
        answer = create(api, where, body)
        if where.endswith("/close") and not lost:
            lost.append(where)
            raise unavailable("The answer was lost.", "Try again.", code="timeout")
        return answer

    monkeypatch.setattr(Api, "create", loses_one)
    pending.ok("upload", "cohort", NAME)
    assert lost
