"""`strongroom run`: everything the agent does, in one process, until it is told to stop."""

from __future__ import annotations

import _thread
import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from strongroom import __version__
from strongroom.agent import containers, control_socket, machine_facts, state, web
from strongroom.agent.address import Address
from strongroom.agent.callers import Callers
from strongroom.agent.config import IS_WINDOWS, OFF, Config, split_address
from strongroom.agent.control import Control
from strongroom.agent.heartbeat import Heartbeat
from strongroom.agent.imds import MetadataServer
from strongroom.agent.log import log
from strongroom.agent.problems import Trouble
from strongroom.agent.renewal import Renewal
from strongroom.agent.signing import Signer
from strongroom.agent.told import Told

_FIRST_TRY_SECONDS = 20


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `run`."""
    parser = subparsers.add_parser("run", help="run the agent in the foreground (systemd does, see install)")
    parser.set_defaults(run=lambda config, options: Agent(config).run())


class Agent:
    """The parts, and what joins them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.who = state.identity(config)
        self.stop = threading.Event()
        self.is_broken = False
        signer = Signer(config.key)
        self.control = Control(self.who.control_plane_url, self.who.server_id, signer, ca_file=config.ca_file)
        self.renewal = Renewal(self.control)
        self.heartbeat = Heartbeat(config, self.control, self.renewal, self.who.heartbeat_seconds)
        self.callers = Callers(config)
        self.troubles: dict[str, Trouble] = {}
        self._address: Address | None = None
        self._told = Told(self)

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; 1 when a part of it broke."""
        threading.excepthook = self._broke
        with contextlib.ExitStack() as parts:
            parts.enter_context(self._alone())
            set_by_signals(self.stop)
            log("agent starts", version=__version__, server=self.who.name, credentials_for=self.config.who_may)
            self._start(parts)
            if self.renewal.tried.wait(_FIRST_TRY_SECONDS):
                log("agent ready")
            _notify("READY=1")
            while not self.stop.wait(1.0):
                pass
            _notify("STOPPING=1")
            log("agent stops")
        return 1 if self.is_broken else 0

    def _start(self, parts: contextlib.ExitStack) -> None:
        self._thread("renewal", lambda: self.renewal.run(self.stop))
        self._attempt("imds", lambda: self._start_imds(parts))
        self._attempt("container credentials", lambda: self._start_containers(parts))
        if not IS_WINDOWS:
            parts.enter_context(self._control_socket())
        self._thread("heartbeat", lambda: self.heartbeat.run(self.stop, self._each_time))

    def _start_imds(self, parts: contextlib.ExitStack) -> None:
        if self.config.imds_address == OFF:
            return
        host, port = split_address(self.config.imds_address)
        if host.startswith("169.254."):
            self._address = Address(host, port, self.config.run)
            self._address.add()
            parts.callback(self._address.remove)
        own = machine_facts.own_address(self.who.control_plane_url)
        server = _listening(
            self.config.imds_address,
            lambda: MetadataServer(
                (host, port),
                self.callers,
                self.renewal,
                lambda: machine_facts.tree(self.who, state.granted(self.config).get("region") or "us-east-1", own),
                has_v1=self.config.imds_v1,
                hop_limit=self.config.imds_hop_limit,
            ),
        )
        _serve(parts, server, "imds")

    def _start_containers(self, parts: contextlib.ExitStack) -> None:
        port = self.config.credentials_port
        if port:
            token = containers.write_tokens(self.config)
            server = _listening(
                f"127.0.0.1:{port}",
                lambda: containers.CredentialsServer(port, self.callers, self.renewal, token, self._told.status),
            )
            _serve(parts, server, "container credentials")

    @contextlib.contextmanager
    def _control_socket(self) -> Iterator[None]:
        path = self.config.control_socket
        answers: control_socket.Answers = {
            "status": self._told.status,
            "credentials": self._told.credentials,
            "report": self._told.report,
        }
        streams: control_socket.Streams = {"manifest": self._told.manifest}
        with contextlib.closing(control_socket.start(path, self.callers, answers, streams)):
            yield
        with contextlib.suppress(FileNotFoundError):
            path.unlink()

    def _each_time(self) -> None:
        """Before each heartbeat: whatever set the network up anew may have taken the address with it."""
        if self._address is not None and "imds" not in self.troubles:
            try:
                self._address.add()
            except Trouble as trouble:
                log("address lost", why=str(trouble))

    def _attempt(self, name: str, deed: Callable[[], None]) -> None:
        """A part that cannot start is told in the log and by `strongroom status`; the others go on."""
        try:
            deed()
        except Trouble as trouble:
            self.troubles[name] = trouble
            log("not started", part=name, why=str(trouble))

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()

    def _broke(self, told: Any) -> None:
        """A thread that ends by a defect ends the agent, and whoever started it starts it again."""
        self.is_broken = True
        sys.__excepthook__(told.exc_type, told.exc_value, told.exc_traceback)
        self.stop.set()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Two agents with one identity would take each other's sequence. Raises: Trouble."""
        state.prepare(self.config.state)
        state.prepare(self.config.run, 0o755)
        with (self.config.state / "lock").open("a") as lock:
            if sys.platform != "win32":
                import fcntl

                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise Trouble(
                        "The agent is already running.", "See: strongroom status, systemctl status strongroom.", "twice"
                    ) from None
            yield


def set_by_signals(stop: threading.Event) -> None:
    """Have SIGTERM and SIGINT set it: in another thread, for a handler runs in one that may hold the event's lock."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _thread.start_new_thread(stop.set, ()))


def _listening(address: str, make: Callable[[], web.LocalServer]) -> web.LocalServer:
    try:
        return make()
    except OSError as problem:
        raise Trouble(
            f"Nothing can listen on {address}: {problem.strerror}.",
            f"See what does: ss -ltnp 'sport = :{address.rpartition(':')[2]}'",
            "port",
        ) from None


def _serve(parts: contextlib.ExitStack, server: web.LocalServer, name: str) -> None:
    web.serve(server, name)
    parts.callback(server.server_close)
    parts.callback(server.shutdown)


def _notify(what: str) -> None:
    """Tell systemd, if it waits to be told. Source: sd_notify(3)."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, contextlib.suppress(OSError):
            line.connect("\0" + path[1:] if path.startswith("@") else path)
            line.sendall(what.encode())
