"""Whether the requests that a gateway was serving at some moment have ended, also while it goes on serving others."""

import json

import structlog

from strongroom.engines.seaweedfs.connections import are_over, written_bytes

log = structlog.get_logger()
# Every S3 answer has more in its head alone; `100 Continue` has 25 bytes.
ANSWER_BYTES = 100


def mark(port: int) -> str:
    """The connections of a gateway now, as JSON; empty where the kernel does not tell them."""
    try:
        return json.dumps(written_bytes(port))
    except OSError as error:
        log.warning("connections_unknown", port=port, error=str(error))
        return ""


def is_over(mark: str, port: int, *, is_encrypted: bool) -> bool:
    """Whether nothing is left of what the mark saw. False where nothing can be known."""
    if not mark:
        return False
    try:
        return are_over(json.loads(mark), written_bytes(port), 0 if is_encrypted else ANSWER_BYTES)
    except OSError:
        return False
