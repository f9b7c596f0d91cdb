"""Object versions: removing old ones, and locking those that are there so that nobody can delete them."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say
from strongroom.engines.seaweedfs.clients import code_of, obeying

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectLockRetentionTypeDef

_THREADS = 8
_BATCH = 500


def is_versioned(s3: "S3Client", bucket: str) -> bool:
    """Whether the bucket keeps, or ever kept, more than one version."""
    return bool(s3.get_bucket_versioning(Bucket=bucket).get("Status"))


def drop_old_versions(s3: "S3Client", bucket: str) -> int:
    """Delete every version and delete marker that is not the latest of a live object; how many.

    The engine leaves out some versions at the borders of its pages, so that it is asked again until nothing is left.
    """
    with obeying(say("remove the old versions in {bucket}", bucket=bucket)):
        if not is_versioned(s3, bucket):
            return 0
        count = 0
        while found := _drop_listed(s3, bucket):
            count += found
        return count


def lock(s3: "S3Client", bucket: str, keys: Iterable[str], until: datetime) -> Iterator[int]:
    """COMPLIANCE retention on the latest version of every key, several at a time; yields how many are locked.

    Call `drop_old_versions` before. The keys are not taken from the list of versions, which is not complete.
    Raises: Unavailable, also when a lock that was accepted is not in force.
    """
    with obeying(say("switch on object lock for {bucket}", bucket=bucket)):
        if not is_versioned(s3, bucket):
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    with ThreadPoolExecutor(_THREADS) as threads, obeying(say("lock the objects of {bucket}", bucket=bucket)):
        count, rest = 0, iter(keys)
        while batch := list(islice(rest, _BATCH)):
            for _ in threads.map(lambda key: _lock_one(s3, bucket, key, until), batch):
                count += 1
            _look_at(s3, bucket, batch[0], until)
            yield count


def locked_until(s3: "S3Client", bucket: str, keys: Iterable[str]) -> datetime | None:
    """Until when an object is locked, as the first of these keys that is tells; None when none of them is."""
    for key in keys:
        try:
            found = s3.get_object_retention(Bucket=bucket, Key=key)
        except ClientError:
            continue
        if until := found.get("Retention", {}).get("RetainUntilDate"):
            return until
    return None


def _lock_one(s3: "S3Client", bucket: str, key: str, until: datetime) -> None:
    """No version is named: for what was stored before versioning the engine obeys only so.

    With `null` named it answers 200 and keeps the retention where nothing looks for it.
    Source: observation of SeaweedFS 4.48.
    """
    retention: ObjectLockRetentionTypeDef = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    try:
        s3.put_object_retention(Bucket=bucket, Key=key, Retention=retention)
    except ClientError as error:
        if code_of(error) != "AccessDenied":
            raise
        _look_at(s3, bucket, key, until)  # locked for longer already is fine


def _look_at(s3: "S3Client", bucket: str, key: str, until: datetime) -> None:
    found = s3.get_object_retention(Bucket=bucket, Key=key)["Retention"]
    if found.get("Mode") != "COMPLIANCE" or found.get("RetainUntilDate", until) < until.replace(microsecond=0):
        raise Unavailable(
            say(
                "The storage engine took the lock of {key} in {bucket}, but it is not in force: {found}.",
                key=key,
                bucket=bucket,
                found=found,
            )
        )


def _drop_listed(s3: "S3Client", bucket: str) -> int:
    """One round over what is listed, a page in memory at a time; how many were deleted."""
    count = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in page.get("Versions", []):
            if not version["IsLatest"]:
                count += _drop(s3, bucket, version["Key"], version["VersionId"])
        for marker in page.get("DeleteMarkers", []):
            if marker["IsLatest"]:
                count += _drop_below(s3, bucket, marker["Key"])
            count += _drop(s3, bucket, marker["Key"], marker["VersionId"])
    return count


def _drop_below(s3: "S3Client", bucket: str, key: str) -> int:
    """Before a marker goes: a version that was left below it would come back to life."""
    count = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        for version in page.get("Versions", []):
            if version["Key"] == key:
                count += _drop(s3, bucket, key, version["VersionId"])
    return count


def _drop(s3: "S3Client", bucket: str, key: str, version_id: str) -> int:
    s3.delete_object(Bucket=bucket, Key=key, VersionId=version_id)
    return 1
