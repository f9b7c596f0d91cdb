"""The list that a fixity check goes by: handed out only when all of it was proved to be the one that was signed.

It lies in the storage engine, where it may be altered between any two turns of a check: each turn proves it anew.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest

from strongroom.actions import digesting, inventory
from strongroom.actions.configuration import settings
from strongroom.core import manifest
from strongroom.core.errors import Invalid, Unavailable
from strongroom.core.sentences import say
from strongroom.db.models import DigestList, FixityCheck

TURN_LINES = 100_000  # set aside on disk for a turn, which seldom gets that far


@dataclass(frozen=True, slots=True)
class Left:
    """What a turn may read: the lines from where the check is. `total`: how many the whole list has."""

    lines: Iterator[bytes]
    total: int


@contextmanager
def left(check: FixityCheck) -> Iterator[Left]:
    """The next lines, in constant memory.

    Raises Unavailable when the list is not the one that was signed: nothing could be compared with it.
    """
    begin, end, total = check.objects_done, check.objects_done + TURN_LINES, 0
    with tempfile.TemporaryFile(dir=settings().home) as aside:
        for total, line in enumerate(_whole(check), start=1):
            if begin < total <= end:
                aside.write(line + b"\n")
        aside.seek(0)
        yield Left(iter(aside), total)


def _whole(check: FixityCheck) -> Iterator[bytes]:
    if check.completes_digests:
        return inventory.proved(check.manifest)
    made = DigestList.objects.filter(manifest=check.manifest).first()
    return digesting.proved(made) if made else _draft(check)


def _draft(check: FixityCheck) -> Iterator[bytes]:
    """What is known while the digests are not complete: the manifest, with those that were found.

    Only the manifest was signed: nothing may stand there in addition but a digest of what came without one.
    """
    waiting = FixityCheck.objects.filter(manifest=check.manifest, completes_digests=True, ended_at=None).first()
    if waiting is None or waiting.objects_done < check.manifest.object_count:  # it was made to begin anew
        raise Unavailable(say("The digests are being put together."))
    pairs = zip_longest(manifest.read(inventory.proved(check.manifest)), digesting.draft(waiting))
    try:
        for signed, entry in pairs:
            if not (signed and entry and digesting.adds_a_digest_at_most(signed, entry)):
                raise inventory.altered(check.manifest.root_sha256)
            yield manifest.encode(entry).rstrip(b"\n")
    except Invalid:
        raise inventory.altered(check.manifest.root_sha256) from None
