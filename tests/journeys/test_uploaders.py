"""What somebody with a live upload key tries beyond their own data set: all refused, and nothing has changed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

import httpx
import pytest

from tests.journeys.api import Study
from tests.journeys.requests import Answer, query_of, send
from tests.journeys.system import System

IAM, STS = "2010-05-08", "2011-06-15"


@dataclass
class Scene:
    """The attacker's own pending data set with an attachment, somebody else's, and how both were before."""

    system: System
    mine: Study
    theirs: Study
    attachment: str
    before: object = None

    @property
    def bucket(self) -> str:
        return f"/{self.mine.repository}"

    def snapshot(self) -> object:
        """Everything an attack could have changed, as the engine's administrator sees it."""
        return (
            {key: value for key, value in self.system.listing(self.mine.repository).items() if _is_guarded(key)},
            self.system.listing(self.theirs.repository),
            self.system.engine.read_policy(self.mine.repository),
            self.system.engine.read_policy(self.theirs.repository),
            self.system.keys_in_engine(),
            sorted(each["Name"] for each in self.system.admin_s3.list_buckets()["Buckets"]),
            self.system.admin_s3.get_bucket_versioning(Bucket=self.mine.repository).get("Status"),
            self.system.admin_s3.get_bucket_tagging(Bucket=self.mine.repository)["TagSet"],
            self.system.admin_s3.get_bucket_encryption(Bucket=self.mine.repository)[
                "ServerSideEncryptionConfiguration"
            ],
        )


def _is_guarded(key: str) -> bool:
    return key.startswith(("_attachments", "first/"))


@pytest.fixture(scope="module")
def scene(strongroom: System) -> Scene:
    """Shared: whatever one attempt changes fails the test that made it."""
    mine, theirs = strongroom.uploaded(), strongroom.uploaded()
    for study in (mine, theirs):
        study.api.attach(f"{study.path}/attachments", "dua.pdf", b"signed", title="DUA", kind="approval")
    attachment = next(key for key in strongroom.listing(mine.repository) if key.startswith("_attachments/"))
    # What the worker still takes away for tests before these would look as if somebody here had done it.
    scene = Scene(strongroom.at_rest(), mine, theirs, attachment)
    scene.before = scene.snapshot()
    return scene


Attempt = Callable[[Scene], Answer]


def _call(version: str, action: str, **fields: str) -> Attempt:
    return lambda s: query_of(s.mine, Action=action, Version=version, **fields)


def _own(method: str, query: str, body: bytes = b"", **headers: str) -> Attempt:
    """A request about the attacker's own bucket."""
    return lambda s: send(s.mine, method, f"{s.bucket}?{query}", body, **headers)


def _at(method: str, key: str, body: bytes = b"", **headers: str) -> Attempt:
    """A request about one key of the attacker's own bucket; `{attachment}` and `{mine}` are filled in."""

    def attempt(s: Scene) -> Answer:
        filled = {"attachment": s.attachment, "mine": s.mine.repository, "theirs": s.theirs.repository}
        named = {name: value.format(**filled) for name, value in headers.items()}
        return send(s.mine, method, f"{s.bucket}/{key.format(**filled)}", body, **named)

    return attempt


def _theirs(method: str, rest: str, body: bytes = b"") -> Attempt:
    return lambda s: send(s.mine, method, f"/{s.theirs.repository}{rest}", body)


def _part_copy(source: str) -> Attempt:
    def attempt(s: Scene) -> Answer:
        begun = send(s.mine, "POST", f"{s.bucket}/stolen?uploads")
        upload_id = begun.body.split(b"<UploadId>")[1].split(b"<")[0].decode()
        wanted = source.format(theirs=s.theirs.repository, mine=s.mine.repository, attachment=s.attachment)
        path = f"{s.bucket}/stolen?partNumber=1&uploadId={upload_id}"
        try:
            return send(s.mine, "PUT", path, x_amz_copy_source=wanted)
        finally:
            send(s.mine, "DELETE", f"{s.bucket}/stolen?uploadId={upload_id}")

    return attempt


def _batch_delete(key: str) -> Attempt:
    """A batch answers 200 with the refusal inside."""

    def attempt(s: Scene) -> Answer:
        name = key.format(attachment=s.attachment)
        body = f"<Delete><Object><Key>{name}</Key></Object></Delete>".encode()
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        answer = send(s.mine, "POST", f"{s.bucket}?delete", body, Content_MD5=md5)
        return Answer(403 if b"<Deleted>" not in answer.body and answer.code else answer.status, answer.code, b"")

    return attempt


def _form_upload(key: str) -> Attempt:
    """A browser's form with a signed policy document."""

    def attempt(s: Scene) -> Answer:
        form = s.system.s3(s.mine).generate_presigned_post(s.mine.repository, key)
        answer = httpx.post(form["url"], data=form["fields"], files={"file": b"evil"}, timeout=60)
        return Answer(answer.status_code, "", answer.content)

    return attempt


def _old_signature(key: str, body: bytes) -> Attempt:
    """Signature version 2. Source: "Signing and authenticating REST requests" of the S3 developer guide."""

    def attempt(s: Scene) -> Answer:
        date = formatdate(usegmt=True)
        text = f"PUT\n\n\n{date}\n{s.bucket}/{key}"
        mac = base64.b64encode(hmac.new(s.mine.secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
        headers = {"Date": date, "Authorization": f"AWS {s.mine.access_key_id}:{mac}"}
        answer = httpx.put(f"{s.mine.endpoint}{s.bucket}/{key}", content=body, headers=headers, timeout=60)
        return Answer(answer.status_code, "", answer.content)

    return attempt


_OPEN = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
OPEN_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [_OPEN]})
PUBLIC = "uri=http://acs.amazonaws.com/groups/global/AllUsers"
NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
VERSIONING = f"<VersioningConfiguration {NS}><Status>Enabled</Status></VersioningConfiguration>".encode()
LIFECYCLE = (
    f"<LifecycleConfiguration {NS}><Rule><ID>x</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
    "<Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"
).encode()
CORS = (
    f"<CORSConfiguration {NS}><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    "</CORSRule></CORSConfiguration>"
).encode()
TAGS = f"<Tagging {NS}><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>".encode()
LOCK = (
    f"<ObjectLockConfiguration {NS}><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>".encode()
)
RETAIN = (
    f"<Retention {NS}><Mode>COMPLIANCE</Mode><RetainUntilDate>2040-01-01T00:00:00Z</RetainUntilDate></Retention>"
).encode()

ATTEMPTS: dict[str, Attempt] = {
    "another key for myself": _call(IAM, "CreateAccessKey"),
    "a key for the servers' user": _call(IAM, "CreateAccessKey", UserName="servers"),
    "a key for the administrator": _call(IAM, "CreateAccessKey", UserName="admin-strongrm"),
    "a new user": _call(IAM, "CreateUser", UserName="evil"),
    "a policy of my own": _call(IAM, "PutUserPolicy", UserName="servers", PolicyName="p", PolicyDocument=OPEN_POLICY),
    "a managed policy": _call(IAM, "CreatePolicy", PolicyName="p", PolicyDocument=OPEN_POLICY),
    "the list of users": _call(IAM, "ListUsers"),
    "the keys of the servers' user": _call(IAM, "ListAccessKeys", UserName="servers"),
    "the end of the servers' user": _call(IAM, "DeleteUser", UserName="servers"),
    "a session": _call(STS, "AssumeRole", RoleSessionName="cp-reader", RoleArn="arn:aws:iam::000000000000:role/x"),
    "a session without a role": _call(STS, "AssumeRole", RoleSessionName="cp-reader"),
    "a federation token": _call(STS, "GetFederationToken", Name="cp-reader"),
    "a session token": _call(STS, "GetSessionToken"),
    "another's listing": _theirs("GET", "?list-type=2"),
    "another's versions": _theirs("GET", "?versions"),
    "another's uploads": _theirs("GET", "?uploads"),
    "another's object": _theirs("GET", "/first/0.csv"),
    "another's object's size": _theirs("HEAD", "/first/0.csv"),
    "another's object gone": _theirs("DELETE", "/first/0.csv"),
    "a write to another's": _theirs("PUT", "/evil.csv", b"evil"),
    "another's policy": _theirs("GET", "?policy"),
    "a copy from another's": _at("PUT", "stolen", x_amz_copy_source="/{theirs}/first/0.csv"),
    "a copy from another's, double slash": _at("PUT", "stolen", x_amz_copy_source="/{theirs}//first/0.csv"),
    "a copied part from another's": _part_copy("/{theirs}/first/0.csv"),
    "a copy from the records": _at("PUT", "stolen", x_amz_copy_source="/strongroom-records-ss/canary"),
    "the document's content": _at("GET", "{attachment}"),
    "the document's null version": _at("GET", "{attachment}?versionId=null"),
    "a copy of the document": _at("PUT", "stolen", x_amz_copy_source="/{mine}/{attachment}"),
    "a copied part of the document": _part_copy("/{mine}/{attachment}"),
    "a copy of the document, back slash": _at("PUT", "stolen", x_amz_copy_source="/{mine}/_attachments%5Cx"),
    "a document of my own": _at("PUT", "_attachments/evil.pdf", b"evil"),
    "the key _attachments": _at("PUT", "_attachments", b"evil"),
    "a folder _attachments/": _at("PUT", "_attachments/", b""),
    "a document by another spelling": _at("PUT", "/_attachments/evil.pdf", b"evil"),
    "a document by back slash": _at("PUT", "_attachments%5Cevil.pdf", b"evil"),
    "a document by encoding": _at("PUT", "%5Fattachments%2Fevil.pdf", b"evil"),
    "a document in parts": _at("POST", "_attachments/evil.pdf?uploads"),
    "a copy to the documents": _at("PUT", "_attachments/evil.pdf", x_amz_copy_source="/{mine}/first/0.csv"),
    "the document overwritten": _at("PUT", "{attachment}", b"evil"),
    "the document gone": _at("DELETE", "{attachment}"),
    "the document's null version gone": _at("DELETE", "{attachment}?versionId=null"),
    "my object's null version gone": _at("DELETE", "first/0.csv?versionId=null"),
    "the document gone in a batch": _batch_delete("{attachment}"),
    "the document gone in a batch, other spelling": _batch_delete("/{attachment}"),
    "the document tagged": _at("PUT", "{attachment}?tagging", TAGS),
    "an object moved to the documents": _at(
        "PUT", "_attachments/evil.pdf?renameObject", x_amz_rename_source="/{mine}/first/0.csv"
    ),
    "the document moved away": _at("PUT", "stolen?renameObject", x_amz_rename_source="/{mine}/{attachment}"),
    "a hidden part": _at("PUT", ".uploads/evil/0001.part", b"evil"),
    "a hidden part deeper": _at("PUT", "a/.uploads/evil", b"evil"),
    "a hidden version": _at("PUT", "first/0.csv.versions/v_1", b"another content"),
    "a hidden version by back slash": _at("PUT", "first%5C0.csv.versions%5Cv_1", b"another content"),
    "an object moved out of sight": _at("PUT", ".uploads/evil?renameObject", x_amz_rename_source="/{mine}/first/0.csv"),
    "the policy read": _own("GET", "policy"),
    "the policy written": _own("PUT", "policy", OPEN_POLICY.encode()),
    "the policy removed": _own("DELETE", "policy"),
    "the ACL opened": _own("PUT", "acl", x_amz_grant_read=PUBLIC),
    "the ACL by name": _own("PUT", "acl", x_amz_acl="public-read-write"),
    "an object's ACL": _at("PUT", "first/0.csv?acl", x_amz_acl="public-read"),
    "versioning": _own("PUT", "versioning", VERSIONING),
    "lifecycle": _own("PUT", "lifecycle", LIFECYCLE),
    "lifecycle removed": _own("DELETE", "lifecycle"),
    "CORS": _own("PUT", "cors", CORS),
    "tags of the bucket": _own("PUT", "tagging", TAGS),
    "tags of the bucket removed": _own("DELETE", "tagging"),
    "tags of an object": _at("PUT", "first/0.csv?tagging", TAGS),
    "encryption off": _own("DELETE", "encryption"),
    "object lock": _own("PUT", "object-lock", LOCK),
    "retention": _at("PUT", "first/0.csv?retention", RETAIN),
    "a new bucket": lambda s: send(s.mine, "PUT", "/dataset-ss-evil"),
    "the bucket gone": lambda s: send(s.mine, "DELETE", s.bucket),
    "the other bucket gone": lambda s: send(s.mine, "DELETE", f"/{s.theirs.repository}"),
    "a form upload": _form_upload("form.csv"),
    "a form upload to the documents": _form_upload("_attachments/evil.pdf"),
    "an old signature to the documents": _old_signature("_attachments/evil.pdf", b"evil"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_an_uploader_is_refused(attempt: Attempt, scene: Scene) -> None:
    answer = attempt(scene)
    assert answer.is_refused, (answer.status, answer.code, answer.body[:500])
    assert scene.snapshot() == scene.before


def test_the_same_requests_work_where_they_are_allowed(scene: Scene) -> None:
    """What was refused above was refused for what it asked, not for how it was signed or sent."""
    allowed: dict[str, Attempt] = {
        "put": _at("PUT", "own/x.csv", b"x"),
        "get": _at("GET", "first/0.csv"),
        "list": _own("GET", "list-type=2"),
        "uploads": _own("GET", "uploads"),
        "location": _own("GET", "location"),
        "copy": _at("PUT", "own/y.csv", x_amz_copy_source="/{mine}/first/0.csv"),
        "part": _part_copy("/{mine}/first/0.csv"),
        "move": _at("PUT", "own/z.csv?renameObject", x_amz_rename_source="/{mine}/own/y.csv"),
        "delete": _at("DELETE", "own/x.csv"),
        "batch": _batch_delete("own/z.csv"),
    }
    answers = {name: attempt(scene).status for name, attempt in allowed.items()}
    assert answers == dict.fromkeys(allowed, 200) | {"delete": 204}
    assert set(scene.system.listing(scene.mine.repository)) >= {"first/0.csv", scene.attachment}


def test_others_buckets_are_not_even_listed(scene: Scene) -> None:
    answer = send(scene.mine, "GET", "/")
    assert scene.theirs.repository.encode() not in answer.body
    assert b"records" not in answer.body
