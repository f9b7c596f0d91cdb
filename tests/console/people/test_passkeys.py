"""Passkeys by their pages, with a device of software in place of the browser's script."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from strongroom.actions import passkeys
from strongroom.actions.webauthn import Asked
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import RiskLevel
from strongroom.db.models import BrowserSession, Passkey
from tests.browsers import PASSWORD, signed_in, with_password
from tests.keyrings import ORIGIN, Device
from tests.phones import enrolled
from tests.world import World


@pytest.fixture(autouse=True)
def _named(settings: Any) -> None:
    settings.STRONGROOM = replace(settings.STRONGROOM, public_url=ORIGIN)


@pytest.fixture
def ada(world: World) -> Actor:
    actor = world.person("ada")
    with_password(world.administrator, actor)
    return actor


def _asked(client: Client, path: str) -> Asked:
    answer = client.post(path)
    assert answer.status_code == 200, answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    return Asked("", answer.json())


def _added(client: Client, device: Device, name: str = "Phone") -> Any:
    answer = device.make(_asked(client, "/account/passkeys/ask"))
    return client.post("/account/passkeys", {"name": name, "answer": answer, "next": "/account/"})


def test_adding_one_shows_recovery_codes_and_then_the_passkey(ada: Actor) -> None:
    client = signed_in(ada, is_proved=False)
    shown = _added(client, Device())
    assert shown.content.count(b"<li><code>") == 10
    assert b'href="/account/"' in shown.content
    assert b"Phone" in client.get("/account/mfa").content
    assert b"1 passkey, last used" in client.get("/account/").content


def test_a_further_one_is_led_to_the_proof_first(ada: Actor) -> None:
    client = signed_in(ada, is_proved=False)
    enrolled(ada)
    answer = client.post("/account/passkeys/ask", headers={"Referer": "http://testserver/account/mfa"})
    assert answer.status_code == 403
    assert answer.json()["to"] == "/step-up?next=%2Faccount%2Fmfa"
    assert "second factor" in answer.json()["refusal"]


def test_a_sign_in_with_it_begins_a_new_session_and_goes_where_one_wanted(ada: Actor) -> None:
    device = Device()
    _added(signed_in(ada, is_proved=False), device)
    client = Client()
    answer = device.sign(_asked(client, "/sign-in/ask"))
    before = client.session.session_key
    done = client.post("/sign-in/passkey", {"answer": answer, "next": "/account/"})
    assert done.headers["Location"] == "/account/"
    assert client.session.session_key != before
    assert client.get("/account/").status_code == 200
    assert BrowserSession.objects.latest("created_at").mfa_proved_at is not None
    again = client.post("/sign-in/passkey", {"answer": answer})
    assert again.status_code == 409
    assert b"Nothing waits for this answer" in again.content


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/"])
def test_a_sign_in_leads_nowhere_else(ada: Actor, to: str) -> None:
    device, client = Device(), Client()
    _added(signed_in(ada, is_proved=False), device)
    answer = device.sign(_asked(client, "/sign-in/ask"))
    assert client.post("/sign-in/passkey", {"answer": answer, "next": to}).headers["Location"] == "/"


def test_an_answer_of_one_browser_is_no_use_in_another(ada: Actor) -> None:
    device, client = Device(), Client()
    _added(signed_in(ada, is_proved=False), device)
    answer = device.sign(_asked(client, "/sign-in/ask"))
    assert Client().post("/sign-in/passkey", {"answer": answer}).status_code == 409


def test_the_second_step_takes_it_after_the_password(ada: Actor) -> None:
    device = Device()
    _added(signed_in(ada, is_proved=False), device)
    client = Client()
    client.post("/sign-in", {"email": ada.email, "password": PASSWORD})
    assert b"Continue with a passkey" in client.get("/sign-in/code").content
    lie = replace(device, is_verifying=False).sign(_asked(client, "/sign-in/code/ask"))
    wrong = client.post("/sign-in/code/passkey", {"answer": lie})
    assert (wrong.status_code, client.get("/account/").status_code) == (422, 302)
    right = device.sign(_asked(client, "/sign-in/code/ask"))
    assert client.post("/sign-in/code/passkey", {"answer": right}).status_code == 302
    assert client.get("/account/").status_code == 200


def test_the_proof_again_by_its_page(ada: Actor) -> None:
    device = Device()
    client = signed_in(ada, is_proved=False)
    _added(client, device)
    BrowserSession.objects.update(mfa_proved_at=None)
    assert b"Prove it with a passkey" in client.get("/step-up").content
    answer = device.sign(_asked(client, "/step-up/ask"))
    assert client.post("/step-up/passkey", {"answer": "{}"}).status_code == 422
    assert client.post("/step-up/passkey", {"answer": answer}).status_code == 409
    answer = device.sign(_asked(client, "/step-up/ask"))
    assert client.post("/step-up/passkey", {"answer": answer, "next": "/account/"}).headers["Location"] == "/account/"
    assert BrowserSession.objects.exclude(mfa_proved_at=None).count() == 1


def test_the_last_one_says_what_closes_before_it_goes(world: World, ada: Actor) -> None:
    client = signed_in(ada, is_proved=False)
    _added(client, Device())
    world.space(ada, risk_level=RiskLevel.HIGH)
    kept = Passkey.objects.get()
    assert b"1 moderate or high risk space and logins" in client.get("/account/mfa").content
    refused = client.post(f"/account/passkeys/{kept.id}/remove")
    assert refused.status_code == 409
    assert b"This is your last second factor" in refused.content
    assert client.post(f"/account/passkeys/{kept.id}/remove", {"is_last": "yes"}).status_code == 302
    assert passkeys.list_(ada).rows == []


def test_who_is_not_signed_in_is_asked_nothing_and_told_nothing() -> None:
    for path in ("/account/passkeys/ask", "/step-up/ask", "/sign-in/code/ask"):
        assert Client().post(path).headers["Location"].startswith("/sign-in")
    strict = Client(enforce_csrf_checks=True)
    for path in ("/sign-in/ask", "/sign-in/passkey", "/account/passkeys", "/step-up/passkey"):
        assert strict.post(path).status_code == 403
    assert Client().get("/sign-in/ask").status_code == 405


def test_a_name_is_text_on_the_page(ada: Actor) -> None:
    client = signed_in(ada, is_proved=False)
    _added(client, Device(), name="<b>Phone</b>")
    assert b"&lt;b&gt;Phone" in client.get("/account/mfa").content
    assert b"<b>Phone" not in client.get("/account/mfa").content
