"""Who may do what to one bucket, as the one policy document that its engine obeys.

Refuses to know how a document reaches an engine. Everything here fails closed: who is not named is denied by a
guard even when some identity policy would allow them, and who is named may do only what an Allow says.

Source: for SeaweedFS, observation of 4.48 (`aws:username` of a session is its session *name*, which is why every
statement that excepts the control plane by name has a twin against sessions); for AWS, "AWS JSON policy elements:
Principal", "Policy evaluation logic" and "IAM identifiers: unique identifiers" of the IAM user guide.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from strongroom.core.errors import Conflict
from strongroom.core.names import ATTACHMENTS
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Kind, State

LIMIT_BYTES = 20_480
PROBE_SESSION = "cp-probe"  # may list exactly one prefix: proof that a document is in force
READER_SESSION = "cp-reader"  # may read `_attachments/`: who signs the links that people open

_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")  # of sessions and users; no wildcard, no path, no variable
_REPOSITORY = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OUR_SESSIONS = (PROBE_SESSION, READER_SESSION)

# `s3:PutObject` alone leaves tagging, retention and `DELETE ?versionId=null` open to a broad Allow.
_WRITES = ["s3:PutObject*", "s3:DeleteObject*", "s3:AbortMultipartUpload", "s3:BypassGovernanceRetention"]
# Every action on objects and on listings, and none on the bucket itself: a Deny that covered PutBucketPolicy would
# lock the control plane out for good on the day the engine's administrator gets another name.
_TOUCHING = ["s3:*Object*", "s3:*Upload*", "s3:BypassGovernanceRetention", "s3:ListBucket*", "s3:GetBucketLocation"]
_LISTING = ["s3:ListBucket", "s3:GetBucketLocation"]
_READING = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectAttributes"]
_UPLOADING = [
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:ListBucketMultipartUploads",
]
# On AWS an identity policy may grant a listed principal more than this document does; these it must not have.
_CONFIGURING = ["s3:PutBucket*", "s3:DeleteBucket*", "s3:PutLifecycleConfiguration", "s3:PutEncryptionConfiguration"]

Statement = dict[str, object]


@dataclass(frozen=True)
class Dialect:
    """Which form of document an engine obeys, and the names it knows Strongroom by.

    `control_plane` is an `aws:username` (seaweedfs) or an `aws:userid` pattern such as `AROAEXAMPLE:*` (aws).
    `vending_user_or_role` is whose sessions the servers are. Only aws: `uploader_ids` gives the `aws:userid`
    (`AIDA…`) of each uploader, `server_role_id` the `AROA…` of the servers' role.
    """

    name: str
    control_plane: str
    account: str
    vending_user_or_role: str
    uploader_ids: Mapping[str, str] = field(default_factory=dict)
    server_role_id: str = ""

    LIMIT_BYTES = LIMIT_BYTES  # not annotated: the same for every engine, not a field

    @property
    def is_aws(self) -> bool:
        """Whether principals are known by `aws:userid` and sessions by their role."""
        if self.name not in ("aws", "seaweedfs"):
            raise ValueError(f"no policy dialect is called {self.name!r}")
        return self.name == "aws"

    def but(self, ids: Sequence[str]) -> "Statement":
        """The condition of a Deny that leaves out the listed; also met when the key is absent (anonymous)."""
        if self.is_aws:
            return {"StringNotLike": {"aws:userid": _one_or_list(ids)}}
        return {"StringNotEquals": {"aws:username": _one_or_list(ids)}}

    def user_arn(self, principal: str) -> str:
        """The ARN of an uploader."""
        return f"arn:aws:iam::{self.account}:user/{principal}"

    def session_arn(self, session: str) -> str:
        """The ARN of a server's session."""
        return f"arn:aws:sts::{self.account}:assumed-role/{self.vending_user_or_role}/{session}"

    def user_id(self, principal: str) -> str:
        """What the guard's condition key holds for an uploader."""
        if self.is_aws and principal not in self.uploader_ids:
            raise ValueError(f"the aws dialect needs the id of the user {principal}")
        return self.uploader_ids[principal] if self.is_aws else principal

    def session_id(self, session: str) -> str:
        """What the guard's condition key holds for a session."""
        return f"{self.server_role_id}:{session}" if self.is_aws else session


@dataclass(frozen=True)
class Access:
    """Who may touch one bucket now; readers and writers are names of server sessions.

    `transfers` are names of sessions, too, which may do what uploaders may and nothing else.
    `is_frozen`: object writes are denied to everybody, sessions included, except the control plane.
    """

    repository: str
    generation: int
    uploaders: tuple[str, ...]
    readers: tuple[str, ...]
    writers: tuple[str, ...]
    is_frozen: bool
    transfers: tuple[str, ...] = ()

    @property
    def sessions(self) -> tuple[str, ...]:
        """All that are not Strongroom's own."""
        return (*self.readers, *self.writers, *self.transfers)


def access_of(
    *,
    repository: str,
    generation: int,
    kind: Kind,
    state: State,
    uploaders: Sequence[str],
    servers: Sequence[str],
    transfers: Sequence[str] = (),
) -> Access:
    """Who may touch a data set's bucket, from its rows. Pending: uploaders and transfers; finalized: servers."""
    granted = tuple(sorted(set(servers))) if state is State.FINALIZED else ()
    return Access(
        repository=repository,
        generation=generation,
        uploaders=tuple(sorted(set(uploaders))) if state is State.PENDING else (),
        readers=granted if kind is Kind.ORIGINAL else (),
        writers=granted if kind is Kind.DERIVATIVE else (),
        transfers=tuple(sorted(set(transfers))) if state is State.PENDING else (),
        is_frozen=state is not State.PENDING and not (state is State.FINALIZED and kind is Kind.DERIVATIVE),
    )


def probe_prefix(generation: int) -> str:
    """The prefix that the probe session may list while this generation is in force, e.g. `gen-42`."""
    return f"gen-{generation}"


def compile_policy(access: Access, dialect: Dialect) -> str:
    """The whole document as minified JSON; the same access gives the same bytes.

    Raises: Conflict `policy-too-large` above `LIMIT_BYTES`; ValueError for a name that could mean more than one
    principal, or one of Strongroom's own.
    """
    _refuse_ambiguous(access, dialect)
    statements = [*_guards(access, dialect), *_protections(access, dialect), *_grants(access, dialect)]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if len(document.encode()) > LIMIT_BYTES:
        servers = len(access.readers) + len(access.writers)
        raise Conflict(
            say(
                "The access rules of {repository} would be {size_bytes:,} bytes with {servers} "
                "servers; the storage engine takes {most:,} bytes for a data set.",
                repository=access.repository,
                size_bytes=len(document.encode()),
                servers=servers,
                most=LIMIT_BYTES,
            ),
            code="policy-too-large",
            way_out=say("Revoke the access of servers that no longer need it, then grant this one again."),
        )
    return document


def _refuse_ambiguous(access: Access, dialect: Dialect) -> None:
    if not _REPOSITORY.fullmatch(access.repository):
        raise ValueError(f"not the name of a repository: {access.repository!r}")
    if access.is_frozen and (access.uploaders or access.writers or access.transfers):
        raise ValueError(f"{access.repository} is frozen and yet names somebody who may write")
    if dialect.is_aws and not dialect.server_role_id:
        raise ValueError("the aws dialect needs the id of the servers' role")
    ours = (PROBE_SESSION, READER_SESSION, dialect.control_plane, dialect.vending_user_or_role)
    for name in (*access.uploaders, *access.sessions):
        if not _NAME.fullmatch(name) or name in ours:
            raise ValueError(f"a policy must not name {name!r}")


def _guards(access: Access, dialect: Dialect) -> Iterator[Statement]:
    """Deny everybody who is not listed, whatever else allows them."""
    bucket, objects = _bucket(access), f"{_bucket(access)}/*"
    users = [dialect.user_id(name) for name in access.uploaders]
    names = (PROBE_SESSION, READER_SESSION, *access.sessions)
    listed = [dialect.control_plane, *users, *map(dialect.session_id, names)]
    if not dialect.is_aws:
        yield _statement("OnlyListed", "Deny", None, _TOUCHING, [bucket, objects], dialect.but(listed))
        return
    # No lock-out here: the account's root may always replace the policy of its own bucket.
    yield _statement("OnlyListed", "Deny", None, ["s3:*"], [bucket, objects], dialect.but([*listed, dialect.account]))
    keepers = dialect.but([dialect.control_plane, dialect.account])
    yield _statement("OnlyControlPlaneConfigures", "Deny", None, _CONFIGURING, [bucket], keepers)


def _protections(access: Access, dialect: Dialect) -> Iterator[Statement]:
    """Deny the listed what is not theirs: writes to what is frozen, and to the attachments."""
    alone = dialect.but([dialect.control_plane])
    objects, attachments = [f"{_bucket(access)}/*"], _attachments(access)
    if access.is_frozen:
        yield _statement("Frozen", "Deny", None, _WRITES, objects, alone)
    else:
        yield _statement("AttachmentsControlPlaneOnly", "Deny", None, _WRITES, attachments, alone)
    if uploaders := _uploaders(access, dialect):
        yield _statement("AttachmentsNotForUploaders", "Deny", uploaders, ["s3:*"], attachments)
    if not dialect.is_aws:  # where a session can bear the control plane's name
        protected = attachments if access.writers or access.transfers else objects
        yield _statement("SessionsDoNotWrite", "Deny", ["arn:aws:sts::*"], _WRITES, protected)
        if not access.is_frozen:  # where somebody may write, delete or copy something
            odd = [*_other_spellings(access), *_unlisted(access)]
            yield _statement("PlainKeysOnly", "Deny", None, ["s3:*Object*"], odd)


def _grants(access: Access, dialect: Dialect) -> Iterator[Statement]:
    """Allow the probe, the reader of attachments, and the uploaders or the servers."""
    bucket = _bucket(access)
    prefix: Statement = {"StringEquals": {"s3:prefix": probe_prefix(access.generation)}}
    yield _statement("Probe", "Allow", [dialect.session_arn(PROBE_SESSION)], ["s3:ListBucket"], [bucket], prefix)
    reader = [dialect.session_arn(READER_SESSION)]
    yield _statement("Links", "Allow", reader, ["s3:GetObject"], [f"{bucket}/{ATTACHMENTS}/*"])
    everything = [bucket, f"{bucket}/*"]
    if uploaders := _uploaders(access, dialect):
        yield _statement("Uploaders", "Allow", uploaders, [*_LISTING, *_READING, *_UPLOADING], everything)
    servers = (*access.readers, *access.writers)
    if servers:
        actions = [*_LISTING, *_READING, *(_UPLOADING if access.writers else [])]
        yield _statement("Servers", "Allow", *_servers(servers, dialect, actions, everything))


def _uploaders(access: Access, dialect: Dialect) -> list[str]:
    """Users with an access key, and the sessions of transfers."""
    return [*map(dialect.user_arn, access.uploaders), *map(dialect.session_arn, access.transfers)]


def _servers(
    names: Sequence[str], dialect: Dialect, actions: Sequence[str], resources: Sequence[str]
) -> tuple[Sequence[str], Sequence[str], Sequence[str], Statement | None]:
    """The servers' Allow: by session, or on AWS by role, where the guard has let only the granted sessions pass."""
    if not dialect.is_aws:
        return [dialect.session_arn(name) for name in names], actions, resources, None
    ours = dialect.but([dialect.session_id(name) for name in (PROBE_SESSION, READER_SESSION)])
    return [f"arn:aws:iam::{dialect.account}:role/{dialect.vending_user_or_role}"], actions, resources, ours


def _bucket(access: Access) -> str:
    return f"arn:aws:s3:::{access.repository}"


def _attachments(access: Access) -> list[str]:
    """The key `_attachments` itself is an object too, and outside `_attachments/*`."""
    return [f"{_bucket(access)}/{ATTACHMENTS}", f"{_bucket(access)}/{ATTACHMENTS}/*"]


def _other_spellings(access: Access) -> list[str]:
    """Keys that SeaweedFS takes for others only after it has asked the policy, in a batch delete or as a copy's source.

    `//_attachments/x` and `_attachments\\x` would reach `_attachments/x`.
    """
    return [f"{_bucket(access)}//*", f"{_bucket(access)}/*\\*"]


def _unlisted(access: Access) -> list[str]:
    """Keys in the folders where SeaweedFS keeps parts and versions: it stores and serves them, but never lists them.

    An object there would be in the data set and not in its manifest; one in `x.versions/` even changes what a listing
    says of `x`.
    """
    keys = [".uploads", ".uploads/*", "*/.uploads/*", "*.versions/*"]
    return [f"{_bucket(access)}/{key}" for key in keys]


def _statement(
    sid: str,
    effect: str,
    principals: Sequence[str] | None,
    actions: Sequence[str],
    resources: Sequence[str],
    condition: Statement | None = None,
) -> Statement:
    who: object = "*" if principals is None else {"AWS": _one_or_list(principals)}
    made: Statement = {"Sid": sid, "Effect": effect, "Principal": who, "Action": _one_or_list(actions)}
    made["Resource"] = _one_or_list(resources)
    return {**made, "Condition": condition} if condition else made


def _one_or_list(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
