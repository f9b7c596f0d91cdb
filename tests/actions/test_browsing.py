"""Signing in with a browser: passwords, invitations, the second step, sessions that end, and what needs a proof."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from strongroom.actions import browsing, datasets, members, people, sessions, spaces, tokens
from strongroom.actions.configuration import settings
from strongroom.core.actor import Actor
from strongroom.core.errors import Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from strongroom.core.vocabulary import Outcome, RiskLevel, Role, Scope, SystemFact, Verb
from strongroom.db.models import BrowserSession, Event, Person
from tests.actions.attempts import refused
from tests.browsers import ADDRESS, PASSWORD, come, in_browser, session_of, with_password
from tests.phones import Phone, enrolled
from tests.world import World

WHENCE = {"address": ADDRESS, "request_id": "test"}


@pytest.fixture
def ada(world: World) -> Actor:
    actor = world.person("ada")
    with_password(world.administrator, actor)
    return actor


def _sign_in(actor: Actor, password: str = PASSWORD, address: str = ADDRESS) -> BrowserSession:
    return browsing.sign_in(actor.email, password, address=address, request_id="test", agent="Firefox")


def test_an_invitation_sets_a_password_that_signs_in(world: World) -> None:
    invitation = people.create(world.administrator, email="grace@example.org", name="Grace")
    assert browsing.invited(invitation.code, address=ADDRESS) == "grace@example.org"
    first = browsing.accept(invitation.code, PASSWORD, **WHENCE)
    assert come(first).email == "grace@example.org"
    again = browsing.sign_in(" Grace@Example.org ", PASSWORD, **WHENCE)
    assert come(again).scopes == frozenset(Scope)
    with pytest.raises(Unauthenticated):
        browsing.accept(invitation.code, PASSWORD, **WHENCE)


@pytest.mark.parametrize("password", ["", "short", "password1234", "grace@example.org", "x" * 1001])
def test_a_weak_password_is_refused_and_the_invitation_is_left(world: World, password: str) -> None:
    invitation = people.create(world.administrator, email="grace@example.org", name="Grace")
    with pytest.raises(Invalid) as refusal:
        browsing.accept(invitation.code, password, **WHENCE)
    assert "password" in refusal.value.fields
    assert come(browsing.accept(invitation.code, PASSWORD, **WHENCE))


def test_whatever_was_wrong_the_words_are_the_same(world: World, ada: Actor) -> None:
    without = world.person("without")
    gone = world.person("gone")
    with_password(world.administrator, gone)
    people.disable(world.administrator, gone.person_id, reason="left")
    said = set()
    for email, password in (
        (ada.email, "wrong"),
        ("nobody@example.org", PASSWORD),
        (without.email, ""),
        (without.email, "!"),
        (gone.email, PASSWORD),
        ("", ""),
    ):
        with pytest.raises(Unauthenticated) as refusal:
            browsing.sign_in(email, password, **WHENCE)
        said.add((str(refusal.value), refusal.value.way_out, refusal.value.code))
    assert len(said) == 1


def test_ten_wrong_passwords_close_the_door_to_an_address(ada: Actor) -> None:
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            _sign_in(ada, "wrong")
    with pytest.raises(TooMany):
        _sign_in(ada)
    assert _sign_in(ada, address="198.51.100.9")


def test_fifty_wrong_passwords_from_everywhere_close_an_account_for_an_hour(ada: Actor) -> None:
    for number in range(50):
        with pytest.raises(Unauthenticated):
            _sign_in(ada, "wrong", address=f"198.51.100.{number}")
    with pytest.raises(TooMany) as refusal:
        _sign_in(ada, address="203.0.113.1")
    assert refusal.value.retry_after_seconds == 3600


def test_who_has_a_second_factor_is_let_in_only_with_it(ada: Actor) -> None:
    phone, codes = enrolled(ada)
    session = _sign_in(ada)
    with pytest.raises(Unauthenticated):
        come(session)
    with pytest.raises(Invalid):
        browsing.enter(str(session.id), phone.wrong_code(), **WHENCE)
    actor = browsing.enter(str(session.id), phone.code(), **WHENCE)
    assert actor.mfa_proved_at is not None
    assert come(session).session_id == session.id
    other = _sign_in(ada)
    assert browsing.enter(str(other.id), codes[0], **WHENCE).session_id == other.id


def test_an_invitation_does_not_go_around_the_second_factor(world: World, ada: Actor) -> None:
    phone, _ = enrolled(ada)
    code = people.invite(world.administrator, ada.person_id).code
    session = browsing.accept(code, "another correct horse", **WHENCE)
    with pytest.raises(Unauthenticated):
        come(session)
    assert browsing.enter(str(session.id), phone.code(), **WHENCE)


def test_the_second_step_waits_ten_minutes_and_is_taken_once(ada: Actor) -> None:
    phone, codes = enrolled(ada)
    late = _sign_in(ada)
    BrowserSession.objects.filter(id=late.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        browsing.enter(str(late.id), phone.code(), **WHENCE)
    session = _sign_in(ada)
    browsing.enter(str(session.id), codes[0], **WHENCE)
    with pytest.raises(Unauthenticated):
        browsing.enter(str(session.id), codes[1], **WHENCE)


@pytest.mark.parametrize("session_id", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_what_is_no_session_is_nobody(world: World, session_id: str) -> None:
    with pytest.raises(Unauthenticated):
        browsing.authenticate(session_id, **WHENCE)
    with pytest.raises(Unauthenticated):
        browsing.enter(session_id, "123456", **WHENCE)


def test_a_session_ends_when_its_time_is_over_or_nobody_uses_it(ada: Actor) -> None:
    old, idle = session_of(ada), session_of(ada)
    BrowserSession.objects.filter(id=old.id).update(expires_at=timezone.now())
    long_ago = timezone.now() - timedelta(minutes=settings().browser_idle_minutes)
    BrowserSession.objects.filter(id=idle.id).update(last_seen_at=long_ago)
    for session in (old, idle):
        with pytest.raises(Unauthenticated):
            come(session)


def test_signing_out_ends_this_session_alone(ada: Actor) -> None:
    one, other = session_of(ada), session_of(ada)
    browsing.sign_out(come(one))
    with pytest.raises(Unauthenticated):
        come(one)
    assert come(other)
    assert Event.objects.get(verb=SystemFact.PERSON_SIGNED_OUT).after == {"session_id": str(one.id)}


def test_a_disabled_person_is_signed_out_everywhere_and_stays_so_when_enabled(world: World, ada: Actor) -> None:
    session = session_of(ada)
    people.disable(world.administrator, ada.person_id, reason="left")
    people.enable(world.administrator, ada.person_id)
    with pytest.raises(Unauthenticated):
        come(session)


def test_another_password_ends_every_other_session(ada: Actor) -> None:
    here, there = session_of(ada), session_of(ada)
    with pytest.raises(Invalid) as refusal:
        browsing.change_password(come(here), current="wrong", new="another correct horse")
    assert "current" in refusal.value.fields
    assert browsing.change_password(come(here), current=PASSWORD, new="another correct horse") >= 1
    assert come(here)
    with pytest.raises(Unauthenticated):
        come(there)
    with pytest.raises(Unauthenticated):
        _sign_in(ada)
    assert _sign_in(ada, "another correct horse")


def test_sessions_are_ones_own_to_see_and_to_end(world: World, ada: Actor) -> None:
    session, other = session_of(ada), session_of(ada)
    actor = come(session)
    assert {session.id, other.id} <= {row.id for row in sessions.list_(actor).rows}
    eve = in_browser(world.person("eve"))
    with refused(Verb.SESSION_END, eve, NotFound, "not-found"):
        sessions.end(eve, session.id)
    sessions.end(actor, other.id)
    with pytest.raises(Unauthenticated):
        come(other)


def test_a_password_alone_opens_no_sensitive_space(world: World) -> None:
    owner = world.person("owner")
    high, low = world.space(owner), world.space(owner, risk_level=RiskLevel.LOW)
    dataset = world.dataset(high)
    half = in_browser(owner, is_proved=False)
    assert spaces.show(half, low.id)
    for ask in (
        lambda: spaces.show(half, high.id),
        lambda: datasets.show(half, dataset.id),
        lambda: spaces.create(half, name="Mine", risk_level=RiskLevel.MODERATE),
        lambda: tokens.create(half, name="a way around", scopes=[Scope.READ], days=1),
    ):
        with pytest.raises(Forbidden) as refusal:
            ask()
        assert refusal.value.code == "mfa-missing"
    assert spaces.show(in_browser(owner), high.id)
    assert spaces.show(owner, high.id)


def test_what_weighs_needs_a_proof_of_the_last_hour_in_a_browser(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    enrolled(owner)
    somebody = world.person("somebody")
    now = timezone.now()
    stale = replace(in_browser(owner), mfa_proved_at=now - timedelta(minutes=settings().mfa_minutes))
    with refused(Verb.MEMBER_ADD, stale, Forbidden, "mfa-needed"):
        members.add(stale, space.id, email=somebody.email, role=Role.AUDITOR)
    assert members.add(in_browser(owner), space.id, email=somebody.email, role=Role.AUDITOR)
    members.remove(stale, space.id, somebody.person_id)


def test_every_way_in_stands_in_the_ledger_and_no_password_anywhere(ada: Actor) -> None:
    with pytest.raises(Unauthenticated):
        _sign_in(ada, "a password that was wrong")
    with pytest.raises(Unauthenticated):
        browsing.sign_in("my secret in the wrong field", "x", **WHENCE)
    _sign_in(ada)
    signed = Event.objects.filter(verb=SystemFact.PERSON_SIGNED_IN).order_by("sequence")
    assert [each.outcome for each in signed] == [Outcome.DONE, Outcome.REFUSED, Outcome.REFUSED, Outcome.DONE]
    assert signed[1].subject.startswith(f"{ada.email} from {ADDRESS}")
    with connection.cursor() as cursor:
        for table in ("strongroom_event", "strongroom_browsersession", "strongroom_person", "strongroom_cache"):
            cursor.execute(f"SELECT * FROM {table}")
            held = str(cursor.fetchall())
            for secret in (PASSWORD, "a password that was wrong", "my secret in the wrong field"):
                assert secret not in held, table
    assert Person.objects.get(email=ada.email).has_usable_password()


def test_a_phone_is_enrolled_and_counts_as_proved_in_that_browser(ada: Actor) -> None:
    session = session_of(ada, is_proved=False)
    phone, _ = enrolled(come(session))
    assert isinstance(phone, Phone)
    assert come(session).mfa_proved_at is not None
