"""Transfers: credentials that work while the transfer runs, for one pending data set, and not one moment longer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import converge, datasets, transfers
from strongroom.core.errors import Conflict, Forbidden
from strongroom.core.vocabulary import Role, Verb
from strongroom.db.models import Event, Transfer
from tests.actions.attempts import refused
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
