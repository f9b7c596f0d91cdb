"""Requests that no client would send: any method, path and header with a good signature, or sent in slow motion."""

import socket
import time
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import httpx
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.journeys.api import Study


@dataclass(frozen=True)
class Answer:
    """Status, and the engine's word for why not (empty for a success)."""

    status: int
    code: str
    body: bytes

    @property
    def is_refused(self) -> bool:
        """Whether it was a refusal of a person, not a mistake in the request that proves nothing."""
        return self.status in (401, 403) or self.code in ("AccessDenied", "InvalidAccessKeyId")


def send(study: Study, method: str, path: str, body: bytes = b"", service: str = "s3", **headers: str) -> Answer:
    """Sign with the data set's key and send; `path` begins after the endpoint. `x_amz_acl` means `x-amz-acl`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method, study.endpoint + path, data=body, headers=named)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(study.access_key_id, study.secret), service, study.region).add_auth(request)
    answer = httpx.request(method, str(request.url), headers=dict(request.headers), content=body, timeout=60)
    return Answer(answer.status_code, _code(answer.content), answer.content)


def query_of(study: Study, **fields: str) -> Answer:
    """A call of the IAM or STS kind, at the public gateway."""
    service = "sts" if fields["Version"] == "2011-06-15" else "iam"
    form = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items()).encode()
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    return send(study, "POST", "/", form, service, Content_Type=kind)


class Slow:
    """A PUT whose head and first half are sent at once; the rest when told."""

    def __init__(self, url: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        lines = {"Host": parts.netloc, "Content-Length": str(len(body)), **(headers or {})}
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        self._rest = body[len(body) // 2 :]
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self._socket.sendall(head.encode() + b"\r\n" + body[: len(body) // 2])
        time.sleep(0.1)

    def trickle(self) -> None:
        """Send one byte more."""
        self._socket.sendall(self._rest[:1])
        self._rest = self._rest[1:]

    def finish(self) -> int:
        """Send the rest: the status, or 0 when the connection was cut."""
        try:
            self._socket.sendall(self._rest)
            answered = self._socket.recv(65536)
        except OSError:
            return 0
        finally:
            self._socket.close()
        return int(answered.split(b" ")[1]) if answered else 0

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def slow_signed(study: Study, key: str, body: bytes) -> Slow:
    """A slow PUT with a signature in its head, over the whole body."""
    request = AWSRequest("PUT", f"{study.endpoint}/{study.repository}/{quote(key)}", data=body)
    S3SigV4Auth(Credentials(study.access_key_id, study.secret), "s3", study.region).add_auth(request)
    return Slow(str(request.url), body, {k: str(v) for k, v in request.headers.items()})


def _code(body: bytes) -> str:
    if b"<Code>" not in body:
        return ""
    return body.split(b"<Code>")[1].split(b"<")[0].decode()
