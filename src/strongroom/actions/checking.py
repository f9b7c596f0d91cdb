"""Reads finalized originals again, in segments: completes the digests of each once, then compares. For the worker.

Each segment is written down before the next begins, so that a kill loses one at most. Several workers may run: a check
has a lease. What is not as listed is written down and told at once, not only when all was read.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from strongroom.actions import alarming, digesting, ending, inventory
from strongroom.actions.configuration import settings
from strongroom.actions.fixity import open_check
from strongroom.actions.leases import Busy, Lease, LeaseLost, leased
from strongroom.actions.pacing import Pace, Stopped
from strongroom.actions.reading import Found, Line, Reader, numbered, reading
from strongroom.actions.signed_lists import left
from strongroom.core import bag, manifest
from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say, say_many
from strongroom.core.vocabulary import CheckState, Damage, Kind, State
from strongroom.db.models import Dataset, FixityCheck, FixityDifference

SEGMENT_OBJECTS = 1000
SEGMENT_LINES = 20_000
SEGMENT_BYTES = 1 << 30
TURN_SECONDS = 60.0
RETRY = timedelta(minutes=10)  # an object that cannot be read may be readable again when the engine was mended
BACKOFF = timedelta(seconds=30)
MOST_DIFFERENCES = 10_000
log = structlog.get_logger()


def run_due(wait: Callable[[float], bool] = lambda _: False) -> int:
    """Go on with the check that has waited longest; how many. `wait(seconds)`: whether the process is to end."""
    _plan()
    now = timezone.now()
    due = FixityCheck.objects.filter(next_at__lte=now).filter(Q(lease=None) | Q(leased_until__lt=now))
    check_id = due.order_by("next_at").values_list("id", flat=True).first()
    if check_id is None:
        return 0
    _try(check_id, Pace(settings().fixity_bytes_per_second, wait))
    return 1


def _plan(limit: int = 20) -> None:
    """Open the checks that are due by the calendar."""
    due = Dataset.objects.filter(fixity_due_at__lte=timezone.now()).order_by("fixity_due_at")
    for dataset_id in list(due.values_list("id", flat=True)[:limit]):
        with transaction.atomic():
            dataset = Dataset.objects.select_for_update(no_key=True).get(id=dataset_id)
            if dataset.state == State.FINALIZED and dataset.kind == Kind.ORIGINAL:
                open_check(dataset, asked_by=None, now=timezone.now())
            Dataset.objects.filter(id=dataset_id).update(fixity_due_at=None)


def _try(check_id: UUID, pace: Pace) -> None:
    try:
        with leased(check_id, wait_seconds=0, rows=FixityCheck) as lease:
            _go_on(lease, pace)
    except (Busy, LeaseLost, Stopped):
        return
    except Unavailable as error:
        log.warning("fixity_check_waits", check=str(check_id), error=str(error))
        _wait_for_it(check_id, str(error))
    except Exception as error:
        log.exception("fixity_check_crashed", check=str(check_id))
        _wait_for_it(check_id, f"{type(error).__name__}: {error}")


def _wait_for_it(check_id: UUID, error: str) -> None:
    later = timezone.now() + BACKOFF
    FixityCheck.objects.filter(id=check_id, next_at__isnull=False).update(next_at=later, last_error=error[:2000])


def _go_on(lease: Lease, pace: Pace) -> None:
    """As far as one turn lets it; then others have theirs."""
    check = _row(lease)
    if check.ended_at is not None:
        _clean_up(lease, check)
        return
    if check.dataset.state != State.FINALIZED:
        ending.stopped(lease, check)
        _clean_up(lease, _row(lease))
        return
    with left(check, pace) as found, reading(check.dataset.repository, pace, settings().fixity_threads) as reader:
        tries_again = check.objects_done >= found.total
        lease.save(state=CheckState.READING, last_error="")
        until = time.monotonic() + TURN_SECONDS
        for segment in _segments(check, found.lines):
            _keep(lease, check, reader.read([each for each in segment if _is_to_read(check, each)]), segment)
            check = _row(lease)
            if time.monotonic() > until:
                break
        if check.objects_done < found.total:
            lease.save(next_at=timezone.now(), last_error="")
            return
        _end(lease, check, reader, pace, tries_again=tries_again)


def _row(lease: Lease) -> FixityCheck:
    related = FixityCheck.objects.select_related("dataset__space", "manifest")
    return related.get(id=lease.row_id)


def _end(lease: Lease, check: FixityCheck, reader: Reader, pace: Pace, *, tries_again: bool) -> None:
    """All was read; `tries_again`: in a turn before this one."""
    if not check.completes_digests:
        ending.ended(lease, check)
        _tell(lease)
        return
    if tries_again:
        _read_again(lease, check, reader)
    count = _unresolved(check).count()
    if count:
        said = str(
            say_many(
                "{count} object could not be digested; it is tried again by itself.",
                "{count} objects could not be digested; they are tried again by themselves.",
                count,
            )
        )
        ending.postponed(lease, check, next_at=timezone.now() + RETRY, last_error=said, difference_count=count)
        return
    made = digesting.assemble(check, pace)
    if made.object_count != check.manifest.object_count:
        raise Unavailable(say("The digests of {count} objects were kept, not of all.", count=made.object_count))
    ending.digested(lease, check, made)
    _clean_up(lease, _row(lease))


def _clean_up(lease: Lease, check: FixityCheck) -> None:
    digesting.forget_pieces(check)
    lease.save(pieces=0, pieces_sha256="", next_at=None)


# Segments


def _segments(check: FixityCheck, lines: Iterator[bytes]) -> Iterator[list[Line]]:
    """The lines, which begin where the check is, in parts that are read and written down as a whole."""
    segment: list[Line] = []
    objects = size_bytes = 0
    for line in numbered(manifest.read(lines), check.objects_done):
        segment.append(line)
        if _is_to_read(check, line):
            objects, size_bytes = objects + 1, size_bytes + line.entry.size_bytes
        if objects >= SEGMENT_OBJECTS or size_bytes >= SEGMENT_BYTES or len(segment) >= SEGMENT_LINES:
            yield segment
            segment, objects, size_bytes = [], 0, 0
    if segment:
        yield segment


def _is_to_read(check: FixityCheck, line: Line) -> bool:
    """All that is listed; to complete the digests, only what came without one."""
    return not check.completes_digests or bag.of_checksum(line.entry.checksum) is None


# What was found


def _keep(lease: Lease, check: FixityCheck, found: list[Found], segment: list[Line]) -> None:
    """Write a segment down: the digests as a piece, then in one transaction what differs and how far it is."""
    damaged, sums = [each for each in found if each.damage], check.pieces_sha256
    if check.completes_digests:
        if _unresolved(check).count() + len(damaged) > MOST_DIFFERENCES:
            raise Unavailable(
                say(
                    "More than {most} objects cannot be read: look after the storage engine.",
                    most=MOST_DIFFERENCES,
                )
            )
        digested = {each.line.position: each.digested for each in found}
        sums = digesting.keep_piece(check, (digested.get(line.position, line.entry) for line in segment))
    with transaction.atomic():
        room = max(MOST_DIFFERENCES - check.difference_count, 0)
        rows = [_difference(check, each, each.damage) for each in damaged[:room] if each.damage]
        FixityDifference.objects.bulk_create(rows)
        lease.save(
            objects_done=F("objects_done") + len(segment),
            read_count=F("read_count") + len(found),
            read_bytes=F("read_bytes") + sum(each.line.entry.size_bytes for each in found),
            pieces=F("pieces") + int(check.completes_digests),
            pieces_sha256=sums,
            difference_count=F("difference_count") + len(damaged),
        )
        if damaged:
            alarming.raise_(check, damaged)
    _tell(lease)


def _difference(check: FixityCheck, found: Found, damage: Damage) -> FixityDifference:
    return FixityDifference(
        check_run=check,
        position=found.line.position,
        key=found.line.entry.key,
        damage=damage,
        expected=found.line.entry.checksum or "",
        found=f"sha256:{found.sha256}" if found.sha256 else "",
        detail=found.detail[:2000],
        found_at=timezone.now(),
    )


def _read_again(lease: Lease, check: FixityCheck, reader: Reader) -> None:
    """The objects that could not be digested: by now the engine may have been mended."""
    positions = set(_unresolved(check).values_list("position", flat=True))
    if not positions:
        return
    listed = numbered(inventory.proved_entries(check.manifest))
    wanted = [line for line in listed if line.position in positions]
    for start in range(0, len(wanted), SEGMENT_OBJECTS):
        for each in reader.read(wanted[start : start + SEGMENT_OBJECTS]):
            if not each.damage:
                row = _unresolved(check).filter(position=each.line.position)
                row.update(sha256=each.sha256)
        lease.renew()


def _unresolved(check: FixityCheck) -> "QuerySet[FixityDifference]":
    return FixityDifference.objects.filter(check_run=check, sha256="")


def _tell(lease: Lease) -> None:
    """Letters about what was found, once a check; after what they tell of was written down."""
    check = _row(lease)
    if check.difference_count and check.told_at is None:
        alarming.send_letters(check)
        lease.save(told_at=timezone.now())
