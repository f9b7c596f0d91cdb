"""A client that writes as fast as it can, as a process of its own.

`python writer.py ENDPOINT BUCKET ACCESS_KEY_ID SECRET THREADS SIZE_BYTES NAME`; the keys begin with `load/NAME/`.
Prints one JSON line for each PUT: key, MD5, when it began and ended (seconds of the system's monotonic clock), and the
status (0: no answer). Ends when its input is closed.
"""

import hashlib
import itertools
import json
import os
import sys
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


def main(endpoint: str, bucket: str, access_key_id: str, secret: str, threads: str, size: str, name: str) -> None:
    """Write until nobody listens any more."""
    is_over, printing = threading.Event(), threading.Lock()
    own = Config(
        retries={"total_max_attempts": 1}, connect_timeout=20, read_timeout=60, s3={"addressing_style": "path"}
    )

    def write(number: int) -> None:
        s3 = boto3.Session(access_key_id, secret, region_name="us-east-1").client(
            "s3", endpoint_url=endpoint, config=own
        )
        for count in itertools.count():
            if is_over.is_set():
                return
            key, body = f"load/{name}/{number}/{count}", os.urandom(int(size))
            began = time.monotonic()
            status = _put(s3, bucket, key, body)
            facts = {"key": key, "md5": hashlib.md5(body).hexdigest(), "began": began, "ended": time.monotonic()}
            with printing:
                print(json.dumps({**facts, "status": status}), flush=True)
            if status == 0:
                time.sleep(0.05)

    workers = [threading.Thread(target=write, args=(number,)) for number in range(int(threads))]
    for worker in workers:
        worker.start()
    sys.stdin.read()
    is_over.set()
    for worker in workers:
        worker.join()


def _put(s3: object, bucket: str, key: str, body: bytes) -> int:
    try:
        answer = s3.put_object(Bucket=bucket, Key=key, Body=body)  # type: ignore[attr-defined]
    except ClientError as refusal:
        return int(refusal.response["ResponseMetadata"]["HTTPStatusCode"])
    except BotoCoreError:
        return 0
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


if __name__ == "__main__":
    main(*sys.argv[1:])
