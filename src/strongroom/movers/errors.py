"""What can stand in a mover's way.

Problem
├── Refused       S3 said no: trying the same again changes nothing
├── Unreachable   nobody answers, or the answer broke off: worth another try
│   └── Busy      S3 answered that it cannot just now
└── Altered       what arrived is not what was sent
"""

from __future__ import annotations


class Problem(Exception):
    """Said in one line to a person."""


class Refused(Problem):
    """S3 said no. `code` is S3's word for it, such as `AccessDenied`; `status` is that of HTTP."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})" if message else code)
        self.status = status
        self.code = code
        self.message = message

    @property
    def is_access(self) -> bool:
        """Whether it is about who asks: a revoked grant, a finalized data set, an expired key."""
        return self.status in (401, 403)


class Unreachable(Problem):
    """Nobody answers, or the answer broke off. `is_stale`: before a single byte of it, on a connection used before.

    `moved_at`: when the last of a large body went out (by the clock of `time.monotonic`); 0 where nothing of one did.
    """

    moved_at = 0.0

    def __init__(self, message: str, *, is_stale: bool = False) -> None:
        super().__init__(message)
        self.is_stale = is_stale


class Busy(Unreachable):
    """S3 answered that it cannot just now: a 5xx, 429, or a body that came too slowly."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{message or code} (HTTP {status})")
        self.status = status
        self.code = code


class Altered(Problem):
    """What arrived is not what was sent, or is not what the manifest says."""
