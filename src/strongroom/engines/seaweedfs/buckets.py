"""What a new bucket is to the engine: one entry of its file system, encrypted and tagged from its first moment.

The engine's own request for it (CreateBucket) makes the master list all collections, and takes a lock twice over in
doing so: when somebody stores the first object of another bucket between the two, the master stands still for good,
and with it every write. Seen once in some thousand buckets that were made and filled eight at a time. Nothing here
asks for that list. Source: observation of SeaweedFS 4.48; `BucketMetadata` of its `s3.proto` (Apache License 2.0).
"""

from collections.abc import Mapping

from strongroom.core.errors import Unavailable
from strongroom.engines.seaweedfs.filer import Filer, message
from strongroom.engines.seaweedfs.settings import DIALECT

_FOLDER = "/buckets"
_ALREADY = "exist"  # the filer says it in words


def create(filer: Filer, name: str, tags: Mapping[str, str]) -> bool:
    """One request. False when there is one of this name, which stays as it is."""
    content = message("BucketMetadata")(
        tags=[message("Pair")(key=key, value=value.encode()) for key, value in tags.items()],
        encryption=message("Encryption")(sse_algorithm="AES256"),
    )
    # As CreateBucket leaves it: the account, and the user whose bucket it is.
    owner = {"Seaweed-X-Amz-Owner": b"admin", "s3-identity-id": DIALECT.control_plane.encode()}
    try:
        filer.make_folder(_FOLDER, name, bytes(content.SerializeToString()), owner)
    except Unavailable as error:
        if _ALREADY in str(error):
            return False
        raise
    return True
