"""Brings what a repository holds into a folder, and proves each file; what is there already stays.

Refuses to know who asks, what a person sees, and where a manifest comes from: that is handed in.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from strongroom.movers import listed, names, ordered, places, receiving, verify
from strongroom.movers.ahead import Ahead
from strongroom.movers.answers import Stored
from strongroom.movers.crew import Crew, Lane, Stopped
from strongroom.movers.errors import Altered, Problem, Refused, Unreachable
from strongroom.movers.limiting import Limit
from strongroom.movers.listed import Found, Listed
from strongroom.movers.patterns import Selection
from strongroom.movers.places import Places, Unholdable
from strongroom.movers.receiving import PARTIAL, Receiver, Task
from strongroom.movers.retrying import Patience
from strongroom.movers.s3 import Repository
from strongroom.movers.settling import UNSETTLED, Settling, Unwritable
from strongroom.movers.tally import Event, Outage, Restored, Tally
from strongroom.movers.walk import Trouble

ATTACHMENTS = "_attachments/"
_BATCH_FILES, _BATCH_BYTES = 32, receiving.MIB
_PAUSE_SECONDS = 0.01
_REMEMBERED = 50_000  # entries of a listing that wait to be received; what follows them is asked for again then
_OF_ALL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EROFS)  # what no other file would escape


class Full(Problem):
    """The disk has not the room."""


@dataclass(frozen=True)
class Order:
    """What is wished. `overwrites`: files that are there and are not the data set's are replaced; `deletes`: what the
    data set does not have is removed from the folder.
    """

    folder: str
    prefix: str = ""
    selection: Selection = field(default_factory=Selection)
    overwrites: bool = False
    deletes: bool = False
    trusts_times: bool = True
    threads: int = 8
    writers: int = 2
    bytes_per_second: float | None = None
    ranges_from_bytes: int = receiving.RANGES_FROM_BYTES


@dataclass(frozen=True)
class Planned:
    """What a dry run would do with a key: receive, compare, keep, refuse or delete."""

    step: str
    key: str
    size_bytes: int


@dataclass
class Download:
    """One run. `tally` may be looked at meanwhile, from any thread. `manifest` gives its entries from the beginning
    each time it is called, of a data set that may not have changed since; None where there is none. `recorded` gives
    what movers reported, in the same way and as patiently as it is told: good for the objects that it fits, and no word
    about others. Both are called from several threads, one after the other.
    """

    order: Order
    repository: Repository
    manifest: Callable[[], Iterable[Listed]] | None = None
    event: Callable[[Event], object] = lambda _: None
    recorded: Callable[[Patience], Iterable[Listed]] | None = None
    crew: Crew = field(default_factory=Crew)
    tally: Tally = field(default_factory=Tally)
    compared: dict[str, int] = field(default_factory=dict)
    settling: Settling = field(default_factory=Settling)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _places: Places | None = None

    def run(self) -> None:
        """Do it all. Files that could not be had are told as `Trouble`, and counted as problems.

        Raises: Refused when access is refused (it was revoked, or the data set finalized), what the repository raises
        where it is denied; Unreachable when patience ended; Full; Unwritable. Whatever it raises, and when it is
        killed: the next run goes on from there.
        """
        self.repository.patience = replace(self.repository.patience, rest=self.crew.rest, on_trouble=self._broke)
        try:
            os.makedirs(self.order.folder, exist_ok=True)
            self._places = self._places or Places(self.order.folder)
        except OSError as error:
            raise self._unwritable(error) from None
        limit = Limit(self.order.bytes_per_second, rest=self.crew.rest)
        self._receiver = Receiver(
            *(self.repository, self.crew, self.tally, limit, self.settling), self.order.ranges_from_bytes
        )
        ahead: Ahead[Found] = Ahead(self.crew, _REMEMBERED)
        try:
            free = self._free_bytes()
            self.tally.step = "receiving"
            self.crew.hire(self.order.threads, Lane.PARTS, Lane.FILES)
            self.crew.hire(self.order.writers, Lane.HUGE)
            self.crew.start(lambda: self._look(ahead, free))
            self._hand_out(ahead)
            self._finish()
        except Stopped:
            raise (self.crew.failure or Stopped()) from None
        finally:
            self.crew.stop()
            with contextlib.suppress(Unwritable):  # what came before it ended is not read again by the next run
                self.settling.settle()

    def rehearse(self) -> Iterator[Planned]:
        """What would be done; nothing is."""
        for entry in filter(None, map(self._entry, self._known())):
            yield Planned(self._step(entry), entry.key, entry.size_bytes)
        if self.order.deletes and os.path.isdir(self.order.folder):
            for local in self._surplus():
                yield Planned("delete", local.key, local.size_bytes)

    # What there is

    def _entry(self, found: Found) -> Listed | None:
        """What is to be here; None, and told, where it differs from what the manifest says."""
        reason = self._difference(found)
        if not reason:
            return found.entry
        self._trouble(found.entry.key, reason)
        return None

    def _difference(self, found: Found) -> str:
        if not found.is_there:
            return "the manifest has it, but the store does not"
        if self.manifest and not found.is_as_told:
            return "it is not what the manifest says, or not in it: it was changed after the data set was finalized"
        return ""

    def _known(self) -> Iterator[Found]:
        """What the store or the manifest knows now, of what is meant. Raises: Stopped, and what they raise."""
        found = (each for each in listed.of_stored(self._stored()) if not each.key.startswith(ATTACHMENTS))
        if self.manifest:
            known = listed.with_checksums(found, self.manifest())
        else:
            recorded = self.recorded(self.repository.patience) if self.recorded else ()
            known = listed.with_checksums(found, recorded)
            known = (each for each in known if each.is_there)
        return filter(self._is_meant, known)

    def _stored(self) -> Iterator[Stored]:
        for each in self.repository.list(self.order.prefix):
            self.crew.check()
            yield each

    def _is_meant(self, found: Found) -> bool:
        key, prefix = found.entry.key, self.order.prefix
        # An object of the very name of the folder marks it for other programs, and is nothing in it.
        return key.startswith(prefix) and key != prefix and self.order.selection.takes(key[len(prefix) :])

    def _free_bytes(self) -> int:
        try:
            return shutil.disk_usage(self.order.folder).free
        except OSError as error:
            raise self._unwritable(error) from None

    def _look(self, ahead: Ahead[Found], free: int) -> None:
        """Count what there is, and line it up as long as it fits. Has a thread of its own. Raises: Full, Stopped, and
        what the store and the lists raise.
        """
        needed = begun = 0
        for found in self._known():
            if not self._difference(found):
                self.tally.found_files += 1
                self.tally.found_bytes += found.entry.size_bytes
                needed += self._needed(found.entry)
            if needed <= free:
                ahead.put(found)
                begun += 1
        self.tally.is_counted = True
        if needed > free:
            said = f"{needed:,} bytes are to come, and the disk of {self.order.folder} has room for {free:,}"
            raise Full(f"{said}; what came or was begun before that was known stays there" if begun else said)
        ahead.end()

    def _needed(self, entry: Listed) -> int:
        try:
            here = os.lstat(self._place(entry, makes_folders=False))
        except Unholdable:
            return 0
        except OSError:
            return entry.size_bytes
        return entry.size_bytes if here.st_size != entry.size_bytes else 0

    def _inside(self, entry: Listed) -> str:
        return entry.key[len(self.order.prefix) :]

    def _place(self, entry: Listed, *, makes_folders: bool) -> str:
        """Raises: Unholdable, OSError; FileNotFoundError where there is no folder yet."""
        if self._places is None:
            if not os.path.isdir(self.order.folder):
                raise FileNotFoundError(self.order.folder)
            self._places = Places(self.order.folder)
        return self._places.of(self._inside(entry), makes_folders=makes_folders)

    # What has to be done

    def _hand_out(self, ahead: Ahead[Found]) -> None:
        last = b""
        for group in ahead:
            self._hand_over(group)
            last = group[-1].entry.key.encode()
        if ahead.is_cut:  # what follows in the order of keys
            self._hand_over(found for found in self._known() if found.entry.key.encode() > last)
        while not self.crew.is_idle:
            self.crew.rest(_PAUSE_SECONDS)

    def _hand_over(self, group: Iterable[Found]) -> None:
        batch: list[Task] = []
        for entry in filter(None, map(self._entry, group)):
            task = self._task(entry)
            if task is None:
                continue
            if entry.size_bytes > self.order.ranges_from_bytes:
                self.crew.do(Lane.HUGE, lambda task=task: self._receive([task]))  # type: ignore[misc]
                continue
            batch.append(task)
            if len(batch) >= _BATCH_FILES or sum(each.entry.size_bytes for each in batch) >= _BATCH_BYTES:
                self.crew.do(Lane.FILES, lambda batch=batch: self._receive(batch))  # type: ignore[misc]
                batch = []
        if batch:
            self.crew.do(Lane.FILES, lambda: self._receive(batch))

    def _task(self, entry: Listed) -> Task | None:
        """What to receive; None for what needs nothing, or cannot be. Folders are made here, by one thread."""
        try:
            path = self._place(entry, makes_folders=True)
        except Unholdable as problem:
            self._trouble(entry.key, str(problem))
            return None
        except OSError as error:
            self._failed(entry.key, error)
            return None
        if entry.key.endswith("/"):
            self._count(entry, "", is_new=False)
            return None
        return Task(entry, path)

    def _receive(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self.crew.check()
            try:
                self._one(task)
            except Refused as refusal:
                if refusal.is_access:
                    raise
                self._trouble(task.entry.key, _why(refusal))
            except Altered as problem:
                self._trouble(task.entry.key, str(problem))
            except OSError as error:
                self._failed(task.entry.key, error)

    def _failed(self, key: str, error: OSError) -> None:
        """This file cannot be. Raises: Full, Unwritable where no other one could."""
        if error.errno in _OF_ALL or not os.path.isdir(self.order.folder):
            raise self._unwritable(error) from None
        self._trouble(key, f"it cannot be written: {error.strerror or error}")

    def _unwritable(self, error: OSError) -> Problem:
        folder = self.order.folder
        if error.errno in _OF_ALL[:2]:
            return Full(f"the disk of {folder} is full, or what you may use of it: {error.strerror}")
        if error.errno not in _OF_ALL and self._places and not os.path.isdir(folder):
            return Unwritable(f"the folder {folder} is not there any more")
        return Unwritable(f"{folder} cannot be written: {error.strerror or error}")

    def _one(self, task: Task) -> None:
        step = self._state(task)
        if step == "refuse":
            self._trouble(task.entry.key, "another file of this name is here already: move it away, or say --overwrite")
        elif step == "link":
            self._trouble(task.entry.key, "a link or a folder is where the file must be")
        elif step == "keep":
            self._count(task.entry, "", is_new=False)
        else:
            word = self._receiver.receive(task)
            self._count(task.entry, word, is_new=True)
            self._works()

    def _state(self, task: Task) -> str:
        """What is to be done where something may be there already; reads it where only that can tell."""
        try:
            here = os.lstat(task.path)
        except FileNotFoundError:
            return "receive"
        entry = task.entry
        if places.is_link(here) or not os.path.isfile(task.path):
            return "link"
        at = entry.modified_at.timestamp()
        if here.st_size == entry.size_bytes:
            if self.order.trusts_times and _is_time(here, at):
                return "keep"
            if verify.is_same(task.path, entry):
                self.settling.add(task.path, at)
                return "keep"
        return "receive" if self.order.overwrites or _is_time(here, UNSETTLED) else "refuse"

    def _step(self, entry: Listed) -> str:
        try:
            here = os.lstat(self._place(entry, makes_folders=False))
        except Unholdable:
            return "refuse"
        except OSError:
            return "receive"
        if here.st_size != entry.size_bytes:
            return "receive" if self.order.overwrites or _is_time(here, UNSETTLED) else "refuse"
        return "keep" if _is_time(here, entry.modified_at.timestamp()) else "compare"

    # The end

    def _finish(self) -> None:
        self.tally.step = "waiting for the disk"
        self.settling.settle()
        if self.order.deletes:
            self.tally.step = "removing what the data set does not have"
            for local in self._surplus():
                self._remove(local)
        self.tally.step = "done"

    def _remove(self, local: ordered.Local) -> None:
        try:
            os.unlink(local.path)
        except OSError as error:
            self._trouble(local.key, f"it cannot be removed: {error.strerror or error}")
        else:
            self.tally.deleted_files += 1

    def _surplus(self) -> Iterator[ordered.Local]:
        """Files that the data set does not have, and what broken runs left; nothing where the data set is empty."""
        if not self.tally.found_files and all(self._difference(each) for each in self._known()):
            self._trouble(self.order.prefix, "nothing was removed here: the data set is empty")
            return
        # Also what is not as the manifest says: the copy here may be the last one.
        inside = (each.entry._replace(key=self._inside(each.entry)) for each in self._known())
        for known, local in ordered.beside(inside, ordered.walk(self.order.folder)):
            if known is not None or local is None or local.is_folder:
                continue
            if self._places and self._places.is_taken(local.key):
                continue
            if local.key.endswith(PARTIAL) or self.order.selection.takes(local.key):
                yield local

    # What is told

    def _count(self, entry: Listed, word: str, *, is_new: bool) -> None:
        with self._lock:
            self.tally.count(entry.size_bytes, is_new=is_new)
            if is_new:
                self.compared[word] = self.compared.get(word, 0) + 1

    def _trouble(self, key: str, reason: str) -> None:
        self.tally.troubled(is_problem=True)
        self.event(Trouble(names.shown(key), reason))

    def _broke(self, problem: Unreachable) -> None:
        if self.tally.broke(str(problem)):
            self.event(Outage(str(problem)))

    def _works(self) -> None:
        if self.tally.outage:
            seconds = self.tally.works()
            if seconds:
                self.event(Restored(seconds))


def _is_time(here: os.stat_result, at: float) -> bool:
    """Whether a file has the very time that its object has, which a run before gave it."""
    return abs(here.st_mtime - at) < 0.001


def _why(refusal: Refused) -> str:
    if refusal.status in (404, 412):
        return "somebody changed or removed it meanwhile: run it again"
    return f"the store refuses it: {refusal}"
