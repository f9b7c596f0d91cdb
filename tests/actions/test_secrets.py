"""The secret of a key is shown once: it is in no row, no entry of the ledger, no line of the log and no `repr`."""

import logging

import pytest
from django.apps import apps
from structlog.testing import capture_logs

from strongroom.actions import datasets, keys
from strongroom.core.errors import Unavailable
from strongroom.engines import AccessKey
from tests.actions.attempts import failing
from tests.actions.rules import work_until_settled
from tests.world import World, actor_of


def everything_in_the_database() -> str:
    """Every column of every row of every table."""
    return repr([list(model._default_manager.values_list()) for model in apps.get_models()])


def test_a_secret_is_nowhere_but_in_the_hands_of_who_asked(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    with capture_logs() as logs:
        first = keys.issue(owner, dataset.id)
        second = keys.reset(owner, dataset.id)
        world.engine.on_call = failing("prove_policy")
        with pytest.raises(Unavailable) as refusal:
            keys.revoke(owner, dataset.id)
        world.engine.on_call = lambda _: None
        work_until_settled()
        datasets.finalize(owner, dataset.id, confirm_name=dataset.name, allow_empty=True)
        work_until_settled()
    assert any(line["event"] == "converge_failed" for line in logs)
    key = AccessKey(second.key.principal, second.key.access_key_id, second.secret)
    said = [repr(each) for each in (first, second, second.key, key, refusal.value, refusal.value.__cause__, logs)]
    told = "\n".join([*said, str(first), str(key), caplog.text, everything_in_the_database()])
    assert second.key.access_key_id in told
    for secret in (first.secret, second.secret):
        assert len(secret) >= 30
        assert secret not in told


def test_the_secret_of_a_key_that_nobody_was_shown_is_kept_nowhere_either(world: World) -> None:
    dataset = world.dataset()
    made: list[AccessKey] = []

    def see(name: str) -> None:
        made.extend(world.engine._keys.values())
        failing("prove_access_key")(name)

    world.engine.on_call = see
    with capture_logs() as logs, pytest.raises(Unavailable) as refusal:
        keys.issue(actor_of(dataset.created_by), dataset.id)
    assert made
    told = f"{logs}{refusal.value!r}{everything_in_the_database()}"
    assert made[0].principal in told and made[0].secret not in told
