"""The instance metadata service of AWS, version 2 (and 1 where root switched it on), for this server's session.

Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata" and "Retrieve security
credentials from instance metadata".
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping

from strongroom.agent.callers import Callers
from strongroom.agent.problems import Trouble
from strongroom.agent.renewal import Renewal, instant
from strongroom.agent.web import LocalHandler, LocalServer

ROLE = "strongroom"
LONGEST_TOKEN_SECONDS = 21600
_TOKEN = "X-aws-ec2-metadata-token"
_TOKEN_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_VERSION = re.compile(r"/(?:latest|1\.0|20\d\d-\d\d-\d\d)(/.*|)")
_NAMES = "/meta-data/iam/security-credentials"
_CREDENTIALS = f"{_NAMES}/{ROLE}"


class Tokens:
    """Session tokens that need no memory: each carries its end, under a key that lives as long as the agent."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._clock = clock

    def issue(self, seconds: int) -> str:
        """A token that is valid for so long."""
        content = int((self._clock() + seconds) * 1000).to_bytes(8, "big") + secrets.token_bytes(8)
        return base64.urlsafe_b64encode(content + self._mac(content)).decode()

    def is_valid(self, token: str) -> bool:
        """Whether we issued it and its time is not over."""
        try:
            raw = base64.b64decode(token.encode("ascii"), b"-_", validate=True)
        except (ValueError, binascii.Error):
            return False
        content, mac = raw[:16], raw[16:]
        return hmac.compare_digest(mac, self._mac(content)) and self._clock() * 1000 < int.from_bytes(
            content[:8], "big"
        )

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")


class MetadataServer(LocalServer):
    """`tree` tells the fixed paths below `latest`, anew with each request."""

    def __init__(
        self,
        address: tuple[str, int],
        who: Callers,
        renewal: Renewal,
        tree: Callable[[], Mapping[str, str]],
        *,
        has_v1: bool = False,
        hop_limit: int = 1,
    ) -> None:
        self.renewal = renewal
        self.tree = tree
        self.has_v1 = has_v1
        self.tokens = Tokens()
        super().__init__(address, _Handler, who, hop_limit=hop_limit)


class _Handler(LocalHandler):
    server: MetadataServer

    def do_PUT(self) -> None:  # noqa: N802  the name http.server looks for
        """Issue a token. What came through a proxy gets none: that is how AWS stops forged requests of web servers."""
        if not self.is_chosen():
            return
        if not self.drain():
            self.close_connection = True
            self.answer(400, "The request's body makes no sense.\n")
        elif self.path != "/latest/api/token":
            self.answer(405, "Only /latest/api/token takes PUT.\n", Allow="GET, HEAD")
        elif self.headers.get("X-Forwarded-For") is not None:
            self.answer(403, "A request with X-Forwarded-For gets no token.\n")
        else:
            self._issue(self.headers.get(_TOKEN_TTL) or "")

    def _issue(self, ttl: str) -> None:
        if not (ttl.isascii() and ttl.isdigit() and 1 <= int(ttl[:9]) <= LONGEST_TOKEN_SECONDS):
            self.answer(400, f"{_TOKEN_TTL} must say from 1 to {LONGEST_TOKEN_SECONDS} seconds.\n")
            return
        self.answer(200, self.server.tokens.issue(int(ttl)), **{_TOKEN_TTL: ttl})

    def do_GET(self) -> None:  # noqa: N802
        """Tell what is at a path."""
        if not self.is_chosen():
            return
        self.close_connection = self.close_connection or not self.drain()
        path = self.path.partition("?")[0]
        if path in ("", "/"):
            below: str | None = None
        else:
            found = _VERSION.fullmatch(path)
            below = found.group(1).rstrip("/") if found else "/nothing"
        if self._is_admitted(below):
            self._tell(below)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:  # noqa: N802
        """Nothing takes what AWS's does not."""
        self.drain()
        self.close_connection = True
        self.answer(405, "This method does not exist here.\n", Allow="GET, HEAD, PUT")

    do_DELETE = do_PATCH = do_OPTIONS = do_POST  # noqa: N815

    def _is_admitted(self, below: str | None) -> bool:
        token = self.headers.get(_TOKEN)
        if token is not None:
            is_admitted, why = self.server.tokens.is_valid(token), "The token is not ours or has expired"
        else:
            # s3fs asks for the *name* of the role without a token, whatever it uses afterwards. The name is the same
            # on every server and opens nothing.
            is_admitted, why = self.server.has_v1 or below == _NAMES, "IMDSv1 is off and there is no token"
        if not is_admitted:
            self.answer(401, f"{why}: PUT /latest/api/token gives one, for the header {_TOKEN}.\n")
        return is_admitted

    def _tell(self, below: str | None) -> None:
        if below is None:
            self.answer(200, "latest")
        elif below == _CREDENTIALS:
            self.answer(200, json.dumps(credentials(self.server.renewal), indent=2), "text/plain")
        else:
            self._tell_fixed(below)

    def _tell_fixed(self, below: str) -> None:
        tree = {**self.server.tree(), _CREDENTIALS: ""}
        if below in tree:
            self.answer(200, tree[below])
        elif names := listing(tree, below):
            self.answer(200, "\n".join(names))
        else:
            self.answer(404, "Nothing is at this path.\n")


def listing(tree: Mapping[str, str], folder: str) -> list[str]:
    """What is directly in a folder, folders with a slash at the end; empty when there is no such folder."""
    inside = [path[len(folder) + 1 :] for path in tree if path.startswith(f"{folder}/")]
    return sorted({each.partition("/")[0] + ("/" if "/" in each else "") for each in inside})


def credentials(renewal: Renewal) -> dict[str, str]:
    """The document of a role, or what AWS sends in its place when the role cannot be assumed, with our reason."""
    try:
        session = renewal.current()
    except Trouble as trouble:
        return {
            "Code": "AssumeRoleUnauthorizedAccess",
            "LastUpdated": instant(renewal.now()),
            "Message": str(trouble),
        }
    return {
        "Code": "Success",
        "LastUpdated": instant(session.received),
        "Type": "AWS-HMAC",
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret,
        "Token": session.token,
        "Expiration": session.expires_at,
    }
