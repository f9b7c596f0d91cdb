"""Lists, says so, and waits for a line; then reads until its standard input closes, each file once, and writes a line
of JSON for each read.

`reader.py s3 ENDPOINT BUCKET` asks the gateway with whatever credentials the machine has; `reader.py folder PATH`
reads files. Both read the objects in an order of their own.
"""

import json
import random
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path


def _s3(endpoint: str, bucket: str) -> tuple[list[str], Callable[[str], bytes]]:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="many/")
    keys = [each["Key"] for page in pages for each in page["Contents"]]
    return keys * 20, lambda key: client.get_object(Bucket=bucket, Key=key)["Body"].read()


def _folder(path: str) -> tuple[list[str], Callable[[str], bytes]]:
    files = [str(each) for each in Path(path, "many").iterdir()]
    return files, lambda file: Path(file).read_bytes()


def main() -> None:
    """See the module."""
    names, read = {"s3": _s3, "folder": _folder}[sys.argv[1]](*sys.argv[2:])
    random.shuffle(names)
    print("listed", flush=True)
    sys.stdin.readline()
    while not select.select([sys.stdin], [], [], 0)[0]:
        name = names.pop()
        began = time.monotonic()
        try:
            said, size = "", len(read(name))
        except Exception as error:  # noqa: BLE001 whatever it is, it was not read
            said, size = str(error)[:200], 0
        print(json.dumps({"began": began, "ended": time.monotonic(), "size": size, "said": said}), flush=True)
        if said:
            time.sleep(0.01)


main()
