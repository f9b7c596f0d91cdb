"""A server's agent reduced to what it asks of the control plane: signed by a key of its own, over HTTP."""

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.core import machine, sshsig
from strongroom.core.machine import SignedRequest
from tests.journeys.api import Api, Refused, Study
from tests.journeys.system import System

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass
class Agent:
    """One server. `headers` of the last request are kept, for whoever wants to send it again."""

    url: str
    server_id: str = machine.JOINING
    sequence: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def ask(self, what: str, **body: Any) -> Any:
        """The answer to one signed request. Raises: Refused."""
        content = json.dumps(body).encode()
        self.sequence = machine.next_sequence(self.sequence, time.time_ns())
        target = f"/api/v1/agent/{what}"
        request = SignedRequest("POST", target, content, self.server_id, self.sequence, int(time.time()))
        public = self.key.public_key().public_bytes_raw()
        armored = sshsig.sign(machine.NAMESPACE, request.message(), public_key=public, sign_raw=self.key.sign)
        self.headers = {**request.headers(armored), "Content-Type": "application/json"}
        return self.send(target, content)

    def send(self, target: str, content: bytes) -> Any:
        """With the headers of the last request."""
        answer = httpx.post(self.url + target, content=content, headers=self.headers, timeout=60)
        if answer.is_error:
            raise Refused(answer.status_code, answer.json())
        return answer.json()

    def join(self, token: str) -> "Agent":
        """Become the server that the token is for."""
        public = sshsig.public_key_line(self.key.public_key().public_bytes_raw(), "test")
        facts = {"os": "linux", "hostname": "test", "os_version": "Debian 12", "agent_version": "1"}
        self.server_id = self.ask("join", token=token, public_key=public, **facts)["server_id"]
        return self

    def s3(self, study: Study) -> "S3Client":
        """A client with fresh credentials of this server, that does not try twice."""
        session = self.ask("credentials")
        return boto3.client(
            "s3",
            endpoint_url=study.endpoint,
            aws_access_key_id=session["access_key_id"],
            aws_secret_access_key=session["secret_access_key"],
            aws_session_token=session["session_token"],
            region_name=study.region,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )


def joined(system: System, api: Api, space_id: str, name: str) -> Agent:
    """A server of the space."""
    enrolment = api.post(f"/spaces/{space_id}/enrolments", name=name, os="linux")
    return Agent(system.door.url).join(enrolment["join_token"])
