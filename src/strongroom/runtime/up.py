"""`make up`: from nothing to a running Strongroom, and back in order when asked to stop."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from strongroom import __version__
from strongroom.actions import ledger, people
from strongroom.actions.people import Invitation
from strongroom.core.errors import Refusal
from strongroom.core.settings import Settings
from strongroom.core.vocabulary import SystemFact
from strongroom.engines.processes import ProcessSpec
from strongroom.runtime import checks, compose, migrating, processes
from strongroom.runtime.supervisor import Supervisor
from strongroom.runtime.terminal import Terminal


def run(settings: Settings, terminal: Terminal) -> int:
    """Run until Ctrl-C or SIGTERM: the exit code. 1 when it could not start or could not go on."""
    terminal.heading(__version__, str(settings.home))
    try:
        compose.providers(settings)  # a file that is missing stops the start, a provider that is away does not
        checks.check_disk(settings.home, settings.disk_reserve_bytes)
        with checks.take_home(settings.home, settings.web_url):
            checks.check_ports(ports(settings))
            return asyncio.run(_supervise(settings, terminal))
    except Refusal as refusal:
        terminal.refusal(refusal.in_full)
        return 1


def ports(settings: Settings) -> list[checks.Port]:
    """Everything that will be listened on."""
    web = checks.Port(settings.web_host, settings.web_port, "web", "STRONGROOM_WEB_PORT")
    return [web, *compose.engine_ports(settings)]


async def _supervise(settings: Settings, terminal: Terminal) -> int:
    logs = settings.home / "log"
    for folder in (logs, settings.home / "run"):
        folder.mkdir(mode=0o700, exist_ok=True)
    supervisor = Supervisor(logs, log_max_bytes=settings.log_max_bytes, say=terminal.change)
    asked = _asked_to_stop(supervisor)
    starting = asyncio.create_task(_start(settings, supervisor, terminal))
    try:
        await _first(starting, asked)
        if not asked.done():
            starting.result()
            await _first(asked, supervisor.failed)
        if supervisor.failed.done():
            terminal.refusal(supervisor.failed.result())
    finally:
        starting.cancel()
        await asyncio.wait([starting])
        terminal.note(
            "Stopping (Ctrl-C again ends everything at once)" if asked.done() else "Stopping what was started"
        )
        await supervisor.stop()
    terminal.note("Stopped. Everything is kept; `make up` comes back with it.")
    return 1 if supervisor.failed.done() else 0


async def _first(*awaited: "asyncio.Future[Any]") -> None:
    """Return when one of them is done."""
    await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)


def _asked_to_stop(supervisor: Supervisor) -> "asyncio.Future[None]":
    """Done at the first Ctrl-C, SIGTERM or closed terminal; a second one ends everything at once."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if asked.done():
            supervisor.kill()
        else:
            asked.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    return asked


async def _start(settings: Settings, supervisor: Supervisor, terminal: Terminal) -> None:
    for spec in compose.engine_processes(settings):
        await _step(supervisor, terminal, spec)
    with terminal.step("database", migrating.words(settings)):
        await asyncio.to_thread(migrating.migrate)
    invitation = await asyncio.to_thread(_begin, settings)
    await _step(supervisor, terminal, processes.web(settings), settings.web_url)
    for spec in (*processes.relays(settings), *processes.workers(settings)):
        await _step(supervisor, terminal, spec)
    _welcome(settings, terminal, invitation)


def _begin(settings: Settings) -> Invitation | None:
    """Note the start in the ledger; make the first administrator where there is nobody yet."""
    with transaction.atomic():
        ledger.append(SystemFact.SYSTEM_STARTED, at=timezone.now(), after={"version": __version__})
    return people.first_administrator(settings.admin_email)


async def _step(supervisor: Supervisor, terminal: Terminal, spec: ProcessSpec, detail: str = "") -> None:
    with terminal.step(spec.name, detail):
        await supervisor.start(spec)


def _welcome(settings: Settings, terminal: Terminal, invitation: Invitation | None) -> None:
    terminal.facts({"Strongroom": settings.web_url, "S3 endpoint": settings.gateway_endpoint})
    strongroom = _command("strongroom")
    if invitation is not None:
        terminal.commands(
            f"Sign in as the first administrator, {invitation.person.email}",
            [f"{strongroom} login {settings.web_url} --code {invitation.code}"],
            f"Shown once, works once, for {settings.sign_in_code_hours} hours.",
        )
        terminal.commands("Or with the same code in a browser", [f"{settings.web_url}/invitations/{invitation.code}"])
    else:
        terminal.commands(
            "Locked out? A new one-time code for a person",
            [f"{_command('python')} -m strongroom.runtime sign-in-code {settings.admin_email}"],
        )
    terminal.commands(
        "Try next",
        [
            f"{strongroom} tour",
            f'{strongroom} space create "First space" --risk high',
            f"{strongroom} --help",
        ],
    )
    terminal.note("Ctrl-C stops everything. Logs are in " + str(settings.home / "log"))


def _command(name: str) -> str:
    """How the reader starts this program: its name alone where that finds it, else its path from here."""
    beside = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if found and Path(found).resolve() == beside.resolve() and name != "python":
        return name
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)
