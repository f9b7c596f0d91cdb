"""Transfers: credentials that work while the transfer runs, for one pending data set, and not one moment longer."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from strongroom.actions import converge, datasets, members, people, transfers
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from strongroom.core.vocabulary import Direction, Kind, Role, StaffRole, Verb
from strongroom.db.models import Dataset, Event, Transfer
from tests.actions.attempts import failing, refused
from tests.actions.rules import assert_rules_hold, work_until_settled
from tests.world import World, actor_of


def test_a_transfer_works_when_it_is_opened_and_not_after_it_was_closed(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    opened = transfers.open_(owner, dataset.id, label="night run")
    assert (opened.repository, opened.endpoint) == (dataset.repository, world.engine.public_endpoint)
    assert opened.session.name == opened.transfer.session
    assert world.engine.put_as(opened.session, dataset.repository, "a", b"1")
    assert not world.engine.put_as(opened.session, dataset.repository, "_attachments/a", b"1")
    assert not world.engine.put_as(opened.session, world.dataset().repository, "a", b"1")

    closed = transfers.close(owner, opened.transfer.id, transfers.Summary(file_count=1, size_bytes=1))
    assert not world.engine.put_as(opened.session, dataset.repository, "b", b"1")
    assert (closed.end, closed.file_count, closed.ended_by) == ("closed", 1, dataset.created_by)
    with refused(Verb.TRANSFER_RENEW, owner, Conflict, "transfer-ended"):
        transfers.renew(owner, opened.transfer.id)


def test_renewing_gives_other_credentials_of_the_same_session_and_asks_the_engine_for_nothing(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    opened = transfers.open_(owner, dataset.id)
    calls: list[str] = []
    world.engine.on_call = calls.append
    renewed = transfers.renew(owner, opened.transfer.id)
    assert calls == ["create_session"]
    assert renewed.session.name == opened.session.name
    assert renewed.session.secret != opened.session.secret
    for session in (opened.session, renewed.session):
        assert world.engine.put_as(session, dataset.repository, "a", b"1")


def test_opening_is_one_policy_and_its_proof(world: World) -> None:
    dataset = world.dataset()
    calls: list[str] = []
    world.engine.on_call = calls.append
    transfers.open_(actor_of(dataset.created_by), dataset.id)
    assert calls == ["apply_policy", "prove_policy", "create_session"]


def test_finalizing_ends_transfers_before_it_answers_and_says_so_to_who_comes_later(world: World) -> None:
    dataset = world.dataset()
    owner, steward = actor_of(dataset.created_by), world.member(dataset.space, Role.STEWARD)
    opened = transfers.open_(steward, dataset.id)
    assert world.engine.put_as(opened.session, dataset.repository, "a", b"1")
    datasets.finalize(owner, dataset.id, confirm_name=dataset.name)
    assert not world.engine.put_as(opened.session, dataset.repository, "b", b"1")
    with refused(Verb.TRANSFER_RENEW, steward, Conflict, "state"):
        transfers.renew(steward, opened.transfer.id)
    with pytest.raises(Conflict, match=f"was finalized by {owner.email} at 20"):
        transfers.open_(steward, dataset.id)


def test_what_is_not_renewed_in_time_is_ended_by_the_worker(world: World) -> None:
    dataset = world.dataset()
    opened = transfers.open_(actor_of(dataset.created_by), dataset.id)
    assert transfers.end_due() == 0
    Transfer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert transfers.end_due() == 1
    converge.settle(dataset.id)
    assert not world.engine.put_as(opened.session, dataset.repository, "a", b"1")
    assert Event.objects.get(verb="transfer.ended").after["end"] == "expired"


def test_nobody_else_renews_what_runs_in_somebodys_name(world: World) -> None:
    dataset = world.dataset()
    steward = world.member(dataset.space, Role.STEWARD)
    opened = transfers.open_(actor_of(dataset.created_by), dataset.id)
    with refused(Verb.TRANSFER_RENEW, steward, Forbidden, "not-yours"):
        transfers.renew(steward, opened.transfer.id)
    transfers.close(steward, opened.transfer.id)
    assert not world.engine.put_as(opened.session, dataset.repository, "a", b"1")


def _remove_from_space(world: World, dataset: Dataset, who: Actor) -> object:
    return members.remove(world.owner(dataset.space), dataset.space_id, who.person_id)


def _make_auditor(world: World, dataset: Dataset, who: Actor) -> object:
    return members.edit(world.owner(dataset.space), dataset.space_id, who.person_id, role=Role.AUDITOR)


LOSSES: dict[str, Callable[[World, Dataset, Actor], object]] = {
    "leaves the space": _remove_from_space,
    "becomes an auditor": _make_auditor,
    "is disabled": lambda w, d, who: people.disable(w.administrator, who.person_id, reason="left"),
    "is removed": lambda w, d, who: people.remove(w.administrator, who.person_id, reason="left"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_transfer_ends_before_the_answer_when_whoever_opened_it(loss: str, world: World) -> None:
    dataset = world.dataset()
    steward, other = (world.member(dataset.space, Role.STEWARD) for _ in range(2))
    opened, stays = transfers.open_(steward, dataset.id), transfers.open_(other, dataset.id)
    LOSSES[loss](world, dataset, steward)
    assert not world.engine.put_as(opened.session, dataset.repository, "a", b"1")
    assert world.engine.put_as(stays.session, dataset.repository, "a", b"1")
    assert Transfer.objects.get(id=opened.transfer.id).end == "withdrawn"
    work_until_settled()
    assert_rules_hold(world.engine)


def test_somebody_removed_everywhere_is_told_of_with_their_transfers(world: World) -> None:
    dataset = world.dataset()
    steward = world.member(dataset.space, Role.STEWARD)
    transfers.open_(steward, dataset.id)
    assert people.remove(world.administrator, steward.person_id, reason="left").transfers == 1
    assert Event.objects.get(verb="person.remove").after["transfers_ended"] == 1


def test_whoever_may_still_upload_keeps_their_transfer(world: World) -> None:
    space = world.space()
    steward = world.member(space, Role.STEWARD)
    dataset = world.dataset(space, by=steward, kind=Kind.DERIVATIVE)
    opened = transfers.open_(steward, dataset.id)
    members.edit(world.owner(space), space.id, steward.person_id, role=Role.RESEARCHER)
    assert world.engine.put_as(opened.session, dataset.repository, "a", b"1")


def test_deleting_ends_transfers(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    opened = transfers.open_(owner, dataset.id)
    datasets.delete(owner, dataset.id, confirm_name=dataset.name)
    assert not world.engine.put_as(opened.session, dataset.repository, "a", b"1")
    assert Event.objects.get(verb="dataset.delete").after["transfers_ended"] == 1
    assert transfers.show(owner, opened.transfer.id).end == "deleted"
    work_until_settled()
    assert_rules_hold(world.engine)


def test_no_more_run_at_once_than_the_setting_says(world: World, settings: Settings) -> None:
    settings.STRONGROOM = replace(settings.STRONGROOM, transfer_limit=2)
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    first, second = (transfers.open_(owner, dataset.id) for _ in range(2))
    with refused(Verb.TRANSFER_OPEN, owner, Conflict, "too-many-transfers"):
        transfers.open_(owner, dataset.id)
    Transfer.objects.filter(id=first.transfer.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    third = transfers.open_(owner, dataset.id)  # what nobody renewed takes no place, though no worker was there yet
    works = [world.engine.put_as(each.session, dataset.repository, "a", b"1") for each in (first, second, third)]
    assert works == [False, True, True]


def test_a_transfer_that_could_not_be_opened_leaves_nothing(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    world.engine.on_call = failing("apply_policy")
    with pytest.raises(Unavailable, match="No transfer was opened: The storage engine does not answer"):
        transfers.open_(owner, dataset.id)
    world.engine.on_call = lambda _: None
    work_until_settled()
    assert [each.end for each in transfers.list_(owner, dataset.id).rows] == ["lost"]
    assert_rules_hold(world.engine)


def test_whoever_was_disabled_while_asking_gets_no_credentials(world: World) -> None:
    dataset = world.dataset()
    asking = actor_of(dataset.created_by)  # signed in a moment ago
    people.disable(world.administrator, asking.person_id, reason="left")
    calls: list[str] = []
    world.engine.on_call = calls.append
    with pytest.raises(Forbidden) as refusal:
        transfers.open_(asking, dataset.id)
    assert refusal.value.code == "disabled"
    assert "create_session" not in calls
    work_until_settled()
    assert not dataset.transfers.filter(ended_at=None).exists()
    assert_rules_hold(world.engine)


def test_a_browser_that_did_not_prove_a_second_factor_opens_none_and_a_running_one_goes_on(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    opened = transfers.open_(owner, dataset.id)
    proved_long_ago = replace(owner, session_id=uuid4(), mfa_proved_at=timezone.now() - timedelta(days=1))
    with refused(Verb.TRANSFER_OPEN, proved_long_ago, Forbidden, "mfa-missing"):
        transfers.open_(proved_long_ago, dataset.id)
    assert transfers.renew(proved_long_ago, opened.transfer.id).session.name == opened.session.name
    never_proved = replace(owner, session_id=uuid4())
    with refused(Verb.TRANSFER_RENEW, never_proved, Forbidden, "mfa-missing"):
        transfers.renew(never_proved, opened.transfer.id)


def test_neither_the_ledger_nor_a_row_nor_a_word_about_it_holds_a_credential(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    opened = transfers.open_(owner, dataset.id)
    renewed = transfers.renew(owner, opened.transfer.id)
    told = [*Event.objects.values(), *Transfer.objects.values(), repr(opened), repr(renewed)]
    for session in (opened.session, renewed.session):
        for secret in (session.secret, session.token, session.access_key_id):
            assert secret not in str(told)


def test_a_summary_stays_and_the_ledger_has_it(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    opened = transfers.open_(owner, dataset.id, direction=Direction.DOWNLOAD, label="  from\u00e9 ")
    summary = transfers.Summary(file_count=3, size_bytes=10**13, problem_count=1, manifest_sha256="a" * 64)
    transfers.close(owner, opened.transfer.id, summary)
    shown = transfers.show(owner, opened.transfer.id)
    assert (shown.direction, shown.label, shown.end) == ("download", "fromé", "closed")
    assert (shown.file_count, shown.size_bytes, shown.problem_count) == (3, 10**13, 1)
    after = Event.objects.get(verb="transfer.close").after
    assert (after["session"], after["manifest_sha256"]) == (opened.session.name, "a" * 64)


@pytest.mark.parametrize("wrong", [{"file_count": -1}, {"size_bytes": 2**63}, {"manifest_sha256": "A" * 64}])
def test_a_summary_that_says_nothing_possible_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        transfers.Summary(**wrong)
    assert set(refusal.value.fields) == set(wrong)


def test_transfers_are_listed_newest_first_and_page_by_page(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    opened = [transfers.open_(owner, dataset.id, label=str(number)).transfer for number in range(3)]
    transfers.close(owner, opened[0].id)
    page = transfers.list_(owner, dataset.id, limit=2)
    rest = transfers.list_(owner, dataset.id, limit=2, cursor=page.next_cursor)
    assert [row.label for row in (*page.rows, *rest.rows)] == ["2", "1", "0"]
    assert [row.label for row in transfers.list_(owner, dataset.id, is_live=True).rows] == ["2", "1"]
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    assert len(transfers.list_(support, dataset.id).rows) == 3


def test_the_transfers_of_a_space_are_no_stranger_s_business(world: World) -> None:
    dataset = world.dataset()
    opened = transfers.open_(actor_of(dataset.created_by), dataset.id)
    stranger = world.person("stranger")
    with pytest.raises(NotFound) as hidden:
        transfers.show(stranger, opened.transfer.id)
    with pytest.raises(NotFound) as missing:
        transfers.show(stranger, uuid4())
    assert str(hidden.value).replace(str(opened.transfer.id), "") == re.sub("[0-9a-f-]{36}", "", str(missing.value))
