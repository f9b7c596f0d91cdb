"""Small signed requests to the engine, for which the AWS client is too slow or too clever."""

import hashlib
import socket
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import urllib3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ConnectionClosedError
from botocore.httpsession import URLLib3Session

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say

_POOL = 32
# Head and body go out in two pieces; without this the second one waits 40 ms for the first one's acknowledgement.
_SOCKET = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


@dataclass(frozen=True)
class Answer:
    """What came back. `body` is the whole of it."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The beginning of the body, for messages."""
        return self.body[:300].decode(errors="replace")


class Http:
    """Requests over kept connections; may be used by many threads. `on_request` hears of each, by name."""

    def __init__(self, *, timeout_seconds: int = 30, on_request: Callable[[str], None] = lambda _: None) -> None:
        # The certificate of the gateway names what people call it, not the loopback address used here.
        self._session = URLLib3Session(
            verify=False,
            timeout=timeout_seconds,
            max_pool_connections=_POOL,
            socket_options=_SOCKET,  # type: ignore[arg-type]  # the stubs are wrong: urllib3 takes tuples
        )
        self._on_request = on_request
        self._lock = threading.Lock()

    def get(self, url: str) -> Answer:
        """Unsigned."""
        return self._send("GET", AWSRequest("GET", url).prepare())

    def put_nothing(self, endpoint: str) -> Answer:
        """An empty PUT by nobody, which every gateway refuses; over a connection of its own."""
        request = AWSRequest("PUT", f"{endpoint}/strongroom/nothing", data=b"", headers={"Connection": "close"})
        return self._send("s3.PutNothing", request.prepare())

    def s3(
        self,
        name: str,
        endpoint: str,
        path: str,
        query: Mapping[str, str],
        credentials: Credentials,
        region: str,
    ) -> Answer:
        """A signed S3 GET, over a connection of its own: an idle one would look like a write that stands still."""
        request = AWSRequest("GET", f"{endpoint}{quote(path)}?{urlencode(query, quote_via=quote)}")
        S3SigV4Auth(credentials, "s3", region).add_auth(request)
        request.headers["Connection"] = "close"
        return self._send(name, request.prepare())

    def put(
        self,
        name: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        credentials: Credentials,
        region: str,
    ) -> Answer:
        """A signed S3 PUT of something small."""
        request = AWSRequest("PUT", url, data=body, headers=dict(headers))
        S3SigV4Auth(credentials, "s3", region).add_auth(request)
        return self._send(name, request.prepare())

    def form(
        self,
        name: str,
        endpoint: str,
        fields: Mapping[str, str],
        credentials: Credentials,
        *,
        service: str,
        region: str,
    ) -> Answer:
        """A signed form of the IAM and STS kind."""
        body = urlencode(fields)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Amz-Content-SHA256": hashlib.sha256(body.encode()).hexdigest(),
        }
        request = AWSRequest("POST", f"{endpoint}/", data=body, headers=headers)
        SigV4Auth(credentials, service, region).add_auth(request)
        return self._send(name, request.prepare())

    def _send(self, name: str, request: AWSPreparedRequest) -> Answer:
        self._on_request(name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
                response = self._sent(request)
            return Answer(response.status_code, response.content)
        except BotoCoreError as error:
            address = "/".join(request.url.split("/")[:3])
            raise Unavailable(
                say("The storage engine does not answer at {address}.", address=address),
                way_out=say(
                    "See whether it runs (`strongroom system status`); Strongroom goes on by itself when it does."
                ),
            ) from error

    def _sent(self, request: AWSPreparedRequest) -> AWSResponse:
        try:
            return self._session.send(request)
        except ConnectionClosedError:  # a kept one, which the engine closed when it was restarted
            return self._session.send(request)
