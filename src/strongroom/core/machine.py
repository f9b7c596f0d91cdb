"""How a server signs what it asks of the control plane: the exact bytes; refuses to know who signs or verifies them.

Standard library only and no import of ours: the agent on a server carries this very file.
"""

import hashlib
import re
from dataclasses import dataclass

NAMESPACE = "strongroom-agent"
JOINING = "join"
"""What stands in place of the server's id in the one request that is made before it has one."""

SERVER_HEADER = "Strongroom-Server"
SEQUENCE_HEADER = "Strongroom-Sequence"
TIME_HEADER = "Strongroom-Time"
SIGNATURE_HEADER = "Strongroom-Signature"

CLOCK_TOLERANCE_SECONDS = 300
LARGEST_SEQUENCE = 2**63 - 1

_NUMBER = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True)
class SignedRequest:
    """One request as it is signed. `target` is path and query as sent; `at` is whole Unix seconds.

    `sequence` grows with every request of a server, so that none can be sent again.
    """

    method: str
    target: str
    body: bytes
    server: str
    sequence: int
    at: int

    def message(self) -> bytes:
        """What is signed. No part can run into the next: only the target is free text, and it holds no line break.

        Raises: ValueError for a part that holds a line break.
        """
        parts = (
            "strongroom-agent-v1",
            self.method.upper(),
            self.target,
            hashlib.sha256(self.body).hexdigest(),
            self.server,
            str(self.sequence),
            str(self.at),
        )
        if any("\n" in part or "\r" in part for part in parts):
            raise ValueError("no part of a signed request may hold a line break")
        return ("\n".join(parts) + "\n").encode()

    def headers(self, armored: str) -> "dict[str, str]":
        """The headers that carry the request's signature, as `ssh-keygen -Y sign` armors it."""
        return {
            SERVER_HEADER: self.server,
            SEQUENCE_HEADER: str(self.sequence),
            TIME_HEADER: str(self.at),
            SIGNATURE_HEADER: "".join(line for line in armored.splitlines() if not line.startswith("-----")),
        }


def armored(header: str) -> str:
    """The signature file that a `Strongroom-Signature` header stands for; nothing is checked yet."""
    lines = [header[start : start + 70] for start in range(0, len(header), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])


def number(header: str) -> int:
    """A sequence or a time from its header. Raises: ValueError."""
    if not _NUMBER.fullmatch(header) or int(header) > LARGEST_SEQUENCE:
        raise ValueError(f"not a number: {header[:40]!r}")
    return int(header)


def next_sequence(last: int, now_nanoseconds: int) -> int:
    """Greater than the last, also where the clock went back."""
    return max(last + 1, now_nanoseconds)
