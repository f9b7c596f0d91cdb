"""An engine that keeps everything in memory and obeys the compiled policies: for tests, and to read the protocol by.

Refuses to last: what it holds is gone with the process.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from strongroom.core.errors import Conflict, NotFound, Unavailable
from strongroom.core.policy import PROBE_SESSION, Dialect, probe_prefix
from strongroom.core.policy_evaluation import Caller, is_allowed
from strongroom.core.sentences import say
from strongroom.engines.addresses import Address, plain_address
from strongroom.engines.protocol import AccessKey, Health, Session, StoredObject, Uploaded

CHUNK_BYTES = 1 << 20
ACCOUNT = "000000000000"
LONGEST_SESSION = timedelta(hours=12)


@dataclass
class Bucket:
    """One repository: objects by key, the policy in force, and whether writes are frozen."""

    tags: dict[str, str]
    objects: dict[str, tuple[StoredObject, bytes]] = field(default_factory=dict)
    locked_until: dict[str, datetime] = field(default_factory=dict)
    policy: str | None = None
    is_frozen: bool = False
    uploads: list[str] = field(default_factory=list)


class MemoryEngine:
    """The Engine protocol over dictionaries. `on_call` is told the name of each method before it acts; it may raise."""

    public_endpoint = "http://memory.invalid:9400"
    region = "us-east-1"

    def __init__(self, *, on_call: Callable[[str], None] | None = None) -> None:
        self.on_call = on_call or (lambda _: None)
        self.writes_in_flight = 0
        self.is_down = False
        self._lock = threading.RLock()
        self._buckets: dict[str, Bucket] = {}
        self._keys: dict[str, AccessKey] = {}
        self._sessions: dict[str, Address | None] = {}  # by token: the one address it works from

    @property
    def dialect(self) -> Dialect:
        """As SeaweedFS, which this engine is a stand-in for."""
        return Dialect(name="seaweedfs", control_plane="admin-memory", account=ACCOUNT, vending_user_or_role="servers")

    # Repositories

    def create_repository(self, repository: str, *, tags: Mapping[str, str]) -> None:
        """See `Engine`."""
        self._call("create_repository")
        with self._lock:
            self._buckets.setdefault(repository, Bucket(dict(tags))).tags = dict(tags)

    def delete_repository(self, repository: str) -> None:
        """See `Engine`."""
        self._call("delete_repository")
        with self._lock:
            bucket = self._buckets.get(repository)
            now = datetime.now(UTC)
            if bucket and any(until > now for until in bucket.locked_until.values()):
                until = max(bucket.locked_until.values())
                raise Conflict(
                    say(
                        "{repository} holds objects that are locked until {until:%Y-%m-%d}.",
                        repository=repository,
                        until=until,
                    ),
                    code="locked",
                )
            self._buckets.pop(repository, None)

    def repository_exists(self, repository: str) -> bool:
        """See `Engine`."""
        self._call("repository_exists")
        return repository in self._buckets

    # Policies

    def apply_policy(self, repository: str, document: str) -> None:
        """See `Engine`."""
        self._call("apply_policy")
        self._bucket(repository).policy = document

    def read_policy(self, repository: str) -> str | None:
        """See `Engine`."""
        self._call("read_policy")
        return self._bucket(repository).policy

    def prove_policy(self, repository: str, generation: int) -> None:
        """See `Engine`."""
        self._call("prove_policy")
        probe = self.session_caller(PROBE_SESSION)
        if not self._allows(repository, probe, "s3:ListBucket", prefix=probe_prefix(generation)):
            raise Unavailable(
                say(
                    "The gateway does not obey generation {generation} of {repository}.",
                    generation=generation,
                    repository=repository,
                )
            )

    # Access keys

    def create_access_key(self, principal: str) -> AccessKey:
        """See `Engine`."""
        self._call("create_access_key")
        key = AccessKey(principal, f"AK{secrets.token_hex(9).upper()}", secrets.token_urlsafe(30))
        with self._lock:
            self._keys[principal] = key
        return key

    def prove_access_key(self, key: AccessKey, repository: str) -> None:
        """See `Engine`."""
        self._call("prove_access_key")
        if self._keys.get(key.principal) != key or not self._allows(
            repository, self.key_caller(key.principal), "s3:ListBucket"
        ):
            raise Unavailable(say("The new key of {repository} does not work yet.", repository=repository))

    def delete_principal(self, principal: str) -> None:
        """See `Engine`."""
        self._call("delete_principal")
        with self._lock:
            self._keys.pop(principal, None)

    def access_key_ids(self, principal: str) -> list[str]:
        """See `Engine`."""
        self._call("access_key_ids")
        key = self._keys.get(principal)
        return [key.access_key_id] if key else []

    # Writes in flight

    def freeze(self, repository: str) -> None:
        """See `Engine`."""
        self._call("freeze")
        if bucket := self._buckets.get(repository):
            bucket.is_frozen = True

    def thaw(self, repository: str) -> None:
        """See `Engine`."""
        self._call("thaw")
        if bucket := self._buckets.get(repository):
            bucket.is_frozen = False

    def mark_writes(self) -> str:
        """See `Engine`."""
        self._call("mark_writes")
        return ""

    def is_drained(self, mark: str) -> bool:
        """See `Engine`; tests set `writes_in_flight`."""
        self._call("is_drained")
        return self.writes_in_flight == 0

    def abort_uploads(self, repository: str) -> int:
        """See `Engine`."""
        self._call("abort_uploads")
        bucket = self._bucket(repository)
        count = len(bucket.uploads)
        bucket.uploads.clear()
        return count

    # Objects

    def list_objects(self, repository: str, *, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """See `Engine`."""
        self._call("list_objects")
        with self._lock:
            found = sorted(self._bucket(repository).objects.items(), key=lambda item: item[0].encode())
        yield from (row for key, (row, _) in found if key.startswith(prefix) and key.encode() > after.encode())

    def put_object(
        self, repository: str, key: str, body: BinaryIO, *, content_type: str = "application/octet-stream"
    ) -> Uploaded:
        """See `Engine`."""
        self._call("put_object")
        content = b"".join(iter(lambda: body.read(CHUNK_BYTES), b""))
        stored = self._store(repository, key, content)
        return Uploaded(stored.size_bytes, hashlib.sha256(content).hexdigest(), stored.etag)

    def read_object(self, repository: str, key: str) -> Iterator[bytes]:
        """See `Engine`."""
        self._call("read_object")
        found = self._bucket(repository).objects.get(key)
        if found is None:
            raise NotFound(say("{repository} holds no object {key!r}.", repository=repository, key=key))
        content = found[1]
        return (content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES))

    def move_object(self, repository: str, key: str, to_repository: str, to_key: str) -> None:
        """See `Engine`."""
        self._call("move_object")
        with self._lock:
            source, target = self._bucket(repository).objects, self._bucket(to_repository).objects
            if key in source:
                stored, content = source.pop(key)
                target[to_key] = (StoredObject(to_key, stored.size_bytes, stored.etag, stored.modified_at), content)
            elif to_key not in target:
                raise NotFound(say("{repository} holds no object {key!r}.", repository=repository, key=key))

    def delete_object(self, repository: str, key: str) -> None:
        """See `Engine`."""
        self._call("delete_object")
        if bucket := self._buckets.get(repository):
            bucket.objects.pop(key, None)

    def presign_read(self, repository: str, key: str, *, lifetime: timedelta, filename: str) -> str:
        """See `Engine`; nothing answers at this URL."""
        self._call("presign_read")
        return f"{self.public_endpoint}/{repository}/{key}?expires={int(lifetime.total_seconds())}"

    # Object lock

    def drop_old_versions(self, repository: str) -> int:
        """See `Engine`; this engine keeps no versions."""
        self._call("drop_old_versions")
        return 0

    def lock_objects(self, repository: str, until: datetime) -> Iterator[int]:
        """See `Engine`."""
        self._call("lock_objects")
        bucket = self._bucket(repository)
        if bucket.is_frozen:
            raise Unavailable(say("{repository} is frozen: a retention would be a write to it.", repository=repository))
        for count, key in enumerate(list(bucket.objects), start=1):
            bucket.locked_until[key] = max(until, bucket.locked_until.get(key, until))
            yield count

    # Sessions and state

    def create_session(self, name: str, *, lifetime: timedelta, address: str | None = None) -> Session:
        """See `Engine`."""
        self._call("create_session")
        ends = datetime.now(UTC) + min(lifetime, LONGEST_SESSION)
        made = Session(name, f"ASIA{secrets.token_hex(8)}", secrets.token_urlsafe(30), secrets.token_hex(16), ends)
        self._sessions[made.token] = plain_address(address) if address is not None else None
        return made

    def health(self) -> list[Health]:
        """See `Engine`."""
        return [Health(say("memory"), not self.is_down, say("down") if self.is_down else say("keeps nothing"))]

    # What clients see, in tests

    def key_caller(self, principal: str) -> Caller:
        """Who an uploader is to the policy."""
        return Caller(principal, f"arn:aws:iam::{ACCOUNT}:user/{principal}", "user")

    def session_caller(self, name: str) -> Caller:
        """Who a server is to the policy."""
        return Caller(name, f"arn:aws:sts::{ACCOUNT}:assumed-role/servers/{name}", "session")

    def put_as(self, key: AccessKey | Session, repository: str, name: str, content: bytes) -> bool:
        """Whether the write of an uploader or of a session succeeds; if so it is stored."""
        bucket = self._buckets.get(repository)
        if isinstance(key, Session):
            is_known = key.token in self._sessions and key.expires_at > datetime.now(UTC)
            caller = self.session_caller(key.name)
        else:
            is_known, caller = self._keys.get(key.principal) == key, self.key_caller(key.principal)
        if not is_known or bucket is None or not self._allows(repository, caller, "s3:PutObject", name=name):
            return False
        if bucket.is_frozen:
            return False
        self._store(repository, name, content)
        return True

    def get_as(self, session: Session, repository: str, name: str, *, address: str = "127.0.0.1") -> bytes | None:
        """What a server reads that asks from this address; None when it is refused or nothing is there."""
        is_known = session.token in self._sessions and session.expires_at > datetime.now(UTC)
        if not is_known or self._sessions[session.token] not in (None, plain_address(address)):
            return None
        if not self._allows(repository, self.session_caller(session.name), "s3:GetObject", name=name):
            return None
        found = self._bucket(repository).objects.get(name)
        return found[1] if found else None

    def knows(self, key: AccessKey) -> bool:
        """Whether the key exists."""
        return self._keys.get(key.principal) == key

    def principals(self) -> set[str]:
        """Every principal that has a key."""
        return set(self._keys)

    # Inside

    def _call(self, method: str) -> None:
        self.on_call(method)
        if self.is_down:
            raise Unavailable(
                say("The storage engine does not answer."), way_out=say("Start it; Strongroom goes on by itself.")
            )

    def _bucket(self, repository: str) -> Bucket:
        bucket = self._buckets.get(repository)
        if bucket is None and repository.startswith("strongroom-records-"):
            bucket = self._buckets.setdefault(repository, Bucket({}))
        if bucket is None:
            raise Unavailable(say("The engine has no bucket {repository}.", repository=repository))
        return bucket

    def _store(self, repository: str, key: str, content: bytes) -> StoredObject:
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        stored = StoredObject(key, len(content), etag, datetime.now(UTC))
        with self._lock:
            bucket = self._bucket(repository)
            if bucket.is_frozen:
                raise Unavailable(say("{repository} is frozen.", repository=repository))
            bucket.objects[key] = (stored, content)
        return stored

    def _allows(
        self, repository: str, caller: Caller, action: str, *, name: str | None = None, prefix: str | None = None
    ) -> bool:
        policy = self._bucket(repository).policy
        resource = f"arn:aws:s3:::{repository}" + (f"/{name}" if name is not None else "")
        return policy is not None and is_allowed(policy, caller, action, resource, prefix=prefix)
