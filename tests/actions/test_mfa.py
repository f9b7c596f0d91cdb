"""The second factor: enrolled, proved, used up, guessed at, removed, reset."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from strongroom.actions import mfa
from strongroom.actions.configuration import settings
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Invalid, TooMany
from strongroom.core.vocabulary import Outcome, Scope, StaffRole, Verb
from strongroom.db.models import Event, Token
from tests.actions.attempts import refused
from tests.bearers import bearer, narrowed, secret_of
from tests.phones import Phone, enrolled, proved
from tests.world import World


@pytest.fixture
def ada(world: World) -> Actor:
    return narrowed(world.person("ada"))


def _again(actor: Actor) -> Actor:
    """The actor of a later request with the same token."""
    proved_at = Token.objects.values_list("mfa_proved_at", flat=True).get(id=actor.token_id)
    return replace(actor, mfa_proved_at=proved_at)


def test_nothing_counts_before_a_code_confirmed_it(ada: Actor) -> None:
    enrolment = mfa.enrol(ada)
    assert f"secret={enrolment.secret}" in enrolment.uri
    assert not mfa.show(ada).is_enrolled
    with refused(Verb.MFA_PROVE, ada, Forbidden, "mfa-missing"):
        mfa.prove(ada, code=Phone(enrolment.secret).code())


def test_a_confirmed_factor_counts_and_is_proved_with_the_token_that_confirmed_it(ada: Actor) -> None:
    _, codes = enrolled(ada)
    assert len(codes) == len(set(codes)) == 10
    shown = mfa.show(_again(ada))
    assert (shown.is_enrolled, shown.recovery_codes_left) == (True, 10)
    assert shown.proved_at is not None and shown.proof_ends_at is not None
    assert shown.proof_ends_at - shown.proved_at == timedelta(minutes=settings().mfa_minutes)


def test_a_proof_belongs_to_the_token_it_came_with(world: World) -> None:
    person = world.person()
    one, other = secret_of(person), secret_of(person)
    phone, _ = enrolled(bearer(other))
    mfa.prove(bearer(one), code=phone.code())
    Token.objects.filter(id=bearer(other).token_id).update(mfa_proved_at=None)
    assert bearer(one).mfa_proved_at is not None
    assert bearer(other).mfa_proved_at is None


def test_a_code_of_the_app_works_once(ada: Actor) -> None:
    phone, _ = enrolled(ada)
    code = phone.code()
    mfa.prove(ada, code=code)
    with refused(Verb.MFA_PROVE, ada, Invalid, "mfa-code"):
        mfa.prove(ada, code=code)


def test_the_code_that_confirmed_cannot_prove_and_no_earlier_one_can(ada: Actor) -> None:
    phone = Phone(mfa.enrol(ada).secret)
    earlier, confirming = phone.code(), phone.code()
    mfa.confirm(ada, code=confirming)
    for code in (confirming, earlier):
        with refused(Verb.MFA_PROVE, ada, Invalid, "mfa-code"):
            mfa.prove(ada, code=code)


def test_a_recovery_code_works_once_in_place_of_the_app(ada: Actor) -> None:
    _, codes = enrolled(ada)
    typed = f"{codes[3][:4]}-{codes[3][4:8]} {codes[3][8:]}"
    assert mfa.prove(ada, code=typed).recovery_codes_left == 9
    with refused(Verb.MFA_PROVE, ada, Invalid, "mfa-code"):
        mfa.prove(ada, code=codes[3])
    assert mfa.show(ada).recovery_codes_left == 9


def test_somebody_elses_codes_are_wrong(world: World, ada: Actor) -> None:
    enrolled(ada)
    phone, codes = enrolled(narrowed(world.person("eve")))
    for code in (phone.code(), codes[0]):
        with refused(Verb.MFA_PROVE, ada, Invalid, "mfa-code"):
            mfa.prove(ada, code=code)


@pytest.mark.parametrize("code", ["", "12345", "abc", "1" * 5000, "ａｂｃ", "000000000000"])
def test_what_is_no_code_is_refused_like_a_wrong_one(ada: Actor, code: str) -> None:
    enrolled(ada)
    with refused(Verb.MFA_PROVE, ada, Invalid, "mfa-code"):
        mfa.prove(ada, code=code)


def test_ten_wrong_codes_close_the_door_whatever_token_they_come_with(world: World) -> None:
    person = world.person()
    one, other = narrowed(person), narrowed(person)
    phone, codes = enrolled(one)
    for number in range(10):
        with refused(Verb.MFA_PROVE, (one, other)[number % 2], Invalid, "mfa-code"):
            mfa.prove((one, other)[number % 2], code=phone.wrong_code())
    for code in (phone.code(), codes[0]):
        with pytest.raises(TooMany) as refusal:
            mfa.prove(other, code=code)
        assert refusal.value.retry_after_seconds == 15 * 60
    with pytest.raises(TooMany):
        mfa.remove(one, code=codes[0])
    assert mfa.show(one).recovery_codes_left == 10


def test_right_codes_take_no_place_of_wrong_ones(ada: Actor) -> None:
    phone, codes = enrolled(ada)
    for code in codes[:8]:
        mfa.prove(ada, code=code)
    for _ in range(9):
        with refused(Verb.MFA_PROVE, ada, Invalid, "mfa-code"):
            mfa.prove(ada, code=phone.wrong_code())
    assert mfa.prove(ada, code=phone.code()).is_enrolled


def test_an_app_is_enrolled_once(ada: Actor) -> None:
    phone, _ = enrolled(ada)
    with refused(Verb.MFA_ENROL, ada, Conflict, "mfa-enrolled"):
        mfa.enrol(ada)
    with refused(Verb.MFA_CONFIRM, ada, Conflict, "mfa-enrolled"):
        mfa.confirm(ada, code=phone.code())


def test_a_wrong_code_confirms_nothing_and_the_right_one_still_does(ada: Actor) -> None:
    phone = Phone(mfa.enrol(ada).secret)
    with refused(Verb.MFA_CONFIRM, ada, Invalid, "mfa-code"):
        mfa.confirm(ada, code=phone.wrong_code())
    assert mfa.confirm(ada, code=phone.code()).factor.is_enrolled


def test_an_enrolment_is_forgotten_after_its_time_and_when_begun_again(ada: Actor) -> None:
    first = Phone(mfa.enrol(ada).secret)
    mfa.enrol(ada)
    with refused(Verb.MFA_CONFIRM, ada, Invalid, "mfa-code"):
        mfa.confirm(ada, code=first.code())
    cache.delete(f"mfa-enrolment:{ada.person_id}")
    with refused(Verb.MFA_CONFIRM, ada, Conflict, "mfa-not-begun"):
        mfa.confirm(ada, code=first.code())


def test_removing_needs_a_code_and_ends_every_proof(world: World) -> None:
    person = world.person()
    one, other = secret_of(person), secret_of(person)
    phone, codes = enrolled(bearer(one))
    mfa.prove(bearer(other), code=phone.code())
    with refused(Verb.MFA_REMOVE, bearer(one), Invalid, "mfa-code"):
        mfa.remove(bearer(one), code=phone.wrong_code())
    assert not mfa.remove(bearer(one), code=codes[0]).is_enrolled
    assert (bearer(one).mfa_proved_at, bearer(other).mfa_proved_at) == (None, None)
    assert not Authenticator.objects.filter(user_id=person.person_id).exists()


def test_an_administrator_resets_the_factor_of_somebody_else_with_a_reason(world: World, ada: Actor) -> None:
    enrolled(ada)
    with refused(Verb.MFA_RESET, world.administrator, Invalid, "invalid"):
        mfa.reset(world.administrator, ada.person_id, reason=" ")
    mfa.reset(world.administrator, ada.person_id, reason="the phone was lost; seen in person")
    assert not mfa.show(ada).is_enrolled
    assert _again(ada).mfa_proved_at is None
    entry = Event.objects.get(verb=Verb.MFA_RESET, outcome=Outcome.DONE)
    assert (entry.subject, entry.reason) == (ada.email, "the phone was lost; seen in person")


def test_nobody_resets_their_own_factor_or_one_that_is_not_there(world: World, ada: Actor) -> None:
    admin = narrowed(world.administrator)
    enrolled(admin)
    with refused(Verb.MFA_RESET, admin, Conflict, "own-factor"):
        mfa.reset(admin, admin.person_id, reason="lost")
    with refused(Verb.MFA_RESET, admin, Conflict, "mfa-missing"):
        mfa.reset(admin, ada.person_id, reason="lost")


@pytest.mark.parametrize("staff_role", [None, StaffRole.SUPPORT])
def test_only_administrators_reset(world: World, ada: Actor, staff_role: StaffRole | None) -> None:
    enrolled(ada)
    somebody = world.person(staff_role=staff_role)
    with refused(Verb.MFA_RESET, somebody, Forbidden, "role"):
        mfa.reset(somebody, ada.person_id, reason="curious")
    assert mfa.show(ada).is_enrolled


def test_a_token_that_may_only_read_proves_and_does_not_enrol(world: World) -> None:
    person = world.person()
    phone, _ = enrolled(narrowed(person))
    reader = narrowed(person, scopes=(Scope.READ,))
    assert mfa.prove(reader, code=phone.code()).proved_at is not None
    with refused(Verb.MFA_REMOVE, reader, Forbidden, "scope"):
        mfa.remove(reader, code=phone.code())


def test_secrets_stand_in_no_table_in_plain_words(ada: Actor) -> None:
    pending = mfa.enrol(ada).secret
    _assert_nowhere(pending)
    phone = Phone(pending)
    used = phone.code()
    codes = mfa.confirm(ada, code=used).recovery_codes
    for secret in (pending, *codes):
        _assert_nowhere(secret)


def _assert_nowhere(secret: str) -> None:
    with connection.cursor() as cursor:
        for table in ("mfa_authenticator", "strongroom_cache", "strongroom_event", "strongroom_token"):
            cursor.execute(f"SELECT * FROM {table}")
            assert secret not in json.dumps(cursor.fetchall(), default=str), table


def test_every_deed_stands_in_the_ledger_and_no_code_does(ada: Actor) -> None:
    phone, codes = enrolled(ada)
    mfa.prove(ada, code=codes[0])
    mfa.remove(ada, code=phone.code())
    done = Event.objects.filter(actor_id=ada.person_id, verb__startswith="mfa.").order_by("sequence")
    assert list(done.values_list("verb", flat=True)) == ["mfa.enrol", "mfa.confirm", "mfa.prove", "mfa.remove"]
    assert done[2].after == {"kind": "recovery-code", "recovery_codes_left": 9}


def test_proved_people_come_with_a_fresh_proof(world: World) -> None:
    actor = proved(world.person())
    assert actor.mfa_proved_at is not None and timezone.now() - actor.mfa_proved_at < timedelta(minutes=1)
