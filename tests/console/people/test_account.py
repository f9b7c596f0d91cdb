"""One's own account by its pages: password, browsers, tokens, the second factor, and the step up."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from strongroom.core.actor import Actor
from strongroom.db.models import BrowserSession, Token
from tests.bearers import bearer
from tests.browsers import PASSWORD, session_of, signed_in, with_password
from tests.phones import enrolled
from tests.world import World


@pytest.fixture
def ada(world: World) -> Actor:
    actor = world.person("ada")
    with_password(world.administrator, actor)
    return actor


def test_the_page_shows_who_one_is_and_where_one_is_signed_in(ada: Actor) -> None:
    page = signed_in(ada).get("/account/").content.decode()
    assert ada.email in page
    assert "Firefox on Linux" in page
    assert "(this one)" in page


def test_another_browser_is_signed_out_from_the_page(ada: Actor) -> None:
    other = session_of(ada)
    here = signed_in(ada)
    assert here.post(f"/account/sessions/{other.id}/end").status_code == 302
    assert BrowserSession.objects.get(id=other.id).ended_at is not None
    assert here.get("/account/").status_code == 200


def test_nobody_signs_out_somebody_elses_browser(world: World, ada: Actor) -> None:
    other = session_of(ada)
    assert signed_in(world.person("eve")).post(f"/account/sessions/{other.id}/end").status_code == 404
    assert BrowserSession.objects.get(id=other.id).ended_at is None


def test_a_token_is_shown_once_and_works_until_it_is_revoked(ada: Actor) -> None:
    client = signed_in(ada)
    shown = client.post("/account/tokens", {"name": "nightly", "scopes": "read", "days": "7"}).content.decode()
    found = re.search(r"srt_[A-Za-z0-9_-]{49}", shown)
    assert found is not None
    actor = bearer(found.group())
    assert sorted(actor.scopes) == ["read"]
    listed = client.get("/account/").content.decode()
    assert "nightly" in listed
    assert found.group() not in listed
    client.post(f"/account/tokens/{actor.token_id}/revoke")
    assert Token.objects.get(id=actor.token_id).revoked_at is not None


def test_a_browser_with_a_password_alone_makes_no_token(ada: Actor) -> None:
    response = signed_in(ada, is_proved=False).post("/account/tokens", {"name": "x", "scopes": "read", "days": "7"})
    assert response.headers["Location"].startswith("/account/mfa")
    assert not Token.objects.filter(person_id=ada.person_id).exists()


def test_the_password_is_changed_with_the_current_one(ada: Actor) -> None:
    client, new = signed_in(ada), "another correct horse"
    wrong = client.post("/account/password", {"current": "x", "password": new, "repeated": new})
    assert wrong.status_code == 422
    assert client.post("/account/password", {"current": PASSWORD, "password": new, "repeated": new}).status_code == 302
    assert Client().post("/sign-in", {"email": ada.email, "password": new}).status_code == 302


def test_an_old_proof_leads_to_the_step_up_and_back(ada: Actor) -> None:
    phone, _ = enrolled(ada)
    client = signed_in(ada)
    BrowserSession.objects.filter(person_id=ada.person_id).update(mfa_proved_at=timezone.now() - timedelta(days=1))
    asked = client.post(
        "/account/tokens",
        {"name": "x", "scopes": "read", "days": "7"},
        headers={"Referer": "http://testserver/account/"},
    )
    assert asked.headers["Location"] == "/step-up?next=%2Faccount%2F"
    assert client.get("/step-up?next=/account/").status_code == 200
    assert client.post("/step-up", {"code": phone.wrong_code()}).status_code == 422
    assert client.post("/step-up", {"code": phone.code(), "next": "/account/"}).headers["Location"] == "/account/"
    assert client.post("/account/tokens", {"name": "x", "scopes": "read", "days": "7"}).status_code == 200


def test_the_second_factor_is_removed_with_a_code(ada: Actor) -> None:
    _, codes = enrolled(ada)
    client = signed_in(ada)
    assert client.get("/account/mfa").status_code == 200
    assert client.post("/account/mfa/remove", {"code": "000000"}).status_code == 422
    assert client.post("/account/mfa/remove", {"code": codes[0]}).status_code == 302
    assert b"Set up an authenticator app" in client.get("/account/mfa").content


@pytest.mark.parametrize("path", ["/account/", "/account/mfa", "/step-up"])
def test_a_stranger_is_asked_to_sign_in(db: None, path: str) -> None:
    assert Client().get(path).headers["Location"].startswith("/sign-in?next=")
