"""How every page begins and ends: who is signed in, refusals, static files, and what the API must not notice."""

import pytest
from django.test import Client

from tests.bearers import secret_of
from tests.console.signed_in import browser
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_path_that_leads_nowhere_is_a_page_with_a_way_out(world: World) -> None:
    response = browser(world.administrator).get("/nowhere")
    assert response.status_code == 404
    assert b"There is no such page." in response.content


def test_every_page_has_a_policy_without_anything_inline() -> None:
    policy = Client().get("/nowhere").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_api_takes_no_session_for_a_bearer(world: World) -> None:
    response = browser(world.administrator).get("/api/v1/people/me")
    assert response.status_code == 401


def test_the_api_asks_no_form_token_of_a_bearer_and_sets_no_cookie(world: World) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret_of(world.administrator)}"})
    response = client.post("/api/v1/spaces", {"name": "A", "risk_level": "high"}, content_type="application/json")
    assert response.status_code == 201
    assert not response.cookies
