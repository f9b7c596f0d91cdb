"""What clients can do on the public gateway of the real engine, under the policies as they are compiled."""

import secrets
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from tests.core import policy_matrix as matrix
from tests.engine_fixture import Running
from tests.engines.client_operations import CALLS, NAMES_OF_ATTACHMENTS, SPELLINGS, Prepared
from tests.engines.conftest import new_repository
from tests.engines.test_contract import document, keys, put

from strongroom.core.errors import Unavailable
from strongroom.core.policy import PROBE_SESSION, READER_SESSION, Access, access_of, compile_policy
from strongroom.core.policy_evaluation import Caller
from strongroom.core.vocabulary import Kind, State
from strongroom.engines.protocol import AccessKey, Session
from strongroom.engines.seaweedfs.configuration import load_credentials
from strongroom.engines.seaweedfs.engine import SeaweedEngine
from strongroom.engines.seaweedfs.settings import DIALECT, VENDING_USER, Gateway

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
    """Two uploaders with keys."""
    made = {name: embedded_engine.engine.create_access_key(f"up-{secrets.token_hex(6)}") for name in ("mine", "other")}
    yield made
    for key in made.values():
        embedded_engine.engine.delete_principal(key.principal)


def _callers(running: Running, mine: AccessKey, other: AccessKey) -> dict[str, tuple[Caller, AccessKey | Session]]:
    """Everybody who may come by, each as the policy and as the gateway knows them."""

    def session(name: str) -> tuple[Caller, Session]:
        return matrix.session(name, DIALECT), running.engine.create_session(name, lifetime=timedelta(hours=1))

    vending = load_credentials(running.settings).vending
    assert vending is not None
    return {
        "the uploader": (matrix.user(mine.principal, DIALECT), mine),
        "another uploader": (matrix.user(other.principal, DIALECT), other),
        "the vending user": (
            matrix.user(VENDING_USER, DIALECT),
            AccessKey(VENDING_USER, vending.access_key_id, vending.secret),
        ),
        "a granted server": session("srv-granted"),
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
    for who, (caller, key) in _callers(embedded_engine, mine, uploaders["other"]).items():
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
    server = engine.create_session("srv-granted", lifetime=timedelta(hours=1))
    client = embedded_engine.client(mine if state is State.PENDING else server)
    for name, call in SPELLINGS.items():
        _succeeds(partial(call, client, repository, prepared))
        for key in NAMES_OF_ATTACHMENTS:
            assert admin.get_object(Bucket=repository, Key=key)["Body"].read() == key.encode(), name
        if state is State.PENDING:  # who uploads may not even read them
            assert admin.get_object(Bucket=repository, Key="a/c")["Body"].read() != b"_attachments/x", name


def test_strangers_and_the_administrators_own_key_are_refused_by_the_public_gateway(embedded_engine: Running) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(embedded_engine.settings.endpoint, timeout=5)
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
    monkeypatch.setattr("strongroom.engines.seaweedfs.engine.PATIENCE_SECONDS", 0.5)
    settings = embedded_engine.settings
    embedded_engine.engine.apply_policy(repository, document(embedded_engine.engine, repository, 1))
    sent: list[str] = []
    twice = SeaweedEngine(replace(settings, further_gateways=settings.gateways), on_request=sent.append)
    twice.prove_policy(repository, 1)
    assert sent.count("s3.ListObjectsV2") >= 2
    assert twice.is_drained("")
    elsewhere = Gateway(
        f"http://127.0.0.1:{settings.ports.master}", f"http://127.0.0.1:{settings.ports.master}/metrics"
    )
    absent = SeaweedEngine(replace(settings, further_gateways=(elsewhere,)))
    with pytest.raises(Unavailable, match=elsewhere.endpoint):
        absent.prove_policy(repository, 1)
    with pytest.raises(Unavailable):
        absent.is_drained("")


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
    assert keys(engine, repository) == ["a"]


class SlowWrite:
    """A PUT whose body is being sent: the head and the first half are there, the rest waits."""

    def __init__(self, running: Running, repository: str, key: str, credentials: AccessKey, content: bytes) -> None:
        url = f"{running.settings.endpoint}/{repository}/{key}"
        headers = {"Content-Length": str(len(content)), "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
        request = AWSRequest("PUT", url, headers=headers)
        request.context["payload_signing_enabled"] = False
        S3SigV4Auth(Credentials(credentials.access_key_id, credentials.secret), "s3", "us-east-1").add_auth(request)
        at = urlsplit(url)
        lines = [f"PUT {at.path} HTTP/1.1", f"Host: {at.netloc}", *(f"{k}: {v}" for k, v in request.headers.items())]
        self._socket = socket.create_connection((at.hostname or "", at.port or 0), timeout=30)
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + content[: len(content) // 2])
        self._rest = content[len(content) // 2 :]

    def finish(self, *, closes: bool = True) -> int:
        """Send the rest; the status, 0 where the connection was cut."""
        try:
            self._socket.sendall(self._rest)
            answer = self._socket.recv(4096)
        except OSError:
            answer = b""
        if closes:
            self.close()
        return int(answer.split()[1]) if answer else 0

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def test_writes_that_began_later_do_not_hide_that_the_earlier_ones_have_ended(
    embedded_engine: Running, repository: str
) -> None:
    engine = embedded_engine.engine
    key = engine.create_access_key(f"up-{secrets.token_hex(6)}")
    engine.apply_policy(repository, document(engine, repository, 1, key.principal))
    engine.prove_access_key(key, repository)
    early = SlowWrite(embedded_engine, repository, "early", key, secrets.token_bytes(2_000_000))
    _until(lambda: not engine.is_drained(""))
    mark = engine.mark_writes()
    late = SlowWrite(embedded_engine, repository, "late", key, secrets.token_bytes(2_000_000))
    assert not engine.is_drained(mark)
    assert early.finish() == 200
    _until(lambda: engine.is_drained(mark))
    assert not engine.is_drained(engine.mark_writes())
    assert late.finish() == 200
    _until(lambda: engine.is_drained(""))


def test_an_answer_on_a_connection_that_goes_on_ends_the_write_before_it(
    embedded_engine: Running, repository: str
) -> None:
    engine = embedded_engine.engine
    key = engine.create_access_key(f"up-{secrets.token_hex(6)}")
    engine.apply_policy(repository, document(engine, repository, 1, key.principal))
    engine.prove_access_key(key, repository)
    early = SlowWrite(embedded_engine, repository, "early", key, secrets.token_bytes(2_000_000))
    other = SlowWrite(embedded_engine, repository, "other", key, secrets.token_bytes(2_000_000))
    _until(lambda: not engine.is_drained(""))
    mark = engine.mark_writes()
    assert early.finish(closes=False) == 200
    assert not engine.is_drained(mark)  # the other one is still on its way
    assert other.finish(closes=False) == 200
    third = SlowWrite(embedded_engine, repository, "third", key, secrets.token_bytes(2_000_000))
    assert engine.is_drained(mark)  # both connections are open, and both were answered
    for write in (early, other, third):
        write.close()


def test_the_public_gateway_speaks_no_http_2(embedded_engine: Running) -> None:
    """One connection, one request at a time: what `draining` concludes rests on it."""
    asked = [
        "curl",
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_version}",
        embedded_engine.settings.endpoint,
    ]
    for option in ("--http2", "--http2-prior-knowledge"):
        done = subprocess.run([*asked, option], capture_output=True, text=True, check=False, timeout=30)
        assert done.stdout != "2"


def test_a_write_whose_body_is_being_sent_lands_without_a_freeze(embedded_engine: Running, repository: str) -> None:
    """Why freezing is needed: the gateway asks the policy once, at the start."""
    assert _slow_write_across(embedded_engine, repository, freezes=False) == 200
    assert keys(embedded_engine.engine, repository) == ["late"]


def test_a_write_whose_body_is_being_sent_fails_when_the_repository_freezes(
    embedded_engine: Running, repository: str
) -> None:
    engine = embedded_engine.engine
    assert _slow_write_across(embedded_engine, repository, freezes=True) != 200
    assert keys(engine, repository) == []
    engine.thaw(repository)
    assert keys(engine, repository) == []


def _slow_write_across(running: Running, repository: str, *, freezes: bool) -> int:
    engine = running.engine
    key = engine.create_access_key(f"up-{secrets.token_hex(6)}")
    engine.apply_policy(repository, document(engine, repository, 1, key.principal))
    engine.prove_access_key(key, repository)
    write = SlowWrite(running, repository, "late", key, secrets.token_bytes(2_000_000))
    _until(lambda: not engine.is_drained(""))
    engine.apply_policy(repository, document(engine, repository, 2))
    engine.prove_policy(repository, 2)
    engine.delete_principal(key.principal)
    if freezes:
        engine.freeze(repository)
    status = write.finish()
    _until(lambda: engine.is_drained(""))
    return status


def _until(is_so: object) -> None:
    deadline = time.monotonic() + 10
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_freezing_many_repositories_at_once_freezes_each(embedded_engine: Running) -> None:
    engine = embedded_engine.engine
    names = [new_repository() for _ in range(4)]
    for name in names:
        engine.create_repository(name, tags={})
    _at_once(engine.freeze, names)
    for name in names:
        with pytest.raises(Unavailable):
            put(engine, name, "key")
    _at_once(engine.thaw, names)
    for name in names:
        put(engine, name, "key")
        engine.delete_repository(name)


def _at_once(act: object, names: list[str]) -> None:
    threads = [threading.Thread(target=act, args=(name,)) for name in names]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_unfinished_uploads_are_found_and_aborted(embedded_engine: Running, repository: str) -> None:
    client = embedded_engine.client()
    made = [client.create_multipart_upload(Bucket=repository, Key=f"k/{n}")["UploadId"] for n in range(3)]
    client.upload_part(Bucket=repository, Key="k/0", UploadId=made[0], PartNumber=1, Body=b"x" * 5_000_000)
    assert embedded_engine.engine.abort_uploads(repository) == 3
    assert embedded_engine.engine.abort_uploads(repository) == 0
    with pytest.raises(ClientError, match="NoSuchUpload"):
        client.upload_part(Bucket=repository, Key="k/0", UploadId=made[0], PartNumber=2, Body=b"x")


def test_a_link_reads_one_attachment_under_its_name_and_expires(embedded_engine: Running, repository: str) -> None:
    engine = embedded_engine.engine
    engine.apply_policy(repository, document(engine, repository, 1))
    engine.prove_policy(repository, 1)
    put(engine, repository, "_attachments/1.pdf", b"agreement")
    put(engine, repository, "data", b"data")

    def link(key: str, seconds: int) -> str:
        return engine.presign_read(
            repository, key, lifetime=timedelta(seconds=seconds), filename='Über "uns" (1) — Vertrag.pdf'
        )

    short = link("_attachments/1.pdf", 1)
    with urllib.request.urlopen(link("_attachments/1.pdf", 300), timeout=5) as answer:
        assert answer.read() == b"agreement"
        disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ")
    assert "filename*=UTF-8''%C3%9Cber%20%22uns%22%20%281%29%20%E2%80%94%20Vertrag.pdf" in disposition
    time.sleep(2)
    for refused in (short, link("data", 300), link("_attachments/1.pdf", 300).replace("1.pdf", "2.pdf")):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(refused, timeout=5)


def test_old_versions_and_markers_are_dropped_and_what_is_live_stays(embedded_engine: Running, repository: str) -> None:
    client, engine = embedded_engine.client(), embedded_engine.engine
    put(engine, repository, "overwritten", b"1")
    put(engine, repository, "deleted", b"1")
    put(engine, repository, "untouched", b"1")
    client.put_bucket_versioning(Bucket=repository, VersioningConfiguration={"Status": "Enabled"})
    put(engine, repository, "overwritten", b"2")
    put(engine, repository, "overwritten", b"3")
    client.delete_object(Bucket=repository, Key="deleted")
    put(engine, repository, "revived", b"1")
    client.delete_object(Bucket=repository, Key="revived")
    put(engine, repository, "revived", b"2")
    assert engine.drop_old_versions(repository) == 6
    assert engine.drop_old_versions(repository) == 0
    versions = client.list_object_versions(Bucket=repository)
    assert "DeleteMarkers" not in versions
    contents = {key: b"".join(engine.read_object(repository, key)) for key in keys(engine, repository)}
    assert contents == {"overwritten": b"3", "revived": b"2", "untouched": b"1"}
    assert [version["Key"] for version in versions["Versions"]] == sorted(contents)


def test_content_is_encrypted_at_rest(embedded_engine: Running, repository: str) -> None:
    secret = secrets.token_hex(32).encode() * 200
    put(embedded_engine.engine, repository, "key", secret)
    volumes = list((embedded_engine.settings.home / "data").glob(f"{repository}_*.dat"))
    assert volumes
    assert not any(secret[:64] in volume.read_bytes() for volume in volumes)


def test_every_operation_takes_as_many_requests_as_promised(embedded_engine: Running) -> None:
    engine, name, principal = embedded_engine.engine, new_repository(), f"up-{secrets.token_hex(6)}"
    engine.create_session("warm", lifetime=timedelta(hours=1))
    engine.create_repository("dataset-test-warm", tags={})
    engine.apply_policy("dataset-test-warm", document(engine, "dataset-test-warm", 1))
    engine.prove_policy("dataset-test-warm", 1)  # makes the probe's session, kept from then on
    with embedded_engine.counted() as creating:
        engine.create_repository(name, tags={"space": "x"})
        engine.apply_policy(name, document(engine, name, 1))
    with embedded_engine.counted() as issuing:
        key = engine.create_access_key(principal)
        engine.apply_policy(name, document(engine, name, 2, principal))
    with embedded_engine.counted() as proving:
        engine.prove_policy(name, 2)
        engine.prove_access_key(key, name)
    with embedded_engine.counted() as ending:
        engine.delete_principal(principal)
        engine.delete_repository(name)
    engine.delete_repository("dataset-test-warm")
    assert creating == ["s3.CreateBucket", "s3.PutBucketEncryption", "s3.PutBucketTagging", "s3.PutBucketPolicy"]
    assert issuing == ["iam.CreateUser", "iam.CreateAccessKey", "s3.PutBucketPolicy"]
    assert set(proving) == {"s3.ListObjectsV2"}
    assert ending == ["iam.DeleteUser", "s3.DeleteBucket"]
