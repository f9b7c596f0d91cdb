"""Many servers of one data set, many data sets of one server, and what a server must never manage to do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ClientError

from strongroom.core.names import server_session_name
from tests.journeys.agents import Agent, joined
from tests.journeys.api import Refused, Study
from tests.journeys.system import DEAD, System

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MANY = 50


def _reads(s3: "S3Client", study: Study) -> str:
    """What is read; the engine's word for why it is not."""
    try:
        return s3.get_object(Bucket=study.repository, Key="first/1.csv")["Body"].read().decode()
    except ClientError as error:
        return str(error.response["Error"]["Code"])


def _status(attempt: Callable[[], object]) -> int:
    """The status of the refusal; 200 where there is none."""
    try:
        attempt()
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return 200


def _finalized(system: System) -> Study:
    study = system.uploaded()
    system.finalized(study)
    return study


def _asked_to_finalize(system: System) -> Study:
    study = system.uploaded()
    study.finalize()
    return study


def _grant(study: Study, agent: Agent) -> None:
    study.api.post(f"{study.path}/grants", server_id=agent.server_id)


def test_fifty_servers_read_one_data_set_and_each_is_cut_alone(strongroom: System) -> None:
    study = _finalized(strongroom)
    servers = [joined(strongroom, study.api, strongroom.space_id, f"many-{number}") for number in range(MANY)]
    clients = [each.s3(study) for each in servers]
    assert {_reads(each, study) for each in clients} <= set(DEAD)
    for each in servers:
        _grant(study, each)
    assert {_reads(each, study) for each in clients} == {"row 1\n"}
    study.api.delete(f"{study.path}/grants/{servers[7].server_id}")
    assert [number for number, each in enumerate(clients) if _reads(each, study) in DEAD] == [7]


def test_one_server_reads_fifty_data_sets_until_it_is_disabled(strongroom: System) -> None:
    server = joined(strongroom, strongroom.owner, strongroom.space_id, "reader")
    studies = [_asked_to_finalize(strongroom) for _ in range(MANY)]
    for each in studies:
        strongroom.settled(each)
        _grant(each, server)
    s3 = server.s3(studies[0])
    assert {_reads(s3, each) for each in studies} == {"row 1\n"}
    strongroom.owner.post(f"/servers/{server.server_id}/disable", reason="it was stolen")
    assert {_reads(s3, each) for each in studies} <= set(DEAD)
    with pytest.raises(Refused) as refused:
        server.ask("credentials")
    assert refused.value.code == "server-disabled"
    strongroom.owner.post(f"/servers/{server.server_id}/enable")
    assert {_reads(s3, each) for each in studies} == {"row 1\n"}


def test_who_leaves_takes_their_servers_along_and_a_grant_ends_by_itself(strongroom: System) -> None:
    steward, email = strongroom.person("steward")
    members = f"/spaces/{strongroom.space_id}/members"
    member = strongroom.owner.post(members, email=email, role="steward")
    study = _finalized(strongroom)
    theirs, passing = (
        joined(strongroom, api, strongroom.space_id, name)
        for api, name in ((steward, "theirs"), (study.api, "passing"))
    )
    s3, other = theirs.s3(study), passing.s3(study)
    _grant(study, theirs)
    soon = datetime.now(UTC) + timedelta(seconds=15)
    study.api.post(f"{study.path}/grants", server_id=passing.server_id, expires_at=soon.isoformat())
    assert _reads(other, study) == _reads(s3, study) == "row 1\n"
    strongroom.owner.delete(f"{members}/{member['person_id']}")
    assert _reads(s3, study) in DEAD
    strongroom.until(lambda: _reads(other, study) in DEAD, "the end of the grant")
    assert datetime.now(UTC) >= soon


def test_a_join_token_works_once_and_a_request_is_never_taken_twice(strongroom: System) -> None:
    enrolment = strongroom.owner.post(f"/spaces/{strongroom.space_id}/enrolments", name="once", os="linux")
    first = Agent(strongroom.door.url).join(enrolment["join_token"])
    with pytest.raises(Refused) as refused:
        Agent(strongroom.door.url).join(enrolment["join_token"])
    assert refused.value.status == 401
    first.ask("credentials")
    with pytest.raises(Refused) as refused:
        first.send("/api/v1/agent/credentials", b"{}")  # with the same headers
    assert refused.value.code == "replay"
    thief = Agent(strongroom.door.url, server_id=first.server_id, sequence=first.sequence)
    with pytest.raises(Refused) as refused:
        thief.ask("credentials")
    assert refused.value.code == "signature"


def test_a_server_takes_no_other_name_and_no_further_rights(strongroom: System) -> None:
    study, own = _finalized(strongroom), _finalized(strongroom)
    granted, other = (joined(strongroom, study.api, strongroom.space_id, name) for name in ("granted", "other"))
    _grant(study, granted)
    _grant(own, other)
    assert _reads(granted.s3(study), study) == "row 1\n"
    session = other.ask("credentials")
    keys = {
        "aws_access_key_id": session["access_key_id"],
        "aws_secret_access_key": session["secret_access_key"],
        "aws_session_token": session["session_token"],
        "region_name": "us-east-1",
        "endpoint_url": study.endpoint,
    }
    sts, iam, s3 = (boto3.client(name, **keys) for name in ("sts", "iam", "s3"))  # type: ignore[call-overload]
    spoofed = server_session_name(UUID(granted.server_id))
    arn = "arn:aws:iam::000000000000:role/servers"
    attempts = [
        lambda: sts.assume_role(RoleArn=arn, RoleSessionName=spoofed),
        lambda: sts.get_federation_token(Name=spoofed),
        iam.list_users,
        lambda: iam.create_access_key(UserName="servers"),
        lambda: s3.put_bucket_policy(Bucket=study.repository, Policy="{}"),
        lambda: s3.get_object(Bucket=study.repository, Key="first/1.csv"),
        lambda: s3.list_objects_v2(Bucket=study.repository),
    ]
    assert _reads(s3, own) == "row 1\n", "the session must be good for something to be refused the rest"
    refused = [_status(attempt) for attempt in attempts]
    assert set(refused) <= {403, 404, 405}, refused
    assert refused[-3:] == [403, 403, 403]
