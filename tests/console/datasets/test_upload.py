"""Uploading on the page: for whom it is open, what its policy lets through, and what its script is answered."""

import json
from typing import Any

from django.test import Client

from strongroom.core.vocabulary import Role, TransferEnd
from strongroom.db.models import Dataset, ObjectDigest, Transfer
from tests.console.datasets.shown import root, seen, text
from tests.console.signed_in import browser
from tests.world import World

SHA256 = "ab" * 32


def asked(client: Client, path: str, status: int = 200, body: Any = None) -> dict[str, Any]:
    """What the script of the page is answered."""
    headers = {"Accept": "application/json"}
    response = client.post(path, json.dumps(body or {}), content_type="application/json", headers=headers)
    assert response.status_code == status, response.content
    assert response.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = response.json()
    return told


def opened(world: World) -> tuple[Client, Dataset, str]:
    """An owner's browser, their data set, and the path of a transfer that runs."""
    dataset = world.dataset()
    client = browser(world.owner(dataset.space))
    return client, dataset, f"{root(dataset)}/transfers/{asked(client, f'{root(dataset)}/transfers')['id']}"


def test_only_this_page_may_speak_to_the_gateway(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.owner(dataset.space))
    policy = client.get(f"{root(dataset)}/upload").headers["Content-Security-Policy"]
    connect = next(each for each in policy.split("; ") if each.startswith("connect-src"))
    assert connect.split()[1:] == ["'self'", world.engine.public_endpoint]
    assert "worker-src 'self'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    assert world.engine.public_endpoint not in client.get(root(dataset)).headers["Content-Security-Policy"]


def test_the_page_is_there_while_a_data_set_is_pending_and_says_otherwise_why_not(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.owner(dataset.space))
    assert "Choose a folder" in seen(client, f"{root(dataset)}/upload")
    assert "Upload" in seen(client, root(dataset))
    reader = browser(world.member(dataset.space, Role.RESEARCHER))
    page = reader.get(f"{root(dataset)}/upload")
    assert "Choose a folder" not in text(page) and "Upload files and folders" in text(page)
    assert world.engine.public_endpoint not in page.headers["Content-Security-Policy"]
    world.finalized(dataset)
    response = client.get(f"{root(dataset)}/upload")
    assert response.status_code == 409 and "is not pending any more" in text(response)
    assert f'href="{root(dataset)}/upload"' not in client.get(root(dataset)).content.decode()


def test_the_script_gets_credentials_and_keeps_digests_until_it_closes(world: World) -> None:
    client, dataset, transfer = opened(world)
    told = asked(client, f"{transfer}/renew")
    assert told["repository"] == dataset.repository and told["secret"] and told["session_token"]
    item = {"key": "a.csv", "size_bytes": 1, "etag": "e", "sha256": SHA256}
    assert asked(client, f"{transfer}/digests", body={"items": [item]}) == {"recorded": 1}
    assert ObjectDigest.objects.get(dataset=dataset).sha256 == SHA256
    asked(client, f"{transfer}/close", body={"file_count": 1, "size_bytes": 1, "problem_count": 0})
    row = Transfer.objects.get(dataset=dataset)
    assert (row.label, row.end, row.file_count) == ("browser", TransferEnd.CLOSED, 1)
    assert "ended" in asked(client, f"{transfer}/renew", 409)["refusal"]


def test_credentials_are_given_only_to_a_form_token_and_a_fresh_second_factor(world: World) -> None:
    dataset = world.dataset()
    owner = world.owner(dataset.space)
    path = f"{root(dataset)}/transfers"
    without = browser(owner, enforce_csrf_checks=True).post(path, "{}", content_type="application/json")
    assert without.status_code == 403 and b"did not come from this site" in without.content
    told = asked(browser(owner, is_proved=False), path, 403)
    assert told["to"].startswith("/account/mfa?next=")  # they have none yet
    assert asked(Client(), path, 401)["to"].startswith("/sign-in?next=")
    assert browser(owner).get(path).status_code == 405
    assert not Transfer.objects.filter(dataset=dataset).exists()


def test_after_finalizing_the_script_is_told_by_whom(world: World) -> None:
    client, dataset, transfer = opened(world)
    world.finalized(dataset)
    for path in ("renew", "digests", "close"):
        body = {"items": [{"key": "a", "size_bytes": 1, "etag": "e", "sha256": SHA256}]}
        assert "finalized" in asked(client, f"{transfer}/{path}", 409, body if path == "digests" else None)["refusal"]


def test_what_no_page_of_ours_sends_is_refused(world: World) -> None:
    client, dataset, transfer = opened(world)
    item = {"key": "a", "size_bytes": 1, "etag": "e", "sha256": SHA256}
    wrong = [
        None,
        [1],
        [item | {"size_bytes": "1"}],
        [item | {"size_bytes": True}],
        [item | {"key": 7}],
        [item | {"sha256": "x"}],
    ]
    for items in wrong:
        asked(client, f"{transfer}/digests", 422, {"items": items})
    asked(client, f"{transfer}/close", 422, {"file_count": "many"})
    assert client.post(f"{transfer}/digests", "no", content_type="application/json").status_code == 422
    assert client.post(f"{transfer}/digests", "[]", content_type="application/json").status_code == 422
    other = world.dataset(dataset.space)
    asked(client, transfer.replace(str(dataset.id), str(other.id)) + "/renew", 404)
    stranger = browser(world.person())
    assert asked(stranger, f"{transfer}/close", 404)["refusal"]
    assert not ObjectDigest.objects.exists()
