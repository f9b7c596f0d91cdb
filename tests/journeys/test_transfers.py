"""Transfers on a whole Strongroom: many at once up to the cap, and all of them dead once finalizing has answered."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import boto3
import httpx
from botocore.config import Config

from tests.journeys.api import Json, Study
from tests.journeys.system import DEAD, System, code_of_refusal

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CROWD, MOST = 24, 20


def _s3(opened: Json) -> "S3Client":
    """A plain client with the credentials of a transfer."""
    return boto3.client(
        "s3",
        endpoint_url=opened["endpoint"],
        aws_access_key_id=opened["access_key_id"],
        aws_secret_access_key=opened["secret"],
        aws_session_token=opened["session_token"],
        region_name=opened["region"],
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def _put(opened: Json, key: str) -> str:
    """The code of the refusal; empty when it was stored."""
    s3 = _s3(opened)
    return code_of_refusal(lambda: s3.put_object(Bucket=opened["repository"], Key=key, Body=b"1")) or ""


def _open(system: System, study: Study, barrier: Barrier | None = None) -> httpx.Response:
    with httpx.Client(base_url=f"{system.door.url}/api/v1", timeout=120) as own:
        own.get("/openapi.json")  # connected before it counts
        if barrier:
            barrier.wait()
        headers = {"Authorization": f"Bearer {study.api.token}"}
        return own.post(f"{study.path}/transfers", json={}, headers=headers)


def test_many_open_at_once_and_finalizing_ends_all_of_them_before_it_answers(strongroom: System) -> None:
    study = strongroom.study(has_key=False)
    barrier = Barrier(CROWD)
    with ThreadPoolExecutor(CROWD) as crowd:
        answers = list(crowd.map(lambda _: _open(strongroom, study, barrier), range(CROWD)))
    assert Counter(each.status_code for each in answers) == {201: MOST, 409: CROWD - MOST}
    opened = [each.json() for each in answers if each.is_success]
    some = opened[::4]
    assert {_put(each, each["id"]) for each in some} == {""}  # each works when it is shown
    renewed = study.api.post(f"/transfers/{opened[0]['id']}/renew")
    assert _put(renewed, "renewed") == _put(opened[0], "first") == ""

    study.finalize()
    assert {_put(each, "late") for each in (*some, renewed)} <= set(DEAD)
    assert study.api.status_of("POST", f"/transfers/{opened[0]['id']}/renew") == (409, "state")
    assert strongroom.settled(study)["object_count"] == len(some) + 2
    live = study.api.get(f"{study.path}/transfers", is_live=True)["items"]
    assert live == []
    assert strongroom.administrator.get("/audit/verify")["is_intact"]


def test_whoever_opens_while_it_is_finalized_has_no_credentials_that_write_afterwards(strongroom: System) -> None:
    study = strongroom.uploaded()
    barrier = Barrier(7)

    def finalize() -> Json:
        barrier.wait()
        return study.finalize()

    with ThreadPoolExecutor(7) as crowd:
        opening = [crowd.submit(_open, strongroom, study, barrier) for _ in range(6)]
        closing = crowd.submit(finalize)
        assert closing.result()["state"] in ("finalizing", "finalized")
        dead = [_put(each.json(), "late") for each in (answer.result() for answer in opening) if each.is_success]
        assert set(dead) <= set(DEAD)
        assert {each.result().status_code for each in opening} <= {201, 409}
    assert "late" not in strongroom.listing(study.repository)
    strongroom.settled(study)


def test_a_closed_transfer_is_dead_and_one_into_another_data_set_never_was_alive_here(strongroom: System) -> None:
    study, other = strongroom.study(has_key=False), strongroom.study(has_key=False)
    mine, theirs = (_open(strongroom, each).json() for each in (study, other))
    assert _put({**theirs, "repository": study.repository}, "a") in DEAD
    assert _put(mine, "_attachments/a") in DEAD
    assert _put(mine, "a") == ""
    study.api.post(f"/transfers/{mine['id']}/close", file_count=1)
    assert _put(mine, "b") in DEAD
    assert _put(theirs, "a") == ""
