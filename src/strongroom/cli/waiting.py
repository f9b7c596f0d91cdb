"""Waits for what the server does in the background, with a live line on a terminal and one line a step elsewhere."""

import sys
import time

from rich.console import Console
from rich.status import Status

from strongroom.cli import problems, words
from strongroom.cli.client import path
from strongroom.cli.exits import Exit
from strongroom.cli.output import Json, console
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session

_SHORTEST, _LONGEST = 0.1, 1.0  # seconds between two looks


def for_state(session: Session, dataset: Json, wanted: str, *, on_the_way: str, seconds: float | None) -> Json:
    """Look at a data set until its state is `wanted`; gives it as last seen.

    Raises Problem when it falls back to another state than `on_the_way`, or when `seconds` have passed.
    """
    line = _Line(session)
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

    def __init__(self, session: Session) -> None:
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

    def show(self, dataset: Json, seconds: float) -> None:
        """Where it stands now."""
        told = describe(dataset)
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
