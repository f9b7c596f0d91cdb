"""The AWS clients of the control plane, and what their errors mean."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import Sentence, say
from strongroom.engines.seaweedfs.configuration import load_credentials
from strongroom.engines.seaweedfs.settings import SeaweedSettings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# After an empty body botocore's "Expect: 100-continue" leaves the connection one answer behind for a minute.
os.environ.setdefault("BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE", "true")

_CONFIG = Config(
    s3={"addressing_style": "path"},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=32,
    # The engine is on this machine: what does not answer now is down, and converge tries again anyway.
    retries={"total_max_attempts": 2, "mode": "standard"},
)


def s3_client(settings: SeaweedSettings, on_request: Callable[[str], None]) -> "S3Client":
    """S3 on the private gateway, as the administrator."""
    client: S3Client = _session(settings).client("s3", endpoint_url=settings.private_endpoint, config=_CONFIG)
    client.meta.events.register("before-send.s3", _told(on_request))
    return client


@contextlib.contextmanager
def obeying(what: Sentence) -> Iterator[None]:
    """Turn every error of a client into `Unavailable`: "The storage engine did not <what>: …"."""
    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        code = f"{said.get('Code', 'error')} {said.get('Message', '')}"
        raise Unavailable(
            say("The storage engine did not {what}: {error}.", what=what, error=code.rstrip(" .")),
            way_out=say("What was asked stands and is tried again; look at the engine's log when it does not pass."),
        ) from error
    except BotoCoreError as error:
        raise Unavailable(
            say("The storage engine did not {what}: {error}.", what=what, error=error),
            way_out=say("See whether it runs; Strongroom goes on by itself when it does."),
        ) from error


def code_of(error: ClientError) -> str:
    """The engine's word for what went wrong, e.g. `NoSuchBucket`; the status where a HEAD has no word."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_gone(error: ClientError) -> bool:
    """Whether the bucket, key or upload that was asked for is not there."""
    return code_of(error) in {"NoSuchBucket", "NoSuchKey", "NoSuchUpload", "NoSuchEntity", "404"}


def _session(settings: SeaweedSettings) -> boto3.session.Session:
    admin = load_credentials(settings).admin
    return boto3.session.Session(admin.access_key_id, admin.secret, region_name=settings.region)


def _told(on_request: Callable[[str], None]) -> Callable[..., None]:
    def tell(event_name: str, **_: Any) -> None:
        on_request(event_name.removeprefix("before-send."))

    return tell
