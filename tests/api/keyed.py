"""A machine at the REST edge, with the agent's own signer: each request is signed by the real `ssh-keygen`."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from django.http import HttpResponse
from django.test import Client

from strongroom.agent import signing
from tests.api.callers import PREFIX

Headers = Mapping[str, str]


class KeyedMachine:
    """Signs as `server`, which it learns by joining; `clock` is its own idea of the time."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.public_key = signing.make_key(folder / "key")
        self.server = "join"
        self._signer = signing.Signer(folder / "key", clock)

    def signed(self, what: str, body: bytes) -> dict[str, str]:
        """The headers for a POST of this body to `/api/v1/agent/<what>`."""
        return self._signer.sign("POST", f"{PREFIX}/agent/{what}", body, self.server)

    def ask(self, what: str, body: object = None) -> HttpResponse:
        """Sign and send."""
        content = json.dumps(body or {}).encode()
        return send(what, content, self.signed(what, content))

    def join(self, token: str, **differing: object) -> HttpResponse:
        """Try to become the server of a token."""
        said = {"token": token, "public_key": self.public_key, "hostname": "node-1", "os": "linux", **differing}
        answer = self.ask("join", {**said, "os_version": "Debian 12", "agent_version": "1"})
        if answer.status_code == 200:
            self.server = json.loads(answer.content)["server_id"]
        return answer

    def heartbeat(self, **differing: object) -> HttpResponse:
        """Say how it is."""
        said = {"hostname": "node-1", "os_version": "Debian 12", "agent_version": "1", "mounts": [], **differing}
        return self.ask("heartbeat", said)


def send(what: str, body: bytes, headers: Headers) -> HttpResponse:
    """A request as it is, whoever signed it."""
    return Client().generic(
        "POST", f"{PREFIX}/agent/{what}", body, content_type="application/json", headers=dict(headers)
    )
