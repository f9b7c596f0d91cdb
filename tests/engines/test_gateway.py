"""What clients can do on the public gateway of the real engine, under the policies as they are compiled."""

import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.core import policy_matrix as matrix
from tests.engine_fixture import Running
from tests.engines.client_operations import CALLS, NAMES_OF_ATTACHMENTS, SPELLINGS, Prepared
from tests.engines.conftest import new_repository
from tests.engines.test_contract import document, keys

from strongroom.core.errors import Unavailable
from strongroom.core.policy import PROBE_SESSION, READER_SESSION, Access, access_of, compile_policy
from strongroom.core.policy_evaluation import Caller
from strongroom.core.vocabulary import Kind, State
from strongroom.engines.protocol import AccessKey, Session
from strongroom.engines.seaweedfs.configuration import load_credentials
from strongroom.engines.seaweedfs.engine import SeaweedEngine
from strongroom.engines.seaweedfs.settings import DIALECT, SERVERS, Gateway

READS = ("get", "list", "location", "batch", "copy out")


@pytest.fixture
def repository(embedded_engine: Running) -> Iterator[str]:
    """A new repository of the real engine."""
    name = new_repository()
    embedded_engine.engine.create_repository(name, tags={"space": "test"})
    yield name
    embedded_engine.engine.delete_repository(name)


@pytest.fixture(scope="module")
def uploaders(embedded_engine: Running) -> Iterator[dict[str, AccessKey]]:
    """Two uploaders with keys, and one whose name no uploader can have."""
    named = {"mine": f"up-{secrets.token_hex(6)}", "other": f"up-{secrets.token_hex(6)}", "servers": SERVERS}
    made = {name: embedded_engine.engine.create_access_key(principal) for name, principal in named.items()}
    yield made
    for key in made.values():
        embedded_engine.engine.delete_principal(key.principal)


def _callers(
    running: Running, mine: AccessKey, other: AccessKey, servers: AccessKey
) -> dict[str, tuple[Caller, AccessKey | Session]]:
    """Everybody who may come by, each as the policy and as the gateway knows them."""

    def session(name: str) -> tuple[Caller, Session]:
        return matrix.session(name, DIALECT), running.engine.create_session(name, lifetime=timedelta(hours=1))

    return {
        "the uploader": (matrix.user(mine.principal, DIALECT), mine),
        "another uploader": (matrix.user(other.principal, DIALECT), other),
        "a user of the name that servers are sessions of": (matrix.user(SERVERS, DIALECT), servers),
        "a granted server": session("srv-granted"),
        "a transfer": session("tr-running"),
        "another server": session("srv-other"),
        "a session named like the control plane": session(DIALECT.control_plane),
        "a session named like the uploader": session(mine.principal),
        "the probe": session(PROBE_SESSION),
        "the reader of attachments": session(READER_SESSION),
    }


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (Kind.ORIGINAL, State.PENDING),
        (Kind.ORIGINAL, State.FINALIZING),
        (Kind.ORIGINAL, State.FINALIZED),
        (Kind.DERIVATIVE, State.FINALIZED),
    ],
)
def test_the_gateway_allows_exactly_what_the_evaluator_says(
    embedded_engine: Running, repository: str, uploaders: dict[str, AccessKey], kind: Kind, state: State
) -> None:
    engine, mine = embedded_engine.engine, uploaders["mine"]
    prepared = Prepared(embedded_engine.client(), repository)
    access = _access(repository, kind, state, mine.principal)
    wanted = compile_policy(access, DIALECT)
    engine.apply_policy(repository, wanted)
    engine.prove_policy(repository, 42)
    wrong = []
    for who, (caller, key) in _callers(embedded_engine, mine, uploaders["other"], uploaders["servers"]).items():
        client, expected = embedded_engine.client(key), matrix.allowed(wanted, caller, repository)
        for name, call in CALLS.items():
            is_done = _succeeds(partial(call, client, repository, prepared))
            if is_done != (name in expected):
                wrong.append(f"{who}: {name} was {'done' if is_done else 'refused'}")
            if is_done and not name.startswith(READS):
                prepared.put_back()
        engine.abort_uploads(repository)
    assert wrong == []
    assert engine.read_policy(repository) == wanted


def _access(repository: str, kind: Kind, state: State, uploader: str) -> Access:
    return access_of(
        repository=repository,
        generation=matrix.GENERATION,
        kind=kind,
        state=state,
        uploaders=[uploader],
        servers=["srv-granted"],
        transfers=["tr-running"],
    )


def _succeeds(call: object) -> bool:
    try:
        call()  # type: ignore[operator]
    except (ClientError, PermissionError) as refusal:
        status = refusal.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(refusal, ClientError) else 403
        assert status < 500, refusal
        return False
    return True


@pytest.mark.parametrize(("kind", "state"), [(Kind.ORIGINAL, State.PENDING), (Kind.DERIVATIVE, State.FINALIZED)])
def test_no_spelling_of_its_key_lets_a_writer_touch_an_attachment(
    embedded_engine: Running, repository: str, uploaders: dict[str, AccessKey], kind: Kind, state: State
) -> None:
    engine, mine, admin = embedded_engine.engine, uploaders["mine"], embedded_engine.client()
    prepared = Prepared(admin, repository)
    engine.apply_policy(repository, compile_policy(_access(repository, kind, state, mine.principal), DIALECT))
    engine.prove_policy(repository, matrix.GENERATION)
    server, transfer = (
        engine.create_session(name, lifetime=timedelta(hours=1)) for name in ("srv-granted", "tr-running")
    )
    writers = map(embedded_engine.client, (mine, transfer) if state is State.PENDING else (server,))
    for client, (name, call) in product(writers, SPELLINGS.items()):
        _succeeds(partial(call, client, repository, prepared))
        for key in NAMES_OF_ATTACHMENTS:
            assert admin.get_object(Bucket=repository, Key=key)["Body"].read() == key.encode(), name
        if state is State.PENDING:  # who uploads may not even read them
            assert admin.get_object(Bucket=repository, Key="a/c")["Body"].read() != b"_attachments/x", name


def test_strangers_and_the_administrators_own_key_are_refused_by_the_public_gateway(embedded_engine: Running) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(embedded_engine.settings.endpoint, timeout=60)
    admin = load_credentials(embedded_engine.settings).admin
    client = embedded_engine.client(AccessKey("admin", admin.access_key_id, admin.secret))
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client.list_buckets()


def test_an_uploader_cannot_mint_keys_or_sessions_or_buckets(
    embedded_engine: Running, uploaders: dict[str, AccessKey]
) -> None:
    mine, other = uploaders["mine"], uploaders["other"].principal
    session = boto3.session.Session(mine.access_key_id, mine.secret, region_name="us-east-1")
    role = "arn:aws:iam::000000000000:role/servers"
    for endpoint in (embedded_engine.settings.endpoint, embedded_engine.settings.private_endpoint):
        iam, sts = session.client("iam", endpoint_url=endpoint), session.client("sts", endpoint_url=endpoint)
        s3 = session.client("s3", endpoint_url=endpoint)
        attempts = [
            partial(iam.create_user, UserName="mallory"),
            partial(iam.create_access_key, UserName=other),
            partial(iam.list_access_keys, UserName=other),
            partial(iam.list_users),
            partial(sts.assume_role, RoleArn=role, RoleSessionName="srv-granted"),
            partial(s3.create_bucket, Bucket=new_repository()),
        ]
        for attempt in attempts:
            with pytest.raises(ClientError):
                attempt()
        assert s3.list_buckets()["Buckets"] == []
    assert embedded_engine.engine.access_key_ids("mallory") == []


def test_nothing_is_proved_or_drained_before_every_gateway_agrees(
    embedded_engine: Running, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = embedded_engine.settings
    embedded_engine.engine.apply_policy(repository, document(embedded_engine.engine, repository, 1))
    sent: list[str] = []
    twice = SeaweedEngine(replace(settings, further_gateways=settings.gateways), on_request=sent.append)
    twice.prove_policy(repository, 1)
    assert sent.count("s3.ListObjectsV2") >= 2
    assert twice.is_drained("")
    monkeypatch.setattr("strongroom.engines.seaweedfs.engine.PATIENCE_SECONDS", 0.5)
    elsewhere = Gateway(
        f"http://127.0.0.1:{settings.ports.master}", f"http://127.0.0.1:{settings.ports.master}/metrics"
    )
    absent = SeaweedEngine(replace(settings, further_gateways=(elsewhere,)))
    with pytest.raises(Unavailable, match=elsewhere.endpoint):
        absent.prove_policy(repository, 1)
    with pytest.raises(Unavailable):
        absent.is_drained("")
    mute = SeaweedEngine(
        replace(settings, further_gateways=(Gateway(settings.gateway, f"{settings.gateway}/healthz"),))
    )
    with pytest.raises(Unavailable, match="do not tell how many writes"):
        mute.is_drained("")


def test_a_removed_key_is_dead_at_once(embedded_engine: Running, repository: str) -> None:
    engine = embedded_engine.engine
    key = engine.create_access_key(f"up-{secrets.token_hex(6)}")
    engine.apply_policy(repository, document(engine, repository, 1, key.principal))
    engine.prove_access_key(key, repository)
    client = embedded_engine.client(key)
    client.put_object(Bucket=repository, Key="a", Body=b"x")
    engine.apply_policy(repository, document(engine, repository, 2))
    engine.prove_policy(repository, 2)
    for _ in range(20):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.put_object(Bucket=repository, Key="b", Body=b"x")
    engine.delete_principal(key.principal)
    for _ in range(20):
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            client.put_object(Bucket=repository, Key="b", Body=b"x")
    assert keys(engine, repository) == ["a"]


def test_a_new_repository_is_encrypted_and_tagged_in_one_request(embedded_engine: Running) -> None:
    engine, s3, name = embedded_engine.engine, embedded_engine.client(), new_repository()
    tags = {"strongroom:dataset": "1", "strongroom:space": "Über uns"}
    with embedded_engine.counted() as made:
        engine.create_repository(name, tags=tags)
    assert made == ["filer.CreateEntry"]
    for again in (tags, {"strongroom:space": "another"}):
        engine.create_repository(name, tags=again)
        assert {each["Key"]: each["Value"] for each in s3.get_bucket_tagging(Bucket=name)["TagSet"]} == again
        [rule] = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    s3.put_object(Bucket=name, Key="key", Body=b"content")
    assert s3.get_object(Bucket=name, Key="key")["ServerSideEncryption"] == "AES256"
    assert name in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    engine.delete_repository(name)
    assert not engine.repository_exists(name)


def test_a_key_costs_the_engine_one_request_and_its_end_a_proof(embedded_engine: Running) -> None:
    engine, principal = embedded_engine.engine, f"up-{secrets.token_hex(6)}"
    with embedded_engine.counted() as made:
        engine.create_access_key(principal)
    with embedded_engine.counted() as removed:
        engine.delete_principal(principal)
    with embedded_engine.counted() as again:
        engine.delete_principal(principal)
    assert made == ["filer.CreateEntry"]
    assert list(dict.fromkeys(removed)) == ["filer.LookupDirectoryEntry", "filer.DeleteEntry", "s3.ListBuckets"]
    assert again == ["filer.LookupDirectoryEntry", "filer.DeleteEntry"]


def test_nobody_makes_users_through_the_gateways_not_even_the_administrator(embedded_engine: Running) -> None:
    admin = load_credentials(embedded_engine.settings).admin
    session = boto3.session.Session(admin.access_key_id, admin.secret, region_name="us-east-1")
    for endpoint in (embedded_engine.settings.endpoint, embedded_engine.settings.private_endpoint):
        iam = session.client("iam", endpoint_url=endpoint)
        with pytest.raises(ClientError):
            iam.create_user(UserName="mallory")
    assert embedded_engine.engine.access_key_ids("mallory") == []
