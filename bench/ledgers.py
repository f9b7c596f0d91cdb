"""A ledger of a million entries: pages of it, near and far; the check of the whole chain; an export."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from bench.figures import spread, timed
from bench.inside import Place, control_plane, database, forget_peak, peak_bytes

if TYPE_CHECKING:
    from strongroom.core.ledger import Entry

COUNT, PAGE, ROUNDS, BATCH = 1_000_000, 100, 40, 2_000


def measure() -> dict[str, object]:
    """Milliseconds a page, entries a second, bytes."""

    with control_plane(has_engine=False) as place:
        written, _ = timed(lambda: _fill(place))
        return {"database": database(), "count": COUNT, "written": COUNT / written, **_measured(place)}


def _measured(place: Place) -> dict[str, object]:
    from strongroom.actions import audit
    from strongroom.actions.paging import _encode
    from strongroom.core.vocabulary import Outcome, Verb

    def page(**wanted: object) -> Callable[[], int]:
        return lambda: len(audit.list_(place.actor, limit=PAGE, **wanted).rows)  # type: ignore[arg-type]

    last = _encode([PAGE + 1])
    pages = {
        "page 1": page(),
        "page 5,000": page(cursor=_encode([COUNT // 2])),
        f"page {COUNT // PAGE:,} (the last)": page(cursor=last),
        "page 1 of one space": page(space_id=place.space.id),
        "page 1 of one verb": page(verb=Verb.KEY_RESET.value),
        "page 1 of what was refused": page(outcome=Outcome.REFUSED),
    }
    times = {name: _times(do) for name, do in pages.items()}
    forget_peak()
    before = peak_bytes()
    seconds, report = timed(lambda: audit.verify(place.actor))
    assert report.is_whole, report.faults[:3]
    told = {"verify": COUNT / seconds, "verify_seconds": seconds, "verify_grown_bytes": peak_bytes() - before}
    seconds, lines = timed(lambda: sum(1 for _ in islice(audit.export(place.actor), 200_000)))
    return {"pages": times, **told, "export": lines / seconds}


def _times(do: Callable[[], int]) -> str:
    assert do() == PAGE
    return spread([timed(do)[0] for _ in range(ROUNDS)]).shown(1000)


def _fill(place: Place) -> None:
    """Chained as the ledger chains them, so that the check has its whole work."""
    from dataclasses import fields

    from django.db import connection, transaction

    from strongroom.db.models import Event, LedgerHead

    head = LedgerHead.objects.get(id=1)
    entries = _entries(place, (head.sequence, head.hash), COUNT - head.sequence)
    while batch := list(islice(entries, BATCH)):
        names = [each.name for each in fields(batch[0])]
        with transaction.atomic():
            Event.objects.bulk_create(Event(**{name: getattr(each, name) for name in names}) for each in batch)
            LedgerHead.objects.filter(id=1).update(sequence=batch[-1].sequence, hash=batch[-1].hash)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _entries(place: Place, head: tuple[int, str], count: int) -> "Iterator[Entry]":
    from django.utils import timezone

    from strongroom.core import ledger
    from strongroom.core.vocabulary import Outcome, Verb

    verbs = (Verb.DATASET_CREATE, Verb.KEY_ISSUE, Verb.ATTACHMENT_ADD, Verb.DATASET_EDIT, Verb.ATTACHMENT_LINK)
    begin = timezone.now() - timedelta(days=365)
    space_ids = [place.space.id, *(uuid.uuid4() for _ in range(99))]
    for number in range(count):
        entry = ledger.link(
            head,
            at=begin + timedelta(seconds=number * 30),
            verb=(Verb.KEY_RESET if number % 500 == 0 else verbs[number % 5]).value,
            outcome=(Outcome.REFUSED if number % 100 == 7 else Outcome.DONE).value,
            actor_id=place.actor.person_id,
            actor_email=place.actor.email,
            address="192.0.2.7",
            request_id=f"{number:032x}",
            space_id=space_ids[number % 100],
            dataset_id=None,
            subject=f"Cohort {number % 10_000:05}",
            before=None,
            after={"description": f"Wave {number}"},
            reason="",
        )
        head = (entry.sequence, entry.hash)
        yield entry


if __name__ == "__main__":
    print(json.dumps(measure()))
