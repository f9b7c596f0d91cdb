"""Codes, recovery codes and accounts when several want them at once; on the database as it is in life."""

from dataclasses import replace

from django.core.cache import cache

from strongroom.actions import certifying, mfa
from strongroom.core.errors import Conflict, Invalid, TooMany
from strongroom.core.vocabulary import Outcome, Role, Verb
from strongroom.db.models import Event, Person
from tests.actions.rules import assert_ledger_is_whole
from tests.bearers import narrowed
from tests.logins import KEY, takes_logins
from tests.phones import Phone, enrolled, proved
from tests.threads import at_once
from tests.world import World

MANY = 8


def test_a_code_that_is_sent_many_times_at_once_counts_once(lasting_world: World) -> None:
    ada = narrowed(lasting_world.person())
    phone, codes = enrolled(ada)
    for code in (phone.code(), codes[0]):
        done = at_once([lambda code=code: mfa.prove(ada, code=code)] * MANY)
        assert sum(isinstance(each, mfa.SecondFactor) for each in done) == 1
        assert all(isinstance(each, mfa.SecondFactor | Invalid | TooMany) for each in done), done
        cache.clear()
    assert mfa.show(ada).recovery_codes_left == 9
    assert_ledger_is_whole()


def test_an_enrolment_that_is_confirmed_many_times_at_once_gives_one_set_of_recovery_codes(
    lasting_world: World,
) -> None:
    ada = narrowed(lasting_world.person())
    phone = Phone(mfa.enrol(ada).secret)
    code = phone.code()
    done = at_once([lambda: mfa.confirm(ada, code=code)] * MANY)
    assert sum(isinstance(each, mfa.Confirmed) for each in done) == 1
    assert all(isinstance(each, mfa.Confirmed | Conflict) for each in done), done


def test_guesses_sent_all_at_once_exceed_no_limit(lasting_world: World) -> None:
    ada = narrowed(lasting_world.person())
    phone, _ = enrolled(ada)
    wrong = phone.wrong_code()
    done = at_once([lambda: mfa.prove(ada, code=wrong)] * 14)
    assert sum(isinstance(each, Invalid) for each in done) <= 10
    assert sum(isinstance(each, TooMany) for each in done) >= 4
    assert Event.objects.filter(verb=Verb.MFA_PROVE, outcome=Outcome.REFUSED).count() <= 10


def test_many_first_logins_at_once_make_one_account(lasting_world: World) -> None:
    space = lasting_world.space()
    server = takes_logins(lasting_world.machine(space).row)
    ada = proved(lasting_world.member(space, Role.RESEARCHER))
    Person.objects.filter(id=ada.person_id).update(account=None)
    actors = [replace(ada, request_id=str(number)) for number in range(MANY)]
    done = at_once([lambda who=who: certifying.certify(who, server.id, public_key=KEY) for who in actors])
    assert {each.account for each in done if isinstance(each, certifying.Certificate)} == {
        Person.objects.values_list("account", flat=True).get(id=ada.person_id)
    }
    assert len({each.serial for each in done if isinstance(each, certifying.Certificate)}) == MANY
