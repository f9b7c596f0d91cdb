"""An engine with one data set, and an agent's container-credentials URL as AWS describes it."""

import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.engine_fixture import Running, embedded_engine
from tests.windows.drives import Drive

from strongroom.core.policy import access_of, compile_policy
from strongroom.core.vocabulary import Kind, State
from strongroom.engines.protocol import Session

__all__ = ["embedded_engine"]

SERVER = "srv-windows"


@dataclass
class Agent:
    """What answers at the URL. `lifetime` is of the sessions; `asked` counts the answers with credentials."""

    running: Running
    token_file: Path
    lifetime: timedelta = timedelta(hours=1)
    port: int = 0
    asked: list[Session] = field(default_factory=list)

    @property
    def url(self) -> str:
        """As `AWS_CONTAINER_CREDENTIALS_FULL_URI`."""
        return f"http://127.0.0.1:{self.port}/credentials"

    def answer(self, authorization: str | None) -> tuple[int, dict[str, str]]:
        """Source: "Container credential provider" of the AWS SDKs and Tools reference guide."""
        if authorization != self.token_file.read_text():
            return 401, {"code": "token", "message": "This is not the token of this server's agent."}
        made = self.running.engine.create_session(SERVER, lifetime=self.lifetime)
        self.asked.append(made)
        return 200, {
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret,
            "Token": made.token,
            "Expiration": made.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def start(self) -> ThreadingHTTPServer:
        """Listen, on the same port as before where there was one."""
        agent = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, shape = agent.answer(self.headers.get("Authorization"))
                body = json.dumps(shape).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    @staticmethod
    def stop(server: ThreadingHTTPServer) -> None:
        """Listen no longer."""
        server.shutdown()
        server.server_close()


@dataclass
class Dataset:
    """A finalized data set of the real engine with two files."""

    running: Running
    repository: str
    generation: int = 0

    def grant(self, kind: Kind, *servers: str) -> None:
        """Exactly these servers, from the moment this returns."""
        self.generation += 1
        access = access_of(
            repository=self.repository,
            generation=self.generation,
            kind=kind,
            state=State.FINALIZED,
            uploaders=[],
            servers=servers,
        )
        self.running.engine.apply_policy(self.repository, compile_policy(access, self.running.engine.dialect))
        self.running.engine.prove_policy(self.repository, self.generation)


@pytest.fixture
def dataset(embedded_engine: Running) -> Iterator[Dataset]:
    """With `scores.csv`, `wave/one.csv` and an attachment."""
    made = Dataset(embedded_engine, f"dataset-test-{secrets.token_hex(8)}")
    embedded_engine.engine.create_repository(made.repository, tags={"strongroom": "test"})
    for key, body in {"scores.csv": b"17", "wave/one.csv": b"x" * 5000, "_attachments/dua.pdf": b"agreement"}.items():
        embedded_engine.client().put_object(Bucket=made.repository, Key=key, Body=body)
    yield made
    embedded_engine.engine.delete_repository(made.repository)


@pytest.fixture
def agent(embedded_engine: Running, tmp_path: Path) -> Agent:
    """Not started yet."""
    token = tmp_path / "token"
    token.write_text(secrets.token_urlsafe(32))
    return Agent(embedded_engine, token)


@pytest.fixture
def listening(agent: Agent) -> Iterator[Agent]:
    """The agent, answering."""
    server = agent.start()
    yield agent
    agent.stop(server)


@pytest.fixture
def drive(dataset: Dataset, listening: Agent, tmp_path: Path) -> Drive:
    """As the module would make it for an original."""
    settings = dataset.running.settings
    return Drive(
        tmp_path / "drive", dataset.repository, settings.endpoint, settings.region, listening.url, listening.token_file
    )
