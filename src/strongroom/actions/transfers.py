"""What can be done with transfers: open one, renew its credentials, record digests, close it, see who runs what.

A transfer is a session of the engine that the policy of the data set names for as long as the transfer has not ended.
Its credentials are signed here, on demand, and stored nowhere; what ends them is the policy.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from strongroom import engines
from strongroom.actions import converge, digests, transferring
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import Deed, doing
from strongroom.actions.paging import Page, page
from strongroom.core import lifecycle
from strongroom.core.actor import Actor
from strongroom.core.deeds import DEEDS
from strongroom.core.digests import Digest, check_count, check_sha256
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable, sentence_of
from strongroom.core.names import clean_text, transfer_session_name
from strongroom.core.sentences import NOTHING, Sentence, say
from strongroom.core.vocabulary import Direction, Kind, State, TransferEnd, Verb
from strongroom.db.models import Dataset, ObjectDigest, Transfer
from strongroom.engines.protocol import Session

MOST_DIGESTS = 1000


@dataclass(frozen=True, slots=True)
class OpenTransfer:
    """A running transfer with credentials, which exist here and at whoever asked, nowhere else."""

    transfer: Transfer
    session: Session
    repository: str
    endpoint: str
    region: str

    @property
    def seconds_left(self) -> float:
        """How long its credentials work from now on; who measures that needs no clock that is right."""
        return max((self.session.expires_at - timezone.now()).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a transfer did, as its mover tells it; the manifest is the mover's own list of what it sent."""

    file_count: int | None = None
    size_bytes: int | None = None
    problem_count: int | None = None
    manifest_sha256: str = ""

    def __post_init__(self) -> None:
        for field in ("file_count", "size_bytes", "problem_count"):
            check_count(field, getattr(self, field))
        if self.manifest_sha256:
            check_sha256("manifest_sha256", self.manifest_sha256)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Some digests, and the key to go on after (None: these were the last)."""

    items: list[ObjectDigest]
    next_after: str | None


def open_(actor: Actor, dataset_id: UUID, *, direction: Direction = Direction.UPLOAD, label: str = "") -> OpenTransfer:
    """Credentials that work on every gateway, for a pending data set, until they expire or the transfer ends.

    Raises: NotFound, Forbidden, Conflict (state; too many run), Invalid (label), Unavailable (none was opened).
    """
    with doing(actor, Verb.TRANSFER_OPEN) as deed:
        dataset = deed.dataset_in_any_state(dataset_id)
        _check_state(deed, dataset)
        label = clean_text("label", label, max_length=200, required=False)
        _make_room(deed, dataset)
        transfer = _insert(deed, dataset, direction, label)
        token = converge.request(dataset, and_lease=True)
        deed.record(after=transferring.facts(transfer))
    try:
        converge.cut(dataset_id, token=token)
        _confirm(deed, transfer)
        return _with_credentials(transfer)
    except Refusal as refusal:
        _end(transfer, TransferEnd.LOST)
        if isinstance(refusal, Unavailable):
            raise _not_opened(refusal) from refusal
        raise


def renew(actor: Actor, transfer_id: UUID) -> OpenTransfer:
    """Fresh credentials of the same session, for whoever opened it; nothing is asked of the engine.

    Raises: NotFound, Forbidden (somebody else's), Conflict (finalized; it has ended).
    """
    with doing(actor, Verb.TRANSFER_RENEW) as deed:
        transfer = _running(deed, transfer_id, is_own=True)
        before = transferring.facts(transfer)
        transfer.expires_at = deed.now + _lifetime()
        transfer.save(update_fields=["expires_at"])
        deed.record(before=before, after=transferring.facts(transfer))
    return _with_credentials(transfer)


def record(actor: Actor, transfer_id: UUID, reported: Sequence[Digest]) -> int:
    """Keep the digests of objects that were moved, at most 1,000 at a time, for whoever opened it; how many.

    One that is reported again replaces the one before. Finalizing puts those that fit what is there in the manifest.
    Raises: NotFound, Forbidden (somebody else's), Conflict (finalized; it has ended), Invalid.
    """
    with doing(actor, Verb.TRANSFER_RECORD) as deed:
        transfer = _running(deed, transfer_id, is_own=True)
        if not 1 <= len(reported) <= MOST_DIGESTS:
            raise Invalid(
                say("Record 1 to {most:,} digests at a time.", most=MOST_DIGESTS),
                fields={"items": say("1 to {most}", most=MOST_DIGESTS)},
            )
        if len({each.key for each in reported}) < len(reported):
            raise Invalid(say("A key stands here twice."), fields={"items": say("name each key once")})
        digests.keep(transfer, reported, deed.now)
        size_bytes = sum(each.size_bytes for each in reported)
        deed.record(after={"transfer": str(transfer.id), "digests": len(reported), "size_bytes": size_bytes})
    return len(reported)


def close(actor: Actor, transfer_id: UUID, summary: Summary = Summary()) -> Transfer:
    """End a transfer: when this returns its credentials do not work any more.

    By whoever opened it, or by somebody else who may upload. Raises as `renew`, and Unavailable (goes on).
    """
    with doing(actor, Verb.TRANSFER_CLOSE) as deed:
        transfer = _running(deed, transfer_id)
        transfer.ended_at, transfer.ended_by_id, transfer.end = deed.now, actor.person_id, TransferEnd.CLOSED
        transfer.file_count, transfer.size_bytes = summary.file_count, summary.size_bytes
        transfer.problem_count, transfer.manifest_sha256 = summary.problem_count, summary.manifest_sha256
        transfer.save(update_fields=["ended_at", "ended_by", "end", *Summary.__dataclass_fields__])
        converge.request(transfer.dataset)
        told = {name: getattr(summary, name) for name in Summary.__dataclass_fields__}
        deed.record(after={**transferring.facts(transfer), "end": TransferEnd.CLOSED.value, **told})
    converge.cut(transfer.dataset_id)
    return transfer


def list_(
    actor: Actor, dataset_id: UUID, *, is_live: bool | None = None, cursor: str | None = None, limit: int = 100
) -> Page[Transfer]:
    """The transfers of a data set, newest first; ended ones too unless `is_live` is True. Never a credential."""
    with doing(actor, Verb.TRANSFER_LIST) as deed:
        rows = deed.dataset(dataset_id).transfers.select_related("person", "ended_by")
        if is_live is not None:
            rows = rows.filter(ended_at__isnull=is_live)
        return page(rows, by=("-opened_at", "-id"), cursor=cursor, limit=limit)


def show(actor: Actor, transfer_id: UUID) -> Transfer:
    """One transfer, running or ended. Raises: NotFound, Forbidden."""
    with doing(actor, Verb.TRANSFER_SHOW) as deed:
        return _found(deed, transfer_id)


def recorded(actor: Actor, dataset_id: UUID, *, after: str = "", limit: int = MOST_DIGESTS) -> Recorded:
    """The digests that transfers recorded, in the order of keys. Refused once they are forgotten: never fewer than all.

    What was written over since is there as well: compare size and ETag. Raises: NotFound, Forbidden, Conflict, Invalid.
    """
    if not 1 <= limit <= MOST_DIGESTS:
        raise Invalid(
            say("limit must be between 1 and {most}.", most=MOST_DIGESTS),
            fields={"limit": say("1 to {most}", most=MOST_DIGESTS)},
        )
    if "\0" in after:
        raise Invalid(say("No key holds NUL."), fields={"after": say("`next_after` of the part before")})
    with doing(actor, Verb.TRANSFER_RECORDED) as deed:
        deed.dataset(dataset_id)
        found = digests.recorded(dataset_id, after=after, limit=limit + 1)
        deed.dataset(dataset_id)  # they are forgotten only after the state says so: what was read before this is whole
    is_last = len(found) <= limit
    return Recorded(found[:limit], None if is_last else found[limit - 1].key)


def end_due(limit: int = 100) -> int:
    """End transfers that were not renewed in time, and have the engine follow; how many. Called by the worker."""
    due = Transfer.objects.filter(ended_at=None, expires_at__lte=timezone.now()).order_by("expires_at")
    return sum(_end(transfer, TransferEnd.EXPIRED) for transfer in due[:limit])


def _end(transfer: Transfer, why: TransferEnd) -> bool:
    """End one in the rows and have the engine follow; False when it ended, or was renewed, meanwhile."""
    with transaction.atomic():
        now = timezone.now()
        dataset = Dataset.objects.select_for_update(no_key=True).get(id=transfer.dataset_id)
        rows = Transfer.objects.filter(id=transfer.id).select_related("dataset")
        if why is TransferEnd.EXPIRED:
            rows = rows.filter(expires_at__lte=now)
        if not transferring.end(rows, why, now=now):
            return False
        converge.request(dataset)
        Dataset.objects.filter(id=dataset.id).update(next_try_at=now)
    return True


def _lifetime() -> timedelta:
    return timedelta(minutes=settings().transfer_minutes)


def _insert(deed: Deed, dataset: Dataset, direction: Direction, label: str) -> Transfer:
    transfer_id = uuid.uuid4()
    return Transfer.objects.create(
        id=transfer_id,
        dataset=dataset,
        person_id=deed.actor.person_id,
        direction=direction,
        label=label,
        session=transfer_session_name(transfer_id),
        opened_at=deed.now,
        expires_at=deed.now + _lifetime(),
    )


def _make_room(deed: Deed, dataset: Dataset) -> None:
    """Raises Conflict when too many run; one whose time is over does not count, though no worker was there yet."""
    live = dataset.transfers.filter(ended_at=None).select_related("dataset")
    transferring.end(live.filter(expires_at__lte=deed.now), TransferEnd.EXPIRED, now=deed.now)
    most = settings().transfer_limit
    if live.count() >= most:
        raise Conflict(
            say(
                "{most} transfers of {dataset} are running already, which is the most at one time.",
                most=most,
                dataset=dataset.name,
            ),
            code="too-many-transfers",
            way_out=say("Wait until one ends, or close one that nobody needs: see `strongroom transfer list`."),
        )


def _confirm(deed: Deed, transfer: Transfer) -> None:
    """Before anybody is shown credentials: may they still, and does it still run?

    Whoever took a role away a moment ago may have looked for transfers before this one was there.
    Raises: Forbidden, Conflict.
    """
    with transaction.atomic():
        deed.authorize_again()
    found = Transfer.objects.select_related("dataset").get(id=transfer.id)
    _check_state(deed, found.dataset, found)
    _check_running(found)


def _with_credentials(transfer: Transfer) -> OpenTransfer:
    engine = engines.current()
    session = engine.create_session(transfer.session, lifetime=transfer.expires_at - timezone.now())
    return OpenTransfer(transfer, session, transfer.dataset.repository, engine.public_endpoint, engine.region)


def _found(deed: Deed, transfer_id: UUID) -> Transfer:
    """The transfer, its data set locked when this is a write. Raises: NotFound, Forbidden."""
    missing = NotFound(
        say("There is no transfer {transfer_id} that you may see.", transfer_id=transfer_id),
        way_out=say("See `strongroom transfer list`."),
    )
    dataset_id = Transfer.objects.filter(id=transfer_id).values_list("dataset_id", flat=True).first()
    if dataset_id is None:
        raise missing
    try:
        dataset = deed.dataset_in_any_state(dataset_id)
    except NotFound:
        raise missing from None
    transfer = Transfer.objects.select_related("person", "ended_by").get(id=transfer_id)
    transfer.dataset = dataset
    return transfer


def _running(deed: Deed, transfer_id: UUID, *, is_own: bool = False) -> Transfer:
    """One that has not ended. Raises: NotFound, Forbidden, Conflict."""
    transfer = _found(deed, transfer_id)
    if is_own and transfer.person_id != deed.actor.person_id:
        raise Forbidden(
            say(
                "You may not {deed}: {person} opened it, and it runs in their name.",
                deed=DEEDS[deed.verb],
                person=transfer.person.email,
            ),
            code="not-yours",
            way_out=say("Open one of your own with `strongroom transfer open`."),
        )
    _check_state(deed, transfer.dataset, transfer)
    _check_running(transfer)
    return transfer


def _check_state(deed: Deed, dataset: Dataset, transfer: Transfer | None = None) -> None:
    """Raises: Conflict `state`; of a finalized one it says when and by whom."""
    if dataset.state in (State.FINALIZING, State.FINALIZED) and dataset.finalized_by is not None:
        ended_at = transfer.ended_at if transfer and transfer.end == TransferEnd.FINALIZED else None
        raise Conflict(
            say(
                "You cannot {deed} now: “{dataset}” was finalized by {person}{at}. Nothing more can be uploaded to it.",
                deed=DEEDS[deed.verb],
                dataset=dataset.name,
                person=dataset.finalized_by.email,
                at=_at(ended_at or dataset.finalized_at or dataset.step_at),
            ),
            code="state",
            way_out=say("What is in it: `strongroom manifest show`. What is missing belongs in a derivative of it."),
        )
    lifecycle.check(deed.verb, kind=Kind(dataset.kind), state=State(dataset.state), name=dataset.name)


def _check_running(transfer: Transfer) -> None:
    if transfer.ended_at is not None:
        why = _ENDS[TransferEnd(transfer.end)]
        raise Conflict(
            say(
                "This transfer of {dataset} has ended{at}: {why}.",
                dataset=transfer.dataset.name,
                at=_at(transfer.ended_at),
                why=why,
            ),
            code="transfer-ended",
            way_out=say("Open a new one; what was sent stays."),
        )


_ENDS = {
    TransferEnd.CLOSED: say("it was closed"),
    TransferEnd.EXPIRED: say("it was not renewed in time"),
    TransferEnd.FINALIZED: say("the data set was finalized"),
    TransferEnd.DELETED: say("the data set was deleted"),
    TransferEnd.WITHDRAWN: say("whoever opened it may not upload to it any more"),
    TransferEnd.LOST: say("the storage engine did not obey when it was opened"),
}


def _at(moment: datetime | None) -> Sentence:
    return say(" at {moment:%Y-%m-%d %H:%M} UTC", moment=moment) if moment else NOTHING


def _not_opened(refusal: Unavailable) -> Unavailable:
    return Unavailable(
        say("No transfer was opened: {why}", why=sentence_of(refusal.__cause__ or refusal)),
        code="not-opened",
        way_out=say("Try again in a moment."),
    )
