"""Made-up requests, right and wrong ones, to every operation: no server error, and no answer that is not documented."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import requests
import schemathesis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from strongroom.actions import attachments, members
from strongroom.core.actor import Actor
from strongroom.core.machine import JOINING
from strongroom.core.vocabulary import AttachmentKind, Kind, Role, StaffRole
from strongroom.hosts.memory import MemoryHost
from tests.bearers import secret_of
from tests.machines import Machine
from tests.world import World


class Sending:
    """Signs, to the byte and as `machine`, whatever comes with a made-up signature, on its way to the application."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.machine: Machine | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """The web application's answer."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if self.machine and "HTTP_STRONGROOM_SIGNATURE" in environ:
            query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
            call = self.machine.call(environ["PATH_INFO"] + query, body, method=environ["REQUEST_METHOD"])
            named = {name.upper().replace("-", "_"): value for name, value in call.headers.items()}
            environ |= {f"HTTP_{name}": value for name, value in named.items()}
        return self._application({**environ, "wsgi.input": BytesIO(body)}, start_response)


SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
SENDING = Sending(get_wsgi_application())
SIGNED = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", SENDING)
BOUNDED = settings(
    # What the database minds, such as a letter that it cannot hold, is among the first.
    max_examples=6 if connection.vendor == "postgresql" else 15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
# That a request which fits the schema is carried out: a name may still be taken, a state closed, a character unseen.
NOT_PROMISED = [positive_data_acceptance]


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """A request would close the connection whose transaction the test runs in; Django's test client sees to it too."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


Placed = Callable[[schemathesis.Case], schemathesis.Case]


@pytest.fixture
def everybody(world: World) -> Actor:
    """An administrator who also owns the one space there is: nothing is refused for want of a role."""
    return world.person("omni", staff_role=StaffRole.ADMINISTRATOR)


@pytest.fixture
def secret(everybody: Actor) -> str:
    """Their token, which is none of those that `placed` offers to a request."""
    return secret_of(everybody)


@pytest.fixture
def placed(world: World, host: MemoryHost, everybody: Actor) -> Placed:
    """Puts the id of something that exists in the place of each id, so that requests get past the door."""
    space = world.space(everybody)
    victim = world.person("victim")
    members.add(everybody, space.id, email=victim.email, role=Role.STEWARD)
    dataset = world.dataset(space, by=everybody, kind=Kind.DERIVATIVE)
    file = SimpleUploadedFile("a.txt", b"a").file
    document = attachments.add(everybody, dataset.id, filename="a.txt", title="A", kind=AttachmentKind.OTHER, body=file)
    ids = {
        "space_id": space.id,
        "person_id": victim.person_id,
        "dataset_id": dataset.id,
        "attachment_id": document.id,
        "server_id": world.granted(world.finalized(world.dataset(space, by=everybody))).row.id,
    }
    names = {"confirm_name": dataset.name, "offering": "linux-small"}

    def place(case: schemathesis.Case) -> schemathesis.Case:
        for values in (case.path_parameters, case.query, case.body):
            if isinstance(values, dict):
                _replace(values, ids, names)
        return case

    return place


@SCHEMA.include(operation_id=["person.sign_in", "receipt.key", "agent.join", "agent.download"]).parametrize()
@BOUNDED
def test_a_stranger_gets_documented_answers_only(case: schemathesis.Case, world: World) -> None:
    _check(case, None)


@SCHEMA.parametrize()
@BOUNDED
def test_somebody_who_may_everything_gets_documented_answers_only(
    case: schemathesis.Case, secret: str, placed: Placed
) -> None:
    _check(placed(case), secret)


@SIGNED.include(operation_id=["agent.join", "agent.heartbeat", "agent.credentials", "agent.manifest"]).parametrize()
@BOUNDED
def test_a_machine_that_signs_gets_documented_answers_only(case: schemathesis.Case, world: World) -> None:
    SENDING.machine = world.machine(world.space())
    if case.path.endswith("/join"):
        SENDING.machine.server_id = JOINING
    case.call_and_validate(excluded_checks=[*NOT_PROMISED, ignored_auth])


def _replace(values: dict[str, Any], ids: dict[str, UUID], names: dict[str, str]) -> None:
    """What is wrong on purpose, such as an id that is none, stays wrong."""
    for name, value in values.items():
        if name in ids and _is_id(value):
            values[name] = str(ids[name])
        elif name in names and isinstance(value, str):
            values[name] = names[name]


def _is_id(value: object) -> bool:
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


def _check(case: schemathesis.Case, secret: str | None) -> None:
    headers: dict[str, Any] = {"Authorization": f"Bearer {secret}"} if secret else {}
    excluded = [*NOT_PROMISED, *([negative_data_rejection] if _is_partly_lost(case.query or {}) else [])]
    case.call_and_validate(headers=headers, excluded_checks=excluded)


def _is_partly_lost(query: dict[str, Any]) -> bool:
    """Whether what is wrong with it may be a parameter that no address can carry, such as an empty list."""
    address = requests.Request("GET", "http://localhost/", params=query).prepare().url
    return not set(query) <= set(parse_qs(urlsplit(address or "").query, keep_blank_values=True))
