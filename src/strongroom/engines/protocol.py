"""What Strongroom asks of a storage engine; refuses to know why.

Every method is idempotent and may be repeated after a crash at any point. All raise `Unavailable` when the
engine does not answer or does not obey. Repository names are `dataset-<org>-<uuid>`; principals are names made
by `core.names`. Policies are documents compiled by `core.policy` in the engine's `dialect`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from strongroom.core.health import Health as Health
from strongroom.core.policy import Dialect


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key pair of an uploader. The secret exists here and at the person it was shown to, nowhere else."""

    principal: str
    access_key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"AccessKey({self.principal!r}, {self.access_key_id!r}, secret=***)"


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials named after a server (or the probe)."""

    name: str
    access_key_id: str
    secret: str
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Session({self.name!r}, expires_at={self.expires_at.isoformat()})"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object of a listing. `etag` is without quotes; `modified_at` is aware UTC; sizes in bytes."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of a stream written by Strongroom itself."""

    size_bytes: int
    sha256: str
    etag: str


class Engine(Protocol):
    """Where the bytes live. Two run in the contract suite: `memory` and `seaweedfs`."""

    @property
    def dialect(self) -> Dialect:
        """Which form of policy document this engine obeys, with the names it knows the control plane by."""

    @property
    def public_endpoint(self) -> str:
        """The URL that people's S3 clients use, e.g. `http://127.0.0.1:9000`."""

    @property
    def region(self) -> str:
        """The region that clients sign for, e.g. `us-east-1`."""

    # Repositories
    def create_repository(self, repository: str, *, tags: Mapping[str, str]) -> None:
        """Make the bucket, encrypted at rest and tagged, open to nobody but the control plane."""

    def delete_repository(self, repository: str) -> None:
        """Remove the bucket with everything in it; gone already is fine.

        Raises Conflict when object lock still protects an object.
        """

    def repository_exists(self, repository: str) -> bool:
        """Whether the bucket exists."""

    # Policies
    def apply_policy(self, repository: str, document: str) -> None:
        """Replace the whole policy of the bucket: one call, at most 20,480 bytes."""

    def read_policy(self, repository: str) -> str | None:
        """The document in force as the engine tells it; None where there is none."""

    def prove_policy(self, repository: str, generation: int) -> None:
        """Return only when every public gateway obeys the document that carries this generation.

        Asks each as the probe session (`core.policy`), which the document allows to list exactly one prefix.
        Raises Unavailable when a gateway does not follow in time.
        """

    # Access keys
    def create_access_key(self, principal: str) -> AccessKey:
        """Make the principal and one key pair; a key it had before is replaced."""

    def prove_access_key(self, key: AccessKey, repository: str) -> None:
        """Return only when every public gateway lets this key list the repository."""

    def delete_principal(self, principal: str) -> None:
        """Remove the principal and all of its keys; gone already is fine."""

    def access_key_ids(self, principal: str) -> list[str]:
        """The ids of the keys that the engine knows for this principal, oldest first; [] when unknown."""

    # Writes in flight (finalize)
    def freeze(self, repository: str) -> None:
        """Make every write to the bucket fail in the engine, also one whose body is being sent now."""

    def thaw(self, repository: str) -> None:
        """Undo `freeze`."""

    def mark_writes(self) -> str:
        """A mark of the requests that the public gateways are serving at this moment, for `is_drained`; to be kept."""

    def is_drained(self, mark: str) -> bool:
        """Whether every write that was being sent to a public gateway at the moment of the mark has ended."""

    def abort_uploads(self, repository: str) -> int:
        """Abort every unfinished multipart upload of the bucket; how many there were."""

    # Objects
    def list_objects(self, repository: str, *, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """Objects in ascending order of their UTF-8 key bytes, read in pages; `after` is exclusive."""

    def put_object(
        self, repository: str, key: str, body: BinaryIO, *, content_type: str = "application/octet-stream"
    ) -> Uploaded:
        """Write a stream as the control plane, in constant memory, hashing it as it goes."""

    def read_object(self, repository: str, key: str) -> Iterator[bytes]:
        """The object's bytes in chunks; raises NotFound."""

    def move_object(self, repository: str, key: str, to_repository: str, to_key: str) -> None:
        """Copy server-side, then delete the source; the source gone and the target there is fine.

        Raises NotFound when neither is there.
        """

    def delete_object(self, repository: str, key: str) -> None:
        """Delete one object; gone already is fine."""

    def presign_read(self, repository: str, key: str, *, lifetime: timedelta, filename: str) -> str:
        """A URL on the public gateway that reads this one object and downloads as `filename`."""

    # Object lock
    def drop_old_versions(self, repository: str) -> int:
        """Delete every version and delete marker that is not the latest of a live object; how many."""

    def lock_objects(self, repository: str, until: datetime) -> Iterator[int]:
        """Put every object version under COMPLIANCE retention until then; yields the running count.

        Not while the repository is frozen: a retention is a write. Raises Unavailable then.
        """

    # Sessions
    def create_session(self, name: str, *, lifetime: timedelta, address: str | None = None) -> Session:
        """Temporary credentials whose session name is `name`; any lifetime up to 12 hours, more is cut to that.

        With `address` (IPv4 or IPv6) every request that comes from elsewhere is refused, whatever the policy of the
        bucket allows. It is the address of the connection: behind a proxy, the proxy's.
        Raises ValueError for what is no IP address.
        """

    # State
    def health(self) -> list[Health]:
        """The parts of the engine and whether each answers; never raises."""
