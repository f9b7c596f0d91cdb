"""Brings the files of a folder into a repository, and proves that they are there; what is there already stays.

Refuses to know who asks, what a person sees, and where digests are kept: that is handed in.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Callable

from strongroom.movers import plan, sending, walk
from strongroom.movers.crew import Crew, Lane, Memory, Stopped
from strongroom.movers.errors import Problem, Unreachable
from strongroom.movers.journal import Holding, Journal, Sent
from strongroom.movers.limiting import Limit
from strongroom.movers.parts import Parts
from strongroom.movers.patterns import EVERYTHING, Selection
from strongroom.movers.plan import MIB, Step
from strongroom.movers.s3 import Repository
from strongroom.movers.sending import Deleted, Done, Outcome, Sender, Task
from strongroom.movers.tally import Event, Outage, Restored, Tally
from strongroom.movers.walk import File, Trouble

ATTACHMENTS = "_attachments"
_BATCH_FILES, _BATCH_BYTES = 8, MIB
_LOOKED_UP = 256
_REPORTED = 1000
_CHANGED_THERE = "the store does not hold what was sent: somebody else changed it meanwhile"


@dataclass(frozen=True)
class Order:
    """What is wished. `prefix` ends in `/` or is empty: where in the data set the folder goes."""

    folder: str
    prefix: str = ""
    selection: Selection = EVERYTHING
    links: str = walk.REPORT
    trusts_times: bool = True
    deletes: bool = False
    threads: int = 64
    readers: int = 2
    memory_bytes: int = 192 * MIB
    bytes_per_second: float | None = None


@dataclass(frozen=True)
class Planned:
    """What a dry run would do with a key."""

    step: str  # send, compare, keep, delete
    key: str
    size_bytes: int


def _nothing(*_: object) -> None:
    pass


@dataclass(frozen=True)
class Told:
    """Who is told what. `event`: as it happens. `digests`: what is in the store for good, up to 1,000 at once; what it
    raises as Unreachable is told again later.
    """

    event: Callable[[Event], object] = _nothing
    digests: Callable[[Sequence[Sent]], object] = _nothing
    planned: Callable[[Planned], object] = _nothing


@dataclass
class Upload:
    """One run. `tally` may be looked at meanwhile, from any thread."""

    order: Order
    repository: Repository
    journal: Journal
    told: Told = Told()
    crew: Crew = field(default_factory=Crew)
    tally: Tally = field(default_factory=Tally)
    _outcomes: queue.SimpleQueue[Sequence[Outcome]] = field(default_factory=queue.SimpleQueue)
    _is_walked: bool = False
    _unreported: int = 0

    def run(self) -> None:
        """Do it all. Raises: Unreachable when patience ended, what the repository raises where it is denied,
        Unwritable, OSError where the folder cannot be read. Whatever it raises, and when it is killed: the next run
        goes on from there.
        """
        self._listen()
        self._walk = self._new_walk()
        try:
            self._list()
            sending.settle(self.repository, self.journal)
            self._work()
            self._finish()
        except Stopped:
            raise (self.crew.failure or Stopped()) from None
        finally:
            self.crew.stop()
            with contextlib.suppress(Problem):
                self._take_in(0.0)  # what was done, so that nobody has to find it out again

    def rehearse(self) -> None:
        """Look at everything and tell what would be done, and do nothing."""
        self._walk = self._new_walk()
        self._list()
        for batch in self._batches(self._files()):
            for task in batch:
                step = plan.step(task.file, task.known, trusts_times=self.order.trusts_times)
                self.told.planned(Planned(step.value, task.file.key, task.file.size_bytes))
        self._count_left_out()
        for key, size_bytes in ((each.key, each.size_bytes) for each in self._surplus()):
            self.told.planned(Planned("delete", key, size_bytes))

    # What is there

    def _new_walk(self) -> walk.Walk:
        order = self.order
        return walk.Walk(order.folder, order.selection, order.links, order.prefix)

    def _list(self) -> None:
        attachments = f"{ATTACHMENTS}/"
        self.journal.note_stored(
            Holding(each.key, each.size_bytes, each.etag)
            for each in self.repository.list(self.order.prefix)
            if not each.key.startswith(attachments)
        )

    # What has to be done

    def _files(self) -> Iterator[File]:
        """The files of the folder; what cannot be an object is noted."""
        for found in self._walk.found():
            if isinstance(found, File):
                self.tally.found_files += 1
                self.tally.found_bytes += found.size_bytes
                yield found
            else:
                self._trouble(found)

    def _batches(self, files: Iterator[File]) -> Iterator[list[Task]]:
        """Files with all that is known of them, some at a time."""
        batch: list[File] = []
        for file in files:
            batch.append(file)
            if len(batch) == _LOOKED_UP:
                yield self._tasks(batch)
                batch = []
        if batch:
            yield self._tasks(batch)

    def _tasks(self, files: Sequence[File]) -> list[Task]:
        known = self.journal.known([file.key for file in files])
        return [Task(file, known.get(file.key)) for file in files]

    def _plan(self) -> None:
        """Hand out the work. Runs in a thread of its own, so that sending begins with the first file found."""
        small: list[Task] = []
        for batch in self._batches(self._files()):
            kept = []
            for task in batch:
                if plan.step(task.file, task.known, trusts_times=self.order.trusts_times) is Step.KEEP:
                    kept.append(task)
                elif task.file.size_bytes > plan.ONE_PIECE_BYTES:
                    self._hand_out_huge(task)
                else:
                    small.append(task)
                    if len(small) >= _BATCH_FILES or sum(each.file.size_bytes for each in small) >= _BATCH_BYTES:
                        self._hand_out(small)
                        small = []
            self._keep(kept)
        if small:
            self._hand_out(small)
        self._count_left_out()
        self._is_walked = True

    def _hand_out(self, tasks: list[Task]) -> None:
        self.crew.do(Lane.FILES, lambda: self._outcomes.put([each for task in tasks for each in self._small(task)]))

    def _hand_out_huge(self, task: Task, *, waits: bool = True) -> None:
        self.crew.do(Lane.HUGE, lambda: self._outcomes.put([self._sender.huge(task)]), waits=waits)

    def _small(self, task: Task) -> Sequence[Outcome]:
        try:
            return [self._sender.small(task)]
        except OverflowError:  # it has grown since it was found; whoever sends parts must not wait for them
            self._hand_out_huge(task, waits=False)
            return []

    def _keep(self, tasks: Sequence[Task]) -> None:
        self.journal.note_kept([task.file.key for task in tasks])
        self.tally.kept(len(tasks), sum(task.file.size_bytes for task in tasks))

    def _count_left_out(self) -> None:
        self.tally.is_counted = True
        self.tally.left_out, self.tally.skipped_links = self._walk.left_out, self._walk.skipped_links

    # Doing it

    def _work(self) -> None:
        order, crew = self.order, self.crew
        self.tally.step = "sending"
        memory = Memory(crew, order.memory_bytes)
        parts = Parts(self.repository, self.journal, crew, memory, self.tally, self._ask)
        self._sender = Sender(self.repository, parts, self.tally, self._ask)
        crew.hire(order.threads, Lane.PARTS, Lane.FILES)
        crew.hire(order.readers, Lane.HUGE)
        crew.start(self._plan)
        self._drain(lambda: self._is_walked)

    def _drain(self, is_over: Callable[[], bool]) -> None:
        """Take in what was done until nothing is left. Raises what a thread of the crew died of."""
        while True:
            was_over = is_over() and self.crew.is_idle  # looked at before: what came in until then is in the queue
            self._take_in(0.0 if was_over else 0.1)
            if self.crew.failure:
                self._take_in(0.0)
                raise self.crew.failure
            if was_over and self._outcomes.empty():
                return

    def _take_in(self, seconds: float) -> None:
        came: list[Outcome] = []
        try:
            came += self._outcomes.get(timeout=seconds) if seconds else self._outcomes.get_nowait()
            while len(came) < _REPORTED:
                came += self._outcomes.get_nowait()
        except queue.Empty:
            pass
        if not came:
            return
        done = [each for each in came if isinstance(each, Done)]
        self.journal.note_sent([each.sent for each in done if each.is_new], is_new=True)
        self.journal.note_sent([each.sent for each in done if not each.is_new])
        for each in done:
            self.tally.count(each.sent.size_bytes, is_new=each.is_new)
        for other in came:
            if isinstance(other, Trouble):
                self._trouble(other)
            elif isinstance(other, Deleted):
                self.journal.drop([other.key])
                self.tally.deleted_files += 1
        self._unreported += len(done)
        if self._unreported >= _REPORTED:
            self._unreported = 0
            self._report(is_last=False)

    def _trouble(self, trouble: Trouble) -> None:
        self.journal.note_trouble([trouble])
        self.tally.troubled(is_problem=trouble.is_problem)
        self.told.event(trouble)

    # Handing digests on

    def _report(self, *, is_last: bool) -> None:
        """Tell who keeps them the digests of what is there, in full batches, the rest at the end."""
        while True:
            batch = self.journal.unreported(_REPORTED)
            if not batch or (len(batch) < _REPORTED and not is_last):
                return
            try:
                self.told.digests(batch)
            except Unreachable:
                if is_last:
                    raise
                return
            self.journal.note_reported(batch)

    # The end

    def _finish(self) -> None:
        self.tally.step = "comparing with what the store holds"
        if self.order.deletes:
            self._delete()
        if self.tally.sent_files or self.tally.deleted_files:
            self._list()
        for sent, is_new in list(self.journal.differing()):
            self.journal.drop([sent.key])
            self.tally.lost(sent.size_bytes, is_new=is_new)
            self._trouble(Trouble(sent.key, _CHANGED_THERE))
        self._report(is_last=True)
        sending.abort_left_over(self.repository, self.journal)
        self.tally.step = "done"

    def _surplus(self) -> Iterator[Holding]:
        if not self.order.deletes:
            return
        if not self._walk.is_whole or not self.tally.found_files:
            reason = "nothing was deleted in the data set: the folder is empty, or not all of it was read"
            self._trouble(Trouble(self.order.prefix, reason))
            return
        inside = len(self.order.prefix)
        for each in self.journal.surplus():
            if self.order.selection.takes(each.key[inside:]):
                yield each

    def _delete(self) -> None:
        for each in list(self._surplus()):
            self.crew.do(Lane.FILES, lambda key=each.key: self._outcomes.put([self._sender.delete(key)]))  # type: ignore[misc]
        self._drain(lambda: True)

    # When it does not go as it should

    def _listen(self) -> None:
        """Wait where the store does not answer, stop where the crew is told to, and say so."""
        told = self.repository.patience
        self.repository.patience = replace(told, rest=self.crew.rest, on_trouble=self._broke)
        limit = Limit(self.order.bytes_per_second, rest=self.crew.rest)

        def pace(count: int) -> None:
            limit.take(count)
            self.tally.moved(count)

        self.repository.pace(pace)

    def _broke(self, problem: Unreachable) -> None:
        if self.tally.broke(str(problem)):
            self.told.event(Outage(str(problem)))

    def _ask(self, deed: Callable[[], str]) -> str:
        self.crew.check()
        found = deed()
        if self.tally.outage:
            seconds = self.tally.works()
            if seconds:
                self.told.event(Restored(seconds))
        return found
