"""A whole Strongroom, started as `make up` starts it, and people who speak to it over HTTP."""

import http.client
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.runtime.front_door import FrontDoor, front_door


class Person:
    """One kept connection with a token; not for several threads. Raises: RuntimeError for any refusal."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Host": "localhost", "Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, body: "dict[str, Any] | None" = None, **query: object) -> Any:
        """The JSON of the answer."""
        where = f"/api/v1{path}" + (f"?{urlencode(query)}" if query else "")
        self._connection.request(method, where, json.dumps(body) if body is not None else None, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {where}: {answer.status} {content[:300]!r}")
        return json.loads(content) if content else None


@dataclass(frozen=True)
class Whole:
    """A running installation with a space; `person()` is its owner, over a connection of their own."""

    door: FrontDoor
    token: str
    space_id: str

    @property
    def gateway(self) -> str:
        """The public S3 endpoint."""
        return f"http://127.0.0.1:{self.door.first_port + 1}"

    def person(self) -> Person:
        """The administrator, who owns the space."""
        return Person(self.door.first_port, self.token)

    def dataset(self, owner: Person, name: str) -> Any:
        """A new original."""
        return owner.ask("POST", "/datasets", {"space_id": self.space_id, "kind": "original", "name": name})


@contextmanager
def whole() -> Iterator[Whole]:
    """Start it on free ports, with the database that STRONGROOM_DATABASE_URL names or SQLite; leave nothing behind."""
    with (
        tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder,
        front_door(Path(folder) / "home", engine="seaweedfs") as door,
    ):
        door.start()
        code = door.code()
        assert code, door.output
        token = Person(door.first_port).ask("POST", "/sign-in", {"code": code})["token"]
        owner = Person(door.first_port, token)
        space = owner.ask("POST", "/spaces", {"name": "Bench", "risk_level": "high"})
        yield Whole(door, token, space["id"])
        door.end()
