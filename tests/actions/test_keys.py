"""Access keys: one at a time, shown once, reset once; every other wish is refused with its reason."""

from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import datasets, keys
from strongroom.core.errors import Conflict, Forbidden, Invalid, Unavailable
from strongroom.core.vocabulary import KeyStatus, Role, StaffRole, Verb
from strongroom.db.models import Dataset, Event, UploadKey
from strongroom.engines import AccessKey
from tests.actions.attempts import failing, refused
from tests.actions.rules import assert_rules_hold, time_passes, work_until_settled
from tests.world import World, actor_of


def made(issued: keys.IssuedKey) -> AccessKey:
    """What the person was shown, as a client uses it."""
    return AccessKey(issued.key.principal, issued.key.access_key_id, issued.secret)


def test_a_key_works_when_it_is_shown(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    issued = keys.issue(owner, dataset.id)
    assert (issued.repository, issued.endpoint) == (dataset.repository, world.engine.public_endpoint)
    assert world.engine.put_as(made(issued), dataset.repository, "a", b"1")
    assert not world.engine.put_as(made(issued), dataset.repository, "_attachments/a", b"1")
    assert not world.engine.put_as(made(issued), world.dataset().repository, "a", b"1")
    [key] = keys.list_(owner, dataset.id)
    assert (key.id, key.status, key.issued_by.email) == (issued.key.id, KeyStatus.ACTIVE, owner.email)
    assert key.expires_at - key.issued_at == timedelta(days=30)


def test_issuing_and_showing_are_two_facts(world: World) -> None:
    dataset = world.dataset()
    issued = keys.issue(actor_of(dataset.created_by), dataset.id)
    asked, shown = Event.objects.filter(verb__startswith="key.").order_by("sequence")
    assert (asked.verb, asked.before, asked.after["access_key_id"]) == ("key.issue", None, None)
    assert (shown.verb, shown.actor_id, shown.after["status"]) == ("key.shown", None, "active")
    assert shown.after["access_key_id"] == issued.key.access_key_id


def test_there_is_one_first_key(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    keys.issue(owner, dataset.id)
    with refused(Verb.KEY_ISSUE, owner, Conflict, "already-issued"):
        keys.issue(owner, dataset.id)
    keys.revoke(owner, dataset.id)
    with refused(Verb.KEY_ISSUE, owner, Conflict, "already-issued"):
        keys.issue(owner, dataset.id)


def test_while_a_key_is_being_made_nobody_asks_for_another(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    now = timezone.now()
    UploadKey.objects.create(
        dataset=dataset, principal="up-x", issued_at=now, issued_by=dataset.created_by, expires_at=now
    )
    with refused(Verb.KEY_ISSUE, owner, Conflict, "being-issued"):
        keys.issue(owner, dataset.id)
    with refused(Verb.KEY_RESET, owner, Conflict, "being-issued"):
        keys.reset(owner, dataset.id)


def test_the_owner_resets_once_and_support_again_with_a_reason(world: World) -> None:
    dataset = world.dataset()
    owner, steward = actor_of(dataset.created_by), world.member(dataset.space, Role.STEWARD)
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    first = made(keys.issue(owner, dataset.id))
    second = made(keys.reset(steward, dataset.id))
    for actor in (owner, steward):
        with refused(Verb.KEY_RESET, actor, Forbidden, "second-reset"):
            keys.reset(actor, dataset.id, reason="please")
    with refused(Verb.KEY_RESET, support, Invalid, "invalid"):
        keys.reset(support, dataset.id)
    third = made(keys.reset(support, dataset.id, reason="laptop stolen"))
    fourth = made(keys.reset(support, dataset.id, reason="stolen again"))
    assert [world.engine.put_as(key, dataset.repository, "a", b"") for key in (first, second, third, fourth)] == [
        False,
        False,
        False,
        True,
    ]
    event = Event.objects.filter(verb="key.reset", outcome="done").order_by("-sequence")[0]
    assert (event.reason, event.actor_email, event.before["access_key_id"]) == (
        "stolen again",
        support.email,
        third.access_key_id,
    )


def test_support_resets_without_using_up_the_reset_of_the_owner(world: World) -> None:
    dataset = world.dataset()
    owner, support = actor_of(dataset.created_by), world.person("support", staff_role=StaffRole.SUPPORT)
    keys.issue(owner, dataset.id)
    keys.reset(support, dataset.id, reason="laptop stolen")
    assert keys.reset(owner, dataset.id).secret


def test_support_does_nothing_else_with_keys(world: World) -> None:
    dataset = world.dataset()
    world.key(dataset)
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    assert len(keys.list_(support, dataset.id)) == 1
    for verb, deed in {Verb.KEY_ISSUE: keys.issue, Verb.KEY_RENEW: keys.renew, Verb.KEY_REVOKE: keys.revoke}.items():
        with refused(verb, support, Forbidden, "role"):
            deed(support, dataset.id)


def test_without_a_key_there_is_nothing_to_reset_renew_or_revoke(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    for verb, deed in {Verb.KEY_RESET: keys.reset, Verb.KEY_RENEW: keys.renew, Verb.KEY_REVOKE: keys.revoke}.items():
        with refused(verb, owner, Conflict, "no-key"):
            deed(owner, dataset.id)


def test_a_revoked_key_is_dead_and_may_be_replaced(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    old = world.key(dataset)
    keys.revoke(owner, dataset.id)
    assert not world.engine.put_as(old, dataset.repository, "a", b"")
    event = Event.objects.get(verb="key.revoke")
    assert (event.before["status"], event.after["status"]) == ("active", "revoked")
    for verb, deed in {Verb.KEY_RENEW: keys.renew, Verb.KEY_REVOKE: keys.revoke}.items():
        with refused(verb, owner, Conflict, "no-key"):
            deed(owner, dataset.id)
    new = made(keys.reset(owner, dataset.id))
    assert world.engine.put_as(new, dataset.repository, "a", b"")
    world.settled(dataset)
    assert not world.engine.knows(old)


@pytest.mark.parametrize("days", [0, -1, 31])
def test_a_key_is_renewed_for_no_longer_than_the_setting(days: int, world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    world.key(dataset)
    with refused(Verb.KEY_RENEW, owner, Invalid, "invalid"):
        keys.renew(owner, dataset.id, days=days)


def test_renewing_counts_from_now(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    world.key(dataset)
    calls: list[str] = []
    world.engine.on_call = calls.append
    renewed = keys.renew(owner, dataset.id, days=7)
    assert abs(renewed.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
    assert calls == []
    event = Event.objects.get(verb="key.renew")
    assert event.before["expires_at"] != event.after["expires_at"] == renewed.expires_at.isoformat()


def test_an_expired_key_ends_by_itself_and_a_new_first_key_can_be_issued(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    old = world.key(dataset)
    UploadKey.objects.update(expires_at=timezone.now())
    assert keys.end_due() == 1
    work_until_settled()
    assert not world.engine.knows(old)
    assert Event.objects.get(verb="key.expired").after["access_key_id"] == old.access_key_id
    with refused(Verb.KEY_RENEW, owner, Conflict, "no-key"):
        keys.renew(owner, dataset.id)
    assert keys.issue(owner, dataset.id).secret
    assert_rules_hold(world.engine)


def test_a_key_that_was_renewed_does_not_expire(world: World) -> None:
    dataset = world.dataset()
    world.key(dataset)
    UploadKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    keys.renew(actor_of(dataset.created_by), dataset.id)
    assert keys.end_due() == 0


def test_a_key_that_nobody_was_shown_is_lost_and_costs_nothing(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    world.engine.on_call = failing("prove_access_key")
    with pytest.raises(Unavailable, match=r"No access key .* was issued: The storage engine") as refusal:
        keys.issue(owner, dataset.id)
    assert refusal.value.code == "not-issued"
    assert "Ask again" in refusal.value.way_out
    world.engine.on_call = lambda _: None
    assert [key.status for key in keys.list_(owner, dataset.id)] == [KeyStatus.LOST]
    assert Event.objects.filter(verb="key.lost").count() == 1
    work_until_settled()
    assert world.engine.principals() == set()
    assert keys.issue(owner, dataset.id).secret
    assert_rules_hold(world.engine)


def test_a_key_that_could_not_be_made_is_not_made_later(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    world.engine.is_down = True
    with pytest.raises(Unavailable, match="No access key"):
        keys.issue(owner, dataset.id)
    world.engine.is_down = False
    time_passes()
    work_until_settled()
    assert [key.status for key in keys.list_(owner, dataset.id)] == [KeyStatus.LOST]
    assert world.engine.principals() == set()


def test_a_reset_that_did_not_come_to_its_end_can_be_repeated_and_the_old_key_stays_dead(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    old = world.key(dataset)
    world.engine.is_down = True
    with pytest.raises(Unavailable, match="was taken away, and no new one was issued") as refusal:
        keys.reset(owner, dataset.id)
    assert refusal.value.code == "not-issued"
    assert "reset it again" in refusal.value.way_out
    world.engine.is_down = False
    time_passes()
    work_until_settled()
    assert not world.engine.put_as(old, dataset.repository, "a", b"")
    assert world.engine.put_as(made(keys.reset(owner, dataset.id)), dataset.repository, "a", b"")
    assert_rules_hold(world.engine)


def test_connecting_tells_the_id_of_the_key_and_never_the_secret(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    key = world.key(dataset)
    told = repr(datasets.connect(owner, dataset.id))
    assert key.access_key_id in told and key.secret not in told
    assert Dataset.objects.get(id=dataset.id).repository in told
