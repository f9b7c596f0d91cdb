"""A person at a terminal, signed in at a real web server whose engine is in memory."""

import json as json_format
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from click.testing import Result
from django.core.wsgi import get_wsgi_application
from django.db import connection
from tests.world import World

from strongroom.actions import converge, hosting
from strongroom.cli.exits import Exit
from strongroom.db.models import UploadKey
from strongroom.engines import AccessKey

Run = Callable[..., Result]


@dataclass
class Terminal:
    """Somebody who types commands. `world` lets a test do what other clients and people do."""

    run: Run
    world: World
    url: str
    email: str

    def __call__(self, *argv: str, stdin: str = "") -> Result:
        """The result of one command, whatever it is."""
        return self.run(*argv, stdin=stdin)

    def ok(self, *argv: str) -> str:
        """What a command prints that must succeed."""
        result = self.run(*argv)
        assert result.exit_code == Exit.OK, result.output
        return result.stdout

    def json(self, *argv: str) -> Any:
        """What a command prints for programs."""
        return json_format.loads(self.ok(*argv, "--json"))

    def upload(self, issued: dict[str, Any], key: str, content: bytes) -> bool:
        """Write one object as the holder of a key; whether the engine let it."""
        access_key_id = issued["key"]["access_key_id"]
        principal = UploadKey.objects.get(access_key_id=access_key_id).principal
        held = AccessKey(principal, access_key_id, issued["secret"])
        return self.world.engine.put_as(held, issued["repository"], key, content)


class _Server(ThreadingMixIn, WSGIServer):
    """One thread a request."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web() -> Iterator[str]:
    """The whole web application over HTTP, in threads of this process; its address."""
    server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def worker() -> Iterator[None]:
    """The worker of the server, in a thread of this process."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            converge.run_due()
            hosting.run_due()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
