"""Locks and versions beyond one page of the list of versions, which leaves some out at the borders of its pages."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from tests.engine_fixture import Running
from tests.engines.conftest import new_repository
from tests.engines.test_contract import _wait_until, keys, put

# The engine walks `a/` before `a-b/`; in byte order the second comes first. A page ends among the first.
KEYS = [*(f"a/{number:04}" for number in range(1020)), *(f"a-b/{number}" for number in range(20)), "a", "z"]


@pytest.fixture
def repository(embedded_engine: Running) -> Iterator[str]:
    """With more objects than a page holds."""
    name = new_repository()
    embedded_engine.engine.create_repository(name, tags={})
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: put(embedded_engine.engine, name, key), KEYS))
    yield name
    embedded_engine.engine.delete_repository(name)


def test_every_object_is_locked_whatever_the_list_of_versions_leaves_out(
    embedded_engine: Running, repository: str
) -> None:
    engine, s3 = embedded_engine.engine, embedded_engine.client()
    until = datetime.now(UTC) + timedelta(seconds=45)
    assert list(engine.lock_objects(repository, until))[-1] == len(KEYS)

    def is_locked(key: str) -> bool:
        return s3.get_object_retention(Bucket=repository, Key=key)["Retention"]["Mode"] == "COMPLIANCE"

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(is_locked, KEYS))
    for key in ("a-b/0", "a/0000", "a/1019", "z"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=repository, Key=key, VersionId="null", BypassGovernanceRetention=True)
    _wait_until(until)


def test_of_every_object_the_latest_version_is_left_and_of_deleted_ones_nothing(
    embedded_engine: Running, repository: str
) -> None:
    engine, s3 = embedded_engine.engine, embedded_engine.client()
    s3.put_bucket_versioning(Bucket=repository, VersioningConfiguration={"Status": "Enabled"})
    latest = secrets.token_bytes(20)
    overwritten, deleted = KEYS[3::50], KEYS[4::50]
    for key in overwritten:
        s3.put_object(Bucket=repository, Key=key, Body=b"in between")
        s3.put_object(Bucket=repository, Key=key, Body=latest)
    for key in deleted:
        s3.delete_object(Bucket=repository, Key=key)
    # Of an overwritten one two versions go, of a deleted one its version and its marker.
    assert engine.drop_old_versions(repository) == 2 * len(overwritten) + 2 * len(deleted)
    assert keys(engine, repository) == sorted(set(KEYS) - set(deleted))
    for key in overwritten:
        listed = s3.list_object_versions(Bucket=repository, Prefix=key)
        assert [each["Key"] for each in listed["Versions"]].count(key) == 1
        assert s3.get_object(Bucket=repository, Key=key)["Body"].read() == latest
    for key in deleted:
        listed = s3.list_object_versions(Bucket=repository, Prefix=key)
        found = [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]
        assert key not in [each["Key"] for each in found]
    assert engine.drop_old_versions(repository) == 0
