"""The same requests that an action makes, sent by a minimal script: what the engine alone needs."""

import io
import time
from datetime import timedelta

from botocore.credentials import Credentials

from strongroom.core.policy import PROBE_SESSION
from strongroom.engines.seaweedfs import buckets, identities, shell
from strongroom.engines.seaweedfs.clients import s3_client
from strongroom.engines.seaweedfs.engine import SeaweedEngine
from strongroom.engines.seaweedfs.filer import Filer
from strongroom.engines.seaweedfs.http import Http
from strongroom.engines.seaweedfs.settings import SeaweedSettings

_PAUSE_SECONDS = 0.002
_TAGS = {f"strongroom:{name}": "x" * 36 for name in ("dataset", "space", "risk-level", "charge-code")}


class Bare:
    """One bucket, made and closed by hand; `document` is always the policy that the action wrote, for this bucket."""

    def __init__(self, settings: SeaweedSettings) -> None:
        self._settings = settings
        self._s3 = s3_client(settings, lambda _: None)
        self._filer = Filer(settings)
        self._http = Http()
        session = SeaweedEngine(settings).create_session(PROBE_SESSION, lifetime=timedelta(hours=2))
        self._probe = Credentials(session.access_key_id, session.secret, session.token)

    def create(self, bucket: str, document: str, prefix: str) -> None:
        """Three requests."""
        buckets.create(self._filer, bucket, _TAGS)
        self._s3.put_bucket_policy(Bucket=bucket, Policy=document)
        self._list(bucket, self._probe, prefix)

    def issue(self, bucket: str, principal: str, document: str) -> Credentials:
        """A key, the policy, the proof."""
        made = identities.create(self._filer, principal)
        self._s3.put_bucket_policy(Bucket=bucket, Policy=document)
        key = Credentials(made.access_key_id, made.secret)
        self._list(bucket, key, "")
        return key

    def upload(self, bucket: str) -> None:
        """One object, so that there is something to finalize."""
        self._s3.put_object(Bucket=bucket, Key="first.csv", Body=io.BytesIO(b"a,b\n"))

    def close(self, bucket: str, principals: list[str], document: str, prefix: str) -> None:
        """A look whether it is empty, the policy, the proof, the freeze, the end of the keys."""
        self._s3.list_objects_v2(Bucket=bucket)
        self._s3.put_bucket_policy(Bucket=bucket, Policy=document)
        self._list(bucket, self._probe, prefix)
        shell.configure(self._settings, f"/buckets/{bucket}/", "-readOnly")
        for principal in principals:
            [known] = identities.key_ids(self._filer, principal)
            identities.remove(self._filer, principal)
            self._until_forgotten(Credentials(known, "not the secret"))

    def freeze(self, bucket: str) -> None:
        """The engine's own switch alone."""
        shell.configure(self._settings, f"/buckets/{bucket}/", "-readOnly")

    def remove(self, bucket: str) -> None:
        """Make room again."""
        shell.configure(self._settings, f"/buckets/{bucket}/", "-delete")
        self._s3.delete_bucket(Bucket=bucket)

    @staticmethod
    def prepare_commits() -> None:
        """Once, before `commit`."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE bench_commits (n integer)")

    def commit(self, many: int) -> None:
        """Transactions of one statement each, on the database of this process."""
        from django.db import connection

        for _ in range(many):
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO bench_commits VALUES (1)")

    def _until_forgotten(self, key: Credentials) -> None:
        while (
            b"InvalidAccessKeyId"
            not in self._http.s3("bare", self._settings.gateway, "/", {}, key, self._settings.region).body
        ):
            time.sleep(_PAUSE_SECONDS)

    def _list(self, bucket: str, credentials: Credentials, prefix: str) -> None:
        query = {"list-type": "2", "max-keys": "1", **({"prefix": prefix} if prefix else {})}
        gateway, region = self._settings.gateway, self._settings.region
        while self._http.s3("bare", gateway, f"/{bucket}", query, credentials, region).status != 200:
            time.sleep(_PAUSE_SECONDS)
