"""The processes of the control plane itself, as the supervisor starts them."""

import http.client
import os
import sys
from pathlib import Path

from strongroom.core import setting_values as values
from strongroom.core.settings import Settings
from strongroom.engines.processes import ProcessSpec
from strongroom.runtime import environment

_PROBE_SECONDS = 2.0


def web(settings: Settings) -> ProcessSpec:
    """The web server; ready when it answers."""
    return ProcessSpec(
        name="web",
        argv=_command("web"),
        env=environment.for_children(settings),
        cwd=settings.home,
        is_ready=lambda: answers(settings),
        stop_seconds=20,
    )


def workers(settings: Settings) -> list[ProcessSpec]:
    """The background workers; each ready when it has looked once for what is due."""
    return [_worker(settings, number) for number in range(1, settings.workers + 1)]


def relays(settings: Settings) -> list[ProcessSpec]:
    """What created servers reach us by, and people them; ready when it serves those that are there."""
    if settings.server_host != "podman":
        return []
    ready_file = settings.home / "run" / "relay.pid"
    return [
        ProcessSpec(
            name="relay",
            argv=_command("relay", "--ready-file", str(ready_file)),
            env=environment.for_children(settings),
            cwd=settings.home,
            is_ready=lambda: _lives(ready_file),
            stop_seconds=5,
        )
    ]


def answers(settings: Settings) -> bool:
    """Whether the web server says that it lives."""
    connection = http.client.HTTPConnection(
        values.reachable(settings.web_host), settings.web_port, timeout=_PROBE_SECONDS
    )
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _worker(settings: Settings, number: int) -> ProcessSpec:
    name = f"worker-{number}"
    ready_file = settings.home / "run" / f"{name}.pid"
    return ProcessSpec(
        name=name,
        argv=_command("worker", "--ready-file", str(ready_file)),
        env=environment.for_children(settings),
        cwd=settings.home,
        is_ready=lambda: _lives(ready_file),
        stop_seconds=30,
    )


def _command(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "strongroom.runtime", *words)


def _lives(pid_file: Path) -> bool:
    """Whether the process that wrote the file is there: a file that a dead one left behind does not count."""
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True
