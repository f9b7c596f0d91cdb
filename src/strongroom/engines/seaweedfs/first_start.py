"""What must be true of the engine before its public gateway opens; done at the first start, checked at every one."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from strongroom.core.errors import Unavailable
from strongroom.engines.seaweedfs import buckets, identities, shell
from strongroom.engines.seaweedfs.clients import is_gone, obeying, s3_client
from strongroom.engines.seaweedfs.configuration import load_credentials, save_credentials
from strongroom.engines.seaweedfs.filer import Filer
from strongroom.engines.seaweedfs.settings import SERVERS, SeaweedSettings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CANARY_KEY = "canary"
_TRIAL_KEY = "trial"
CANARY = b"If you can read this, the key that encrypts all data is the right one.\n"
# With thousands of volumes the engine takes some 20 seconds before it accepts the first write.
_PATIENCE_SECONDS = 120.0


def prepare(settings: SeaweedSettings) -> None:
    """Repeatable. The records bucket and the canary, and fsync before every acknowledgement.

    Raises: Unavailable when the key that encrypts the data is not the one it was encrypted with.
    """
    s3 = s3_client(settings, lambda _: None)
    _wait_until_it_stores(settings, s3)
    _check_canary(settings, s3)
    credentials = load_credentials(settings)
    if not credentials.is_prepared:
        shell.configure(settings, "/buckets/", "-fsync")
        identities.remove(Filer(settings), SERVERS)  # a user with a key, where an earlier version prepared the engine
        save_credentials(settings, replace(credentials, is_prepared=True))


def _wait_until_it_stores(settings: SeaweedSettings, s3: "S3Client") -> None:
    """The gateway answers some moments before the storage behind it does."""
    deadline, filer = time.monotonic() + _PATIENCE_SECONDS, Filer(settings)
    while True:
        try:
            buckets.create(filer, settings.records, {})
            s3.put_object(Bucket=settings.records, Key=_TRIAL_KEY, Body=CANARY)
            s3.get_object(Bucket=settings.records, Key=_TRIAL_KEY)["Body"].read()
            return
        except (ClientError, BotoCoreError, Unavailable) as error:
            if time.monotonic() > deadline:
                raise Unavailable(f"The storage engine started, but does not store: {error}.") from error
            time.sleep(0.1)


def _check_canary(settings: SeaweedSettings, s3: "S3Client") -> None:
    """Fresh objects can be stored and read by now; so a canary that cannot be read was written with another key."""
    try:
        content = s3.get_object(Bucket=settings.records, Key=CANARY_KEY)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and is_gone(error):
            with obeying("store its canary"):
                s3.put_object(Bucket=settings.records, Key=CANARY_KEY, Body=CANARY)
            return
        content = b""
    if content != CANARY:
        raise Unavailable(
            f"The key in {settings.security_file} is not the one that the stored data was encrypted with: "
            f"the canary object cannot be read.",
            way_out=f"Put the right {settings.security_file} back from the backup, then start again. "
            f"The public gateway was not opened.",
        )
