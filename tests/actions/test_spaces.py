"""Spaces and members: nobody sees what is not theirs, and a space keeps an owner."""

import pytest

from strongroom.actions import datasets, keys, members, people, spaces
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound
from strongroom.core.vocabulary import Kind, RiskLevel, Role, StaffRole
from strongroom.db.models import Event, Membership
from strongroom.engines import AccessKey
from tests.threads import at_once
from tests.world import World


def test_who_creates_a_space_owns_it(world: World) -> None:
    ada = world.person("ada")
    made = spaces.create(ada, name="Study", risk_level=RiskLevel.HIGH, charge_code="CC-1", contact="x@example.org")
    assert (made.role, made.member_count, made.dataset_count, made.server_count) == (Role.OWNER, 1, 0, 0)
    assert spaces.show(ada, made.space.id) == made
    event = Event.objects.get(verb="space.create")
    assert (event.space_id, event.after["charge_code"]) == (made.space.id, "CC-1")


def test_two_spaces_may_have_one_name(world: World) -> None:
    ada = world.person("ada")
    assert world.space(ada, name="Study").id != world.space(ada, name="Study").id


def test_a_space_is_hidden_from_who_is_no_member_and_shown_to_staff(world: World) -> None:
    space = world.space()
    stranger = world.person("stranger")
    with pytest.raises(NotFound):
        spaces.show(stranger, space.id)
    assert not spaces.list_(stranger).rows
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    assert spaces.show(support, space.id).role is None


def test_who_loses_a_role_loses_the_keys_that_came_with_it(world: World) -> None:
    space = world.space()
    steward = world.member(space, Role.STEWARD)
    own, other = world.dataset(space, by=steward), world.dataset(space)
    held = {dataset: keys.issue(steward, dataset.id) for dataset in (own, other)}
    writes = lambda: [  # noqa: E731 the same question three times
        world.engine.put_as(
            AccessKey(each.key.principal, each.key.access_key_id, each.secret), dataset.repository, "file", b""
        )
        for dataset, each in held.items()
    ]
    assert writes() == [True, True]
    members.edit(world.owner(space), space.id, steward.person_id, role=Role.RESEARCHER)
    assert writes() == [True, False]  # a researcher goes on with what they created
    members.remove(world.owner(space), space.id, steward.person_id)
    assert writes() == [False, False]
    assert Event.objects.get(verb="member.remove").after["keys_revoked"] == 1


def test_a_key_that_support_handed_out_ends_with_whose_it_was(world: World) -> None:
    space = world.space()
    steward = world.member(space, Role.STEWARD)
    dataset = world.dataset(space)
    keys.issue(steward, dataset.id)
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    issued = keys.reset(support, dataset.id, reason="The laptop was lost")
    key = AccessKey(issued.key.principal, issued.key.access_key_id, issued.secret)
    assert world.engine.put_as(key, dataset.repository, "file", b"")
    people.disable(world.administrator, support.person_id, reason="Left")
    assert world.engine.put_as(key, dataset.repository, "file", b"")
    members.remove(world.owner(space), space.id, steward.person_id)
    assert not world.engine.put_as(key, dataset.repository, "file", b"")


def test_the_risk_level_cannot_become_low_while_there_are_data_sets(world: World) -> None:
    ada = world.person("ada")
    space = world.space(ada)
    made = world.dataset(space, by=ada)
    with pytest.raises(Conflict) as refusal:
        spaces.edit(ada, space.id, changes={"risk_level": RiskLevel.LOW})
    assert refusal.value.code == "has-data-sets"
    assert spaces.edit(ada, space.id, changes={"risk_level": RiskLevel.MODERATE}).space.risk_level == "moderate"
    datasets.delete(ada, made.id, confirm_name=made.name)
    world.settled(made)
    assert spaces.edit(ada, space.id, changes={"risk_level": RiskLevel.LOW}).dataset_count == 0


def test_a_low_risk_space_takes_no_data_sets(world: World) -> None:
    ada = world.person("ada")
    space = world.space(ada, risk_level=RiskLevel.LOW)
    with pytest.raises(Conflict):
        datasets.create(ada, space_id=space.id, kind=Kind.ORIGINAL, name="No")


def test_an_edit_changes_what_was_sent_and_nothing_else(world: World) -> None:
    ada = world.person("ada")
    space = world.space(ada)
    spaces.edit(ada, space.id, changes={"contact": "new@example.org"})
    event = Event.objects.get(verb="space.edit")
    assert {name for name in event.after if event.after[name] != event.before[name]} == {"contact"}
    with pytest.raises(Invalid):
        spaces.edit(ada, space.id, changes={"name": ""})


def test_a_refused_edit_stands_in_the_ledger(world: World) -> None:
    ada = world.person("ada")
    space = world.space(ada)
    auditor = world.member(space, Role.AUDITOR)
    with pytest.raises(Forbidden):
        spaces.edit(auditor, space.id, changes={"name": "Mine"})
    event = Event.objects.get(verb="space.edit")
    assert (event.outcome, event.actor_id, event.space_id) == ("refused", auditor.person_id, space.id)


def test_a_member_is_somebody_active_who_is_known(world: World) -> None:
    ada, grace = world.person("ada"), world.person("grace")
    space = world.space(ada)
    with pytest.raises(Invalid, match="no active person"):
        members.add(ada, space.id, email="nobody@example.org", role=Role.STEWARD)
    people.disable(world.administrator, grace.person_id, reason="left")
    with pytest.raises(Invalid):
        members.add(ada, space.id, email=grace.email, role=Role.STEWARD)


def test_somebody_has_one_role_in_a_space(world: World) -> None:
    ada, grace = world.person("ada"), world.person("grace")
    space = world.space(ada)
    members.add(ada, space.id, email=grace.email.upper(), role=Role.RESEARCHER)
    with pytest.raises(Conflict) as refusal:
        members.add(ada, space.id, email=grace.email, role=Role.OWNER)
    assert refusal.value.code == "member-already"
    assert members.edit(ada, space.id, grace.person_id, role=Role.STEWARD).role == "steward"
    assert [row.role for row in members.list_(ada, space.id).rows] == ["owner", "steward"]


def test_who_is_removed_sees_the_space_no_more(world: World) -> None:
    ada = world.person("ada")
    space = world.space(ada)
    grace = world.member(space, Role.STEWARD)
    members.remove(ada, space.id, grace.person_id)
    with pytest.raises(NotFound):
        spaces.show(grace, space.id)
    with pytest.raises(NotFound):
        members.remove(ada, space.id, grace.person_id)


def test_the_last_owner_stays_an_owner(world: World) -> None:
    ada = world.person("ada")
    space = world.space(ada)
    with pytest.raises(Conflict, match="last owner"):
        members.remove(ada, space.id, ada.person_id)
    with pytest.raises(Conflict, match="last owner"):
        members.edit(ada, space.id, ada.person_id, role=Role.AUDITOR)
    second = world.member(space, Role.OWNER)
    people.disable(world.administrator, second.person_id, reason="left")
    with pytest.raises(Conflict, match="last owner"):
        members.remove(ada, space.id, ada.person_id)


def test_an_administrator_can_give_a_space_an_owner(world: World) -> None:
    ada, grace = world.person("ada"), world.person("grace")
    space = world.space(ada)
    members.add(world.administrator, space.id, email=grace.email, role=Role.OWNER)
    members.remove(grace, space.id, ada.person_id)
    assert [row.person_id for row in members.list_(world.administrator, space.id).rows] == [grace.person_id]


def test_two_owners_who_remove_each_other_at_once_leave_one(lasting_world: World) -> None:
    ada = lasting_world.person("ada")
    space = lasting_world.space(ada)
    grace = lasting_world.member(space, Role.OWNER)
    pairs = [(ada, grace), (grace, ada)]
    outcomes = at_once(lambda pair=pair: members.remove(pair[0], space.id, pair[1].person_id) for pair in pairs)
    refusals = [each for each in outcomes if each is not None]
    assert len(refusals) == 1
    assert isinstance(refusals[0], Conflict | NotFound | Forbidden)
    assert Membership.objects.filter(space=space, role="owner").count() == 1
