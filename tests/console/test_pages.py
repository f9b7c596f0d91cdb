"""How every page begins and ends: who is signed in, refusals, forms, static files, and what the API must not notice."""

import re

import pytest
from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory

from strongroom.console import errors
from strongroom.console.local import local_path
from tests.bearers import secret_of
from tests.console.signed_in import browser
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_path_that_leads_nowhere_is_a_page_with_a_way_out(world: World) -> None:
    response = browser(world.administrator).get("/nowhere")
    assert response.status_code == 404
    assert b"There is no such page." in response.content and b"Try again" not in response.content


def test_what_one_may_not_see_is_not_found_and_says_the_request_id(world: World) -> None:
    response = browser(world.person()).get(f"/spaces/{world.space().id}")
    assert response.status_code == 404
    assert response.headers["X-Request-Id"] in response.content.decode()


def test_a_wrong_host_name_is_refused_with_a_page() -> None:
    response = Client().get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert b"This request cannot be read." in response.content


def test_the_page_for_a_mistake_of_ours_asks_the_database_for_nothing(  # type: ignore[no-untyped-def]
    world: World, rf: RequestFactory, django_assert_num_queries
) -> None:
    request = rf.get("/")
    request.session = SessionStore(browser(world.administrator).cookies["strongroom_session"].value)
    request._messages = SessionStorage(request)  # type: ignore[attr-defined]
    with django_assert_num_queries(0):
        response = errors.mistake(request)
    assert response.status_code == 500
    assert b"Strongroom made a mistake." in response.content and b"Try again" in response.content


def test_every_page_has_a_policy_without_anything_inline(world: World) -> None:
    response = browser(world.administrator).get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    shown = response.content.decode()
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", shown)


def test_pages_are_not_kept_by_browsers_and_not_framed(world: World) -> None:
    response = browser(world.administrator).get("/")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Frame-Options"] == "DENY"


def test_what_a_button_does_is_not_done_by_a_link(world: World) -> None:
    space = world.space()
    response = browser(world.owner(space)).get(f"/spaces/{space.id}/people/add")
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


def test_a_form_from_elsewhere_is_refused_with_a_page(world: World) -> None:
    space = world.space()
    client = browser(world.owner(space), enforce_csrf_checks=True)
    response = client.post("/spaces/new", {"name": "A", "risk_level": "high"})
    assert response.status_code == 403
    assert b"did not come from this site" in response.content


def test_a_form_of_a_page_is_taken(world: World) -> None:
    client = browser(world.person(), enforce_csrf_checks=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/spaces/new").content.decode())
    assert token is not None
    given = {"name": "A", "risk_level": "low", "csrfmiddlewaretoken": token[1]}
    assert client.post("/spaces/new", given).status_code == 302


def test_a_text_that_cannot_be_stored_is_refused_before_any_action_sees_it(world: World) -> None:
    client = browser(world.person())
    assert client.post("/spaces/new", {"name": "a\0b", "risk_level": "low"}).status_code == 422
    assert client.get("/spaces/?search=%00").status_code == 422


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        None,
        "evil",
        "/\t/evil.example",
    ],
)
def test_no_form_leads_elsewhere(wanted: str | None) -> None:
    assert local_path(wanted) == "/"


def test_a_path_of_the_console_is_led_to() -> None:
    assert local_path("/spaces/?search=a") == "/spaces/?search=a"


def test_the_theme_is_kept_in_this_browser() -> None:
    client = Client()
    assert 'data-theme="system"' in client.get("/nowhere").content.decode()
    response = client.post("/theme", {"theme": "dark", "next": "//evil.example"})
    assert response.headers["Location"] == "/"
    assert 'data-theme="dark"' in client.get("/nowhere").content.decode()
    client.post("/theme", {"theme": '"><script>'})
    assert 'data-theme="system"' in client.get("/nowhere").content.decode()


def test_static_files_are_kept_and_their_address_changes_with_their_content() -> None:
    client = Client()
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/nowhere").content.decode())
    assert len(addresses) >= 4
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        assert "?v=" in address
        assert "max-age=31536000" in response.headers["Cache-Control"]


def test_the_api_takes_no_session_for_a_bearer(world: World) -> None:
    response = browser(world.administrator).get("/api/v1/people/me")
    assert response.status_code == 401
    assert not response.cookies


def test_the_api_asks_no_form_token_of_a_bearer_and_sets_no_cookie(world: World) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret_of(world.administrator)}"})
    response = client.post("/api/v1/spaces", {"name": "A", "risk_level": "high"}, content_type="application/json")
    assert response.status_code == 201
    assert not response.cookies


def test_the_api_keeps_its_own_stricter_policy() -> None:
    assert "script-src" not in Client().get("/api/v1/people/me").headers["Content-Security-Policy"]
