"""Coming in by the pages: invitation, password, second step, sign-out; and what a stranger can do with them."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from strongroom.actions import people
from strongroom.core.actor import Actor
from strongroom.db.models import BrowserSession
from tests.browsers import PASSWORD, with_password
from tests.phones import Phone, enrolled
from tests.world import World


@pytest.fixture
def ada(world: World) -> Actor:
    actor = world.person("ada")
    with_password(world.administrator, actor)
    return actor


def _enter(client: Client, actor: Actor, **more: str) -> object:
    return client.post("/sign-in", {"email": actor.email, "password": PASSWORD, **more})


def test_an_invitation_leads_to_a_password_and_on_to_the_second_factor(world: World) -> None:
    invited = people.create(world.administrator, email="grace@example.org", name="Grace")
    client = Client()
    page = client.get(f"/invitations/{invited.code}")
    assert b"grace@example.org" in page.content
    two = client.post(f"/invitations/{invited.code}", {"password": PASSWORD, "repeated": "another"})
    assert two.status_code == 422
    response = client.post(f"/invitations/{invited.code}", {"password": PASSWORD, "repeated": PASSWORD})
    assert response.headers["Location"] == "/account/mfa?next=%2F"
    assert client.get("/account/").status_code == 200
    assert Client().get(f"/invitations/{invited.code}").status_code == 401


def test_a_typed_code_leads_to_its_invitation(world: World) -> None:
    code = people.create(world.administrator, email="grace@example.org", name="Grace").code
    response = Client().post("/invitations/", {"code": f" {code.lower()} "})
    assert Client().get(response.headers["Location"]).status_code == 200


def test_setting_up_an_app_by_its_pages(ada: Actor) -> None:
    client = Client()
    _enter(client, ada)
    shown = client.post("/account/mfa/enrol").content.decode()
    found = re.search(r'data-copy="([A-Z2-7]{32})"', shown)
    assert found is not None
    phone = Phone(found.group(1))
    wrong = client.post("/account/mfa/confirm", {"code": phone.wrong_code()})
    assert wrong.status_code == 422
    assert found.group(1) in wrong.content.decode()
    kept = client.post("/account/mfa/confirm", {"code": phone.code(), "next": "/account/"}).content.decode()
    assert len(re.findall(r"<code>\d{4}-\d{4}-\d{4}</code>", kept)) == 10
    assert b"10 recovery codes left" in client.get("/account/").content


def test_the_second_step_is_asked_for_and_leads_where_one_wanted_to_go(ada: Actor) -> None:
    phone, _ = enrolled(ada)
    client = Client()
    response = _enter(client, ada, next="/account/")
    assert response.headers["Location"] == "/sign-in/code?next=%2Faccount%2F"
    assert client.get("/account/").headers["Location"].startswith("/sign-in?")
    assert client.post("/sign-in/code", {"code": phone.wrong_code()}).status_code == 422
    last = client.post("/sign-in/code?next=/account/", {"code": phone.code(), "next": "/account/"})
    assert last.headers["Location"] == "/account/"
    assert client.get("/account/").status_code == 200


def test_the_second_step_without_the_first_leads_back(db: None) -> None:
    assert Client().get("/sign-in/code").headers["Location"] == "/sign-in?next=%2F"


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_host(ada: Actor, wanted: str) -> None:
    response = _enter(Client(), ada, next=wanted)
    assert response.headers["Location"] == "/account/mfa?next=%2F"


def test_a_cookie_from_before_the_sign_in_is_worth_nothing_after(ada: Actor) -> None:
    client = Client()
    planted = client.session
    planted["x"] = 1
    planted.save()
    client.cookies["strongroom_session"] = str(planted.session_key)
    _enter(client, ada)
    assert client.cookies["strongroom_session"].value != planted.session_key
    thief = Client()
    thief.cookies["strongroom_session"] = str(planted.session_key)
    assert thief.get("/account/").status_code == 302


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(ada: Actor) -> None:
    client = Client()
    _enter(client, ada)
    cookie = client.cookies["strongroom_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_signing_out_ends_the_session_at_the_server(ada: Actor) -> None:
    client = Client()
    _enter(client, ada)
    session = BrowserSession.objects.filter(person_id=ada.person_id).latest("created_at")
    stolen = Client()
    stolen.cookies["strongroom_session"] = client.cookies["strongroom_session"].value
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert stolen.get("/account/").status_code == 302
    assert BrowserSession.objects.get(id=session.id).ended_at is not None


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/invitations/", "/invitations/X", "/sign-out"])
def test_a_form_of_another_site_is_refused(db: None, path: str) -> None:
    assert Client(enforce_csrf_checks=True).post(path, {"code": "x"}).status_code == 403


def test_wrong_passwords_are_answered_alike_and_then_not_at_all(ada: Actor) -> None:
    client = Client()
    one = client.post("/sign-in", {"email": ada.email, "password": "wrong"})
    two = client.post("/sign-in", {"email": "nobody@example.org", "password": "wrong"})
    assert (one.status_code, two.status_code) == (401, 401)
    assert _told(one) == _told(two)
    for _ in range(8):
        client.post("/sign-in", {"email": ada.email, "password": "wrong"})
    assert _enter(client, ada).status_code == 429


def _told(response: object) -> str:
    return re.search(r'role="alert">(.*?)</main>', response.content.decode(), re.DOTALL).group(1).split("<form")[0]


def test_nothing_that_was_typed_comes_back_as_markup(db: None) -> None:
    response = Client().post("/sign-in?next=/%22%3E<script>", {"email": '"><script>alert(1)</script>', "password": "x"})
    assert b"<script>alert" not in response.content


def test_the_sign_in_page_offers_passkeys_where_browsers_do(settings: Any) -> None:
    assert b"Sign in with a passkey" not in Client().get("/sign-in").content
    settings.STRONGROOM = replace(settings.STRONGROOM, public_url="https://strongroom.example.org")
    assert b"Sign in with a passkey" in Client().get("/sign-in").content
