"""Transfers at the REST edge: what a mover is given, what a repetition is not, and what it is told at the end."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from strongroom.db.models import IdempotentReply
from strongroom.engines.memory import MemoryEngine
from tests.api.callers import Caller, calling
from tests.api.test_problems import problem
from tests.world import World

ZEROS = "0" * 64


@pytest.fixture
def owner(world: World) -> tuple[Caller, Any]:
    """Somebody who may upload, and the data set."""
    dataset = world.dataset()
    return calling(world.owner(dataset.space)), dataset


def opened(caller: Caller, dataset: Any, **headers: str) -> dict[str, Any]:
    """What the API answers to somebody who opens a transfer."""
    answer = caller("POST", f"/datasets/{dataset.id}/transfers", {"label": "night run"}, **headers)
    assert answer.status_code == 201
    return dict(json.loads(answer.content))


def test_a_mover_is_given_everything_it_needs_to_begin(owner: tuple[Caller, Any]) -> None:
    caller, dataset = owner
    found = opened(caller, dataset)
    assert set(found) == {
        *("id", "dataset_id", "direction", "label", "session", "opened_at", "expires_at", "seconds_left", "note"),
        *("repository", "endpoint", "region", "access_key_id", "secret", "session_token"),
    }
    assert (found["repository"], found["endpoint"]) == (dataset.repository, MemoryEngine.public_endpoint)
    assert (found["direction"], found["label"], found["note"]) == ("upload", "night run", None)
    renewed = json.loads(caller("POST", f"/transfers/{found['id']}/renew").content)
    assert set(renewed) == set(found)
    assert renewed["expires_at"] >= found["expires_at"]
    assert renewed["secret"] != found["secret"]


def test_a_repetition_is_given_no_credentials_and_none_are_kept(owner: tuple[Caller, Any]) -> None:
    caller, dataset = owner
    first = opened(caller, dataset, Idempotency_Key="k")
    again = opened(caller, dataset, Idempotency_Key="k")
    assert first["id"] == again["id"]
    assert first["secret"] and first["session_token"]
    assert (again["secret"], again["session_token"]) == (None, None)
    assert "not stored" in again["note"]
    kept = json.dumps(list(IdempotentReply.objects.values_list("body", flat=True)))
    assert first["secret"] not in kept and first["session_token"] not in kept


def test_digests_are_taken_a_thousand_at_a_time_and_a_wrong_one_is_named(owner: tuple[Caller, Any]) -> None:
    caller, dataset = owner
    path = f"/transfers/{opened(caller, dataset)['id']}/digests"
    # The longest keys there are, each letter escaped: a thousand of them are still one request.
    items = [
        {"key": f"{number:04}" + "\x01" * 1020, "size_bytes": 1, "etag": "e", "sha256": ZEROS} for number in range(1000)
    ]
    assert json.loads(caller("POST", path, {"items": items}).content) == {"recorded": 1000}
    back: list[dict[str, Any]] = []
    after = ""
    for limit in (1, 999):
        asked = urlencode({"after": after, "limit": limit})
        page = json.loads(caller("GET", f"/datasets/{dataset.id}/digests?{asked}").content)
        back += page["items"]
        after = page["next_after"]
    assert [{name: each[name] for name in items[0]} for each in back] == items and after is None
    problem(caller("POST", path, {"items": [*items, {**items[0], "key": "more"}]}), 422, "invalid")
    problem(caller("POST", path, {"items": []}), 422, "invalid")
    problem(caller("POST", path, {"items": [{**items[0], "sha256": "A" * 64}]}), 422, "invalid")
    problem(caller("POST", path, {"items": [{**items[0], "key": "_attachments/x"}]}), 422, "invalid")


def test_closing_tells_what_was_moved_and_can_be_repeated(owner: tuple[Caller, Any]) -> None:
    caller, dataset = owner
    path = f"/transfers/{opened(caller, dataset)['id']}"
    summary = {"file_count": 2, "size_bytes": 10, "problem_count": 0, "manifest_sha256": ZEROS}
    closed = json.loads(caller("POST", f"{path}/close", summary, Idempotency_Key="c").content)
    assert {name: closed[name] for name in summary} == summary
    assert (closed["end"], closed["ended_by"]) == ("closed", closed["person"])
    again = caller("POST", f"{path}/close", summary, Idempotency_Key="c")
    assert (again.status_code, json.loads(again.content)["end"]) == (200, "closed")
    problem(caller("POST", f"{path}/close", summary), 409, "transfer-ended")
    assert json.loads(caller("GET", path).content) == closed
    listed = json.loads(caller("GET", f"/datasets/{dataset.id}/transfers").content)
    assert (listed["items"], listed["next_cursor"]) == ([closed], None)
    assert json.loads(caller("GET", f"/datasets/{dataset.id}/transfers?is_live=true").content)["items"] == []


def test_who_comes_after_finalizing_is_told_when_and_by_whom_it_was_done(
    owner: tuple[Caller, Any], world: World
) -> None:
    caller, dataset = owner
    path = f"/transfers/{opened(caller, dataset)['id']}"
    finalize = {"confirm_name": dataset.name, "allow_empty": True}
    assert caller("POST", f"/datasets/{dataset.id}/finalize", finalize).status_code == 202
    by = world.owner(dataset.space).email
    for _ in range(2):  # while it is being finalized, and afterwards
        for deed, body in (("renew", None), ("digests", {"items": [_digest()]}), ("close", {})):
            said = json.loads(caller("POST", f"{path}/{deed}", body).content)
            assert said["code"] == "state"
            assert f"was finalized by {by} at 20" in said["detail"]
        world.settled(dataset)


def _digest() -> dict[str, Any]:
    return {"key": "a", "size_bytes": 1, "etag": "e", "sha256": ZEROS}
