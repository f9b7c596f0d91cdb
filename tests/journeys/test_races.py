"""Twenty people do the same thing at the same moment: one succeeds, the others are told, and the engine agrees."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx

from tests.journeys.api import Api, Json, Study
from tests.journeys.system import System

CROWD = 20


def _at_once(system: System, api: Api, path: str, body: Json) -> list[httpx.Response]:
    """The answers to the same POST, sent from as many connections at the same moment."""
    barrier = Barrier(CROWD)

    def ask(_: int) -> httpx.Response:
        with httpx.Client(base_url=f"{system.door.url}/api/v1", timeout=120) as own:
            own.get("/openapi.json")  # connected before it counts
            barrier.wait()
            return own.post(path, json=body, headers={"Authorization": f"Bearer {api.token}"})

    with ThreadPoolExecutor(CROWD) as crowd:
        return list(crowd.map(ask, range(CROWD)))


def _assert_one_key_works(system: System, study: Study, winner: Json) -> None:
    """Rows and engine know the same one key, it is the one that was shown, and it works."""
    study.take(winner)
    rows = study.api.get(f"{study.path}/keys")["items"]
    assert [each["access_key_id"] for each in rows if each["status"] == "active"] == [study.access_key_id]
    assert not [each for each in rows if each["status"] == "issuing"]
    ours = {each["access_key_id"] for each in rows}
    # The worker removes the user of an old key after the answer; by then the policy has made it powerless.
    system.until(lambda: _known(system) & ours == {study.access_key_id}, "the engine knows one key")
    system.s3(study).put_object(Bucket=study.repository, Key="x.csv", Body=b"x")


def _known(system: System) -> set[str]:
    return {key for keys in system.keys_in_engine().values() for key in keys}


def test_twenty_issues_give_one_key(strongroom: System) -> None:
    study = strongroom.study(has_key=False)
    answers = _at_once(strongroom, study.api, f"{study.path}/keys", {})
    assert Counter(each.status_code for each in answers) == {201: 1, 409: CROWD - 1}
    _assert_one_key_works(strongroom, study, next(each.json() for each in answers if each.is_success))


def test_twenty_resets_give_one_key_and_the_old_one_is_dead(strongroom: System) -> None:
    study = strongroom.uploaded()
    old = strongroom.s3(study)
    old.list_objects_v2(Bucket=study.repository)
    answers = _at_once(strongroom, study.api, f"{study.path}/keys/reset", {})
    statuses = Counter(each.status_code for each in answers)
    assert statuses[201] == 1
    # While the new key is being made a reset is a conflict; after that it would be the second one.
    assert statuses[409] + statuses[403] == CROWD - 1, statuses
    codes = {each.json()["code"] for each in answers if not each.is_success}
    assert codes <= {"being-issued", "second-reset", "overtaken"}, codes
    assert strongroom.s3_is_dead(study)
    _assert_one_key_works(strongroom, study, next(each.json() for each in answers if each.is_success))


def test_twenty_finalizes_close_it_once(strongroom: System) -> None:
    study = strongroom.uploaded()
    answers = _at_once(strongroom, study.api, f"{study.path}/finalize", {"confirm_name": study.name})
    assert Counter(each.status_code for each in answers) == {202: 1, 409: CROWD - 1}
    assert strongroom.s3_is_dead(study)
    strongroom.settled(study)
    events = Counter((each["verb"], each["outcome"]) for each in study.api.all("/audit", dataset_id=study.id))
    assert events["dataset.finalize", "done"] == events["dataset.finalized", "done"] == 1
    assert events["dataset.finalize", "refused"] == CROWD - 1
    assert study.access_key_id not in _known(strongroom)
    assert strongroom.administrator.get("/audit/verify")["is_intact"]
