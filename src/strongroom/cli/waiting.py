"""Waits for what the server does in the background, with a live line on a terminal and one line a step elsewhere."""

import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.status import Status

from strongroom.cli import problems, words
from strongroom.cli.exits import Exit
from strongroom.cli.output import Json, console
from strongroom.cli.paths import path
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Power, ServerState

_SHORTEST, _LONGEST = 0.1, 1.0  # seconds between two looks


def for_state(session: Session, dataset: Json, wanted: str, *, on_the_way: str, seconds: float | None) -> Json:
    """Look at a data set until its state is `wanted`; gives it as last seen.

    Raises Problem when it falls back to another state than `on_the_way`, or when `seconds` have passed.
    """
    line = _Line(session, describe)
    started, pause = time.monotonic(), _SHORTEST
    with line:
        while dataset["state"] != wanted:
            line.show(dataset, time.monotonic() - started)
            if dataset["state"] != on_the_way:
                raise _fell_back(dataset)
            if seconds is not None and time.monotonic() - started > seconds:
                raise _too_long(dataset, seconds)
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST)
            dataset = _look(session, dataset, wanted)
    return dataset


def for_server(session: Session, server: Json, is_so: Callable[[Json], bool], *, seconds: float | None) -> Json:
    """Look at a server until it is so; gives it as last seen. Raises Problem when `seconds` have passed."""
    line = _Line(session, describe_server)
    started, pause = time.monotonic(), _SHORTEST
    with line:
        while not is_so(server):
            line.show(server, time.monotonic() - started)
            if server["state"] == ServerState.DELETED:
                raise problems.not_found(f"{server['name']} was deleted meanwhile.")
            if seconds is not None and time.monotonic() - started > seconds:
                raise _server_too_long(server, seconds)
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST)
            server = session.api.get(path("servers", server["id"]))
    return server


def for_check(session: Session, dataset: Json, check: Json, *, seconds: float | None) -> Json:
    """Look at a fixity check until it has ended, or waits for something to be mended; gives it as last seen.

    Raises Problem when `seconds` have passed.
    """
    line = _Line(session, describe_check)
    started, pause = time.monotonic(), _SHORTEST
    with line:
        while not check["ended_at"] and not (check["last_error"] and check["objects_done"] == check["object_count"]):
            line.show(check, time.monotonic() - started)
            if seconds is not None and time.monotonic() - started > seconds:
                raise problems.unavailable(
                    f"{dataset['name']} is still being read after {words.elapsed(seconds)}; the server goes on.",
                    f"Look again with `strongroom fixity show {words.short_id(dataset['id'])}`.",
                    code="timeout",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST)
            check = session.api.get(path("datasets", dataset["id"], "fixity", check["id"]), {"limit": 1})
    return check


def describe_check(check: Json) -> str:
    """How much was read, and the last trouble, in one line."""
    parts = [f"{words.number(check['objects_done'])} of {words.counted(check['object_count'], 'object')}"]
    parts.append(f"{words.size(check['read_bytes'])} read")
    if check["difference_count"]:
        parts.append(words.counted(check["difference_count"], "difference"))
    if check["last_error"]:
        parts.append(f"trying again: {check['last_error']}")
    return words.plain(", ".join(parts)).replace("[", "\\[")


def has_joined(server: Json) -> bool:
    """Whether a server's agent has been heard."""
    return bool(server["state"] == ServerState.ACTIVE)


def is_running(server: Json) -> bool:
    """Whether a created server's machine runs, and its agent is heard."""
    return bool(server["observed"] == Power.RUNNING and server["is_online"])


def is_stopped(server: Json) -> bool:
    """Whether a created server's machine stands still, and its host has done what it was asked."""
    return bool(server["is_settled"] and server["observed"] != Power.RUNNING)


def describe_server(server: Json) -> str:
    """Its state, what its host said and the last trouble, in one line."""
    parts = [str(server["state"]), f"machine {server['observed']}"]
    if server.get("last_error"):
        parts.append(f"trying again: {server['last_error']}")
    return words.plain(", ".join(parts)).replace("[", "\\[")


def _server_too_long(server: Json, seconds: float) -> Problem:
    failing = f" ({server['last_error']})" if server.get("last_error") else ""
    return problems.unavailable(
        f"{server['name']} is not ready after {words.elapsed(seconds)}: it is {server['state']}, its machine "
        f"{server['observed']}{failing}. Its host goes on with it.",
        f"Look again with `strongroom server show {server['name']}`.",
        code="timeout",
    )


def _look(session: Session, dataset: Json, wanted: str) -> Json:
    try:
        return session.api.get(path("datasets", dataset["id"]))
    except Problem as problem:
        if wanted == "deleted" and problem.exit is Exit.NOT_FOUND:
            return {**dataset, "state": "deleted"}
        raise


def _fell_back(dataset: Json) -> Problem:
    reason = dataset.get("last_error") or "the server did not say why"
    return Problem(
        f"{dataset['name']} is {dataset['state']} again: {reason}.",
        Exit.CONFLICT,
        f"See `strongroom dataset show {words.short_id(dataset['id'])}`.",
        code="fell-back",
    )


def _too_long(dataset: Json, seconds: float) -> Problem:
    return problems.unavailable(
        f"{dataset['name']} is still {dataset['state']} after {words.elapsed(seconds)}; the server goes on with it.",
        f"Look again with `strongroom dataset show {words.short_id(dataset['id'])}`.",
        code="timeout",
    )


class _Line:
    """The line that says how far it is."""

    def __init__(self, session: Session, tell: Callable[[Json], str]) -> None:
        self._tell = tell
        self._console: Console = console(is_error=True)
        self._is_silent = session.out.is_json or session.out.is_quiet
        self._is_live = sys.stderr.isatty() and not self._is_silent
        self._status: Status | None = None
        self._last = ""

    def __enter__(self) -> "_Line":
        if self._is_live:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def show(self, item: Json, seconds: float) -> None:
        """Where it stands now."""
        told = self._tell(item)
        if self._status:
            self._status.update(f"{told}, {words.elapsed(seconds)}")
        elif told != self._last and not self._is_silent:
            print(told, file=sys.stderr, flush=True)
        self._last = told


def describe(dataset: Json) -> str:
    """State, step, objects counted so far and the last trouble, in one line."""
    parts = [str(dataset["state"])]
    if dataset.get("step"):
        parts.append(str(dataset["step"]).replace("_", " "))
    if dataset.get("progress_objects"):
        parts.append(words.counted(int(dataset["progress_objects"]), "object"))
    if dataset.get("last_error"):
        parts.append(f"trying again: {dataset['last_error']}")
    return words.plain(", ".join(parts)).replace("[", "\\[")
