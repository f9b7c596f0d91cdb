"""What must be true of the engine before its public gateway opens; done at the first start, checked at every one."""

import contextlib
import json
import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from strongroom.core.errors import Unavailable
from strongroom.engines.seaweedfs import shell
from strongroom.engines.seaweedfs.clients import code_of, iam_client, is_gone, obeying, s3_client
from strongroom.engines.seaweedfs.configuration import Credentials, KeyPair, load_credentials, save_credentials
from strongroom.engines.seaweedfs.settings import VENDING_USER, SeaweedSettings

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_s3 import S3Client

CANARY_KEY = "canary"
_TRIAL_KEY = "trial"
CANARY = b"If you can read this, the key that encrypts all data is the right one.\n"
# With thousands of volumes the engine takes some 20 seconds before it accepts the first write.
_PATIENCE_SECONDS = 120.0
_VENDING_POLICY = "strongroom-vends-sessions"


def prepare(settings: SeaweedSettings) -> None:
    """Repeatable. The records bucket and the canary, the vending user, and fsync before every acknowledgement.

    Raises: Unavailable when the key that encrypts the data is not the one it was encrypted with.
    """
    s3 = s3_client(settings, lambda _: None)
    _wait_until_it_stores(settings, s3)
    _check_canary(settings, s3)
    if load_credentials(settings).vending is None:
        shell.configure(settings, "/buckets/", "-fsync")
        pair = _make_vending_user(iam_client(settings, lambda _: None))
        save_credentials(settings, Credentials(load_credentials(settings).admin, pair))


def encrypt_by_default(s3: "S3Client", bucket: str) -> None:
    """Encrypt every object of the bucket with the engine's key, whether its writer asks for it or not."""
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )


def _wait_until_it_stores(settings: SeaweedSettings, s3: "S3Client") -> None:
    """The gateway answers some moments before the storage behind it does."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            _make_records(settings, s3)
            s3.put_object(Bucket=settings.records, Key=_TRIAL_KEY, Body=CANARY)
            s3.get_object(Bucket=settings.records, Key=_TRIAL_KEY)["Body"].read()
            return
        except (ClientError, BotoCoreError) as error:
            if time.monotonic() > deadline:
                raise Unavailable(f"The storage engine started, but does not store: {error}.") from error
            time.sleep(0.1)


def _make_records(settings: SeaweedSettings, s3: "S3Client") -> None:
    try:
        s3.create_bucket(Bucket=settings.records)
    except ClientError as error:
        if code_of(error) not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
            raise
    else:
        encrypt_by_default(s3, settings.records)


def _check_canary(settings: SeaweedSettings, s3: "S3Client") -> None:
    """Fresh objects can be stored and read by now; so a canary that cannot be read was written with another key."""
    try:
        content = s3.get_object(Bucket=settings.records, Key=CANARY_KEY)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and is_gone(error):
            with obeying("store its canary"):
                encrypt_by_default(s3, settings.records)
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


def _make_vending_user(iam: "IAMClient") -> KeyPair:
    """The user `servers`, which may do nothing but vend sessions, with a fresh key."""
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}],
    }
    with obeying("make the user whose sessions the servers are"):
        try:
            iam.create_user(UserName=VENDING_USER)
        except iam.exceptions.EntityAlreadyExistsException:
            iam.delete_user(UserName=VENDING_USER)
            iam.create_user(UserName=VENDING_USER)
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_policy(PolicyName=_VENDING_POLICY, PolicyDocument=json.dumps(document))
        iam.attach_user_policy(UserName=VENDING_USER, PolicyArn=f"arn:aws:iam:::policy/{_VENDING_POLICY}")
        made = iam.create_access_key(UserName=VENDING_USER)["AccessKey"]
    return KeyPair(made["AccessKeyId"], made["SecretAccessKey"])
