"""Object versions: removing old ones, and locking those that are there so that nobody can delete them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import ClientError

from strongroom.core.errors import Unavailable
from strongroom.engines.seaweedfs.clients import code_of, obeying

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectLockRetentionTypeDef

Version = tuple[str, str]
"""Key and version id; the id is `null` for what was stored before versioning."""


class _VersionId(TypedDict, total=False):
    VersionId: str


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
    """COMPLIANCE retention on the version of every live object, several at a time; yields how many are locked.

    Call `drop_old_versions` before: what is neither the latest nor of a named version cannot be locked.
    Raises: Unavailable, also when a lock that was accepted is not in force.
    """
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
            _look_at(s3, bucket, batch[0], until)
            yield count


def locked_until(s3: "S3Client", bucket: str) -> datetime | None:
    """Until when an object of the bucket is locked, as the first that is tells; None when none of the first is."""
    for key, version_id in islice(_versions(s3, bucket), 20):
        try:
            found = s3.get_object_retention(Bucket=bucket, Key=key, **_version(version_id))
        except ClientError:
            continue
        if until := found.get("Retention", {}).get("RetainUntilDate"):
            return until
    return None


def _lock_one(s3: "S3Client", bucket: str, version: Version, until: datetime) -> None:
    key, version_id = version
    retention: ObjectLockRetentionTypeDef = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    try:
        s3.put_object_retention(Bucket=bucket, Key=key, Retention=retention, **_version(version_id))
    except ClientError as error:
        if code_of(error) != "AccessDenied":
            raise
        _look_at(s3, bucket, version, until)  # locked for longer already is fine


def _look_at(s3: "S3Client", bucket: str, version: Version, until: datetime) -> None:
    key, version_id = version
    found = s3.get_object_retention(Bucket=bucket, Key=key, **_version(version_id))["Retention"]
    if found.get("Mode") != "COMPLIANCE" or found.get("RetainUntilDate", until) < until.replace(microsecond=0):
        raise Unavailable(f"The storage engine took the lock of {key} in {bucket}, but it is not in force: {found}.")


def _version(version_id: str) -> "_VersionId":
    """For what was stored before versioning the engine obeys only when no version is named at all.

    With `null` named it answers 200 and keeps the retention where nothing looks for it.
    Source: observation of SeaweedFS 4.48.
    """
    return {} if version_id == "null" else {"VersionId": version_id}


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
