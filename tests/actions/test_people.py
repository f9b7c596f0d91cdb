"""People: created, invited, disabled; and the platform is never left without an administrator."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import audit, guessing, members, people, signin, tokens
from strongroom.core.credentials import digest
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from strongroom.core.vocabulary import Role, Scope, StaffRole
from strongroom.db.models import Event, Membership, Person, SignInCode
from tests.bearers import bearer, secret_for_code, secret_of
from tests.browsers import come, session_of
from tests.phones import enrolled
from tests.threads import at_once
from tests.world import World


def test_a_new_person_has_an_address_in_lower_case_and_a_code_of_which_only_the_digest_is_kept(world: World) -> None:
    made = people.create(world.administrator, email=" Ada@Example.ORG ", name="Ada")
    assert made.person.email == "ada@example.org"
    assert SignInCode.objects.get(person=made.person).code_sha256 == digest(made.code)
    assert made.code not in repr(made)
    assert not made.person.has_usable_password()


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a b@example.org", "ada@example.org\nbcc: x@example.org"])
def test_what_is_no_address_is_refused(world: World, email: str) -> None:
    with pytest.raises(Invalid) as refusal:
        people.create(world.administrator, email=email, name="Ada")
    assert "email" in refusal.value.fields


def test_an_address_is_taken_whatever_its_case(world: World) -> None:
    people.create(world.administrator, email="ada@example.org", name="Ada")
    with pytest.raises(Conflict):
        people.create(world.administrator, email="ADA@example.org", name="Another")


def test_only_staff_list_and_see_others_but_everybody_sees_themselves(world: World) -> None:
    ada, grace = world.person("ada"), world.person("grace")
    assert people.show(ada, "me").email == ada.email
    assert people.show(ada, ada.person_id).email == ada.email
    with pytest.raises(Forbidden):
        people.show(ada, grace.person_id)
    with pytest.raises(Forbidden):
        people.list_(ada)
    with pytest.raises(NotFound):
        people.show(world.administrator, world.space().id)


def test_people_are_found_by_a_part_of_their_name_or_address(world: World) -> None:
    people.create(world.administrator, email="zoe@example.org", name="Émilie du Châtelet")
    for words in ("zoe@", "Châtelet"):
        assert [row.email for row in people.list_(world.administrator, search=words).rows] == ["zoe@example.org"]


def test_a_new_invitation_makes_the_older_code_worthless(world: World) -> None:
    first = people.create(world.administrator, email="ada@example.org", name="Ada")
    second = people.invite(world.administrator, first.person.id)
    with pytest.raises(Unauthenticated):
        secret_for_code(first.code)
    assert secret_for_code(second.code)


def test_the_auditors_of_a_space_see_who_could_sign_in_as_a_member(world: World) -> None:
    space = world.space()
    member = world.member(space, Role.STEWARD)
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    people.invite(support, member.person_id)
    seen = audit.list_(world.member(space, Role.AUDITOR), space_id=space.id, verb="member.invited").rows
    assert [(each.actor_email, each.subject) for each in seen] == [(support.email, member.email)]


def test_oneself_is_seen_only_with_a_token_that_may_read(world: World) -> None:
    ada = world.person("ada")
    assert people.show(ada, "me").email == ada.email
    with pytest.raises(Forbidden, match="scope"):
        people.show(replace(ada, scopes=frozenset({Scope.WRITE})), "me")


def test_support_may_invite_people_but_not_administrators(world: World) -> None:
    support, ada = world.person("support", staff_role=StaffRole.SUPPORT), world.person("ada")
    assert people.invite(support, ada.person_id).code
    with pytest.raises(Forbidden):
        people.invite(support, world.administrator.person_id)


def test_a_disabled_person_can_neither_go_on_nor_come_in_again(world: World) -> None:
    ada = world.person("ada")
    secret = secret_of(ada)
    waiting = people.invite(world.administrator, ada.person_id)
    people.disable(world.administrator, ada.person_id, reason="Left the university")
    with pytest.raises(Unauthenticated):
        bearer(secret)
    with pytest.raises(Unauthenticated):
        secret_for_code(waiting.code)
    with pytest.raises(Conflict):
        people.invite(world.administrator, ada.person_id)
    event = Event.objects.get(verb="person.disable")
    assert (event.reason, event.subject) == ("Left the university", ada.email)


def test_an_enabled_person_comes_back_with_a_new_code_only(world: World) -> None:
    ada = world.person("ada")
    secret = secret_of(ada)
    people.disable(world.administrator, ada.person_id, reason="Left the university")
    assert people.enable(world.administrator, ada.person_id).is_active
    with pytest.raises(Unauthenticated):
        bearer(secret)
    assert secret_for_code(people.invite(world.administrator, ada.person_id).code)
    assert Event.objects.filter(verb="person.enable", subject=ada.email).exists()


def test_a_disabled_person_holds_no_access_key_that_works(world: World) -> None:
    space = world.space()
    steward = world.member(space, Role.STEWARD)
    dataset = world.dataset(space, by=steward)
    key = world.key(dataset)
    assert world.engine.put_as(key, dataset.repository, "before", b"")
    people.disable(world.administrator, steward.person_id, reason="Left the university")
    assert not world.engine.put_as(key, dataset.repository, "after", b"")


def test_disabling_needs_a_reason(world: World) -> None:
    with pytest.raises(Invalid):
        people.disable(world.administrator, world.person().person_id, reason=" ")


def test_the_last_administrator_can_be_neither_disabled_nor_demoted(world: World) -> None:
    root = world.administrator
    with pytest.raises(Conflict, match="last administrator"):
        people.disable(root, root.person_id, reason="tired")
    with pytest.raises(Conflict, match="last administrator"):
        people.edit(root, root.person_id, changes={"staff_role": None})
    second = world.person("second", staff_role=StaffRole.ADMINISTRATOR)
    assert people.edit(second, root.person_id, changes={"staff_role": None}).staff_role is None


def test_two_administrators_who_demote_each_other_at_once_leave_one(lasting_world: World) -> None:
    root = lasting_world.administrator
    other = lasting_world.person("other", staff_role=StaffRole.ADMINISTRATOR)
    pairs = [(root, other), (other, root)]
    outcomes = at_once(
        lambda pair=pair: people.edit(pair[0], pair[1].person_id, changes={"staff_role": None}) for pair in pairs
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["Conflict", "Person"]
    assert Person.objects.filter(staff_role="administrator", is_active=True).count() == 1


def test_a_first_administrator_is_made_only_where_nobody_is(world: World) -> None:
    assert people.first_administrator("second@example.org") is None


def test_the_operator_gets_a_code_in_their_own_shell_and_the_ledger_says_so(world: World) -> None:
    ada = world.person("ada")
    invitation = people.issue_code_locally(ada.email.upper())
    assert bearer(secret_for_code(invitation.code)).person_id == ada.person_id
    assert Event.objects.get(reason__contains="own shell").subject == ada.email
    with pytest.raises(NotFound):
        people.issue_code_locally("nobody@example.org")


def test_a_code_works_once_and_only_in_time(world: World) -> None:
    invitation = people.create(world.administrator, email="ada@example.org", name="Ada")
    assert secret_for_code(invitation.code.lower().replace("-", " "))
    with pytest.raises(Unauthenticated) as used:
        secret_for_code(invitation.code)
    late = people.invite(world.administrator, invitation.person.id)
    SignInCode.objects.filter(used_at=None).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Unauthenticated) as expired:
        secret_for_code(late.code)
    with pytest.raises(Unauthenticated) as unknown:
        secret_for_code("0000-0000-0000-0000")
    with pytest.raises(Unauthenticated) as no_code:
        secret_for_code("'; drop table")
    assert len({str(each.value) for each in (used, expired, unknown, no_code)}) == 1


def test_of_many_who_use_one_code_at_once_one_comes_in(lasting_world: World) -> None:
    invitation = people.create(lasting_world.administrator, email="ada@example.org", name="Ada")
    outcomes = at_once([lambda: secret_for_code(invitation.code, address="192.0.2.99")] * 6)
    assert sorted(type(each).__name__ for each in outcomes) == ["Unauthenticated"] * 5 + ["str"]


def test_after_ten_refusals_an_address_has_to_wait_and_another_has_not(world: World) -> None:
    for _ in range(guessing.REFUSALS):
        with pytest.raises(Unauthenticated):
            signin.sign_in("0000-0000-0000-0000", address="2001:db8::1", request_id="r")
    invitation = people.create(world.administrator, email="ada@example.org", name="Ada")
    with pytest.raises(TooMany) as refusal:  # the same /64
        signin.sign_in(invitation.code, address="2001:db8::2", request_id="r")
    assert refusal.value.retry_after_seconds == 900
    assert signin.sign_in(invitation.code, address="2001:db8:0:1::1", request_id="r")


def test_guesses_sent_all_at_once_are_stopped_too(lasting_world: World) -> None:
    def guess() -> object:
        return signin.sign_in("0000-0000-0000-0000", address="198.51.100.9", request_id="r")

    outcomes = [type(each).__name__ for each in at_once([guess] * 14)]
    assert sorted(outcomes) == ["TooMany"] * 4 + ["Unauthenticated"] * 10


def test_signing_in_often_is_not_limited(world: World) -> None:
    ada = world.person("ada")
    for _ in range(guessing.REFUSALS + 2):
        secret_for_code(people.invite(world.administrator, ada.person_id).code)


def test_refused_and_successful_sign_ins_stand_in_the_ledger_without_the_code(world: World) -> None:
    with pytest.raises(Unauthenticated):
        secret_for_code("0000-1111-2222-3333")
    refused = Event.objects.filter(verb="person.signed_in").latest("sequence")
    assert (refused.outcome, refused.actor_id) == ("refused", None)
    assert "3333" not in f"{refused.subject}{refused.reason}{refused.after}"
    ada = world.person("ada")
    secret_for_code(people.invite(world.administrator, ada.person_id).code)
    assert Event.objects.filter(verb="person.signed_in", outcome="done", actor_id=ada.person_id).count() == 1


def test_a_token_of_a_person_who_became_staff_has_what_staff_may(world: World) -> None:
    ada = world.person("ada")
    secret = secret_of(ada)
    people.edit(world.administrator, ada.person_id, changes={"staff_role": StaffRole.SUPPORT, "name": "Ada L."})
    assert tokens.authenticate(secret, address="", request_id="").staff_role is StaffRole.SUPPORT
    assert Person.objects.get(id=ada.person_id).name == "Ada L."


def test_somebody_removed_everywhere_keeps_nothing_and_the_answer_says_what_was_cut(world: World) -> None:
    ada = world.person("ada")
    spaces = [world.space(), world.space()]
    for space in spaces:
        members.add(world.owner(space), space.id, email=ada.email, role=Role.STEWARD)
    dataset = world.dataset(spaces[0], by=ada)
    key = world.key(dataset)
    secret = secret_of(ada)
    enrolled(ada)
    session = session_of(ada)
    removed = people.remove(world.administrator, ada.person_id, reason="Left the university")
    assert sorted(removed.spaces) == sorted(space.name for space in spaces)
    assert (removed.tokens, removed.sessions, removed.keys, removed.had_second_factor) == (1, 1, 1, True)
    assert not world.engine.put_as(key, dataset.repository, "late.csv", b"x")
    assert not Membership.objects.filter(person_id=ada.person_id).exists()
    for ask in (lambda: bearer(secret), lambda: come(session)):
        with pytest.raises(Unauthenticated):
            ask()
    left = audit.list_(world.owner(spaces[1]), space_id=spaces[1].id, verb="member.left").rows
    assert [each.subject for each in left] == [ada.email]


def test_the_last_owner_of_a_space_is_not_removed_and_keeps_everything(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    with pytest.raises(Conflict) as refusal:
        people.remove(world.administrator, owner.person_id, reason="left")
    assert refusal.value.code == "last-owner"
    assert Membership.objects.filter(space=space, person_id=owner.person_id).exists()
    assert people.show(owner, "me").is_active


def test_the_last_administrator_is_not_removed(world: World) -> None:
    with pytest.raises(Conflict) as refusal:
        people.remove(world.administrator, world.administrator.person_id, reason="left")
    assert refusal.value.code == "last-administrator"
