"""Whatever goes wrong, the answer is a problem that says what, why and what to do instead."""

import json

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings

from strongroom.actions import people
from tests.api.callers import PREFIX, Caller, calling
from tests.bearers import secret_of
from tests.world import World

FIELDS = {"type", "title", "status", "detail", "code", "way_out", "fields", "request_id"}


def problem(answer: HttpResponse, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, object] = json.loads(answer.content)
    assert set(found) == FIELDS
    assert (found["status"], found["code"]) == (status, code)
    assert found["type"] == f"urn:strongroom:problem:{code}"
    assert found["detail"]
    assert found["request_id"] == answer.headers["X-Request-Id"]
    return found


def test_a_stranger_is_told_how_to_sign_in(world: World) -> None:
    answer = Caller()("GET", "/spaces")
    assert "strongroom login" in str(problem(answer, 401, "unauthenticated")["way_out"])
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="strongroom"'


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer srt_x", "Basic cm9vdDp4", "Bearer é", "srt_abc"])
def test_what_is_no_token_is_refused_and_never_repeated(world: World, header: str) -> None:
    answer = Client().get(f"{PREFIX}/spaces", headers={"Authorization": header})
    found = problem(answer, 401, "unauthenticated")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert "srt_x" not in str(found)


def test_what_one_may_not_know_of_is_not_found(world: World) -> None:
    space = world.space()
    problem(calling(world.person())("GET", f"/spaces/{space.id}"), 404, "not-found")


def test_what_one_may_see_but_not_do_is_forbidden(world: World) -> None:
    found = problem(calling(world.person())("POST", "/people", {"email": "a@example.org", "name": "A"}), 403, "role")
    assert found["way_out"]


def test_wrong_words_name_each_field(world: World) -> None:
    answer = calling(world.person())("POST", "/spaces", {"risk_level": "extreme", "colour": "red"})
    fields = problem(answer, 422, "invalid")["fields"]
    assert isinstance(fields, dict)
    assert set(fields) == {"name", "risk_level", "colour"}
    assert fields["colour"] == "this field is not known"


def test_a_rule_that_the_action_knows_names_its_field_too(world: World) -> None:
    answer = calling(world.person())("POST", "/spaces", {"risk_level": "high", "name": "a\u202eb"})
    assert "name" in str(problem(answer, 422, "invalid")["fields"])


@pytest.mark.parametrize(
    "body", ["{", "[1", '{"name": NaN}', '{"name": "a", "name": "b"}', "\xff", "[" * 100_000, '{"days": 1e999999}']
)
def test_what_is_no_json_cannot_be_read(world: World, body: str) -> None:
    caller = calling(world.person())
    answer = caller.client.generic("POST", f"{PREFIX}/spaces", body.encode("latin-1"), content_type="application/json")
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code, "malformed" if answer.status_code == 400 else "invalid")


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_no_database_can_store_is_refused(world: World, text: str) -> None:
    answer = calling(world.person())("POST", "/spaces", {"name": text, "risk_level": "high"})
    problem(answer, 422, "invalid")


def test_a_query_with_nul_is_refused(world: World) -> None:
    problem(calling(world.administrator)("GET", "/people?search=a%00b"), 422, "invalid")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "cursor=x", "cursor=WyJhIiwiYiJd", "kind=neither"]
)
def test_a_wrong_query_is_refused(world: World, query: str) -> None:
    problem(calling(world.administrator)("GET", f"/datasets?{query}"), 422, "invalid")


def test_a_path_that_leads_nowhere_is_a_problem_too(world: World) -> None:
    for path in ("/nothing", "/spaces/", "", "/people/x/y/z"):
        problem(Caller()("GET", path), 404, "no-such-path")


def test_a_method_that_is_not_there_says_which_are(world: World) -> None:
    answer = Caller()("PUT", "/spaces")
    problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}


def test_a_filter_that_is_spelt_wrong_is_refused_and_not_ignored(world: World) -> None:
    owner = calling(world.owner(world.space()))
    assert owner("GET", "/datasets?search=x&limit=5").status_code == 200
    fields = problem(owner("GET", "/datasets?serch=x"), 422, "invalid")["fields"]
    assert fields == {"serch": "unknown"}


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100):
        answer = calling(world.person())("POST", "/spaces", {"name": "x" * 200, "risk_level": "high"})
    problem(answer, 413, "too-large")


def test_a_bug_is_told_without_its_innards(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = secret_of(world.administrator)

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("the innards")

    monkeypatch.setattr(people, "list_", explode)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})
    found = problem(client.get(f"{PREFIX}/people"), 500, "bug")
    assert "innards" not in str(found)


def test_every_answer_forbids_caches_scripts_and_sniffing(world: World) -> None:
    for answer in (Caller()("GET", "/receipt-key"), Caller()("GET", "/spaces"), Caller()("GET", "/nothing")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_sane_request_id_is_kept_and_stands_in_the_ledger(world: World) -> None:
    caller = calling(world.administrator)
    assert caller("GET", "/tokens", X_Request_Id="my-request-1").headers["X-Request-Id"] == "my-request-1"
    assert caller("GET", "/tokens", X_Request_Id="<script>").headers["X-Request-Id"] != "<script>"
    caller("POST", "/spaces", {"name": "S", "risk_level": "high"}, X_Request_Id="my-request-2")
    event = json.loads(caller("GET", "/audit?verb=space.create").content)["items"][0]
    assert (event["request_id"], event["address"]) == ("my-request-2", "127.0.0.1")
