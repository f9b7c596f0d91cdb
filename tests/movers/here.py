"""A folder, a store of the tests, and the journal between them."""

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from strongroom.movers.errors import Refused
from strongroom.movers.journal import Journal, Sent
from strongroom.movers.retrying import Patience
from strongroom.movers.s3 import Credentials, Repository
from strongroom.movers.tally import Event, Tally
from strongroom.movers.upload import Order, Planned, Told, Upload
from strongroom.movers.walk import Trouble
from tests.movers.sink import Sink


@dataclass
class Here:
    """A folder, a store, and the journal between them. `run` is one run of the mover."""

    sink: Sink
    tmp: Path
    events: list[Event] = field(default_factory=list)
    digests: dict[str, Sent] = field(default_factory=dict)
    planned: list[Planned] = field(default_factory=list)
    denied: Callable[[Refused], object] = lambda _: None
    patience: Patience = field(default_factory=lambda: Patience(seconds=0))

    @property
    def folder(self) -> Path:
        return self.tmp / "folder"

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        before = time.time_ns() - 10_000_000_000  # as if it had rested for a while
        os.utime(path, ns=(before, before))
        return path

    def journal(self) -> Journal:
        return Journal(self.tmp / "journal.db")

    def upload(self, journal: Journal, **order: object) -> Upload:
        who = Credentials("key", "secret")
        where = (self.sink.url, "us-east-1", "bucket")
        repository = Repository(*where, lambda: who, denied=self.denied, patience=self.patience)
        told = Told(self.events.append, self._digests, self.planned.append)
        return Upload(Order(str(self.folder), **order), repository, journal, told)  # type: ignore[arg-type]

    def run(self, **order: object) -> Tally:
        self.events.clear()
        journal = self.journal()
        try:
            upload = self.upload(journal, **order)
            upload.run()
            return upload.tally
        finally:
            journal.close()

    def said(self, *, is_problem: bool = True) -> dict[str, str]:
        found = [each for each in self.events if isinstance(each, Trouble) and each.is_problem is is_problem]
        return {each.key: each.reason for each in found}

    def _digests(self, batch: Sequence[Sent]) -> None:
        self.digests.update({each.key: each for each in batch})


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
