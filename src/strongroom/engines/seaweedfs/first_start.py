"""What must be true of the engine before its public gateway opens; done at the first start, checked at every one."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from strongroom.core.errors import Unavailable, sentence_of
from strongroom.core.sentences import say
from strongroom.engines.seaweedfs import buckets, identities, shell, storages
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

    To be called whenever a storage has become ready: nothing is done before the last of them, for what is looked at may
    lie in any.
    Raises: Unavailable when the key that encrypts the data is not the one it was encrypted with.
    """
    s3 = s3_client(settings, lambda _: None)
    if not _stores(settings, s3):
        return
    _check_canary(settings, s3)
    credentials = load_credentials(settings)
    if not credentials.is_prepared:
        shell.configure(settings, "/buckets/", "-fsync")
        identities.remove(Filer(settings), SERVERS)  # a user with a key, where an earlier version prepared the engine
        save_credentials(settings, replace(credentials, is_prepared=True))


def _stores(settings: SeaweedSettings, s3: "S3Client") -> bool:
    """Wait for it: the gateway answers some moments before the storage behind it does. False when a part is away."""
    deadline, filer = time.monotonic() + _PATIENCE_SECONDS, Filer(settings)
    while storages.further_run(settings):
        try:
            _refuse_the_unknown(settings)
            buckets.create(filer, settings.records, {})
            s3.put_object(Bucket=settings.records, Key=_TRIAL_KEY, Body=CANARY)
            s3.get_object(Bucket=settings.records, Key=_TRIAL_KEY)["Body"].read()
            return True
        except (ClientError, BotoCoreError, Unavailable) as error:
            if time.monotonic() > deadline:
                raise Unavailable(
                    say("The storage engine started, but does not store: {error}.", error=sentence_of(error))
                ) from error
            time.sleep(0.1)
    return False


def _refuse_the_unknown(settings: SeaweedSettings) -> None:
    """After a restart of the first storage alone the others come back to it within seconds. Raises: Unavailable."""
    if missing := [each.name for each in settings.storages if not storages.is_there(settings, each)]:
        raise Unavailable(say("it does not know {missing} yet", missing=", ".join(missing)))


def _check_canary(settings: SeaweedSettings, s3: "S3Client") -> None:
    """Fresh objects can be stored and read by now; so a canary that cannot be read was written with another key.

    Unless it lies in a storage that has just gone: whichever comes back last looks again.
    """
    if not _is_readable(s3, settings.records) and storages.are_there(settings):
        raise Unavailable(
            say(
                "The key in {file} is not the one that the stored data was encrypted with: "
                "the canary object cannot be read.",
                file=settings.security_file,
            ),
            way_out=say(
                "Put the right {file} back from the backup, then start again. The public gateway was not opened.",
                file=settings.security_file,
            ),
        )


def _is_readable(s3: "S3Client", bucket: str) -> bool:
    """Whether the canary is; made where there is none yet."""
    try:
        return s3.get_object(Bucket=bucket, Key=CANARY_KEY)["Body"].read() == CANARY
    except (ClientError, BotoCoreError) as error:
        if not (isinstance(error, ClientError) and is_gone(error)):
            return False
    with obeying(say("store its canary")):
        s3.put_object(Bucket=bucket, Key=CANARY_KEY, Body=CANARY)
    return True
