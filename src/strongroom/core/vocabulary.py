"""Every word Strongroom uses for a thing, a state or a deed; refuses to know what they mean.

A `Verb` is at once the key of the authorization table, the audit event, the OpenAPI operationId, the
command of the command line (`dataset.finalize` is `strongroom dataset finalize`) and the name of the
function in `strongroom.actions` (`actions.datasets.finalize`). Tests walk it and fail where one is missing.
"""

from enum import StrEnum


class RiskLevel(StrEnum):
    """How much harm a leak of a space's data would do; data sets exist from `moderate` up."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


class Kind(StrEnum):
    """What a data set is: frozen once finalized, or open to work of granted servers."""

    ORIGINAL = "original"
    DERIVATIVE = "derivative"


class State(StrEnum):
    """Where a data set is in its life."""

    PENDING = "pending"
    FINALIZING = "finalizing"
    FINALIZED = "finalized"
    DELETING = "deleting"
    DELETED = "deleted"


class Role(StrEnum):
    """What a member is in a space."""

    OWNER = "owner"
    STEWARD = "steward"
    RESEARCHER = "researcher"
    AUDITOR = "auditor"


class StaffRole(StrEnum):
    """What a person is on the platform, in all spaces."""

    ADMINISTRATOR = "administrator"
    SUPPORT = "support"


class Scope(StrEnum):
    """What a personal access token may be used for."""

    READ = "read"
    WRITE = "write"
    MANAGE = "manage"


class IdentityKind(StrEnum):
    """By which protocol an identity provider says who somebody is."""

    OIDC = "oidc"
    SAML = "saml"


class KeyStatus(StrEnum):
    """What became of an access key. At most one key of a data set is `issuing` or `active`."""

    ISSUING = "issuing"
    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"
    LOST = "lost"  # the process died between making the key and showing it: nobody ever had the secret


class Direction(StrEnum):
    """Which way a transfer moves files."""

    UPLOAD = "upload"
    DOWNLOAD = "download"


class TransferEnd(StrEnum):
    """Why a transfer ended."""

    CLOSED = "closed"
    EXPIRED = "expired"
    FINALIZED = "finalized"
    DELETED = "deleted"
    WITHDRAWN = "withdrawn"  # whoever opened it may not upload any more
    LOST = "lost"  # the engine did not obey when it was opened: nobody was shown its credentials


class AttachmentKind(StrEnum):
    """What an attached document is."""

    DATA_USE_AGREEMENT = "data-use-agreement"
    END_USER_AGREEMENT = "end-user-agreement"
    APPROVAL = "approval"
    OTHER = "other"


class ServerKind(StrEnum):
    """Where a server comes from: made by Strongroom on a host of its own, or a machine that was there and joined."""

    CREATED = "created"
    ENROLLED = "enrolled"


class OperatingSystem(StrEnum):
    """What a server runs."""

    LINUX = "linux"
    WINDOWS = "windows"


class ServerState(StrEnum):
    """Where a server is in its life. Only an `active` one gets credentials, and is named in a policy."""

    JOINING = "joining"  # its agent has not been heard yet
    ACTIVE = "active"
    DISABLED = "disabled"
    LAPSED = "lapsed"  # not heard for longer than the setting allows
    DELETED = "deleted"


class Power(StrEnum):
    """What should be, or is, of the machine of a created server."""

    RUNNING = "running"
    STOPPED = "stopped"
    ABSENT = "absent"


class Permission(StrEnum):
    """What a grant allows: reading an original, or working in a derivative."""

    READ = "read"
    WRITE = "write"


class GrantEnd(StrEnum):
    """Why a grant ended."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    SERVER_DELETED = "server-deleted"
    DATASET_DELETED = "dataset-deleted"


class MountTool(StrEnum):
    """What mounts a data set as a folder."""

    RCLONE = "rclone"
    S3FS = "s3fs"
    MOUNT_S3 = "mount-s3"


class MountHealth(StrEnum):
    """What the agent found when it last read through a mount."""

    OK = "ok"
    FAILING = "failing"
    MISSING = "missing"  # it should be there, and is not


class CheckState(StrEnum):
    """How far a fixity check is. The last three are its ends."""

    WAITING = "waiting"
    READING = "reading"
    PASSED = "passed"
    FAILED = "failed"
    STOPPED = "stopped"  # the data set was deleted meanwhile


class Damage(StrEnum):
    """How an object is not what the manifest says."""

    MISSING = "missing"
    ALTERED = "altered"
    UNREADABLE = "unreadable"


class ManifestForm(StrEnum):
    """How a manifest is written. All but the first need the digest of every object."""

    JSONL = "jsonl"  # as it was when the data set was finalized, one JSON line an object
    DIGESTS = "digests"  # the same, with the SHA-256 of every object
    BAGIT = "bagit"  # manifest-sha256.txt of a bag
    SHA256SUM = "sha256sum"  # what `sha256sum -c` reads


class Outcome(StrEnum):
    """How a deed ended, in the ledger."""

    DONE = "done"
    REFUSED = "refused"


class Verb(StrEnum):
    """What can be done, as `noun.verb`."""

    PERSON_CREATE = "person.create"
    PERSON_LIST = "person.list"
    PERSON_SHOW = "person.show"
    PERSON_EDIT = "person.edit"
    PERSON_INVITE = "person.invite"
    PERSON_DISABLE = "person.disable"
    PERSON_ENABLE = "person.enable"
    PERSON_REMOVE = "person.remove"

    SESSION_LIST = "session.list"
    SESSION_END = "session.end"

    PASSKEY_LIST = "passkey.list"
    PASSKEY_REMOVE = "passkey.remove"

    TERMS_SHOW = "terms.show"
    TERMS_ACCEPT = "terms.accept"

    TOKEN_CREATE = "token.create"
    TOKEN_LIST = "token.list"
    TOKEN_REVOKE = "token.revoke"

    SPACE_CREATE = "space.create"
    SPACE_LIST = "space.list"
    SPACE_SHOW = "space.show"
    SPACE_EDIT = "space.edit"

    MEMBER_ADD = "member.add"
    MEMBER_LIST = "member.list"
    MEMBER_EDIT = "member.edit"
    MEMBER_REMOVE = "member.remove"

    MAPPING_ADD = "mapping.add"
    MAPPING_LIST = "mapping.list"
    MAPPING_REMOVE = "mapping.remove"

    DATASET_CREATE = "dataset.create"
    DATASET_LIST = "dataset.list"
    DATASET_SHOW = "dataset.show"
    DATASET_EDIT = "dataset.edit"
    DATASET_FINALIZE = "dataset.finalize"
    DATASET_PROMOTE = "dataset.promote"
    DATASET_DELETE = "dataset.delete"
    DATASET_REQUEST_DELETION = "dataset.request_deletion"
    DATASET_WITHDRAW_DELETION = "dataset.withdraw_deletion"
    DATASET_CONFIRM_DELETION = "dataset.confirm_deletion"
    DATASET_HISTORY = "dataset.history"
    DATASET_CONTENTS = "dataset.contents"
    DATASET_CONNECT = "dataset.connect"

    KEY_ISSUE = "key.issue"
    KEY_LIST = "key.list"
    KEY_RESET = "key.reset"
    KEY_RENEW = "key.renew"
    KEY_REVOKE = "key.revoke"

    TRANSFER_OPEN = "transfer.open"
    TRANSFER_RENEW = "transfer.renew"
    TRANSFER_RECORD = "transfer.record"
    TRANSFER_CLOSE = "transfer.close"
    TRANSFER_LIST = "transfer.list"
    TRANSFER_SHOW = "transfer.show"
    TRANSFER_RECORDED = "transfer.recorded"

    ATTACHMENT_ADD = "attachment.add"
    ATTACHMENT_LIST = "attachment.list"
    ATTACHMENT_LINK = "attachment.link"
    ATTACHMENT_REMOVE = "attachment.remove"
    ATTACHMENT_SUPERSEDE = "attachment.supersede"

    SERVER_OFFERINGS = "server.offerings"
    SERVER_CREATE = "server.create"
    SERVER_ENROL = "server.enrol"
    SERVER_REJOIN = "server.rejoin"
    SERVER_LIST = "server.list"
    SERVER_SHOW = "server.show"
    SERVER_EDIT = "server.edit"
    SERVER_START = "server.start"
    SERVER_STOP = "server.stop"
    SERVER_DISABLE = "server.disable"
    SERVER_ENABLE = "server.enable"
    SERVER_DELETE = "server.delete"
    SERVER_CERTIFY = "server.certify"

    GRANT_CREATE = "grant.create"
    GRANT_LIST = "grant.list"
    GRANT_EDIT = "grant.edit"
    GRANT_REVOKE = "grant.revoke"

    MFA_SHOW = "mfa.show"
    MFA_ENROL = "mfa.enrol"
    MFA_CONFIRM = "mfa.confirm"
    MFA_PROVE = "mfa.prove"
    MFA_REMOVE = "mfa.remove"
    MFA_RESET = "mfa.reset"

    MANIFEST_SHOW = "manifest.show"
    MANIFEST_DOWNLOAD = "manifest.download"
    RECEIPT_SHOW = "receipt.show"
    CRATE_SHOW = "crate.show"

    FIXITY_START = "fixity.start"
    FIXITY_LIST = "fixity.list"
    FIXITY_SHOW = "fixity.show"

    AUDIT_LIST = "audit.list"
    AUDIT_EXPORT = "audit.export"
    AUDIT_VERIFY = "audit.verify"

    SYSTEM_STATUS = "system.status"


class SystemFact(StrEnum):
    """What Strongroom itself did or found; stands in the ledger beside the verbs, with no actor."""

    MEMBER_INVITED = "member.invited"
    MEMBER_LEFT = "member.left"
    MEMBER_JOINED = "member.joined"
    MEMBER_CHANGED = "member.changed"
    DATASET_FINALIZED = "dataset.finalized"
    DATASET_DIGESTED = "dataset.digested"
    DATASET_DELETED = "dataset.deleted"
    DATASET_LATE_OBJECT = "dataset.late_object"
    DATASET_ALTERED = "dataset.altered"
    DATASET_REPAIRED = "dataset.repaired"
    DATASET_MISSING = "dataset.missing"
    FIXITY_DIFFERENCE = "fixity.difference"
    FIXITY_ENDED = "fixity.ended"
    SERVER_JOINED = "server.joined"
    SERVER_LAPSED = "server.lapsed"
    SERVER_SESSION = "server.session"
    SERVER_MANIFEST = "server.manifest"
    GRANT_ENDED = "grant.ended"
    KEY_SHOWN = "key.shown"
    KEY_EXPIRED = "key.expired"
    KEY_LOST = "key.lost"
    TRANSFER_ENDED = "transfer.ended"
    PERSON_SIGNED_IN = "person.signed_in"
    PERSON_LINKED = "person.linked"
    PERSON_STAFF_CHANGED = "person.staff_changed"
    PERSON_SIGNED_OUT = "person.signed_out"
    PERSON_PASSWORD_SET = "person.password_set"
    PASSKEY_ADDED = "passkey.added"
    PERSON_DEVICE_APPROVED = "person.device_approved"
    PERSON_DEVICE_DENIED = "person.device_denied"
    SYSTEM_STARTED = "system.started"
