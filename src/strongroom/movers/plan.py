"""What has to be done for one file, by what is known of it; and in which parts a file goes."""

from __future__ import annotations

from enum import Enum

from strongroom.movers.journal import Known
from strongroom.movers.walk import File

MIB = 1024 * 1024
PART_BYTES = 16 * MIB
MOST_PARTS = 10_000  # Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits"
ONE_PIECE_BYTES = PART_BYTES
# Parts of other programs: rclone and awscrt, the AWS CLI, ours, s5cmd, and round numbers of people.
_USUAL_PARTS = tuple(MIB * size for size in (5, 8, 10, 16, 32, 50, 64, 100, 128))


class Step(Enum):
    """What happens with a file."""

    SEND = "send"
    COMPARE = "compare"  # something of its size is there: read, and sent only when it differs
    KEEP = "keep"  # it was sent, and neither the file nor the object has changed since


def step(file: File, known: Known | None, *, trusts_times: bool = True) -> Step:
    """What has to be done. `trusts_times`: size and time of change tell whether a file that was sent has changed."""
    if known is None or known.stored is None or known.stored.size_bytes != file.size_bytes:
        return Step.SEND
    sent, stored = known.sent, known.stored
    is_same = (
        sent is not None
        and (sent.size_bytes, sent.mtime_ns) == (file.size_bytes, file.mtime_ns)
        and (sent.size_bytes, sent.etag) == (stored.size_bytes, stored.etag)
    )
    return Step.KEEP if is_same and trusts_times else Step.COMPARE


def part_bytes(size_bytes: int) -> int:
    """How large the parts of a file are: it depends on nothing but its size, so that every run cuts it alike."""
    at_least = -(-size_bytes // MOST_PARTS)
    return max(PART_BYTES, -(-at_least // MIB) * MIB)


def parts_of_etag(etag: str, size_bytes: int) -> int:
    """In which parts an object of this ETag was most likely sent; 0 where in one piece, or nobody can say."""
    count = int(etag.rpartition("-")[2]) if "-" in etag and etag.rpartition("-")[2].isdigit() else 0
    likely = (part_bytes(size_bytes), *_USUAL_PARTS)
    return next((each for each in likely if count and -(-size_bytes // each) == count), 0)
