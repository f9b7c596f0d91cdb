"""A terminal is let in with a browser: once, by somebody who proved who they are, and for ten minutes."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from strongroom.actions import devices, people
from strongroom.actions.devices import Begun
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, NotFound, TooMany, Unauthenticated
from strongroom.core.vocabulary import SystemFact
from strongroom.db.models import DeviceLogin, Event
from tests.bearers import bearer, narrowed
from tests.browsers import ADDRESS, in_browser, signed_in
from tests.world import World


@pytest.fixture
def ada(world: World) -> Actor:
    return in_browser(world.person("ada"))


def _begin(address: str = "198.51.100.4") -> Begun:
    return devices.begin(name="laptop", address=address)


def _claim(begun: Begun) -> Actor:
    return bearer(devices.claim(begun.device_code, address=ADDRESS, request_id="test").secret)


def test_an_approved_terminal_gets_a_token_once(ada: Actor) -> None:
    begun = _begin()
    with pytest.raises(Conflict) as refusal:
        _claim(begun)
    assert refusal.value.code == "authorization-pending"
    device = devices.find(ada, begun.user_code.lower().replace("-", " "))
    assert (device.name, device.address) == ("laptop", "198.51.100.4")
    devices.approve(ada, device.id)
    actor = _claim(begun)
    assert (actor.person_id, actor.mfa_proved_at) == (ada.person_id, None)
    with pytest.raises(Unauthenticated):
        _claim(begun)


def test_a_terminal_that_was_turned_away_gets_nothing(ada: Actor) -> None:
    begun = _begin()
    device = devices.find(ada, begun.user_code)
    devices.deny(ada, device.id)
    with pytest.raises(Forbidden):
        _claim(begun)
    with pytest.raises(NotFound):
        devices.approve(ada, device.id)


def test_codes_pass_after_ten_minutes(ada: Actor) -> None:
    begun = _begin()
    device = devices.find(ada, begun.user_code)
    DeviceLogin.objects.filter(id=device.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    for ask in (
        lambda: devices.find(ada, begun.user_code),
        lambda: devices.approve(ada, device.id),
        lambda: _claim(begun),
    ):
        with pytest.raises((NotFound, Unauthenticated)):
            ask()


def test_a_password_alone_and_a_token_approve_nothing(world: World) -> None:
    person = world.person("ada")
    begun = _begin()
    device = devices.find(person, begun.user_code)
    for actor, code in ((in_browser(person, is_proved=False), "mfa-missing"), (narrowed(person), "browser")):
        with pytest.raises(Forbidden) as refusal:
            devices.approve(actor, device.id)
        assert refusal.value.code == code
    with pytest.raises(Conflict):
        _claim(begun)


def test_somebody_disabled_since_then_is_not_let_in(world: World, ada: Actor) -> None:
    begun = _begin()
    devices.approve(ada, devices.find(ada, begun.user_code).id)
    people.disable(world.administrator, ada.person_id, reason="left")
    with pytest.raises(Unauthenticated):
        _claim(begun)


def test_codes_cannot_be_guessed_at_length(ada: Actor) -> None:
    begun = _begin()
    for _ in range(20):
        with pytest.raises(NotFound):
            devices.find(ada, "BBBB-BBBB")
    with pytest.raises(TooMany):
        devices.find(ada, begun.user_code)


def test_one_address_cannot_fill_the_table(db: None) -> None:
    for _ in range(30):
        _begin()
    with pytest.raises(TooMany):
        _begin()
    assert _begin("198.51.100.5")


def test_no_code_is_stored_in_plain_words_and_both_deeds_are_in_the_ledger(ada: Actor) -> None:
    begun = _begin()
    devices.approve(ada, devices.find(ada, begun.user_code).id)
    _claim(begun)
    held = str(list(DeviceLogin.objects.values())) + str(list(Event.objects.values()))
    assert begun.device_code not in held
    assert begun.user_code not in held
    assert Event.objects.get(verb=SystemFact.PERSON_DEVICE_APPROVED).actor_id == ada.person_id
    assert Event.objects.filter(verb=SystemFact.PERSON_SIGNED_IN).latest("sequence").after["by"] == "device"


def test_the_page_asks_before_it_lets_anything_in(world: World) -> None:
    begun, client = _begin(), signed_in(world.person("ada"))
    page = client.get(f"/account/device?code={quote(begun.user_code)}").content.decode()
    assert "laptop" in page and "198.51.100.4" in page and begun.user_code in page
    with pytest.raises(Conflict):
        _claim(begun)
    device = DeviceLogin.objects.get()
    assert client.post(f"/account/device/{device.id}/approve").headers["Location"] == "/account/"
    assert _claim(begun)
    assert client.get("/account/device?code=BBBB-BBBB").status_code == 404
    assert client.get("/account/device").status_code == 200
