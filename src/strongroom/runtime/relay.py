"""The relay of a host: leads from the sockets in every server to the two places it may reach, and from ports to sshd.

It asks no database: the folders of the servers say all, and are looked at over and over.
"""

import os
from pathlib import Path

import structlog

from strongroom.agent.passage import Passage, serve
from strongroom.agent.passage_sockets import Route
from strongroom.core.settings import Settings
from strongroom.hosts.podman.doors import Door, doors
from strongroom.hosts.podman.folders import Made, ServerFolder, every
from strongroom.runtime import logging

log = structlog.get_logger("strongroom.relay")
LOOK_SECONDS = 0.25


def run(settings: Settings, ready_file: Path | None = None) -> None:
    """Serve the servers of this home until SIGTERM or SIGINT; `ready_file` gets the process id once it works."""
    logging.configure(settings.log_level)
    ways = doors(settings.gateway_endpoint, settings.web_url)
    failed: dict[Route, str] = {}

    def look(passage: Passage) -> None:
        nonlocal ready_file
        follow(passage, routes(settings.home / "servers", ways, settings.server_ssh_host), failed)
        if ready_file is not None:
            ready_file.write_text(str(os.getpid()))
            ready_file = None

    log.info("relay_started", pid=os.getpid())
    serve([], tick=look, every_seconds=LOOK_SECONDS)
    log.info("relay_stopped", pid=os.getpid())


def routes(servers: Path, ways: list[Door], ssh_host: str) -> set[Route]:
    """All that should be served now."""
    return {route for folder, made in every(servers) for route in _of(folder, made, ways, ssh_host)}


def follow(passage: Passage, wanted: set[Route], failed: dict[Route, str]) -> None:
    """Serve exactly these routes. One that cannot be is tried again, and told once for each reason."""
    for route in passage.routes - wanted:
        passage.remove(route)
    for route in wanted - passage.routes:
        try:
            passage.add(route)
            failed.pop(route, None)
        except OSError as error:
            if failed.get(route) != str(error):
                log.warning("route_not_served", listen=route.listen, error=str(error))
                failed[route] = str(error)


def _of(folder: ServerFolder, made: Made, ways: list[Door], ssh_host: str) -> list[Route]:
    out = [Route(str(folder.host / door.socket), door.target, owner=made.owner) for door in ways]
    host = f"[{ssh_host}]" if ":" in ssh_host else ssh_host
    return [*out, Route(f"{host}:{made.ssh_port}", str(folder.ssh / "ssh.sock"))]
