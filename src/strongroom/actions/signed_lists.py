"""The list that a fixity check goes by: handed out only when all of it was proved to be the one that was signed.

It lies in the storage engine, where it may be altered between any two turns of a check: each turn proves it anew.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest

from strongroom.actions import digesting, inventory, pacing
from strongroom.actions.configuration import settings
from strongroom.actions.pacing import Pace
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
def left(check: FixityCheck, pace: Pace) -> Iterator[Left]:
    """The next lines, in constant memory.

    Raises Unavailable when the list is not the one that was signed: nothing could be compared with it. Raises Stopped.
    """
    wanted, total = range(check.objects_done, check.objects_done + TURN_LINES), 0
    with tempfile.TemporaryFile(dir=settings().home) as aside:
        for total, line in enumerate(_whole(check, wanted), start=1):
            if total - 1 in wanted:
                aside.write(line + b"\n")
            if total % pacing.ASK_LINES == 0:
                pace.rest(0)
        aside.seek(0)
        yield Left(iter(aside), total)


def _whole(check: FixityCheck, wanted: range) -> Iterator[bytes]:
    if check.completes_digests:
        return inventory.proved(check.manifest)
    made = DigestList.objects.filter(manifest=check.manifest).first()
    return digesting.proved(made) if made else _draft(check, wanted)


def _draft(check: FixityCheck, wanted: range) -> Iterator[bytes]:
    """What is known while the digests are not complete: the manifest, with those that were found.

    Only the manifest was signed: nothing may stand there in addition but a digest of what came without one. All of it
    and of what was kept is hashed, which proves both; digests stand only in the lines that are wanted, for those alone
    are taken apart.
    """
    waiting = FixityCheck.objects.filter(manifest=check.manifest, completes_digests=True, ended_at=None).first()
    if waiting is None or waiting.objects_done < check.manifest.object_count:  # it was made to begin anew
        raise Unavailable(say("The digests are being put together."))
    late = dict(waiting.differences.exclude(sha256="").values_list("position", "sha256"))
    pairs = zip_longest(inventory.proved(check.manifest), digesting.kept(waiting))
    for position, (signed, kept) in enumerate(pairs):
        if signed is None or kept is None:
            raise inventory.altered(check.manifest.root_sha256)
        yield _with_digest(check, signed, kept, late.get(position)) if position in wanted else signed


def _with_digest(check: FixityCheck, signed: bytes, kept: bytes, late: str | None) -> bytes:
    """The line with the digest that was found, at once or `late`."""
    if signed == kept and late is None:
        return signed
    try:
        was, entry = manifest.decode(signed), manifest.decode(kept)
    except Invalid:
        raise inventory.altered(check.manifest.root_sha256) from None
    if late is not None:
        entry = replace(entry, checksum=f"sha256:{late}")
    if not digesting.adds_a_digest_at_most(was, entry):
        raise inventory.altered(check.manifest.root_sha256)
    return manifest.encode(entry).removesuffix(b"\n")
