"""Transfers as typed at a terminal: credentials for a shell or a program, digests from a file, and the end of it."""

import json
import re
import shlex
from pathlib import Path

from tests.cli.live import Terminal

from strongroom.cli.exits import Exit


def _dataset(terminal: Terminal) -> dict[str, str]:
    terminal.ok("space", "create", "Heart study", "--risk", "high")
    made: dict[str, str] = terminal.json("dataset", "create", "Heart study", "Cohort 2024", "--kind", "original")
    return made


def _exported(text: str) -> dict[str, str]:
    """What a shell has in its environment that evaluated the text."""
    words = [shlex.split(line) for line in text.splitlines()]
    assert {word[0] for word in words} == {"export"}
    return {name: value for _, assignment in words for name, _, value in [assignment.partition("=")]}


def test_a_shell_gets_its_environment_and_people_what_to_know_beside_it(terminal: Terminal) -> None:
    made = _dataset(terminal)
    result = terminal("transfer", "open", "Cohort 2024", "--label", "night run")
    assert result.exit_code == Exit.OK
    first = _exported(result.stdout)
    assert list(first) == [
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION"),
    ]
    assert f"s3://{made['repository']}" in result.stderr
    assert first["AWS_SECRET_ACCESS_KEY"] not in result.stderr
    [transfer_id] = re.findall(r"Transfer (\S+) ", result.stderr)
    second = _exported(terminal("transfer", "renew", transfer_id).stdout)
    assert second.keys() == first.keys()
    assert second["AWS_SECRET_ACCESS_KEY"] != first["AWS_SECRET_ACCESS_KEY"]


def test_a_program_opens_records_and_closes_and_people_see_what_it_did(terminal: Terminal, tmp_path: Path) -> None:
    _dataset(terminal)
    opened = terminal.json("transfer", "open", "Cohort 2024", "--direction", "upload", "--label", "scanner 7")
    assert opened["secret"] and opened["session_token"]
    lines = [{"key": f"{number}.csv", "size_bytes": 1, "etag": "e", "sha256": "0" * 64} for number in range(1001)]
    (tmp_path / "digests.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "1,001 digests recorded" in terminal.ok("transfer", "record", opened["id"], "digests.jsonl")
    printed = [json.loads(line) for line in terminal.ok("transfer", "recorded", "Cohort 2024").splitlines()]
    assert [line["key"] for line in printed] == sorted(line["key"] for line in lines)
    assert {line["checksum"] for line in printed} == {f"sha256:{'0' * 64}"}
    assert "scanner 7" in terminal.ok("transfer", "list", "Cohort 2024")
    assert terminal.ok("transfer", "list", "Cohort 2024", "--quiet").split() == [opened["id"]]

    counts = ("--files", "1001", "--bytes", "1001", "--problems", "0")
    assert terminal.json("transfer", "close", opened["id"], *counts)["end"] == "closed"
    assert "no transfers now" in terminal("transfer", "list", "Cohort 2024").stderr
    shown = terminal.ok("transfer", "show", opened["id"])
    assert f"by {terminal.email}" in shown and "1,001" in shown
    assert opened["secret"] not in shown
    for deed in ("renew", "close"):
        refused = terminal("transfer", deed, opened["id"])
        assert refused.exit_code == Exit.CONFLICT and "it was closed" in refused.stderr
    terminal.ok("dataset", "finalize", "Cohort 2024", "--confirm", "Cohort 2024", "--allow-empty")
    gone = terminal("transfer", "recorded", "Cohort 2024")
    assert gone.exit_code == Exit.CONFLICT and "is forgotten" in gone.stderr and not gone.stdout


def test_a_line_that_is_no_digest_is_named_and_what_came_before_in_its_batch_is_not_sent(
    terminal: Terminal, tmp_path: Path
) -> None:
    _dataset(terminal)
    opened = terminal.json("transfer", "open", "Cohort 2024")
    good = json.dumps({"key": "a", "size_bytes": 1, "etag": "e", "sha256": "0" * 64})
    for wrong in ("{", "[]", '{"key": "a"}', good.replace("1,", '"1",'), good.replace("1,", "true,")):
        (tmp_path / "digests.jsonl").write_text(f"{good}\n\n{wrong}\n")
        result = terminal("transfer", "record", opened["id"], "digests.jsonl")
        assert result.exit_code == Exit.USAGE and "Line 3 is no digest" in result.stderr
    assert "transfer.record" not in {event["verb"] for event in terminal.json("audit", "list")}
