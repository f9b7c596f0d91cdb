"""The Engine protocol over SeaweedFS: S3 on the private gateway, keys in its file system, proofs on the public one."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from boto3.s3.transfer import TransferConfig
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from strongroom.core.errors import Conflict, NotFound, Unavailable
from strongroom.core.policy import PROBE_SESSION, READER_SESSION, Dialect, probe_prefix
from strongroom.core.sentences import Sentence, say
from strongroom.engines.protocol import AccessKey, Health, Session, StoredObject, Uploaded
from strongroom.engines.seaweedfs import (
    buckets,
    draining,
    identities,
    metrics,
    presigning,
    retention,
    shell,
    uploading,
    volumes,
)
from strongroom.engines.seaweedfs.administration import Administration
from strongroom.engines.seaweedfs.clients import code_of, is_gone, obeying, s3_client
from strongroom.engines.seaweedfs.configuration import load_credentials
from strongroom.engines.seaweedfs.filer import Filer
from strongroom.engines.seaweedfs.http import Answer, Http
from strongroom.engines.seaweedfs.listing import Page, in_byte_order, parse_page
from strongroom.engines.seaweedfs.sessions import KeptSession, create_session
from strongroom.engines.seaweedfs.settings import DIALECT, SeaweedSettings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# A gateway follows within milliseconds, but for some seconds after the storage process was restarted.
PATIENCE_SECONDS = 15.0
CHUNK_BYTES = 1 << 20
# In one piece up to what S3 allows: the engine copies no part of an object whose key is a folder, too.
_WHOLE = TransferConfig(multipart_threshold=5 << 30, multipart_chunksize=1 << 30)
_STALE = (b"InvalidAccessKeyId", b"ExpiredToken", b"InvalidToken", b"SignatureDoesNotMatch")


class SeaweedEngine:
    """See `Engine` for what the methods promise. May be used by many threads.

    `on_request` hears the name of every single request that is sent, as `s3.PutBucketPolicy`.
    """

    def __init__(self, settings: SeaweedSettings, *, on_request: Callable[[str], None] = lambda _: None) -> None:
        self.settings = settings
        self.on_request = on_request
        self._http = Http(on_request=self._tell)
        self._administration = Administration(settings, self._http)
        self._filer = Filer(settings, self._tell)
        self._probe = KeptSession(lambda lifetime: self.create_session(PROBE_SESSION, lifetime=lifetime))
        self._reader = KeptSession(lambda lifetime: self.create_session(READER_SESSION, lifetime=lifetime))

    @property
    def dialect(self) -> Dialect:
        """See `Engine`."""
        return DIALECT

    @property
    def public_endpoint(self) -> str:
        """See `Engine`."""
        return self.settings.endpoint

    @property
    def region(self) -> str:
        """See `Engine`."""
        return self.settings.region

    # Repositories

    def create_repository(self, repository: str, *, tags: Mapping[str, str]) -> None:
        """One request for a new one."""
        if buckets.create(self._filer, repository, tags):
            return
        with obeying(say("make the bucket {repository}", repository=repository)):
            self._administration.encrypt_by_default(repository)
            if tags:
                self._administration.tag(repository, tags)

    def delete_repository(self, repository: str) -> None:
        """One request, whatever the number of objects: the engine drops the volumes of the bucket."""
        with obeying(say("delete the bucket {repository}", repository=repository)):
            try:
                self._s3.delete_bucket(Bucket=repository)
            except ClientError as error:
                if code_of(error) == "BucketNotEmpty":
                    raise self._locked(repository) from error
                if not is_gone(error):
                    raise
        volumes.forget(self.settings, repository)

    def repository_exists(self, repository: str) -> bool:
        """See `Engine`."""
        with obeying(say("look for the bucket {repository}", repository=repository)):
            try:
                self._s3.head_bucket(Bucket=repository)
            except ClientError as error:
                if is_gone(error):
                    return False
                raise
            return True

    # Policies

    def apply_policy(self, repository: str, document: str) -> None:
        """One request."""
        with obeying(say("take the access rules of {repository}", repository=repository)):
            self._administration.put_policy(repository, document)

    def read_policy(self, repository: str) -> str | None:
        """See `Engine`."""
        with obeying(say("tell the access rules of {repository}", repository=repository)):
            try:
                return self._s3.get_bucket_policy(Bucket=repository)["Policy"].rstrip()  # it adds a line end
            except ClientError as error:
                if code_of(error) == "NoSuchBucketPolicy":
                    return None
                raise

    def prove_policy(self, repository: str, generation: int) -> None:
        """One request for each gateway that follows at once."""
        query = {"list-type": "2", "max-keys": "1", "prefix": probe_prefix(generation)}

        def ask(endpoint: str) -> Answer:
            answer = self._ask_gateway(endpoint, repository, query, self._probe.get())
            if any(word in answer.body for word in _STALE):
                self._probe.forget()
            return answer

        self._until_allowed(
            ask,
            say(
                "obey the access rules of {repository} (generation {generation})",
                repository=repository,
                generation=generation,
            ),
        )

    # Access keys

    def create_access_key(self, principal: str) -> AccessKey:
        """One request, whatever the number of keys."""
        made = identities.create(self._filer, principal)
        return AccessKey(principal, made.access_key_id, made.secret)

    def prove_access_key(self, key: AccessKey, repository: str) -> None:
        """One request for each gateway that knows the key already."""
        credentials = Credentials(key.access_key_id, key.secret)
        query = {"list-type": "2", "max-keys": "1"}
        self._until_allowed(
            lambda endpoint: self._ask_gateway(endpoint, repository, query, credentials),
            say("accept the new key of {repository}", repository=repository),
        )

    def delete_principal(self, principal: str) -> None:
        """Two requests, and one for each gateway that has forgotten the keys already."""
        known = identities.key_ids(self._filer, principal)
        identities.remove(self._filer, principal)
        for access_key_id in known:
            self._until_forgotten(access_key_id, principal)

    def access_key_ids(self, principal: str) -> list[str]:
        """One request."""
        return identities.key_ids(self._filer, principal)

    # Writes in flight

    def freeze(self, repository: str) -> None:
        """See `Engine`. Deletes still pass: the policy forbids them."""
        shell.configure(self.settings, f"/buckets/{repository}/", "-readOnly")

    def thaw(self, repository: str) -> None:
        """See `Engine`."""
        shell.configure(self.settings, f"/buckets/{repository}/", "-delete")

    def mark_writes(self) -> str:
        """See `Engine`; the connections of the gateway on this machine, empty where they cannot be known."""
        return "" if self.settings.further_gateways else draining.mark(self.settings.public_port)

    def is_drained(self, mark: str) -> bool:
        """See `Engine`."""
        if metrics.writes_in_flight(self._http, self.settings.gateways) == 0:
            return True
        return draining.is_over(mark, self.settings.public_port, is_encrypted=self.settings.tls_certificate is not None)

    def abort_uploads(self, repository: str) -> int:
        """See `Engine`."""
        with obeying(say("abort the unfinished uploads to {repository}", repository=repository)):
            return uploading.abort_all(self._s3, repository)

    # Objects

    def list_objects(self, repository: str, *, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """See `Engine`."""
        credentials = self._administrator

        def fetch(under: str, start: str, limit: int) -> Page:
            query = {"list-type": "2", "encoding-type": "url", "max-keys": str(limit)}
            query |= {"prefix": under} if under else {}
            query |= {"continuation-token": start} if start else {}
            answer = self._http.s3(
                "s3.ListObjectsV2", self.settings.private_endpoint, f"/{repository}", query, credentials, self.region
            )
            if answer.status != 200:
                raise Unavailable(
                    say(
                        "The storage engine did not list {repository}: {status} {text}",
                        repository=repository,
                        status=answer.status,
                        text=answer.text,
                    )
                )
            return parse_page(answer.body)

        return in_byte_order(fetch, prefix=prefix, after=after)

    def put_object(
        self, repository: str, key: str, body: BinaryIO, *, content_type: str = "application/octet-stream"
    ) -> Uploaded:
        """See `Engine`."""
        with obeying(say("store {key} in {repository}", key=key, repository=repository)):
            return uploading.upload(self._s3, repository, key, body, content_type)

    def read_object(self, repository: str, key: str) -> Iterator[bytes]:
        """See `Engine`."""
        with obeying(say("read {key} of {repository}", key=key, repository=repository)):
            try:
                body = self._s3.get_object(Bucket=repository, Key=key)["Body"]
            except ClientError as error:
                if is_gone(error):
                    raise NotFound(
                        say("{repository} holds no object {key!r}.", repository=repository, key=key)
                    ) from error
                raise

        def chunks() -> Iterator[bytes]:
            with obeying(say("read {key} of {repository} to its end", key=key, repository=repository)):
                yield from body.iter_chunks(CHUNK_BYTES)

        return chunks()

    def move_object(self, repository: str, key: str, to_repository: str, to_key: str) -> None:
        """See `Engine`. Raises NotFound when neither the source nor the target is there."""
        with obeying(
            say(
                "move {key} from {repository} to {target}",
                key=key,
                repository=repository,
                target=to_repository,
            )
        ):
            try:
                self._s3.copy({"Bucket": repository, "Key": key}, to_repository, to_key, Config=_WHOLE)
            except ClientError as error:
                if not is_gone(error):
                    raise
                if not self._has(to_repository, to_key):
                    raise NotFound(
                        say("{repository} holds no object {key!r}.", repository=repository, key=key)
                    ) from error
                return
            self._s3.delete_object(Bucket=repository, Key=key)

    def delete_object(self, repository: str, key: str) -> None:
        """See `Engine`."""
        with obeying(say("delete {key} of {repository}", key=key, repository=repository)):
            try:
                self._s3.delete_object(Bucket=repository, Key=key)
            except ClientError as error:
                if not is_gone(error):
                    raise

    def presign_read(self, repository: str, key: str, *, lifetime: timedelta, filename: str) -> str:
        """No request."""
        return presigning.link(
            self.public_endpoint, repository, key, self._reader.get(), self.region, lifetime=lifetime, filename=filename
        )

    # Object lock

    def drop_old_versions(self, repository: str) -> int:
        """See `Engine`."""
        return retention.drop_old_versions(self._s3, repository)

    def lock_objects(self, repository: str, until: datetime) -> Iterator[int]:
        """See `Engine`."""
        return retention.lock(self._s3, repository, self._keys(repository), until)

    # Sessions and state

    def create_session(self, name: str, *, lifetime: timedelta, address: str | None = None) -> Session:
        """No request. `lifetime` is cut to 12 hours."""
        return create_session(self.settings, name, lifetime, address)

    def health(self) -> list[Health]:
        """See `Engine`."""
        return metrics.health(self.settings)

    # Inside

    @cached_property
    def _s3(self) -> "S3Client":
        return s3_client(self.settings, self._tell)

    @property
    def _administrator(self) -> Credentials:
        admin = load_credentials(self.settings).admin
        return Credentials(admin.access_key_id, admin.secret)

    def _tell(self, name: str) -> None:
        self.on_request(name)

    def _keys(self, repository: str) -> Iterator[str]:
        return (each.key for each in self.list_objects(repository))

    def _has(self, repository: str, key: str) -> bool:
        try:
            self._s3.head_object(Bucket=repository, Key=key)
        except ClientError as error:
            if is_gone(error):
                return False
            raise
        return True

    def _locked(self, repository: str) -> Conflict:
        try:
            until = retention.locked_until(self._s3, repository, islice(self._keys(repository), 20))
        except (Unavailable, BotoCoreError):
            until = None
        when = say("until {until:%Y-%m-%d %H:%M} UTC", until=until) if until else say("for a time")
        return Conflict(
            say(
                "{repository} holds objects that are locked {when}; nobody can delete them before.",
                repository=repository,
                when=when,
            ),
            code="locked",
            way_out=say("Wait until then, and delete it again."),
        )

    def _ask_gateway(
        self, endpoint: str, repository: str, query: Mapping[str, str], credentials: Credentials
    ) -> Answer:
        return self._http.s3("s3.ListObjectsV2", endpoint, f"/{repository}", query, credentials, self.region)

    def _until_allowed(self, ask: Callable[[str], Answer], what: Sentence) -> None:
        """Ask each gateway again while it refuses, ever more slowly, for as long as one may lag behind."""
        self._until(ask, lambda answer: answer.status == 200, what)

    def _until_forgotten(self, access_key_id: str, principal: str) -> None:
        """The secret is nobody's here, and is not needed: a gateway says of a wrong one whether it knows the key."""
        nobody = Credentials(access_key_id, "not the secret")
        self._until(
            lambda endpoint: self._http.s3("s3.ListBuckets", endpoint, "/", {}, nobody, self.region),
            lambda answer: b"InvalidAccessKeyId" in answer.body,
            say("forget the key of {principal}", principal=principal),
        )

    def _until(self, ask: Callable[[str], Answer], is_enough: Callable[[Answer], bool], what: Sentence) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        for gateway in self.settings.gateways:
            pause_seconds = 0.002
            while not is_enough(answer := ask(gateway.endpoint)):
                if time.monotonic() > deadline:
                    raise Unavailable(
                        say(
                            "The public gateway {endpoint} does not {what}: {status} {text}",
                            endpoint=gateway.endpoint,
                            what=what,
                            status=answer.status,
                            text=answer.text,
                        ),
                        way_out=say("It is asked again by itself. Restart the gateway if this stays so."),
                    )
                time.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 2, 0.5)
