"""Object versions: removing old ones, and locking those that are there so that nobody can delete them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from strongroom.engines.seaweedfs.clients import obeying

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Version = tuple[str, str]
"""Key and version id; the id is `null` for what was stored before versioning."""

_THREADS = 8
_BATCH = 500


def is_versioned(s3: "S3Client", bucket: str) -> bool:
    """Whether the bucket keeps, or ever kept, more than one version."""
    return bool(s3.get_bucket_versioning(Bucket=bucket).get("Status"))


def drop_old_versions(s3: "S3Client", bucket: str) -> int:
    """Delete every version and delete marker that is not the latest of a live object; how many."""
    with obeying(f"remove the old versions in {bucket}"):
        if not is_versioned(s3, bucket):
            return 0
        count = 0
        for key, version_id in list(_old_versions(s3, bucket)):
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version_id)
            count += 1
        return count


def lock(s3: "S3Client", bucket: str, until: datetime) -> Iterator[int]:
    """COMPLIANCE retention on every version, several at a time; yields how many are locked."""
    with obeying(f"switch on object lock for {bucket}"):
        if not is_versioned(s3, bucket):
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    with ThreadPoolExecutor(_THREADS) as threads, obeying(f"lock the objects of {bucket}"):
        count = 0
        versions = _versions(s3, bucket)
        while batch := list(islice(versions, _BATCH)):
            for _ in threads.map(lambda version: _lock_one(s3, bucket, version, until), batch):
                count += 1
            yield count


def locked_until(s3: "S3Client", bucket: str) -> datetime | None:
    """Until when an object of the bucket is locked, as the first that is tells; None when none of the first is."""
    for key, version_id in islice(_versions(s3, bucket), 20):
        try:
            found = s3.get_object_retention(Bucket=bucket, Key=key, VersionId=version_id)
        except ClientError:
            continue
        if until := found.get("Retention", {}).get("RetainUntilDate"):
            return until
    return None


def _lock_one(s3: "S3Client", bucket: str, version: Version, until: datetime) -> None:
    key, version_id = version
    s3.put_object_retention(
        Bucket=bucket,
        Key=key,
        VersionId=version_id,
        Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
    )


def _versions(s3: "S3Client", bucket: str) -> Iterator[Version]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in page.get("Versions", []):
            yield version["Key"], version["VersionId"]


def _old_versions(s3: "S3Client", bucket: str) -> Iterator[Version]:
    """Old versions first and markers last: a marker that goes first would bring the version below it back to life."""
    markers: list[Version] = []
    dead: set[str] = set()
    live: set[Version] = set()
    all_versions: list[Version] = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for marker in page.get("DeleteMarkers", []):
            markers.append((marker["Key"], marker["VersionId"]))
            if marker["IsLatest"]:
                dead.add(marker["Key"])
        for version in page.get("Versions", []):
            one = (version["Key"], version["VersionId"])
            all_versions.append(one)
            if version["IsLatest"]:
                live.add(one)
    yield from (one for one in all_versions if one not in live or one[0] in dead)
    yield from markers
