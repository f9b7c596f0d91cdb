"""A machine with a key of its own, which asks the control plane as an agent does: signed, one request at a time."""

import json
import time
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.actions import agents
from strongroom.actions.agents import Call, Joined, Joining, Mount, Report, Standing
from strongroom.core import machine, sshsig
from strongroom.core.errors import Refusal
from strongroom.core.machine import SignedRequest
from strongroom.core.vocabulary import OperatingSystem
from strongroom.db.models import Server
from strongroom.engines.protocol import Session

HEARTBEAT = "/api/v1/agent/heartbeat"


class Machine:
    """One machine. `server_id` is what it signs as; it learns it by joining."""

    def __init__(self, address: str = "192.0.2.50") -> None:
        self.address = address
        self.server_id: str = machine.JOINING
        self.sequence = 0
        self._key = Ed25519PrivateKey.generate()

    @property
    def public_key(self) -> str:
        """The line of its `.pub` file."""
        return sshsig.public_key_line(self._key.public_key().public_bytes_raw(), "root@machine")

    @property
    def row(self) -> Server:
        """What is known of it now."""
        return Server.objects.select_related("space").get(id=UUID(self.server_id))

    def call(
        self, target: str = HEARTBEAT, body: bytes = b"{}", *, method: str = "POST", skew_seconds: int = 0
    ) -> Call:
        """The next request, signed by a clock that is so much ahead."""
        self.sequence = machine.next_sequence(self.sequence, time.time_ns())
        at = int(time.time()) + skew_seconds
        request = SignedRequest(method, target, body, self.server_id, self.sequence, at)
        signature = sshsig.sign(
            machine.NAMESPACE,
            request.message(),
            public_key=self._key.public_key().public_bytes_raw(),
            sign_raw=self._key.sign,
        )
        return Call(method, target, body, request.headers(signature), self.address, "test")

    def join(self, token: str, *, os: OperatingSystem = OperatingSystem.LINUX) -> Joined:
        """Become the server that the token is for."""
        self.server_id = machine.JOINING
        said = Joining(token, self.public_key, "genomics", os, "Debian 12", "1.0")
        call = self.call("/api/v1/agent/join", json.dumps({"token": token}).encode())
        joined = agents.join(call, said)
        self.server_id = str(joined.server.id)
        return joined

    def heartbeat(self, *mounts: Mount, ssh_host_key: str = "", ssh_host: str = "") -> Standing:
        """Say that it is there, and where people log in, if they do."""
        here = agents.authenticate(self.call())
        return agents.heartbeat(here, Report("Debian 12", "1.0", "genomics", mounts, ssh_host_key, ssh_host))

    def session(self) -> Session:
        """Fresh credentials."""
        return agents.credentials(agents.authenticate(self.call("/api/v1/agent/credentials")))


def refusal_of(call: Call) -> Refusal:
    """Why a request is not taken; it says the way out."""
    with pytest.raises(Refusal) as refusal:
        agents.authenticate(call)
    assert refusal.value.way_out
    return refusal.value
