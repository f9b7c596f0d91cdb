"""Writing a stream in constant memory, hashed as it goes."""

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ClientError

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say_many
from strongroom.engines.protocol import Uploaded
from strongroom.engines.seaweedfs.clients import is_gone

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 16 << 20


def upload(s3: "S3Client", bucket: str, key: str, body: BinaryIO, content_type: str) -> Uploaded:
    """Store up to 10,000 parts of 16 MiB; nothing is left behind when the stream or the engine fails."""
    digest, size = hashlib.sha256(), 0

    def parts() -> Iterator[bytes]:
        nonlocal size
        while part := _read(body):
            digest.update(part)
            size += len(part)
            yield part

    stream = parts()
    first = next(stream, b"")
    if len(first) < PART_BYTES:
        etag = s3.put_object(Bucket=bucket, Key=key, Body=first, ContentType=content_type)["ETag"]
    else:
        etag = _in_parts(s3, bucket, key, first, stream, content_type)
    return Uploaded(size, digest.hexdigest(), etag.strip('"'))


def abort_all(s3: "S3Client", bucket: str) -> int:
    """Abort every unfinished upload; how many there were.

    Raises: Unavailable when the engine goes on listing what it said it aborted.
    """
    aborted: set[tuple[str, str]] = set()
    while uploads := s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        found = {(upload["Key"], upload["UploadId"]) for upload in uploads}
        if not found - aborted:
            raise Unavailable(
                say_many(
                    "The storage engine still lists {count} aborted upload to {bucket}.",
                    "The storage engine still lists {count} aborted uploads to {bucket}.",
                    len(found),
                    bucket=bucket,
                )
            )
        for key, upload_id in found - aborted:
            try:
                s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
            except ClientError as error:
                if not is_gone(error):
                    raise
        aborted |= found
    return len(aborted)


def _in_parts(s3: "S3Client", bucket: str, key: str, first: bytes, rest: Iterator[bytes], content_type: str) -> str:
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key, ContentType=content_type)["UploadId"]
    done: list[CompletedPartTypeDef] = []
    try:
        part: bytes | None = first
        while part is not None:
            number = len(done) + 1
            sent = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=part)
            done.append({"PartNumber": number, "ETag": sent["ETag"]})
            part = next(rest, None)
        return s3.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": done}
        )["ETag"]
    except BaseException:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        raise


def _read(body: BinaryIO) -> bytes:
    """One part; a stream may give less than asked for before its end."""
    part = bytearray()
    while len(part) < PART_BYTES and (more := body.read(PART_BYTES - len(part))):
        part += more
    return bytes(part)
