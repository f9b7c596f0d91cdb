"""The few requests that every deed waits for, signed and sent by hand: the AWS client needs as long as the engine.

Refuses to know what they are for. Errors are those of the AWS client, so that what handles one handles the other.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cached_property
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from strongroom.engines.seaweedfs.configuration import load_credentials
from strongroom.engines.seaweedfs.http import Answer, Http
from strongroom.engines.seaweedfs.settings import SeaweedSettings

_S3 = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_ENCRYPTED = (
    f"<ServerSideEncryptionConfiguration {_S3}><Rule><ApplyServerSideEncryptionByDefault>"
    "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
    "</ServerSideEncryptionConfiguration>"
)


class Administration:
    """The administrator at the private gateway. Each method is one request. All raise ClientError, Unavailable."""

    def __init__(self, settings: SeaweedSettings, http: Http) -> None:
        self._settings = settings
        self._http = http

    def encrypt_by_default(self, bucket: str) -> None:
        """Encrypt every object with the engine's key, whether its writer asks for it or not."""
        self._put("PutBucketEncryption", bucket, "encryption", _ENCRYPTED)

    def tag(self, bucket: str, tags: Mapping[str, str]) -> None:
        """Replace the tags."""
        pairs = (f"<Tag><Key>{escape(key)}</Key><Value>{escape(value)}</Value></Tag>" for key, value in tags.items())
        self._put("PutBucketTagging", bucket, "tagging", f"<Tagging {_S3}><TagSet>{''.join(pairs)}</TagSet></Tagging>")

    def put_policy(self, bucket: str, document: str) -> None:
        """Replace the policy."""
        self._put("PutBucketPolicy", bucket, "policy", document)

    @cached_property
    def _credentials(self) -> Credentials:
        admin = load_credentials(self._settings).admin
        return Credentials(admin.access_key_id, admin.secret)

    def _put(self, operation: str, bucket: str, part: str, content: str) -> None:
        body = content.encode()
        url = f"{self._settings.private_endpoint}/{bucket}" + (f"?{part}=" if part else "")
        # Source: the S3 API reference, where the sum is required for encryption, tagging and policy.
        headers = {"Content-MD5": b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()}
        name = f"s3.{operation}"
        _check(operation, self._http.put(name, url, body, headers, self._credentials, self._settings.region))


def _check(operation: str, answer: Answer) -> None:
    if answer.status < 300:
        return
    try:
        parts = {each.tag.rpartition("}")[2]: each.text or "" for each in ElementTree.fromstring(answer.body).iter()}  # noqa: S314 - the engine's own answer
    except ElementTree.ParseError:
        parts = {}
    error = {"Code": parts.get("Code", str(answer.status)), "Message": parts.get("Message", answer.text)}
    raise ClientError({"Error": error}, operation)  # type: ignore[typeddict-item]
