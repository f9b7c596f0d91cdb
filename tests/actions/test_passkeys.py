"""Passkeys: added, proved, signed in with, removed; and what a stranger or a copied key can do with an answer."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from strongroom.actions import browsing, factors, members, mfa, passkey_proofs, passkeys, people, staffing
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, TooMany, Unauthenticated
from strongroom.core.vocabulary import Outcome, RiskLevel, Role, SystemFact, Verb
from strongroom.db.models import BrowserSession, Event, Passkey, Person
from tests.browsers import ADDRESS, PASSWORD, come, in_browser, session_of, with_password
from tests.keyrings import ORIGIN, Device, added, proved
from tests.phones import enrolled
from tests.world import World

WHENCE = {"address": ADDRESS, "request_id": "test"}


@pytest.fixture(autouse=True)
def _named(settings: Any) -> None:
    settings.STRONGROOM = replace(settings.STRONGROOM, public_url=ORIGIN)


@pytest.fixture
def ada(world: World) -> Actor:
    """In a browser in which nothing is proved yet."""
    return in_browser(world.person("ada"), is_proved=False)


def _again(actor: Actor) -> Actor:
    """The actor of the next request of the same browser."""
    return come(BrowserSession.objects.get(id=str(actor.session_id)))


def _unproved(actor: Actor) -> Actor:
    BrowserSession.objects.filter(id=str(actor.session_id)).update(mfa_proved_at=None)
    return _again(actor)


def _sign_in(device: Device, **instead: str) -> BrowserSession:
    asked = passkey_proofs.begin_sign_in(address=ADDRESS)
    answer = device.sign(asked, **instead)
    return passkey_proofs.sign_in(ceremony=asked.ceremony, answer=answer, **WHENCE)


def test_a_first_passkey_counts_at_once_and_comes_with_recovery_codes(ada: Actor) -> None:
    _, kept, codes = added(ada, name="Laptop")
    assert len(set(codes)) == 10
    shown = mfa.show(_again(ada))
    assert (shown.is_enrolled, shown.has_app, shown.passkeys, shown.recovery_codes_left) == (True, False, 1, 10)
    assert shown.proved_at is not None
    assert [each.name for each in passkeys.list_(ada).rows] == ["Laptop"]
    event = Event.objects.get(verb=SystemFact.PASSKEY_ADDED.value)
    assert event.after == {"passkey_id": str(kept.id), "name": "Laptop", "recovery_codes": 10}


def test_a_further_factor_of_either_kind_needs_a_proof_of_the_first(ada: Actor) -> None:
    device, _, _ = added(ada)
    late = _unproved(ada)
    for deed in (passkeys.begin, mfa.enrol):
        with pytest.raises(Forbidden) as refusal:
            deed(late)
        assert refusal.value.code == "mfa-needed"
    proved(late, device)
    _, _, codes = added(_again(ada))
    assert codes == []
    _, codes_of_app = enrolled(_again(ada))
    assert codes_of_app == []
    assert mfa.show(_again(ada)).recovery_codes_left == 10


def test_a_passkey_proves_the_browser_it_is_used_in_alone(world: World) -> None:
    person = world.person()
    one, other = in_browser(person, is_proved=False), in_browser(person, is_proved=False)
    device, kept, _ = added(one)
    assert other.mfa_proved_at is None
    proved(other, device)
    assert _again(other).mfa_proved_at is not None
    assert Passkey.objects.get(id=kept.id).last_used_at is not None
    event = Event.objects.filter(verb=Verb.MFA_PROVE.value, outcome=Outcome.DONE.value).get()
    assert event.after == {"kind": "passkey", "passkey_id": str(kept.id), "name": "Phone"}


def test_a_passkey_alone_signs_in_with_both_factors(world: World) -> None:
    device, _, _ = added(in_browser(world.person("ada"), is_proved=False))
    actor = come(_sign_in(device))
    assert actor.email.startswith("ada")
    assert actor.mfa_proved_at is not None
    event = Event.objects.filter(verb=SystemFact.PERSON_SIGNED_IN.value).latest("sequence")
    assert event.after is not None and event.after["by"] == "passkey"


def test_a_passkey_is_the_second_step_after_a_password(world: World) -> None:
    person = world.person("ada")
    with_password(world.administrator, person)
    device, _, _ = added(in_browser(person, is_proved=False))
    half = browsing.sign_in(person.email, PASSWORD, **WHENCE)
    with pytest.raises(Unauthenticated):
        come(half)
    asked = passkey_proofs.begin(browsing.waiting(str(half.id), **WHENCE))
    entered = passkey_proofs.enter(str(half.id), ceremony=asked.ceremony, answer=device.sign(asked), **WHENCE)
    assert entered.mfa_proved_at is not None
    assert come(half).person_id == person.person_id


def test_a_recovery_code_proves_for_who_has_passkeys_alone(ada: Actor) -> None:
    _, _, codes = added(ada)
    late = _unproved(ada)
    assert mfa.prove(late, code=codes[0]).recovery_codes_left == 9
    with pytest.raises(Invalid):
        mfa.prove(late, code=codes[0])
    with pytest.raises(Invalid):
        mfa.prove(late, code="123456")


LIES: dict[str, Callable[[Device], None]] = {
    "another origin": lambda device: setattr(device, "origin", "https://strongroom.example.org.evil.example"),
    "a subdomain": lambda device: setattr(device, "origin", "https://data.strongroom.example.org"),
    "another port": lambda device: setattr(device, "origin", f"{ORIGIN}:8443"),
    "no TLS": lambda device: setattr(device, "origin", "http://strongroom.example.org"),
    "another site's key": lambda device: setattr(device, "host", "example.org"),
    "nobody verified": lambda device: setattr(device, "is_verifying", False),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_from_elsewhere_or_without_its_holder_is_refused_everywhere(ada: Actor, lie: str) -> None:
    lying = Device()
    LIES[lie](lying)
    with pytest.raises(Invalid) as refusal:
        added(ada, lying)
    assert refusal.value.code == "passkey"
    device, _, _ = added(ada)
    LIES[lie](device)
    with pytest.raises(Invalid):
        proved(ada, device)
    with pytest.raises(Unauthenticated):
        _sign_in(device)
    assert Event.objects.filter(outcome=Outcome.REFUSED.value, reason__startswith="passkey").count() == 2


def test_an_answer_counts_once_even_after_a_wrong_one(ada: Actor) -> None:
    device, _, _ = added(ada)
    asked = passkey_proofs.begin(ada)
    answer = device.sign(asked)
    passkey_proofs.prove(ada, ceremony=asked.ceremony, answer=answer)
    wrong = passkey_proofs.begin(ada)
    with pytest.raises(Invalid):
        passkey_proofs.prove(ada, ceremony=wrong.ceremony, answer="{}")
    for again in (asked, wrong):
        with pytest.raises(Conflict) as refusal:
            passkey_proofs.prove(ada, ceremony=again.ceremony, answer=device.sign(again))
        assert refusal.value.code == "passkey-late"


def test_an_answer_to_another_question_is_refused(ada: Actor) -> None:
    device, _, _ = added(ada)
    earlier, now = passkey_proofs.begin(ada), passkey_proofs.begin(ada)
    with pytest.raises(Invalid):
        passkey_proofs.prove(ada, ceremony=now.ceremony, answer=device.sign(earlier))


def test_a_question_is_forgotten_after_five_minutes(ada: Actor) -> None:
    device, _, _ = added(ada)
    asked = passkey_proofs.begin(ada)
    cache.delete(f"passkey:prove:{ada.session_id}:{asked.ceremony}")
    with pytest.raises(Conflict):
        passkey_proofs.prove(ada, ceremony=asked.ceremony, answer=device.sign(asked))


def test_a_question_of_one_browser_or_purpose_is_no_use_in_another(world: World) -> None:
    person = world.person()
    one, other = in_browser(person, is_proved=False), in_browser(person, is_proved=True)
    device, _, _ = added(one)
    asked = passkey_proofs.begin(one)
    with pytest.raises(Conflict):
        passkey_proofs.prove(other, ceremony=asked.ceremony, answer=device.sign(asked))
    with pytest.raises(Conflict):
        passkey_proofs.sign_in(ceremony=asked.ceremony, answer=device.sign(asked), **WHENCE)
    with pytest.raises(Conflict):
        passkeys.add(other, name="x", ceremony=passkeys.begin(_again(one)).ceremony, answer=device.sign(asked))


def test_the_passkey_of_somebody_else_proves_nothing(world: World, ada: Actor) -> None:
    added(ada)
    theirs, _, _ = added(in_browser(world.person("eve"), is_proved=False))
    with pytest.raises(Invalid):
        proved(ada, theirs)
    theirs.user_id = None
    with pytest.raises(Invalid):
        proved(ada, theirs)


def test_a_sign_in_needs_the_person_whom_the_passkey_was_made_for(world: World, ada: Actor) -> None:
    mine, _, _ = added(ada)
    theirs, _, _ = added(in_browser(world.person("eve"), is_proved=False))
    for said in (mine.user_id, None, "AAAA"):
        theirs.user_id = said
        with pytest.raises(Unauthenticated):
            _sign_in(theirs)
    with pytest.raises(Unauthenticated):
        _sign_in(Device(user_id=mine.user_id))


def test_a_changed_signature_is_refused(ada: Actor) -> None:
    device, _, _ = added(ada)
    for instead in ({"signature": "AAAA"}, {"signature": ""}, {"authenticatorData": "AAAA"}, {"clientDataJSON": "e30"}):
        with pytest.raises(Unauthenticated):
            _sign_in(device, **instead)


@pytest.mark.parametrize("answer", ["", "[]", "null", "{", '"x"', "{}", '{"response": 1}', "x" * 30_000, "[" * 15_000])
def test_no_answer_is_a_mistake_of_ours(ada: Actor, answer: str) -> None:
    added(ada)
    asked = passkey_proofs.begin_sign_in(address=ADDRESS)
    with pytest.raises(Unauthenticated):
        passkey_proofs.sign_in(ceremony=asked.ceremony, answer=answer, **WHENCE)
    with pytest.raises(Invalid):
        passkeys.add(_again(ada), name="x", ceremony=passkeys.begin(_again(ada)).ceremony, answer=answer)


def test_a_counter_that_does_not_grow_tells_of_a_copy(ada: Actor) -> None:
    device, kept, _ = added(ada, Device(is_counting=True))
    proved(ada, device)
    assert Passkey.objects.get(id=kept.id).sign_count == 2
    device.counter = 1
    with pytest.raises(Forbidden) as refusal:
        proved(ada, device)
    assert refusal.value.code == "passkey-copied"
    with pytest.raises(Forbidden):
        device.counter = 0
        _sign_in(device)
    device.is_counting, device.counter = False, 0
    with pytest.raises(Forbidden):
        proved(ada, device)
    assert Passkey.objects.get(id=kept.id).sign_count == 2


def test_a_passkey_is_added_once_and_under_a_name(world: World, ada: Actor) -> None:
    device, _, _ = added(ada)
    asked = passkeys.begin(_again(ada))
    assert [each["id"] for each in json.loads(json.dumps(dict(asked.options)))["excludeCredentials"]]
    with pytest.raises(Conflict) as refusal:
        passkeys.add(_again(ada), name="Again", ceremony=asked.ceremony, answer=device.make(asked))
    assert refusal.value.code == "passkey-known"
    with pytest.raises(Conflict):
        added(in_browser(world.person("eve"), is_proved=False), device)
    for name in ("", "x" * 101, "two\nlines"):
        with pytest.raises(Invalid):
            added(_again(ada), name=name)


def test_what_is_asked_names_nobody_who_is_not_signed_in(ada: Actor) -> None:
    added(ada)
    asked = passkey_proofs.begin_sign_in(address=ADDRESS)
    assert set(asked.options) == {"challenge", "timeout", "rpId", "userVerification"}
    assert asked.options["userVerification"] == "required"


def test_prompts_that_come_to_nothing_are_limited_and_those_that_let_in_are_not(world: World) -> None:
    device, _, _ = added(in_browser(world.person(), is_proved=False))
    for _ in range(35):
        _sign_in(device)
    with pytest.raises(TooMany):
        for _ in range(31):
            passkey_proofs.begin_sign_in(address=ADDRESS)


def test_removing_a_passkey_needs_a_proof_and_leaves_the_others(ada: Actor) -> None:
    _, first, _ = added(ada)
    other, _, _ = added(_again(ada))
    with pytest.raises(Forbidden):
        passkeys.remove(_unproved(ada), first.id)
    proved(ada, other)
    passkeys.remove(_again(ada), first.id)
    assert mfa.show(_again(ada)).recovery_codes_left == 10
    assert _again(ada).mfa_proved_at is not None


def test_the_last_factor_of_somebody_with_sensitive_data_goes_only_when_they_say_so(world: World, ada: Actor) -> None:
    space = world.space(risk_level=RiskLevel.HIGH)
    members.add(world.owner(space), space.id, email=ada.email, role=Role.RESEARCHER)
    _, kept, _ = added(ada)
    with pytest.raises(Conflict) as refusal:
        passkeys.remove(_again(ada), kept.id)
    assert refusal.value.code == "last-factor"
    assert "1 moderate or high risk space is closed" in str(refusal.value)
    passkeys.remove(_again(ada), kept.id, is_last=True)
    shown = mfa.show(_again(ada))
    assert (shown.is_enrolled, shown.recovery_codes_left, _again(ada).mfa_proved_at) == (False, 0, None)


def test_the_app_goes_and_passkeys_stay_with_the_recovery_codes(ada: Actor) -> None:
    _, _, codes = added(ada)
    enrolled(_again(ada))
    left = mfa.remove(_again(ada), code=codes[0])
    assert (left.is_enrolled, left.has_app, left.passkeys, left.recovery_codes_left) == (True, False, 1, 9)


def test_nobody_removes_the_passkey_of_another(world: World, ada: Actor) -> None:
    _, kept, _ = added(in_browser(world.person("eve"), is_proved=False))
    added(ada)
    with pytest.raises(NotFound):
        passkeys.remove(_again(ada), kept.id)


def test_a_reset_and_a_removal_of_the_person_take_passkeys_too(world: World, ada: Actor) -> None:
    device, _, _ = added(ada)
    assert staffing.person(world.administrator, ada.person_id).factor_since is not None
    mfa.reset(world.administrator, ada.person_id, reason="lost it")
    assert not factors.has_any(ada.person_id)
    with pytest.raises(Unauthenticated):
        _sign_in(device)
    added(_again(ada))
    people.remove(world.administrator, ada.person_id, reason="left")
    assert not Passkey.objects.filter(person_id=ada.person_id).exists()


def test_who_is_disabled_is_not_let_in(world: World, ada: Actor) -> None:
    device, _, _ = added(ada)
    Person.objects.filter(id=ada.person_id).update(is_active=False)
    with pytest.raises(Unauthenticated):
        _sign_in(device)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8000", "http://[::1]:8000", "http://host.example.org", "https://192.0.2.1"]
)
def test_where_browsers_offer_no_passkeys_it_is_said(ada: Actor, settings: Any, address: str) -> None:
    settings.STRONGROOM = replace(settings.STRONGROOM, public_url=address)
    deeds: list[Callable[[], object]] = [
        lambda: passkeys.begin(ada),
        lambda: passkey_proofs.begin_sign_in(address=ADDRESS),
    ]
    for deed in deeds:
        with pytest.raises(Refusal) as refusal:
            deed()
        assert refusal.value.code == "passkeys-impossible"


def test_at_localhost_passkeys_work_without_tls(ada: Actor, settings: Any) -> None:
    settings.STRONGROOM = replace(settings.STRONGROOM, public_url="http://localhost:8000")
    device, _, _ = added(ada, Device(origin="http://localhost:8000", host="localhost"))
    assert come(_sign_in(device)).person_id == ada.person_id


def test_a_session_that_waits_for_its_second_step_adds_no_passkey_by_itself(world: World) -> None:
    person = world.person("ada")
    added(in_browser(person, is_proved=False))
    stolen = session_of(person, is_proved=False)
    assert stolen.created_at <= timezone.now()
    with pytest.raises(Forbidden):
        passkeys.begin(come(stolen))
