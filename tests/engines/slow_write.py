"""A PUT whose body is being sent, and waiting for what becomes true soon."""

import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.engine_fixture import Running

from strongroom.engines.protocol import AccessKey


class SlowWrite:
    """A PUT whose body is being sent: the head and the first half are there, the rest waits."""

    def __init__(
        self,
        running: Running,
        repository: str,
        key: str,
        credentials: AccessKey,
        content: bytes,
        *,
        through: int | None = None,
    ) -> None:
        """`through`: a port of this machine that leads to the gateway."""
        url = f"{running.settings.endpoint}/{repository}/{key}"
        headers = {"Content-Length": str(len(content)), "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
        request = AWSRequest("PUT", url, headers=headers)
        request.context["payload_signing_enabled"] = False
        S3SigV4Auth(Credentials(credentials.access_key_id, credentials.secret), "s3", "us-east-1").add_auth(request)
        at = urlsplit(url)
        lines = [f"PUT {at.path} HTTP/1.1", f"Host: {at.netloc}", *(f"{k}: {v}" for k, v in request.headers.items())]
        self._socket = socket.create_connection((at.hostname or "", through or at.port or 0), timeout=120)
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + content[: len(content) // 2])
        self._rest = content[len(content) // 2 :]

    def finish(self, *, closes: bool = True) -> int:
        """Send the rest; the status, 0 where the connection was cut."""
        try:
            self._socket.sendall(self._rest)
            answer = self._socket.recv(4096)
        except OSError:
            answer = b""
        if closes:
            self.close()
        return int(answer.split()[1]) if answer else 0

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def until(is_so: Callable[[], bool]) -> None:
    """Wait, a minute at most."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
