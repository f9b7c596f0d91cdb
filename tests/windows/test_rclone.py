"""The configuration that the module writes for rclone, given to the real rclone on a real engine."""

import json
import os
import re
import subprocess
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.windows.conftest import SERVER, Agent, Dataset
from tests.windows.drives import MODULE, RCLONE, Drive, filled, template

from strongroom.agent import config as agent_config
from strongroom.agent import local
from strongroom.agent.problems import Trouble
from strongroom.core.vocabulary import Kind

REFUSALS = json.loads((MODULE / "refusals.json").read_text())["refusals"]


def refusal(drive: Drive) -> str:
    """The id of what `Assert-BucketReadable` would say; it compares as PowerShell's `-match` does."""
    said = drive.prove()
    assert said.returncode != 0, said.stdout
    return next(each["id"] for each in REFUSALS if re.search(each["pattern"], said.stderr, re.IGNORECASE))


def test_rclone_knows_every_option_and_every_key_of_the_remote() -> None:
    flags = subprocess.run([RCLONE, "mount", "--help"], capture_output=True, text=True, check=True).stdout
    flags += subprocess.run([RCLONE, "help", "flags"], capture_output=True, text=True, check=True).stdout
    given = [word for part in ("prove", "mount", "mount_read_only", "mount_windows") for word in template()[part]]
    missing = [word for word in given if word.startswith("--") and not re.search(rf"{word}\b", flags)]
    assert missing == []
    providers = subprocess.run([RCLONE, "config", "providers"], capture_output=True, text=True, check=True).stdout
    (s3,) = [each for each in json.loads(providers) if each["Name"] == "s3"]
    keys = {line.partition(" = ")[0] for line in template()["remote"][2:]}
    assert keys <= {option["Name"] for option in s3["Options"]}


def test_a_word_that_nobody_gives_is_noticed() -> None:
    with pytest.raises(KeyError, match="bucket"):
        filled(["strongroom:{bucket}"])


def test_every_word_of_the_template_is_one_that_the_module_fills_in() -> None:
    asked = {word for lines in template().values() for line in lines for word in re.findall(r"\{(\w+)\}", line)}
    table = (MODULE / "Private" / "Mount-Drive.ps1").read_text().partition("$value = @{")[2].partition("}\n")[0]
    assert set(re.findall(r"^\s+(\w+)\s+=", table, re.MULTILINE)) == asked


def test_a_granted_server_lists_and_reads_with_no_key_configured(
    dataset: Dataset, drive: Drive, listening: Agent
) -> None:
    dataset.grant(Kind.ORIGINAL, SERVER)
    assert drive.prove().stdout.split() == ["_attachments/", "scores.csv", "wave/"]
    remote = f"strongroom:{dataset.repository}"
    assert drive.rclone("cat", f"{remote}/scores.csv").stdout == "17"
    copied = drive.folder / "one.csv"
    assert drive.rclone("copyto", f"{remote}/wave/one.csv", str(copied)).returncode == 0
    assert copied.stat().st_size == 5000
    refused = drive.rclone("copyto", str(copied), f"{remote}/more.csv")
    assert refused.returncode != 0 and "AccessDenied" in refused.stderr
    text = (drive.folder / "rclone.conf").read_text()
    assert not any(each in text for each in ("access_key_id", "secret", listening.token_file.read_text()))


def test_each_reason_why_a_bucket_cannot_be_read_is_told_from_the_others(
    dataset: Dataset, drive: Drive, listening: Agent, tmp_path: Path
) -> None:
    dataset.grant(Kind.ORIGINAL)
    assert refusal(drive) == "BucketNotGranted"
    dataset.grant(Kind.ORIGINAL, SERVER)
    assert drive.prove().returncode == 0
    nowhere = replace(drive, folder=tmp_path / "nowhere", endpoint="http://127.0.0.1:9")
    assert refusal(nowhere) == "GatewayUnreachable"
    stranger = replace(drive, folder=tmp_path / "stranger", bucket="dataset-test-0000000000000000")
    assert refusal(stranger) in ("BucketMissing", "BucketNotGranted")
    other = tmp_path / "other-token"
    other.write_text("guessed")
    assert refusal(replace(drive, folder=tmp_path / "guessing", token_file=other)) == "CredentialsMissing"
    closed = replace(drive, folder=tmp_path / "closed", credentials_url="http://127.0.0.1:9/credentials")
    assert refusal(closed) == "CredentialsMissing"


def test_the_drive_of_an_original_reads_and_refuses_every_write(
    dataset: Dataset, drive: Drive, listening: Agent
) -> None:
    dataset.grant(Kind.ORIGINAL, SERVER)
    with drive.mounted() as root:
        assert sorted(path.name for path in root.iterdir()) == ["_attachments", "scores.csv", "wave"]
        assert (root / "wave" / "one.csv").read_bytes() == b"x" * 5000
        assert (root / "_attachments" / "dua.pdf").read_bytes() == b"agreement"
        for attempt in (
            lambda: (root / "new.csv").write_text("1"),
            lambda: (root / "scores.csv").unlink(),
            lambda: (root / "scores.csv").rename(root / "renamed.csv"),
            lambda: (root / "folder").mkdir(),
        ):
            with pytest.raises(OSError, match="Read-only"):
                attempt()


def test_the_drive_of_a_derivative_is_written_to_at_once_but_for_its_attachments(
    dataset: Dataset, drive: Drive, listening: Agent
) -> None:
    dataset.grant(Kind.DERIVATIVE, SERVER)
    stored = dataset.running.client()
    with replace(drive, folder=drive.folder / "w", is_read_only=False).mounted() as root:
        (root / "result.csv").write_text("23")
        assert stored.get_object(Bucket=dataset.repository, Key="result.csv")["Body"].read() == b"23"
        large = os.urandom(20_000_000)
        (root / "large.bin").write_bytes(large)
        assert stored.get_object(Bucket=dataset.repository, Key="large.bin")["Body"].read() == large
        (root / "result.csv").rename(root / "final.csv")
        assert (root / "final.csv").read_text() == "23"
        (root / "final.csv").unlink()
        with pytest.raises(OSError, match="Input/output error"):
            (root / "_attachments" / "dua.pdf").write_bytes(b"forged")
        assert (root / "_attachments" / "dua.pdf").read_bytes() == b"agreement"


def test_a_revoked_drive_gives_errors_and_nothing_written_to_it_arrives_later(
    dataset: Dataset, drive: Drive, listening: Agent
) -> None:
    dataset.grant(Kind.DERIVATIVE, SERVER)
    with replace(drive, folder=drive.folder / "w", is_read_only=False).mounted() as root:
        assert (root / "scores.csv").read_text() == "17"
        dataset.grant(Kind.DERIVATIVE)
        with pytest.raises(OSError, match="Input/output error"):
            (root / "scores.csv").read_text()
        with pytest.raises(OSError, match="Input/output error"):
            (root / "late.csv").write_text("23")
        time.sleep(5.5)  # the drive keeps a listing for five seconds
        with pytest.raises(OSError, match="Input/output error"):
            list(root.iterdir())
        dataset.grant(Kind.DERIVATIVE, SERVER)
        assert (root / "scores.csv").read_text() == "17"
        assert "late.csv" not in [each.name for each in root.iterdir()]
    keys = dataset.running.client().list_objects_v2(Bucket=dataset.repository)["Contents"]
    assert "late.csv" not in [each["Key"] for each in keys]


def test_a_drive_that_starts_before_the_agent_works_once_the_agent_answers(
    dataset: Dataset, drive: Drive, agent: Agent
) -> None:
    dataset.grant(Kind.ORIGINAL, SERVER)
    agent.start()  # so that its token file is there, as it is after a restart of Windows
    agent.stop()
    with drive.mounted() as root:
        with pytest.raises(OSError, match="Input/output error"):
            list(root.iterdir())
        agent.start()
        assert (root / "scores.csv").read_text() == "17"


def test_a_drive_lives_through_many_sessions_and_through_a_new_token_of_the_agent(
    dataset: Dataset, drive: Drive, agent: Agent
) -> None:
    dataset.grant(Kind.ORIGINAL, SERVER)
    agent.lifetime = timedelta(seconds=6)
    agent.start()
    with drive.mounted() as root:
        assert (root / "scores.csv").read_text() == "17"
        time.sleep(7)
        assert (root / "wave" / "one.csv").read_bytes() == b"x" * 5000
        before, old = agent.asked, agent.token_file.read_text()
        agent.stop()
        agent.start()
        assert agent.token_file.read_text() != old
        time.sleep(7)
        assert (root / "scores.csv").read_text() == "17"
        assert agent.asked > before > 1


def test_the_agent_tells_its_status_over_http_to_whoever_holds_the_token(listening: Agent) -> None:
    config = agent_config.load(*listening.places)
    told = local.over_http(config, "/status")
    assert (told["server"]["name"], told["imds"]) == ("genomics-1", "off")
    assert local.over_http(config, "/credentials")["Expiration"]
    listening.token_file.write_text("guessed")
    with pytest.raises(Trouble, match="not the one"):
        local.over_http(config, "/status")
    listening.stop()
    with pytest.raises(Trouble, match="not running"):
        local.over_http(config, "/status")
