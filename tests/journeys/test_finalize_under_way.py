"""What was begun before finalize and goes on after it: it fails, or it is in the manifest, or it is reported."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.journeys.api import Study
from tests.journeys.requests import Slow, slow_signed
from tests.journeys.system import DEAD, System, code_of_refusal

BODY = b"late\n" * 40_000


def _manifest(study: Study) -> dict[str, tuple[int, str]]:
    """Size and ETag by key."""
    lines = study.api.bytes(f"{study.path}/manifest/download").split(b"\n")[:-1]
    return {each["key"]: (each["size_bytes"], each["etag"]) for each in map(json.loads, lines)}


def _assert_nothing_is_silently_there(system: System, study: Study) -> None:
    assert system.listing(study.repository) == _manifest(study)
    assert study.show()["late_objects"] == 0


def _slow_ways(system: System, study: Study) -> dict[str, Callable[[str], Slow]]:
    """Each begins a write of its own key. The ones in parts share one upload a key."""
    s3 = system.s3(study)

    def presigned(key: str) -> Slow:
        place = {"Bucket": study.repository, "Key": key}
        return Slow(s3.generate_presigned_url("put_object", Params=place), BODY)

    def part(key: str) -> Slow:
        place = {"Bucket": study.repository, "Key": key}
        upload = s3.create_multipart_upload(Bucket=study.repository, Key=key)["UploadId"]
        params = {**place, "UploadId": upload, "PartNumber": 1}
        return Slow(s3.generate_presigned_url("upload_part", Params=params), BODY)

    return {"signed": lambda key: slow_signed(study, key, BODY), "presigned": presigned, "part": part}


def test_slow_writes_land_while_the_data_set_is_pending(strongroom: System) -> None:
    study = strongroom.uploaded()
    for name, begin in _slow_ways(strongroom, study).items():
        slow = begin(name)
        time.sleep(0.5)
        assert slow.finish() == 200, name
    assert {"signed", "presigned"} <= set(strongroom.listing(study.repository))


@pytest.mark.parametrize("way", ["signed", "presigned", "part"])
def test_a_slow_write_across_finalize_never_lands(strongroom: System, way: str) -> None:
    study = strongroom.uploaded()
    begin = _slow_ways(strongroom, study)[way]
    # New keys, and one that exists: an overwrite would be worse than a new object.
    at_once, later, last = begin("at-once"), begin("first/0.csv"), begin("last")
    before = strongroom.listing(study.repository)
    study.finalize()
    assert at_once.finish() != 200
    time.sleep(1)
    assert later.finish() != 200
    strongroom.until(lambda: study.show()["state"] == "finalized", "finalized")
    assert last.finish() != 200
    strongroom.settled(study)
    assert strongroom.listing(study.repository) == before
    _assert_nothing_is_silently_there(strongroom, study)


def test_a_multipart_upload_begun_before_cannot_be_finished(strongroom: System) -> None:
    study = strongroom.uploaded()
    s3, place = strongroom.s3(study), {"Bucket": study.repository, "Key": "parts.bin"}
    ready, open_ = (s3.create_multipart_upload(**place)["UploadId"] for _ in range(2))
    etag = s3.upload_part(**place, UploadId=ready, PartNumber=1, Body=BODY)["ETag"]
    assert len(s3.list_multipart_uploads(Bucket=study.repository)["Uploads"]) == 2
    study.finalize()
    done = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    deeds: list[Callable[[], object]] = [
        lambda: s3.complete_multipart_upload(**place, UploadId=ready, MultipartUpload=done),
        lambda: s3.upload_part(**place, UploadId=open_, PartNumber=1, Body=BODY),
        lambda: s3.list_parts(**place, UploadId=ready),
        lambda: s3.create_multipart_upload(**place),
    ]
    assert all(code_of_refusal(deed) in DEAD for deed in deeds)
    strongroom.settled(study)
    assert all(code_of_refusal(deed) in DEAD for deed in deeds)
    assert strongroom.admin_s3.list_multipart_uploads(Bucket=study.repository).get("Uploads", []) == []
    _assert_nothing_is_silently_there(strongroom, study)


def test_links_that_an_uploader_made_before_die_with_finalize(strongroom: System) -> None:
    study = strongroom.uploaded()
    s3 = strongroom.s3(study)
    write = s3.generate_presigned_url(
        "put_object", Params={"Bucket": study.repository, "Key": "link.csv"}, ExpiresIn=604800
    )
    read = s3.generate_presigned_url(
        "get_object", Params={"Bucket": study.repository, "Key": "first/0.csv"}, ExpiresIn=604800
    )

    def statuses(content: bytes) -> tuple[int, int]:
        return httpx.put(write, content=content, timeout=60).status_code, httpx.get(read, timeout=60).status_code

    assert statuses(b"before") == (200, 200)
    study.finalize()
    assert statuses(b"after") == (403, 403)
    strongroom.settled(study)
    assert statuses(b"long after") == (403, 403)
    _assert_nothing_is_silently_there(strongroom, study)


@contextmanager
def _trickling(slow: Slow) -> Iterator[None]:
    """One byte now and then for as long as the block lasts."""
    is_over = threading.Event()

    def trickle() -> None:
        while not is_over.wait(0.2):
            slow.trickle()

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_somebody_who_trickles_into_another_data_set_does_not_hold_up_finalize(strongroom: System) -> None:
    study, other = strongroom.uploaded(), strongroom.uploaded()
    slow = slow_signed(other, "slow.bin", BODY)
    with _trickling(slow):
        began = time.monotonic()
        assert study.finalize()["state"] == "finalizing", "answered at once, whatever is on its way"
        answered_seconds = time.monotonic() - began
        strongroom.until(lambda: study.show()["state"] == "finalized", "finalized")
        print(f"answered after {answered_seconds:.2f} s, finalized after {time.monotonic() - began:.2f} s")
        # Until nothing is on its way any more the bucket stays frozen: safe, and said.
        assert not study.show()["is_settled"]
    assert slow.finish() == 200
    strongroom.settled(study)
    assert strongroom.listing(other.repository)["slow.bin"][0] == len(BODY)
    _assert_nothing_is_silently_there(strongroom, study)


def test_what_is_written_behind_our_back_is_found_put_aside_and_reported(strongroom: System) -> None:
    study, behind = strongroom.uploaded(), strongroom.admin_s3
    strongroom.finalized(study)
    recorded = _manifest(study)
    behind.put_object(Bucket=study.repository, Key="first/behind.csv", Body=b"not in the manifest")
    behind.put_object(Bucket=study.repository, Key="first/1.csv", Body=b"another content")
    strongroom.until(lambda: study.show()["late_objects"] == 2, "both to be found", more=study.show)
    strongroom.until(lambda: "first/behind.csv" not in strongroom.listing(study.repository), "it to be put aside")
    assert set(strongroom.listing(study.repository)) == set(recorded)
    events = {each["verb"]: each for each in strongroom.owner.all("/audit", dataset_id=study.id)}
    assert events["dataset.late_object"]["after"]["key"] == "first/behind.csv"
    assert events["dataset.altered"]["after"]["key"] == "first/1.csv"
    aside = events["dataset.late_object"]["after"]["quarantine"]
    kept = b"".join(strongroom.engine.read_object("strongroom-records-ss", aside))
    assert kept == b"not in the manifest"


def test_a_policy_changed_behind_our_back_is_put_back_and_reported(strongroom: System) -> None:
    study = strongroom.uploaded()
    strongroom.finalized(study)
    compiled = strongroom.engine.read_policy(study.repository)
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    everybody = [{**allow, "Resource": f"arn:aws:s3:::{study.repository}/*"}]
    opened = json.dumps({"Version": "2012-10-17", "Statement": everybody})
    url = f"{study.endpoint}/{study.repository}/first/0.csv"

    def leaks() -> bool:
        strongroom.engine.apply_policy(study.repository, opened)  # a round of checks may have been about to come by
        return httpx.get(url, timeout=60).status_code == 200

    strongroom.until(leaks, "the leak, so that it can be seen to end")
    strongroom.until(lambda: httpx.get(url, timeout=60).status_code == 403, "the leak to be closed")
    assert json.loads(strongroom.engine.read_policy(study.repository) or "") == json.loads(compiled or "")
    strongroom.until(
        lambda: "dataset.repaired" in {each["verb"] for each in strongroom.owner.all("/audit", dataset_id=study.id)},
        "the ledger to say so",
    )
