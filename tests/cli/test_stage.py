"""The tour holds every command to what was told: a refusal that does not come ends it."""

import sys
from pathlib import Path

import pytest
from tests.cli.live import Run

from strongroom.cli.exits import Exit
from strongroom.cli.problems import Problem
from strongroom.cli.tour import clients, sample
from strongroom.cli.tour.stage import Stage

SAYS = "import sys; print(sys.argv[2]); sys.exit(int(sys.argv[1]))"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A stage on which `say CODE WORDS` prints the words and ends with the code."""
    return Stage(tmp_path, {"say": [sys.executable, "-c", SAYS]}, chapters=1, is_paced=False)


def test_a_command_that_fails_ends_the_tour(stage: Stage) -> None:
    stage.run("say", "0", "fine")
    with pytest.raises(Problem, match="It should have succeeded, but ended with 3"):
        stage.run("say", "3", "broken")


def test_a_write_that_is_let_through_ends_the_tour(stage: Stage) -> None:
    with pytest.raises(Problem, match="The store should have refused it, and did not") as told:
        stage.refused("say", "0", "upload: done, AccessDenied never came")
    assert told.value.exit is Exit.UNEXPECTED
    assert stage.tally.refusals == 0


def test_a_failure_that_is_no_refusal_ends_the_tour(stage: Stage) -> None:
    with pytest.raises(Problem, match="should have refused"):
        stage.refused("say", "255", "Could not connect to the endpoint URL")


def test_a_refusal_is_counted_and_told(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.refused("say", "1", "upload failed: An error occurred (AccessDenied) when calling PutObject: Access Denied")
    assert stage.tally.refusals == 1
    assert "✗ refused by the store: An error occurred (AccessDenied)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (
            'NOTICE: Config file "/data/403/rclone.conf" not found\n'
            "ERROR : api error AccessDenied: Access Denied.\nNOTICE: Failed to copyto: 403",
            "ERROR : api error AccessDenied: Access Denied.",
        ),
        (
            "NOTICE: /403/AccessDenied.csv: no\nERROR : AccessDenied: Access Denied\n\tstatus code: 403, request id: 1",
            "ERROR : AccessDenied: Access Denied",
        ),
        ("NOTICE: /403/AccessDenied.csv\nERROR : https response error StatusCode: 403, RequestID: 1", "ERROR : https"),
    ],
)
def test_a_path_that_looks_like_a_refusal_is_none(
    stage: Stage, capsys: pytest.CaptureFixture[str], printed: str, told: str
) -> None:
    stage.refused("say", "1", printed)
    assert f"✗ refused by the store: {told}" in capsys.readouterr().out
    with pytest.raises(Problem, match="should have refused"):
        stage.refused("say", "1", "Failed to open /data/403/AccessDenied.csv: no such file or directory")


def test_a_forgery_must_be_found_out_with_its_own_exit_code(stage: Stage) -> None:
    stage.caught("say", "9", "no", code=Exit.NOT_VERIFIED, as_what="found out")
    with pytest.raises(Problem, match="It should have ended with 9, but ended with 1"):
        stage.caught("say", "1", "a traceback", code=Exit.NOT_VERIFIED, as_what="found out")


def test_variables_are_printed_short_and_run_whole(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.set("REPOSITORY", "dataset-ss-1")
    assert stage.run("say", "0", "s3://$REPOSITORY/a b").strip() == "s3://dataset-ss-1/a b"
    printed = capsys.readouterr().out
    assert '$ say 0 "s3://$REPOSITORY/a b"' in printed and "export REPOSITORY=dataset-ss-1" in printed


def test_the_sample_agreement_is_a_page_that_readers_open(tmp_path: Path) -> None:
    sample.write(tmp_path)
    page = (tmp_path / "agreement.pdf").read_bytes()
    start = int(page.rsplit(b"startxref\n", 1)[1].split()[0])
    assert page[start:].startswith(b"xref\n0 5\n")
    for number, place in enumerate(page[start:].split(b"\n")[3:7], 1):
        assert page[int(place.split()[0]) :].startswith(b"%d 0 obj" % number)


def test_without_a_client_the_tour_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(Problem, match="no S3 client here") as told:
        clients.found()
    assert "pip install awscli" in told.value.way_out


def test_the_tour_asks_before_it_makes_what_stays(run: Run) -> None:
    result = run("tour")
    assert result.exit_code == Exit.NOT_SIGNED_IN
