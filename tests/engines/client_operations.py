"""What clients do, as calls of a real client; each by the name it has in the policy matrix. A refusal raises."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Call = Callable[["S3Client", str, "Prepared"], object]

STORED = ("a/b", "a/c", "a/_attachments/x", "_attachments-not/x", "_attachments", "_attachments/x", "_attachments/x/y")
NAMES_OF_ATTACHMENTS = ("_attachments", "_attachments/x", "_attachments/x/y")


class Prepared:
    """What the control plane has put in the bucket before a client comes, and puts back after one has been."""

    def __init__(self, control_plane: "S3Client", bucket: str) -> None:
        self._s3, self.bucket = control_plane, bucket
        self.put_back()

    def put_back(self) -> None:
        """Every object as it was, and nothing else."""
        found = self._s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        for key in {each["Key"] for each in found} - set(STORED):
            self._s3.delete_object(Bucket=self.bucket, Key=key)
        for key in STORED:
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=key.encode())
        self._s3.delete_bucket_tagging(Bucket=self.bucket)

    def upload(self, key: str) -> str:
        """An unfinished upload with one part."""
        made = self._s3.create_multipart_upload(Bucket=self.bucket, Key=key)["UploadId"]
        self._s3.upload_part(Bucket=self.bucket, Key=key, UploadId=made, PartNumber=1, Body=b"part")
        return made

    def etag(self, key: str, upload_id: str) -> str:
        """Of its part."""
        return self._s3.list_parts(Bucket=self.bucket, Key=key, UploadId=upload_id)["Parts"][0]["ETag"]


def _begin(key: str) -> Call:
    return lambda s3, b, _: s3.create_multipart_upload(Bucket=b, Key=key)


def _part(key: str) -> Call:
    return lambda s3, b, p: s3.upload_part(Bucket=b, Key=key, UploadId=p.upload(key), PartNumber=2, Body=b"x")


def _copy_part(key: str, source: str) -> Call:
    return lambda s3, b, p: s3.upload_part_copy(
        Bucket=b, Key=key, UploadId=p.upload(key), PartNumber=2, CopySource={"Bucket": b, "Key": source}
    )


def _complete(key: str) -> Call:
    def call(s3: "S3Client", b: str, p: Prepared) -> object:
        made = p.upload(key)
        parts = {"Parts": [{"PartNumber": 1, "ETag": p.etag(key, made)}]}
        return s3.complete_multipart_upload(Bucket=b, Key=key, UploadId=made, MultipartUpload=parts)  # type: ignore[arg-type]

    return call


def _abort(key: str) -> Call:
    return lambda s3, b, p: s3.abort_multipart_upload(Bucket=b, Key=key, UploadId=p.upload(key))


def _copy(target: str, source: str) -> Call:
    return lambda s3, b, _: s3.copy_object(Bucket=b, Key=target, CopySource={"Bucket": b, "Key": source})


def _batch_delete(key: str) -> Call:
    def call(s3: "S3Client", b: str, _: Prepared) -> object:
        answer = s3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": key}]})
        if answer.get("Errors"):
            raise PermissionError(answer["Errors"])
        return answer

    return call


_TAGS = {"TagSet": [{"Key": "k", "Value": "v"}]}
_ACL = "private"

CALLS: Mapping[str, Call] = {
    "list": lambda s3, b, _: s3.list_objects_v2(Bucket=b),
    "list another generation": lambda s3, b, _: s3.list_objects_v2(Bucket=b, Prefix="gen-41"),
    "list a longer generation": lambda s3, b, _: s3.list_objects_v2(Bucket=b, Prefix="gen-421"),
    "list this generation": lambda s3, b, _: s3.list_objects_v2(Bucket=b, Prefix="gen-42"),
    "list the attachments": lambda s3, b, _: s3.list_objects(Bucket=b, Prefix="_attachments/"),
    "location": lambda s3, b, _: s3.get_bucket_location(Bucket=b),
    "get": lambda s3, b, _: s3.get_object(Bucket=b, Key="a/b"),
    "get a look-alike of an attachment": lambda s3, b, _: s3.get_object(Bucket=b, Key="_attachments-not/x"),
    "get a nested look-alike": lambda s3, b, _: s3.head_object(Bucket=b, Key="a/_attachments/x"),
    "get tags": lambda s3, b, _: s3.get_object_tagging(Bucket=b, Key="a/b"),
    "get attributes": lambda s3, b, _: s3.get_object_attributes(Bucket=b, Key="a/b", ObjectAttributes=["ETag"]),
    "get an attachment": lambda s3, b, _: s3.get_object(Bucket=b, Key="_attachments/x"),
    "get a nested attachment": lambda s3, b, _: s3.get_object(Bucket=b, Key="_attachments/x/y"),
    "get the object _attachments": lambda s3, b, _: s3.get_object(Bucket=b, Key="_attachments"),
    "get tags of an attachment": lambda s3, b, _: s3.get_object_tagging(Bucket=b, Key="_attachments/x"),
    "put": lambda s3, b, _: s3.put_object(Bucket=b, Key="a/b", Body=b"x"),
    "delete": lambda s3, b, _: s3.delete_object(Bucket=b, Key="a/b"),
    "copy inside": _copy("a/c", "a/b"),
    "begin a multipart upload": _begin("a/b"),
    "upload a part": _part("a/b"),
    "copy a part": _copy_part("a/b", "a/c"),
    "complete a multipart upload": _complete("a/b"),
    "abort a multipart upload": _abort("a/b"),
    "list parts": lambda s3, b, p: s3.list_parts(Bucket=b, Key="a/b", UploadId=p.upload("a/b")),
    "list multipart uploads": lambda s3, b, _: s3.list_multipart_uploads(Bucket=b),
    "copy an attachment out": _copy("a/c", "_attachments/x"),
    "copy a part of an attachment": _copy_part("a/b", "_attachments/x/y"),  # of `x` it copies no part: a folder, too
    "put an attachment": lambda s3, b, _: s3.put_object(Bucket=b, Key="_attachments/x", Body=b"x"),
    "put the object _attachments": lambda s3, b, _: s3.put_object(Bucket=b, Key="_attachments", Body=b"x"),
    "put the folder of attachments": lambda s3, b, _: s3.put_object(Bucket=b, Key="_attachments/", Body=b""),
    "delete an attachment": lambda s3, b, _: s3.delete_object(Bucket=b, Key="_attachments/x"),
    "delete a version of an attachment": lambda s3, b, _: s3.delete_object(
        Bucket=b, Key="_attachments/x", VersionId="null"
    ),
    "tag an attachment": lambda s3, b, _: s3.put_object_tagging(Bucket=b, Key="_attachments/x", Tagging=_TAGS),  # type: ignore[arg-type]
    "begin a multipart upload of an attachment": _begin("_attachments/x"),
    "upload a part of an attachment": _part("_attachments/x"),
    "complete a multipart upload of an attachment": _complete("_attachments/x"),
    "abort a multipart upload of an attachment": _abort("_attachments/x"),
    "copy over an attachment": _copy("_attachments/x", "a/b"),
    "get a version": lambda s3, b, _: s3.get_object(Bucket=b, Key="a/b", VersionId="null"),
    "list versions": lambda s3, b, _: s3.list_object_versions(Bucket=b),
    "delete a version": lambda s3, b, _: s3.delete_object(Bucket=b, Key="a/b", VersionId="null"),
    "tag": lambda s3, b, _: s3.put_object_tagging(Bucket=b, Key="a/b", Tagging=_TAGS),  # type: ignore[arg-type]
    "untag": lambda s3, b, _: s3.delete_object_tagging(Bucket=b, Key="a/b"),
    "get acl": lambda s3, b, _: s3.get_object_acl(Bucket=b, Key="a/b"),
    "put acl": lambda s3, b, _: s3.put_object_acl(Bucket=b, Key="a/b", ACL="public-read"),
    "hold": lambda s3, b, _: s3.put_object_legal_hold(Bucket=b, Key="a/b", LegalHold={"Status": "ON"}),
    "bucket: GetBucketPolicy": lambda s3, b, _: s3.get_bucket_policy(Bucket=b),
    "bucket: PutBucketPolicy": lambda s3, b, _: s3.put_bucket_policy(
        Bucket=b,
        Policy=f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::{b}/*"}}]}}',
    ),
    "bucket: DeleteBucketPolicy": lambda s3, b, _: s3.delete_bucket_policy(Bucket=b),
    "bucket: GetBucketAcl": lambda s3, b, _: s3.get_bucket_acl(Bucket=b),
    "bucket: PutBucketAcl": lambda s3, b, _: s3.put_bucket_acl(Bucket=b, ACL="public-read"),
    "bucket: GetBucketTagging": lambda s3, b, _: s3.get_bucket_tagging(Bucket=b),
    "bucket: PutBucketTagging": lambda s3, b, _: s3.put_bucket_tagging(Bucket=b, Tagging=_TAGS),  # type: ignore[arg-type]
    "bucket: PutBucketVersioning": lambda s3, b, _: s3.put_bucket_versioning(
        Bucket=b, VersioningConfiguration={"Status": "Suspended"}
    ),
    "bucket: PutLifecycleConfiguration": lambda s3, b, _: s3.put_bucket_lifecycle_configuration(
        Bucket=b,
        LifecycleConfiguration={
            "Rules": [{"ID": "1", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
        },
    ),
    "bucket: PutEncryptionConfiguration": lambda s3, b, _: s3.delete_bucket_encryption(Bucket=b),
    "bucket: DeleteBucket": lambda s3, b, _: s3.delete_bucket(Bucket=b),
}

# Beside the matrix: spellings of an attachment's key that the engine reads as the key itself.
SPELLINGS: Mapping[str, Call] = {
    f"{name} {spelling}": make(spelling)
    for spelling in ("//_attachments/x", "_attachments\\x", "\\_attachments\\x", "_attachments//x", "/_attachments/x")
    for name, make in {
        "batch-delete": _batch_delete,
        "copy out": lambda spelling: _copy("a/c", spelling),
        "copy over": lambda spelling: _copy(spelling, "a/b"),
    }.items()
}
