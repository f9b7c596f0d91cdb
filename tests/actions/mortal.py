"""A process that can be killed between any two of its effects, and leaves behind exactly what a dead one would.

From the moment of death nothing more is done: no `finally` gives a lease back, no handler writes a row, no call
reaches the engine; only the database undoes what was not committed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from django.db import connection

from strongroom.engines.memory import MemoryEngine
from tests.actions.rules import protocol_methods

_UNDOING = ("ROLLBACK TO", "RELEASE")
_WRITES = ("INSERT", "UPDATE", "DELETE")


class Killed(BaseException):
    """kill -9. Not an Exception, so that no handler of the code under test may take it for an error."""


class Fate:
    """Counts the moments of a life: after each call of the engine and after each commit. At the chosen one it ends.

    Before a call nothing else is true than after the effect that came before it: those are the same moments.
    """

    def __init__(self) -> None:
        self.moments: list[str] = []
        self.ends_at: int | None = None
        self.is_dead = False
        self._is_watched = False

    def moment(self, what: str) -> None:
        """Raises Killed when it is the last one."""
        if not self._is_watched:
            return
        self.moments.append(what)
        if len(self.moments) == self.ends_at:
            self.is_dead = True
            raise Killed(what)

    def stay_dead(self, what: str) -> None:
        """Raises Killed when life is over: the dead call nobody."""
        if self.is_dead:
            raise Killed(what)

    @contextmanager
    def lives(self, ends_at: int | None = None) -> Iterator[None]:
        """A process that dies at the moment of that number (None: it lives on), and whose death is over after this."""
        self.moments, self.ends_at, self._is_watched = [], ends_at, True
        try:
            with connection.execute_wrapper(self._statement_at(len(connection.savepoint_ids))):
                yield
        except Killed:
            pass
        finally:
            self.is_dead = self._is_watched = False

    def _statement_at(self, depth: int) -> Callable[..., Any]:
        def run(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            if self.is_dead:
                if sql.startswith(_UNDOING):
                    return execute(sql, params, many, context)
                self.stay_dead(sql)
            answer = execute(sql, params, many, context)
            is_outermost = len(connection.savepoint_ids) == depth
            if is_outermost and sql.startswith((*_WRITES, "RELEASE")):
                self.moment("committed " + (sql.split(" WHERE ")[0] if sql.startswith(_WRITES) else "a transaction"))
            return answer

        return run


class MortalEngine(MemoryEngine):
    """The engine in memory, seen from a process that may die after each call; begins with what `like` holds."""

    def __init__(self, fate: Fate, like: MemoryEngine) -> None:
        super().__init__()
        self.fate = fate
        self._buckets = deepcopy(like._buckets)
        self._keys = dict(like._keys)
        self._sessions = dict(like._sessions)


def _mortal(name: str) -> Callable[..., Any]:
    act = getattr(MemoryEngine, name)

    def call(self: MortalEngine, *args: Any, **options: Any) -> Any:
        self.fate.stay_dead(name)
        answer = act(self, *args, **options)
        if isinstance(answer, Iterator):
            return _to_the_end(self, name, answer)
        self.fate.moment(f"after {name}")
        return answer

    return call


def _to_the_end(engine: MortalEngine, name: str, answers: Iterator[Any]) -> Iterator[Any]:
    yield from answers
    engine.fate.moment(f"after {name}")


for _name in protocol_methods():
    setattr(MortalEngine, _name, _mortal(_name))
