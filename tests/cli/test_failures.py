"""Whatever goes wrong is one clear sentence with a way out and an exit code; never a traceback."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli import servers
from tests.cli.live import Run

from strongroom.cli import exits
from strongroom.cli.client import Api
from strongroom.cli.exits import Exit
from strongroom.cli.main import main
from strongroom.cli.problems import Problem
from strongroom.core import errors

PROBLEM = {
    "type": "about:blank",
    "title": "Conflict",
    "status": 409,
    "detail": "Cohort is finalized and cannot be edited.",
    "code": "state",
    "way_out": "Make a derivative of it.",
    "request_id": "req-77",
}


def test_a_problem_shows_what_was_refused_and_what_to_do_instead(run: Run) -> None:
    with servers.answering(409, json.dumps(PROBLEM).encode(), "application/problem+json") as url:
        result = run("space", "list", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.CONFLICT
    assert result.stdout == ""
    assert PROBLEM["detail"] in result.stderr and f"→ {PROBLEM['way_out']}" in result.stderr
    assert "state · request req-77" in result.stderr


def test_with_json_a_problem_is_json_on_standard_error(run: Run) -> None:
    with servers.answering(409, json.dumps(PROBLEM).encode(), "application/problem+json") as url:
        result = run("space", "list", "--json", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    told = json.loads(result.stderr)
    assert told["code"] == "state" and told["way_out"] == PROBLEM["way_out"] and told["exit_code"] == Exit.CONFLICT
    assert result.stdout == ""


def test_each_refusal_of_the_server_has_an_exit_code_of_its_own() -> None:
    refusals = (errors.NotFound, errors.Forbidden, errors.Conflict, errors.Invalid, errors.Unavailable)
    codes = [exits.of_status(refusal.status) for refusal in refusals]
    assert codes == [Exit.NOT_FOUND, Exit.FORBIDDEN, Exit.CONFLICT, Exit.INVALID, Exit.UNAVAILABLE]
    assert exits.of_status(401) is Exit.NOT_SIGNED_IN
    assert exits.of_status(413) is Exit.INVALID
    assert exits.of_status(429) is Exit.UNAVAILABLE
    assert exits.of_status(500) is Exit.UNEXPECTED


def test_nobody_listening_is_said_plainly(run: Run) -> None:
    url = servers.closed_port()
    result = run("space", "list", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.UNAVAILABLE
    assert f"{url} cannot be reached: connection refused." in result.stderr
    assert "Start it with `make up`" in result.stderr


def test_a_connection_that_breaks_is_said_plainly(run: Run) -> None:
    with servers.hanging_up() as url:
        result = run("space", "list", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.UNAVAILABLE
    assert "broke off the connection" in result.stderr


def test_what_is_created_is_asked_for_again_under_the_same_idempotency_key(run: Run) -> None:
    made = {"id": "1", "name": "Heart", "risk_level": "high"}
    with servers.stumbling(json.dumps(made).encode()) as (url, requests):
        result = run("space", "create", "Heart", "--risk", "high", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.OK, result.output
    keys = {line for request in requests for line in request.split(b"\r\n") if line.startswith(b"Idempotency-Key")}
    assert len(requests) == 2 and len(keys) == 1


def test_a_file_is_sent_whole_again_when_the_connection_broke(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dua.pdf").write_bytes(b"%PDF" + bytes(range(256)) * 1000)
    identity = "00000000-0000-0000-0000-000000000001"
    with servers.stumbling(b"{}") as (url, requests), (tmp_path / "dua.pdf").open("rb") as body:
        Api(url, "t").upload(f"/datasets/{identity}/attachments", {"title": "T", "kind": "other"}, "dua.pdf", body)
    assert len(requests) == 2
    assert all((tmp_path / "dua.pdf").read_bytes() in request for request in requests)


def test_a_deed_without_such_a_key_is_not_repeated_by_itself(home: Path) -> None:
    with servers.stumbling(b"{}") as (url, requests), pytest.raises(Problem, match="broke off the connection"):
        Api(url, "t").post("/datasets/1/finalize", {"confirm_name": "x"})
    assert len(requests) == 1


def test_a_web_page_in_place_of_the_api_is_said_plainly(run: Run) -> None:
    with servers.answering(200, b"<html>Hello</html>", "text/html; charset=utf-8") as url:
        result = run("space", "list", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.UNAVAILABLE
    assert "answered 200 with text/html, not as Strongroom's API does" in result.stderr


def test_a_proxy_without_strongroom_behind_it_is_said_plainly(run: Run) -> None:
    with servers.answering(502, b"<html>Bad gateway</html>", "text/html") as url:
        result = run("space", "list", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.UNAVAILABLE
    assert "a proxy is there, Strongroom behind it is not" in result.stderr


def test_a_redirection_is_not_followed_with_the_token(run: Run) -> None:
    with servers.answering(302, b"", "text/html", Location="https://elsewhere.example.org/") as url:
        result = run("space", "list", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.UNAVAILABLE
    assert "sends us on to https://elsewhere.example.org/" in result.stderr


def test_a_server_without_tls_at_an_https_address_is_said_plainly(run: Run) -> None:
    with servers.answering(200, b"{}", "application/json") as url:
        address = url.replace("http:", "https:")
        result = run("space", "list", STRONGROOM_URL=address, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.UNAVAILABLE
    assert "No secure connection" in result.stderr


def test_a_certificate_nobody_vouches_for_is_said_plainly(run: Run, tmp_path: Path) -> None:
    with servers.self_signed(tmp_path) as url:
        result = run("space", "list", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.UNAVAILABLE
    assert "cannot be trusted" in result.stderr and "SSL_CERT_FILE" in result.stderr


@pytest.mark.parametrize("address", ["http://", "ftp://host", "https://user@host", "http://[::", "::"])
def test_what_is_no_address_is_said_plainly(run: Run, address: str) -> None:
    result = run("space", "list", STRONGROOM_URL=address, STRONGROOM_TOKEN="t")
    assert result.exit_code == Exit.USAGE
    assert "is not" in result.stderr


def test_without_sign_in_the_way_to_it_is_told(run: Run) -> None:
    result = run("space", "list")
    assert result.exit_code == Exit.NOT_SIGNED_IN
    assert "strongroom login URL" in result.stderr


def test_ctrl_c_ends_quietly_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from strongroom.cli.client import Api

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Api, "get", interrupted)  # the key, not our code, is what is played here
    result = run("space", "list", STRONGROOM_URL="http://127.0.0.1:9", STRONGROOM_TOKEN="t")
    assert (result.exit_code, result.output) == (Exit.INTERRUPTED, "")


def test_the_exit_codes_stand_in_the_help() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    for code in Exit:
        assert f"\n  {int(code)} " in shown


def test_a_name_that_is_not_a_command_is_a_usage_error(run: Run) -> None:
    assert run("dataset", "explode").exit_code == Exit.USAGE


def test_text_of_a_server_cannot_steer_the_terminal(run: Run) -> None:
    nasty = {**PROBLEM, "detail": "gone\x1b[2J\u202egnp"}
    with servers.answering(404, json.dumps(nasty).encode(), "application/problem+json") as url:
        result = run("space", "list", STRONGROOM_URL=url, STRONGROOM_TOKEN="t")
    assert "gone\\x1b[2J\\u202egnp" in result.stderr
