"""Every caller and operation a policy is tried with, and what each may do: written down apart from the compiler."""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.core.policy import PROBE_SESSION, READER_SESSION, Access, Dialect, access_of
from strongroom.core.policy_evaluation import Caller, is_allowed
from strongroom.core.vocabulary import Kind, State

REPOSITORY = "dataset-ss-9ec7c0b6-a6c6-488c-a856-75d94c86e136"
SEAWEED = Dialect("seaweedfs", "admin-adminadm", "000000000000", "servers")
ROLE_ID = "AROASERVERSSERVERS"


def aws_dialect(uploaders: Mapping[str, str]) -> Dialect:
    return Dialect("aws", "AROACONTROLPLANE:*", "123456789012", "servers", uploaders, ROLE_ID)


# What each call checks: (action, object key or "" for the bucket, prefix of a listing). All must be allowed.
Checks = tuple[tuple[str, str, str | None], ...]
GENERATION = 42


def _one(action: str, key: str = "", prefix: str | None = None) -> Checks:
    return ((f"s3:{action}", key, prefix),)


def _copy(target: str, source: str) -> Checks:
    return _one("PutObject", target) + _one("GetObject", source)


def _rename(target: str, source: str) -> Checks:
    return _copy(target, source) + _one("DeleteObject", source)


LISTING: Mapping[str, Checks] = {
    "list": _one("ListBucket"),
    "list another generation": _one("ListBucket", prefix="gen-41"),
    "list a longer generation": _one("ListBucket", prefix="gen-421"),
    "list the attachments": _one("ListBucket", prefix="_attachments/"),
    "location": _one("GetBucketLocation"),
}
PROBING: Mapping[str, Checks] = {"list this generation": _one("ListBucket", prefix="gen-42")}
READING: Mapping[str, Checks] = {
    "get": _one("GetObject", "a/b"),
    "get a look-alike of an attachment": _one("GetObject", "_attachments-not/x"),
    "get a nested look-alike": _one("GetObject", "a/_attachments/x"),
    "get tags": _one("GetObjectTagging", "a/b"),
    "get attributes": _one("GetObjectAttributes", "a/b"),
}
READING_ATTACHMENTS: Mapping[str, Checks] = {
    "get an attachment": _one("GetObject", "_attachments/x"),
    "get a nested attachment": _one("GetObject", "_attachments/x/y"),
}
READING_MORE_OF_ATTACHMENTS: Mapping[str, Checks] = {
    "get the object _attachments": _one("GetObject", "_attachments"),
    "get tags of an attachment": _one("GetObjectTagging", "_attachments/x"),
}
WRITING: Mapping[str, Checks] = {
    "put": _one("PutObject", "a/b"),
    "delete": _one("DeleteObject", "a/b"),
    "copy inside": _copy("a/c", "a/b"),
    "rename inside": _rename("a/c", "a/b"),
    "begin a multipart upload": _one("CreateMultipartUpload", "a/b"),
    "upload a part": _one("UploadPart", "a/b"),
    "copy a part": _one("UploadPart", "a/b") + _one("GetObject", "a/c"),
    "complete a multipart upload": _one("CompleteMultipartUpload", "a/b"),
    "abort a multipart upload": _one("AbortMultipartUpload", "a/b"),
    "list parts": _one("ListMultipartUploadParts", "a/b"),
    "list multipart uploads": _one("ListBucketMultipartUploads"),
}
COPYING_ATTACHMENTS: Mapping[str, Checks] = {
    "copy an attachment out": _copy("a/c", "_attachments/x"),
    "copy a part of an attachment": _one("UploadPart", "a/b") + _one("GetObject", "_attachments/x"),
}
# Nobody but the control plane, whatever the state.
FORBIDDEN: Mapping[str, Checks] = {
    "put an attachment": _one("PutObject", "_attachments/x"),
    "put the object _attachments": _one("PutObject", "_attachments"),
    "put the folder of attachments": _one("PutObject", "_attachments/"),
    "delete an attachment": _one("DeleteObject", "_attachments/x"),
    "delete a version of an attachment": _one("DeleteObjectVersion", "_attachments/x"),
    "tag an attachment": _one("PutObjectTagging", "_attachments/x"),
    "begin a multipart upload of an attachment": _one("CreateMultipartUpload", "_attachments/x"),
    "upload a part of an attachment": _one("UploadPart", "_attachments/x"),
    "complete a multipart upload of an attachment": _one("CompleteMultipartUpload", "_attachments/x"),
    "abort a multipart upload of an attachment": _one("AbortMultipartUpload", "_attachments/x"),
    "copy over an attachment": _copy("_attachments/x", "a/b"),
    "rename over an attachment": _rename("_attachments/x", "a/b"),
    "rename an attachment away": _rename("a/c", "_attachments/x"),
    "get a version": _one("GetObjectVersion", "a/b"),
    "list versions": _one("ListBucketVersions"),
    "delete a version": _one("DeleteObjectVersion", "a/b"),
    "tag": _one("PutObjectTagging", "a/b"),
    "untag": _one("DeleteObjectTagging", "a/b"),
    "get acl": _one("GetObjectAcl", "a/b"),
    "put acl": _one("PutObjectAcl", "a/b"),
    "retain": _one("PutObjectRetention", "a/b"),
    "hold": _one("PutObjectLegalHold", "a/b"),
    "bypass retention": _one("BypassGovernanceRetention", "a/b"),
    **{
        f"bucket: {action}": _one(action)
        for action in [
            "GetBucketPolicy",
            "PutBucketPolicy",
            "DeleteBucketPolicy",
            "GetBucketAcl",
            "PutBucketAcl",
            "GetBucketTagging",
            "PutBucketTagging",
            "GetBucketCORS",
            "PutBucketCORS",
            "GetBucketVersioning",
            "PutBucketVersioning",
            "GetBucketNotification",
            "PutBucketNotification",
            "GetBucketOwnershipControls",
            "PutBucketOwnershipControls",
            "GetLifecycleConfiguration",
            "PutLifecycleConfiguration",
            "GetEncryptionConfiguration",
            "PutEncryptionConfiguration",
            "GetBucketObjectLockConfiguration",
            "PutBucketObjectLockConfiguration",
            "PutBucketPublicAccessBlock",
            "CreateBucket",
            "DeleteBucket",
        ]
    },
}
OPERATIONS: Mapping[str, Checks] = {
    **LISTING,
    **PROBING,
    **READING,
    **READING_ATTACHMENTS,
    **READING_MORE_OF_ATTACHMENTS,
    **WRITING,
    **COPYING_ATTACHMENTS,
    **FORBIDDEN,
}

UPLOADER = LISTING | PROBING | READING | WRITING
READER = LISTING | PROBING | READING | READING_ATTACHMENTS | READING_MORE_OF_ATTACHMENTS
WRITER = READER | WRITING | COPYING_ATTACHMENTS


@dataclass(frozen=True)
class Names:
    """The names a matrix is made of; all different."""

    uploader: str
    other_uploader: str
    servers: tuple[str, ...]
    other_server: str
    transfers: tuple[str, ...] = ()


def allowed(document: str, caller: Caller, repository: str = REPOSITORY) -> frozenset[str]:
    """The operations that the document lets the caller do."""

    def every(checks: Checks) -> bool:
        return all(
            is_allowed(
                document, caller, action, f"arn:aws:s3:::{repository}" + (f"/{key}" if key else ""), prefix=prefix
            )
            for action, key, prefix in checks
        )

    return frozenset(name for name, checks in OPERATIONS.items() if every(checks))


def user(name: str, dialect: Dialect) -> Caller:
    userid = dialect.uploader_ids.get(name, "AIDASOMEBODYELSE") if dialect.name == "aws" else None
    return Caller(name, f"arn:aws:iam::{dialect.account}:user/{name}", "user", userid)


def session(name: str, dialect: Dialect, *, of: str = "", role_id: str = ROLE_ID) -> Caller:
    arn = f"arn:aws:sts::{dialect.account}:assumed-role/{of or dialect.vending_user_or_role}/{name}"
    return Caller(name, arn, "session", f"{role_id}:{name}" if dialect.name == "aws" else None)


def control_plane(dialect: Dialect) -> Caller:
    if dialect.name == "aws":
        arn = f"arn:aws:sts::{dialect.account}:assumed-role/strongroom/cp"
        return Caller(None, arn, "control-plane", "AROACONTROLPLANE:cp")
    return Caller("admin-adminadm", f"arn:aws:iam::{dialect.account}:user/admin-adminadm", "control-plane")


def nobodies(names: Names, dialect: Dialect) -> dict[str, Caller]:
    """Callers who may never do anything, however alike they are named."""
    federated = f"arn:aws:sts::{dialect.account}:federated-user/"
    spoofed = [names.uploader, names.other_uploader, names.other_server, dialect.control_plane, "admin-adminadm"]
    found = {
        "anonymous": Caller(None, None, "anonymous"),
        "the vending user": user(dialect.vending_user_or_role, dialect),
        "a session named like the vending user": session(dialect.vending_user_or_role, dialect),
        "another uploader": user(names.other_uploader, dialect),
        "federated like the control plane": Caller("admin-adminadm", federated + "admin-adminadm", "session"),
    }
    found |= {f"a session named {name}": session(name, dialect) for name in spoofed}
    for name in (*names.servers, *names.transfers, PROBE_SESSION, READER_SESSION):
        found[f"a user named {name}"] = user(name, dialect)
        found[f"another user's session named {name}"] = session(name, dialect, of="boss", role_id="AROAOTHER")
        found[f"federated as {name}"] = Caller(name, federated + name, "session")
        found[f"a session named {name.upper()}"] = session(name.upper(), dialect)
    return found


def expected_of_server(kind: Kind, state: State) -> frozenset[str]:
    if state is not State.FINALIZED:
        return frozenset()
    return frozenset(READER if kind is Kind.ORIGINAL else WRITER)


def expected_of_uploader_or_transfer(state: State) -> frozenset[str]:
    return frozenset(UPLOADER) if state is State.PENDING else frozenset()


def access(names: Names, kind: Kind, state: State) -> Access:
    return access_of(
        repository=REPOSITORY,
        generation=GENERATION,
        kind=kind,
        state=state,
        uploaders=[names.uploader],
        servers=names.servers,
        transfers=names.transfers,
    )
