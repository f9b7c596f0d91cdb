"""Health: living needs nothing, readiness needs database and engine, and asking is cheap."""

import pytest
from django.test import Client

from strongroom.engines.memory import MemoryEngine
from strongroom.runtime import health


@pytest.fixture(autouse=True)
def nothing_seen_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_seen", None)


def test_a_process_lives_without_database_and_engine() -> None:
    answer = Client().get("/healthz")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"


def test_the_printed_address_leads_a_browser_to_the_console() -> None:
    answer = Client().get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=%2F")


def test_it_is_ready_when_database_and_engine_answer(db: None, engine: MemoryEngine) -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "parts": {"database": "ok", "memory": "ok"}}


def test_it_is_not_ready_while_the_engine_is_down_and_says_so(db: None, engine: MemoryEngine) -> None:
    engine.is_down = True
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "parts": {"database": "ok", "memory": "does not answer"}}


def test_many_questions_at_once_cost_the_engine_one_look(db: None, engine: MemoryEngine) -> None:
    assert Client().get("/readyz").status_code == 200
    engine.is_down = True
    assert [Client().get("/readyz").status_code for _ in range(5)] == [200] * 5, "a second look came too soon"


def test_a_look_is_soon_out_of_date(db: None, engine: MemoryEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_FRESH_SECONDS", 0)
    assert Client().get("/readyz").status_code == 200
    engine.is_down = True
    assert Client().get("/readyz").status_code == 503


def test_every_answer_carries_the_security_headers_and_its_request_id() -> None:
    answer = Client().get("/healthz", headers={"X-Request-Id": "from-the-proxy-1"})
    assert answer["X-Request-Id"] == "from-the-proxy-1"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("offered", ["short", "a" * 65, "with spaces in it", "new\nline-new"])
def test_a_request_id_that_could_forge_a_log_line_is_replaced(offered: str) -> None:
    answered = Client().get("/healthz", headers={"X-Request-Id": offered})["X-Request-Id"]
    assert len(answered) == 32
    assert answered != offered


def test_another_host_name_is_refused() -> None:
    assert Client().get("/healthz", headers={"Host": "evil.example.org"}).status_code == 400
