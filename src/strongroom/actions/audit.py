"""Reading the ledger: page through it, take it away as JSON lines, check the whole chain."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from strongroom.actions.deeds import Deed, doing
from strongroom.actions.paging import Page, page
from strongroom.core import digest_receipt, ledger, receipt
from strongroom.core.actor import Actor
from strongroom.core.errors import Forbidden, Invalid
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Outcome, SystemFact, Verb
from strongroom.db.models import DigestList, Event, LedgerHead, Manifest, Person

_BATCH = 2_000
_COLUMNS = tuple(field.name for field in dataclasses.fields(ledger.Entry))
# An entry carries the time its deed began and is numbered when it commits. No transaction stays open for so long.
_LONGEST_DEED = timedelta(hours=1)


def list_(
    actor: Actor,
    *,
    space_id: UUID | None = None,
    dataset_id: UUID | None = None,
    verb: str | None = None,
    person: str | None = None,
    outcome: Outcome | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Event]:
    """Events, newest first: of a space, of a data set, or (staff administrators) of everything.

    `verb` is a Verb or a SystemFact, `person` an id or an e-mail address; `since` counts in, `until` does not.
    Raises: NotFound, Forbidden, Invalid.
    """
    with doing(actor, Verb.AUDIT_LIST) as deed:
        events = _of(deed, space_id, dataset_id)
        if verb:
            events = events.filter(verb=_known_verb(verb))
        if person:
            events = events.filter(actor_id=_person_id(person))
        if outcome:
            events = events.filter(outcome=outcome.value)
        return page(_between(events, since, until), by=["-sequence"], cursor=cursor, limit=limit)


def export(
    actor: Actor, *, space_id: UUID | None = None, since: datetime | None = None, until: datetime | None = None
) -> Iterator[str]:
    """JSON lines, oldest first, in constant memory; the first one says what the export reaches, and how many follow.

    Itself an event.

    Times choose where it begins and ends; within, nothing is left out, so that the entries chain.
    Raises: NotFound, Forbidden.
    """
    with doing(actor, Verb.AUDIT_EXPORT) as deed:
        events = _of(deed, space_id, None)
        with transaction.atomic():
            times = {"since": since.isoformat() if since else None, "until": until.isoformat() if until else None}
            deed.record(after=times)
    first, last = _reach(since, until)
    events = events.filter(sequence__gte=first, sequence__lte=last)
    count = events.count()
    header = ledger.export_header(after=_head_at(first - 1), head=_head_at(last), space_id=space_id, count=count)
    entries = _entries(events)
    return (f"{line}\n" for line in itertools.chain([header], map(ledger.to_json, entries)))


def verify(actor: Actor, *, space_id: UUID | None = None) -> ledger.Report:
    """Walk the whole chain (staff administrators), or check each entry of one space against its own hash.

    The whole chain must pass through every head that a signed receipt noted. Takes about a minute for a million.
    """
    with doing(actor, Verb.AUDIT_VERIFY) as deed:
        events = _of(deed, space_id, None)
        head = LedgerHead.objects.get(id=1)
        entries = _entries(events.filter(sequence__lte=head.sequence))
        end = (head.sequence, head.hash)
        if space_id is None:
            return ledger.verify(entries, expected_head=end, anchors=_anchors())
        header = ledger.export_header(after=ledger.START, head=end, space_id=space_id)
        return ledger.verify_export(itertools.chain([header], map(ledger.to_json, entries)))


def _of(deed: Deed, space_id: UUID | None, dataset_id: UUID | None) -> "QuerySet[Event]":
    """What the actor may read of what was asked for."""
    if space_id is None and dataset_id is None:
        try:
            deed.platform()
        except Forbidden as refused:
            if refused.code == "role":
                refused.way_out = say(
                    "Everything is for administrators of the platform. Owners and auditors name their space or a "
                    "data set in it (--space, --dataset)."
                )
            raise
        return Event.objects.all()
    events = Event.objects.all()
    if space_id is not None:
        deed.space(space_id)
        events = events.filter(space_id=space_id)
    if dataset_id is not None:
        deed.dataset_in_any_state(dataset_id)
        events = events.filter(dataset_id=dataset_id)
    return events


def _known_verb(verb: str) -> str:
    if verb not in {*Verb, *SystemFact}:
        raise Invalid(
            say("“{verb}” is no verb of the ledger.", verb=verb), fields={"verb": say("such as dataset.finalize")}
        )
    return verb


def _person_id(person: str) -> UUID | None:
    """Somebody unknown did nothing: an id that no entry has."""
    try:
        return UUID(person)
    except ValueError:
        found = Person.objects.filter(email=person.strip().lower()).values_list("id", flat=True).first()
        return found or UUID(int=0)


def _between(events: "QuerySet[Event]", since: datetime | None, until: datetime | None) -> "QuerySet[Event]":
    """Narrow by time, and by sequence as far as times allow, so that only the key has to be walked."""
    times = Event.objects.values_list("sequence", flat=True)
    if since is not None:
        before = times.filter(at__lte=since - _LONGEST_DEED).order_by("-at").first()
        events = events.filter(at__gte=since, sequence__gt=before or 0)
    if until is not None:
        after = times.filter(at__gte=until + _LONGEST_DEED).order_by("at").first()
        events = events.filter(at__lt=until)
        events = events.filter(sequence__lt=after) if after else events
    return events


def _reach(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The first and the last entry of a time; (n + 1, n) when there is none."""
    within = _between(Event.objects.all(), since, until).values_list("sequence", flat=True)
    first = within.order_by("sequence").first()
    last = within.order_by("-sequence").first()
    if first is None or last is None:
        head = LedgerHead.objects.get(id=1).sequence
        return head + 1, head
    return first, last


def _head_at(sequence: int) -> ledger.Head:
    found = Event.objects.filter(sequence=sequence).values_list("sequence", "hash").first()
    return found or ledger.START


def _entries(events: "QuerySet[Event]") -> Iterator[ledger.Entry]:
    """In batches by key: no cursor is held open however slowly the reader takes them."""
    reached = -1
    while True:
        batch = list(events.filter(sequence__gt=reached).order_by("sequence").values_list(*_COLUMNS)[:_BATCH])
        yield from itertools.starmap(ledger.Entry, batch)
        if len(batch) < _BATCH:
            return
        reached = batch[-1][0]


def _anchors() -> dict[int, str]:
    """The places in the ledger that signed receipts noted, of both kinds."""
    made = Manifest.objects.exclude(receipt="").values_list("receipt", flat=True).iterator(chunk_size=_BATCH)
    read_later = DigestList.objects.values_list("receipt", flat=True).iterator(chunk_size=_BATCH)
    receipts: Iterable[receipt.Receipt | digest_receipt.DigestReceipt] = itertools.chain(
        map(receipt.decode, made), map(digest_receipt.decode, read_later)
    )
    return {each.ledger_sequence: each.ledger_hash for each in receipts}
