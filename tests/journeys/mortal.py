"""The real engine, seen from a process that kills itself, with SIGKILL, at a chosen engine call."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from strongroom.engines import AccessKey
from strongroom.engines.seaweedfs.configuration import load_credentials
from strongroom.engines.seaweedfs.engine import SeaweedEngine
from tests.actions.rules import protocol_methods

OURS = ("servers", "admin-")


class WatchedEngine(SeaweedEngine):
    """With what a test wants to know besides: who has keys, and whether a key writes."""

    def principals(self) -> set[str]:
        """Every user of the engine that is not Strongroom's own."""
        admin = load_credentials(self.settings).admin
        iam = boto3.client(
            "iam",
            endpoint_url=self.settings.private_endpoint,
            region_name=self.region,
            aws_access_key_id=admin.access_key_id,
            aws_secret_access_key=admin.secret,
        )
        users = iam.list_users()["Users"]
        return {each["UserName"] for each in users if not each["UserName"].startswith(OURS)}

    def put_as(self, key: AccessKey, repository: str, name: str, content: bytes) -> bool:
        """Write at the public gateway with a key; whether it was let."""
        request = AWSRequest("PUT", f"{self.public_endpoint}/{repository}/{name}", data=content)
        S3SigV4Auth(Credentials(key.access_key_id, key.secret), "s3", self.region).add_auth(request)
        answer = httpx.put(str(request.url), content=content, headers=dict(request.headers), timeout=60)
        assert answer.status_code in (200, 403), answer.text
        return answer.status_code == 200

    def warm(self) -> "WatchedEngine":
        """Make the client, which takes long, and connect nowhere: a process that is forked off has it ready."""
        assert self._s3 is not None
        return self


class MortalEngine(WatchedEngine):
    """Moment 1 is before the first engine call, moment n + 1 after the n-th; at the chosen one the process is dead.

    `note` hears each moment before it counts.
    """

    ends_at = 0
    moments = 0
    note: Callable[[str], None]

    def moment(self, what: str) -> None:
        """Die here, if this is the one."""
        self.moments += 1
        self.note(what)
        if self.moments == self.ends_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _mortal(name: str) -> Callable[..., Any]:
    act = getattr(SeaweedEngine, name)

    def call(self: MortalEngine, *args: Any, **options: Any) -> Any:
        if self.moments == 0:
            self.moment(f"before {name}")
        answer = act(self, *args, **options)
        if isinstance(answer, Iterator):
            return _to_the_end(self, name, answer)
        self.moment(f"after {name}")
        return answer

    return call


def _to_the_end(engine: MortalEngine, name: str, answers: Iterator[Any]) -> Iterator[Any]:
    yield from answers
    engine.moment(f"after {name}")


for _name in protocol_methods():
    setattr(MortalEngine, _name, _mortal(_name))
