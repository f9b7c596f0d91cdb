"""The threads of a mover: work in two lanes, memory that is lent, and one way to stop that reaches everybody."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Callable

Work = Callable[[], None]
_LONGEST_WAIT = 1.0  # seconds: on Windows, Ctrl-C interrupts no wait that has no end
_WAITING = 64  # pieces of work of a lane that may wait: what finds it shall not run far ahead


class Lane(Enum):
    """Kinds of work. Whoever reads a huge file waits for its parts, so others must send them."""

    PARTS = "parts"
    FILES = "files"
    HUGE = "huge"


class Stopped(BaseException):
    """The mover ends. It passes every `except Exception`: nobody shall take it for trouble with a file."""


class Crew:
    """Threads that work until they are dismissed, or until one of them fails: then all stop."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self._stopping = threading.Event()
        lock = threading.RLock()
        self._told = threading.Condition(lock)
        self._room = threading.Condition(lock)
        self._work: dict[Lane, threading.Condition] = {lane: threading.Condition(lock) for lane in Lane}
        self._waiting: dict[Lane, deque[Work]] = {lane: deque() for lane in Lane}
        self._undone = 0
        self._work[Lane.PARTS] = self._work[Lane.FILES]  # the same threads serve both

    def hire(self, count: int, *lanes: Lane) -> None:
        """So many threads that take work from these lanes, the first of them first."""
        for _ in range(count):
            self.start(lambda: self._serve(lanes))

    def start(self, deed: Work) -> None:
        """One thread for one deed. It does not keep the program alive: a mover may be ended at any time."""

        def run() -> None:
            try:
                deed()
            except Stopped:
                pass
            except BaseException as failure:  # noqa: BLE001  raised again where the mover was started
                with self._told:
                    self.failure = self.failure or failure
                self.stop()

        threading.Thread(target=run, daemon=True).start()

    def stop(self) -> None:
        """End everything: whoever rests or asks for work is told so."""
        self._stopping.set()
        with self._told:
            for each in (*self._work.values(), self._room, self._told):
                each.notify_all()

    def check(self) -> None:
        """Raises: Stopped."""
        if self._stopping.is_set():
            raise Stopped

    def rest(self, seconds: float) -> None:
        """Wait. Raises: Stopped."""
        if self._stopping.wait(seconds):
            raise Stopped

    def do(self, lane: Lane, work: Work, *, waits: bool = True) -> None:
        """Have it done by whoever is free. Waits while much of this lane waits, parts excepted; whoever works for the
        crew must not wait for it. Raises: Stopped.
        """
        waiting = self._waiting[lane]
        with self._room:
            while waits and lane is not Lane.PARTS and len(waiting) >= _WAITING and not self._stopping.is_set():
                self._room.wait(_LONGEST_WAIT)
            self.check()
            waiting.append(work)
            self._undone += 1
            self._work[lane].notify()

    @property
    def is_idle(self) -> bool:
        """Whether everything that was given is done."""
        return not self._undone

    def until(self, is_so: Callable[[], bool], then: Work = lambda: None) -> None:
        """Wait for what others bring about and `tell`; do what follows before anybody else can. Raises: Stopped."""
        with self._told:
            while not is_so():
                self.check()
                self._told.wait(_LONGEST_WAIT)
            self.check()
            then()

    def tell(self, change: Work, *, wakes: bool = True) -> None:
        """Change something that others wait for; who is not woken sees it after a second."""
        with self._told:
            change()
            if wakes:
                self._told.notify_all()

    def _serve(self, lanes: Sequence[Lane]) -> None:
        lined_up = [self._waiting[lane] for lane in lanes]
        mine = self._work[lanes[0]]
        while True:
            with mine:
                while not any(lined_up):
                    self.check()
                    mine.wait()
                self.check()
                work = next(filter(None, lined_up)).popleft()
                self._room.notify_all()
            work()
            with mine:
                self._undone -= 1


class Memory:
    """Lends buffers, of at most `most_bytes` together, but always one."""

    def __init__(self, crew: Crew, most_bytes: int) -> None:
        self._crew, self._most_bytes = crew, most_bytes
        self._lent_bytes = 0
        self._spare: list[bytearray] = []

    def lend(self, size_bytes: int) -> bytearray:
        """A buffer of that size, with anything in it. Waits until there is room. Raises: Stopped."""
        self._crew.until(
            lambda: not self._lent_bytes or self._lent_bytes + size_bytes <= self._most_bytes,
            lambda: self._count(size_bytes),
        )
        try:
            buffer = self._spare.pop()
        except IndexError:
            return bytearray(size_bytes)
        return buffer if len(buffer) == size_bytes else bytearray(size_bytes)

    def give_back(self, buffer: bytearray) -> None:
        """It is free again."""
        self._spare.append(buffer)
        self._crew.tell(lambda: self._count(-len(buffer)))

    def _count(self, more: int) -> None:
        self._lent_bytes += more
