"""When the last write succeeds after somebody finalizes, while eight writers go on as fast as they can."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bench.figures import spread
from bench.inside import database
from bench.outside import Person, Whole, whole

WRITERS, ROUNDS, WRITE_SECONDS, GO_ON_SECONDS = 8, 15, 1.0, 1.5


@dataclass
class Writes:
    """The writes that were acknowledged: key, beginning and end by `perf_counter`; and how many were refused."""

    done: list[tuple[str, float, float]] = field(default_factory=list)
    refused: int = 0


def measure() -> dict[str, object]:
    """Each round on a data set of its own. Milliseconds from the call."""
    with whole() as system:
        rounds = [_round(system, number) for number in range(ROUNDS)]
    answers, last = [each["answer"] for each in rounds], [each["last"] for each in rounds]
    return {
        "database": database(),
        "writers": WRITERS,
        "rounds": ROUNDS,
        "answer": spread(answers).shown(1000, 0),
        "last_success": spread(last).shown(1000, 0),
        "margin": spread([answer - end for answer, end in zip(answers, last, strict=True)]).shown(1000, 0),
        **{
            name: sum(each[name] for each in rounds)
            for name in ("acknowledged", "started_after", "ended_after", "missing")
        },
        "finalized": spread([each["finalized"] for each in rounds]).shown(1000, 0),
    }


def _round(system: Whole, number: int) -> dict[str, Any]:
    owner = system.person()
    dataset = system.dataset(owner, f"Cut {number}")
    issued = owner.ask("POST", f"/datasets/{dataset['id']}/keys", {})
    stop = threading.Event()
    writes = [Writes() for _ in range(WRITERS)]
    threads = [threading.Thread(target=_write, args=(issued, writer, each, stop)) for writer, each in enumerate(writes)]
    for thread in threads:
        thread.start()
    time.sleep(WRITE_SECONDS)
    called = time.perf_counter()
    owner.ask("POST", f"/datasets/{dataset['id']}/finalize", {"confirm_name": dataset["name"]})
    answered = time.perf_counter()
    time.sleep(GO_ON_SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    finalized = _finalized(owner, dataset["id"]) - called
    done = [write for each in writes for write in each.done]
    listed = _manifest(system, dataset["id"])
    return {
        "answer": answered - called,
        "last": max(end for _, _, end in done) - called,
        "acknowledged": len(done),
        "started_after": sum(began > answered for _, began, _ in done),
        "ended_after": sum(end > answered for _, _, end in done),
        "missing": len({key for key, _, _ in done} - listed),
        "finalized": finalized,
    }


def _write(issued: Any, writer: int, writes: Writes, stop: threading.Event) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=issued["endpoint"],
        region_name=issued["region"],
        aws_access_key_id=issued["key"]["access_key_id"],
        aws_secret_access_key=issued["secret"],
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    while not stop.is_set():
        key, began = f"{writer}/{len(writes.done):06}", time.perf_counter()
        try:
            s3.put_object(Bucket=issued["repository"], Key=key, Body=b"x" * 1024)
            writes.done.append((key, began, time.perf_counter()))
        except (ClientError, BotoCoreError):
            writes.refused += 1
            time.sleep(0.005)


def _finalized(owner: Person, dataset_id: str) -> float:
    while owner.ask("GET", f"/datasets/{dataset_id}")["state"] != "finalized":
        time.sleep(0.02)
    return time.perf_counter()


def _manifest(system: Whole, dataset_id: str) -> set[str]:
    import httpx

    url = f"{system.door.url}/api/v1/datasets/{dataset_id}/manifest/download"
    lines = httpx.get(url, headers={"Authorization": f"Bearer {system.token}"}).text.splitlines()
    return {json.loads(line)["key"] for line in lines}


if __name__ == "__main__":
    print(json.dumps(measure()))
