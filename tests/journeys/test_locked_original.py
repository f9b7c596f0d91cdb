"""An original that is locked until a date: not even the engine's own administrator deletes it before."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.api import Refused, Study
from tests.journeys.system import System, code_of_refusal

UNTIL = datetime.now(UTC).replace(microsecond=0) + timedelta(days=400)


@pytest.fixture(scope="module")
def brief(strongroom: System) -> tuple[Study, datetime]:
    """One whose lock ends soon, and when: not before it is settled, on a slow machine either."""
    study = strongroom.uploaded()
    until = datetime.now(UTC) + timedelta(seconds=30)
    strongroom.finalized(study, locked_until=until.isoformat())
    return study, until


@pytest.fixture(scope="module")
def locked(strongroom: System) -> Study:
    """Its bucket kept versions before it was finalized: an overwritten object, a deleted one, and what stayed."""
    study = strongroom.uploaded()
    s3, bucket = strongroom.s3(study), study.repository
    strongroom.admin_s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"first try", b"second try"):
        s3.put_object(Bucket=bucket, Key="overwritten.csv", Body=content)
    s3.put_object(Bucket=bucket, Key="deleted.csv", Body=b"a mistake")
    s3.delete_object(Bucket=bucket, Key="deleted.csv")
    listed = strongroom.admin_s3.list_object_versions(Bucket=bucket)
    assert (len(listed["Versions"]), len(listed["DeleteMarkers"])) == (6, 1)
    shown = strongroom.finalized(study, locked_until=UNTIL.isoformat())
    assert datetime.fromisoformat(shown["locked_until"]) == UNTIL
    return study


def _versions(system: System, study: Study) -> dict[str, str]:
    """The id of each key's one version."""
    listed = system.admin_s3.list_object_versions(Bucket=study.repository)
    assert listed.get("DeleteMarkers", []) == []
    versions = [(each["Key"], each["VersionId"]) for each in listed["Versions"]]
    assert len(dict(versions)) == len(versions)
    return dict(versions)


def test_a_short_lock_holds_as_any_other(strongroom: System, brief: tuple[Study, datetime]) -> None:
    study, _ = brief
    key, version = next(iter(_versions(strongroom, study).items()))
    one = {"Bucket": study.repository, "Key": key, "VersionId": version}
    assert code_of_refusal(lambda: strongroom.admin_s3.delete_object(**one)) == "AccessDenied"


def test_only_what_the_manifest_lists_is_there_and_each_of_it_is_locked(strongroom: System, locked: Study) -> None:
    s3, bucket = strongroom.admin_s3, locked.repository
    versions = _versions(strongroom, locked)
    assert set(versions) == {"first/0.csv", "first/1.csv", "first/2.csv", "overwritten.csv"}
    assert locked.show()["object_count"] == len(versions)
    for key, version in versions.items():
        retention = s3.get_object_retention(Bucket=bucket, Key=key, VersionId=version)["Retention"]
        assert (retention["Mode"], retention["RetainUntilDate"]) == ("COMPLIANCE", UNTIL)
    assert s3.get_object(Bucket=bucket, Key="overwritten.csv")["Body"].read() == b"second try"


def test_the_engines_administrator_cannot_delete_or_shorten_it(strongroom: System, locked: Study) -> None:
    s3, bucket = strongroom.admin_s3, locked.repository
    key, version = next(iter(_versions(strongroom, locked).items()))
    one = {"Bucket": bucket, "Key": key, "VersionId": version}
    sooner = {"RetainUntilDate": datetime.now(UTC) + timedelta(seconds=5)}
    deeds: dict[str, Callable[[], object]] = {
        "version": lambda: s3.delete_object(**one),
        "bypass": lambda: s3.delete_object(**one, BypassGovernanceRetention=True),
        "bucket": lambda: s3.delete_bucket(Bucket=bucket),
        "sooner": lambda: s3.put_object_retention(**one, Retention={"Mode": "COMPLIANCE", **sooner}),
        "governance": lambda: s3.put_object_retention(**one, Retention={"Mode": "GOVERNANCE", **sooner}),
        "suspend": lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}),
    }
    codes = {name: code_of_refusal(deed) for name, deed in deeds.items()}
    assert all(codes.values()), codes
    for options in ({}, {"BypassGovernanceRetention": True}):
        batch = {"Objects": [{"Key": key, "VersionId": version}]}
        answer = s3.delete_objects(Bucket=bucket, Delete=batch, **options)
        assert [each["Key"] for each in answer.get("Errors", [])] == [key], answer
    assert _versions(strongroom, locked)[key] == version
    assert s3.get_object(**one)["Body"].read()


def test_the_same_requests_delete_what_is_not_locked(strongroom: System) -> None:
    study = strongroom.uploaded()
    strongroom.finalized(study)
    s3, bucket = strongroom.admin_s3, study.repository
    s3.delete_object(Bucket=bucket, Key="first/0.csv", VersionId="null")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "first/1.csv"}]})
    assert set(strongroom.listing(bucket)) == {"first/2.csv"}
    s3.delete_bucket(Bucket=bucket)
    assert not strongroom.engine.repository_exists(bucket)


def test_its_deletion_is_not_even_taken_as_a_request(strongroom: System, locked: Study) -> None:
    with pytest.raises(Refused) as refused:
        locked.api.post(f"{locked.path}/request-deletion", reason="the study is over")
    assert (refused.value.status, refused.value.code) == (409, "locked")
    assert locked.show()["state"] == "finalized"


def test_the_second_look_takes_the_lock_for_no_change(strongroom: System) -> None:
    study = strongroom.uploaded()
    behind = strongroom.admin_s3
    strongroom.finalized(study, locked_until=UNTIL.isoformat())
    behind.put_object(Bucket=study.repository, Key="behind.csv", Body=b"behind our back")
    strongroom.until(lambda: study.show()["late_objects"] > 0, "the second look", more=study.show)
    strongroom.until(lambda: "behind.csv" not in strongroom.listing(study.repository), "it to be put aside")
    assert study.show()["late_objects"] == 1


def test_a_short_lock_ends_by_itself_and_the_data_set_can_go(strongroom: System, brief: tuple[Study, datetime]) -> None:
    study, until = brief
    strongroom.until(lambda: datetime.now(UTC) > until, "the lock to end")
    study.api.post(f"{study.path}/request-deletion", reason="the study is over")
    strongroom.administrator.post(f"{study.path}/confirm-deletion", confirm_name=study.name)
    strongroom.settled(study, "deleted")
    assert not strongroom.engine.repository_exists(study.repository)
