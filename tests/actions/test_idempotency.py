"""A request that is repeated is answered again, not carried out again."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import idempotency
from strongroom.actions.idempotency import once
from strongroom.core.errors import Conflict, Invalid
from strongroom.db.models import IdempotentReply
from tests.threads import at_once
from tests.world import World


def test_the_second_time_the_first_answer_is_given(world: World) -> None:
    ada, calls = world.person(), []

    def do() -> tuple[int, dict[str, object]]:
        calls.append(1)
        return 201, {"id": len(calls), "secret": "s3cret"}

    first = once(ada, "key", "sha", do, secrets=("secret",))
    second = once(ada, "key", "sha", do, secrets=("secret",))
    assert (first.status, first.body["secret"], first.is_replay) == (201, "s3cret", False)
    assert (second.status, second.body["id"], second.body["secret"], second.is_replay) == (201, 1, None, True)
    assert "not stored" in str(second.body["note"])
    assert "s3cret" not in str(IdempotentReply.objects.get().body)


def test_another_request_under_the_same_key_is_refused(world: World) -> None:
    ada = world.person()
    once(ada, "key", "sha", lambda: (201, {}))
    with pytest.raises(Conflict) as refusal:
        once(ada, "key", "other", lambda: (201, {}))
    assert refusal.value.code == "idempotency-mismatch"


def test_a_key_is_a_persons_own(world: World) -> None:
    assert not once(world.person(), "key", "sha", lambda: (201, {})).is_replay
    assert not once(world.person(), "key", "sha", lambda: (201, {})).is_replay


def test_what_was_refused_may_be_tried_again_under_the_same_key(world: World) -> None:
    ada = world.person()
    with pytest.raises(Conflict):
        once(ada, "key", "sha", _refuse)
    assert once(ada, "key", "sha", lambda: (201, {})).status == 201


def test_while_the_first_is_under_way_the_second_is_told_to_come_back(world: World) -> None:
    ada = world.person()

    def nested() -> tuple[int, dict[str, object]]:
        with pytest.raises(Conflict) as refusal:
            once(ada, "key", "sha", lambda: (201, {}))
        assert refusal.value.retry_after_seconds == 1
        return 201, {}

    assert once(ada, "key", "sha", nested).status == 201


def test_of_many_at_once_one_is_carried_out(lasting_world: World) -> None:
    ada, calls, under_way = lasting_world.person(), [], threading.Event()

    def do() -> tuple[int, dict[str, object]]:
        calls.append(1)
        under_way.wait(0.3)
        return 201, {"id": 7}

    outcomes = at_once([lambda: once(ada, "key", "sha", do)] * 6)
    assert len(calls) == 1
    answered = [each for each in outcomes if isinstance(each, idempotency.Reply)]
    assert {each.body["id"] for each in answered} == {7}
    assert all(isinstance(each, Conflict) and each.retry_after_seconds for each in outcomes if each not in answered)


def test_a_request_that_died_with_its_process_is_not_repeated_blindly(world: World) -> None:
    ada = world.person()
    long_ago = timezone.now() - timedelta(hours=1)
    IdempotentReply.objects.create(person_id=ada.person_id, key="key", request_sha256="sha", created_at=long_ago)
    with pytest.raises(Conflict) as refusal:
        once(ada, "key", "sha", lambda: (201, {}))
    assert refusal.value.code == "idempotency-unknown"


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "schlüssel"])
def test_what_is_no_key_is_refused(world: World, key: str) -> None:
    with pytest.raises(Invalid):
        once(world.person(), key, "sha", lambda: (201, {}))


def test_answers_are_forgotten_after_a_day(world: World) -> None:
    ada = world.person()
    once(ada, "new", "sha", lambda: (201, {}))
    once(ada, "old", "sha", lambda: (201, {}))
    IdempotentReply.objects.filter(key="old").update(created_at=timezone.now() - timedelta(hours=25))
    assert idempotency.forget_old() == 1
    assert IdempotentReply.objects.get().key == "new"


def _refuse() -> tuple[int, dict[str, object]]:
    raise Conflict("not now")
