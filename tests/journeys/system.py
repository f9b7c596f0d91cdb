"""A whole Strongroom as `python -m strongroom.runtime up` starts it: real processes, real engine, real HTTP."""

import contextlib
import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from strongroom.engines.seaweedfs.clients import s3_client
from strongroom.engines.seaweedfs.configuration import load_credentials
from strongroom.engines.seaweedfs.engine import SeaweedEngine
from strongroom.engines.seaweedfs.settings import Ports, SeaweedSettings
from tests.journeys.api import Api, Study
from tests.runtime.front_door import FrontDoor, front_door

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_s3 import S3Client

DEAD = ("AccessDenied", "InvalidAccessKeyId")
ADMINISTRATOR = "admin@localhost"


@dataclass
class System:
    """What a test may do to it: as a person over the API, as a client of the gateway, as the engine's administrator."""

    door: FrontDoor
    _apis: dict[str, Api] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # People

    @property
    def administrator(self) -> Api:
        """Who signed in first."""
        return self._apis[ADMINISTRATOR]

    def sign_in(self, code: str, email: str) -> Api:
        """A person's API, with the token that their one-time code gives."""
        nobody = Api(self.door.url)
        token = nobody.post("/sign-in", code=code)["token"]
        nobody.close()
        self._apis[email] = Api(self.door.url, token)
        return self._apis[email]

    def person(self, name: str, staff_role: str | None = None) -> tuple[Api, str]:
        """Somebody new, and their address."""
        email = f"{name}{next(self._numbers)}@example.org"
        made = self.administrator.post("/people", email=email, name=name, staff_role=staff_role)
        return self.sign_in(made["sign_in_code"], email), email

    # Data sets

    @cached_property
    def owner(self) -> Api:
        """Who keeps the data sets of the tests that do not care who does."""
        return self.person("owner")[0]

    @cached_property
    def space_id(self) -> str:
        """A high-risk space of `owner`."""
        made = self.owner.post("/spaces", name=f"Space {next(self._numbers)}", risk_level="high")
        return str(made["id"])

    def study(self, *, has_key: bool = True, **fields: Any) -> Study:
        """A pending data set of `owner`, an original with a fresh key unless told otherwise."""
        name = f"Data set {next(self._numbers)}"
        values = {"space_id": self.space_id, "kind": "original", "name": name, **fields}
        made = self.owner.post("/datasets", **values)
        study = Study(self.owner, made["id"], made["name"], made["repository"], self.gateway)
        return study.issue() if has_key else study

    def uploaded(self, count: int = 3, **fields: Any) -> Study:
        """A pending data set with some objects in it."""
        study = self.study(**fields)
        s3 = self.s3(study)
        for number in range(count):
            s3.put_object(Bucket=study.repository, Key=f"first/{number}.csv", Body=f"row {number}\n".encode())
        return study

    def finalized(self, study: Study, **options: Any) -> Any:
        """Finalize and wait for the end; the data set then."""
        study.finalize(**options)
        return self.settled(study)

    def settled(self, study: Study, state: str = "finalized", seconds: float = 150) -> Any:
        """The data set once nothing is left to do for it."""

        def is_settled() -> bool:
            shown = study.show()
            return bool(shown["state"] == state and shown["is_settled"])

        self.until(is_settled, f"{study.name} to be {state} and settled", seconds, more=study.show)
        return study.show()

    def at_rest(self) -> "System":
        """Once the worker has nothing left to do for the data sets of any test that came before."""
        where = f"file:{self.door.home / 'strongroom.sqlite3'}?mode=ro"

        def is_settled() -> bool:
            with contextlib.closing(sqlite3.connect(where, uri=True, timeout=60)) as rows:
                left = rows.execute("SELECT count(*) FROM strongroom_dataset WHERE NOT is_settled").fetchone()[0]
            return bool(left == 0)

        self.until(is_settled, "every data set to be settled")
        return self

    # The engine

    @property
    def gateway(self) -> str:
        """The public S3 endpoint."""
        return f"http://{self.door.more.get('STRONGROOM_GATEWAY_HOST', '127.0.0.1')}:{self.door.first_port + 1}"

    @cached_property
    def settings(self) -> SeaweedSettings:
        """The embedded engine's, as the home tells them."""
        port = self.door.first_port
        return SeaweedSettings(self.door.home / "engine", "ss", public_port=port + 1, ports=Ports(port + 2))

    @cached_property
    def engine(self) -> SeaweedEngine:
        """The engine as the control plane reaches it, with the home's secrets."""
        return SeaweedEngine(self.settings)

    @cached_property
    def admin_s3(self) -> "S3Client":
        """The engine's own administrator at the private gateway."""
        return s3_client(self.settings, lambda _: None)

    @cached_property
    def admin_iam(self) -> "IAMClient":
        """The engine's own administrator of users."""
        admin = load_credentials(self.settings).admin
        return boto3.client(
            "iam",
            endpoint_url=self.settings.private_endpoint,
            aws_access_key_id=admin.access_key_id,
            aws_secret_access_key=admin.secret,
            region_name="us-east-1",
        )

    def s3(self, study: Study) -> "S3Client":
        """A plain boto3 client with the data set's key, at the public gateway, that does not try twice."""
        return client(study, "s3")

    def listing(self, repository: str) -> dict[str, tuple[int, str]]:
        """Size and ETag by key, as the engine's administrator sees them, attachments too."""
        return {each.key: (each.size_bytes, each.etag) for each in self.engine.list_objects(repository)}

    def keys_in_engine(self) -> dict[str, list[str]]:
        """The access key ids of every user of the engine."""
        names = [each["UserName"] for each in self.admin_iam.list_users()["Users"]]
        return {name: self.engine.access_key_ids(name) for name in names}

    def s3_is_dead(self, study: Study) -> bool:
        """Whether the gateway refuses the data set's key, for reading and for writing."""
        s3 = self.s3(study)
        return all(
            code_of_refusal(deed) in DEAD
            for deed in (
                lambda: s3.list_objects_v2(Bucket=study.repository),
                lambda: s3.put_object(Bucket=study.repository, Key="dead.csv", Body=b"?"),
            )
        )

    # Waiting

    def until(
        self, true: Callable[[], bool], what: str, seconds: float = 120, *, more: Callable[[], object] = str
    ) -> float:
        """Wait; the seconds it took. Fails with the logs."""
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > seconds:
                raise AssertionError(f"waited {seconds:g} s in vain for {what}\n{more()}\n{self.logs()}")
            time.sleep(0.05)
        return time.monotonic() - began

    def logs(self) -> str:
        """The ends of all logs."""
        found = [self.door.output_file, *sorted((self.door.home / "log").glob("*.log"))]
        return "\n".join(f"--- {each.name}\n" + _tail(each) for each in found)

    def close(self) -> None:
        for api in self._apis.values():
            api.close()


def code_of_refusal(deed: Callable[[], object]) -> str:
    """The engine's word for why it did not; empty when it did."""
    try:
        deed()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def client(study: Study, service: str, **config: Any) -> Any:
    """A boto3 client with the data set's key, at the public gateway, that does not try twice."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=study.endpoint,
        aws_access_key_id=study.access_key_id,
        aws_secret_access_key=study.secret,
        region_name=study.region,
        config=Config(
            **{"s3": {"addressing_style": "path"}, "retries": {"total_max_attempts": 1}, "read_timeout": 60, **config}
        ),
    )


@contextlib.contextmanager
def running(folder: Path, **settings: str) -> Iterator[System]:
    """Start it with these settings, sign the administrator in, and leave nothing behind.

    `{port}` in a setting is the web server's.
    """
    home = folder / "home"
    with front_door(home, engine="seaweedfs", more={"STRONGROOM_" + k.upper(): v for k, v in settings.items()}) as door:  # type: ignore[arg-type]
        door.more = {name: value.replace("{port}", str(door.first_port)) for name, value in door.more.items()}
        if "database_url" not in settings:
            door.with_tables()
        door.start()
        system = System(door)
        code = door.code()
        assert code, door.output
        system.sign_in(code, ADMINISTRATOR)
        try:
            yield system
        except Exception as problem:
            problem.add_note(system.logs())
            raise
        finally:
            system.close()


def _tail(path: Path, size: int = 3000) -> str:
    return path.read_bytes()[-size:].decode(errors="replace")
