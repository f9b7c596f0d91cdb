"""What can be done with the access key of a pending data set: issue, list, reset, renew, revoke, expire.

The principal's name is decided in the rows before the engine is asked for it, so that a crash between the two
leaves nothing the worker cannot find and remove.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from strongroom import engines
from strongroom.actions import converge, ledger, transferring
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import Deed, doing
from strongroom.actions.leases import Lease, LeaseLost
from strongroom.core import names
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Invalid, Refusal, Unavailable, sentence_of
from strongroom.core.sentences import say
from strongroom.core.vocabulary import KeyStatus, StaffRole, SystemFact, Verb
from strongroom.db.models import Dataset, UploadKey
from strongroom.db.models.keys import LIVE
from strongroom.engines import AccessKey

ISSUE_SECONDS = 60  # a key that is not proved by then is lost: nobody was shown its secret


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A proved key with its secret: the one time that it is shown."""

    key: UploadKey
    secret: str
    repository: str
    endpoint: str
    region: str

    def __repr__(self) -> str:
        return f"IssuedKey({self.key.access_key_id!r}, secret=***)"


def issue(actor: Actor, dataset_id: UUID) -> IssuedKey:
    """The first access key of a data set, proved against every gateway before it is returned.

    Raises: NotFound, Forbidden, Conflict (state; there is or was a key), Unavailable `not-issued` (ask again).
    """
    with doing(actor, Verb.KEY_ISSUE) as deed:
        dataset = deed.dataset(dataset_id)
        _refuse_second(dataset)
        key = _insert(deed, dataset)
        token = converge.request(dataset, and_lease=True)
        deed.record(after=_facts(key))
    return _make(deed, dataset, key, token)


def reset(actor: Actor, dataset_id: UUID, *, reason: str = "") -> IssuedKey:
    """A new key in place of the last one, which stops working at once.

    Once by those who keep the data set; after that only by support staff, with a reason.
    Raises: NotFound, Forbidden (second reset), Conflict (state; nothing to reset), Invalid (reason), Unavailable
    `not-issued` (the old key has ended all the same; ask again).
    """
    with doing(actor, Verb.KEY_RESET) as deed:
        dataset = deed.dataset(dataset_id)
        last = _last_shown(dataset)
        # Support staff who also keep data sets themselves: once as everybody, then with a reason.
        is_support = deed.is_by_staff or (actor.staff_role is StaffRole.SUPPORT and _was_reset(dataset))
        reason = names.clean_text("reason", reason, max_length=2000, required=is_support, is_multiline=True)
        _refuse_reset(dataset, last, is_support)
        before = _facts(last) if last else None
        _end_live(dataset, deed.now)
        token = converge.request(dataset, and_lease=True)
        key = _insert(deed, dataset, replaces=last, is_support_reset=is_support, reason=reason)
        deed.record(before=before, after=_facts(key), reason=reason)
    return _make(deed, dataset, key, token)


def list_(actor: Actor, dataset_id: UUID) -> list[UploadKey]:
    """Every key there ever was, newest first; ids and states, never secrets."""
    with doing(actor, Verb.KEY_LIST) as deed:
        dataset = deed.dataset(dataset_id)
        return list(dataset.keys.select_related("issued_by").order_by("-issued_at"))


def renew(actor: Actor, dataset_id: UUID, *, days: int | None = None) -> UploadKey:
    """Let the key work for `days` from now (default: the setting, which is also the most).

    Raises: NotFound, Forbidden, Conflict (no live key), Invalid (days).
    """
    most = settings().key_lifetime_days
    wanted = most if days is None else days
    with doing(actor, Verb.KEY_RENEW) as deed:
        dataset = deed.dataset(dataset_id)
        key = _live(dataset)
        if not 1 <= wanted <= most:
            raise Invalid(
                say("days must be between 1 and {most}.", most=most), fields={"days": say("1 to {most}", most=most)}
            )
        before = _facts(key)
        key.expires_at = deed.now + timedelta(days=wanted)
        key.save(update_fields=["expires_at"])
        deed.record(before=before, after=_facts(key))
    return key


def revoke(actor: Actor, dataset_id: UUID) -> UploadKey:
    """Take the key away: when this returns it does not work any more. Raises as `renew`, and Unavailable."""
    with doing(actor, Verb.KEY_REVOKE) as deed:
        dataset = deed.dataset(dataset_id)
        key = _live(dataset)
        before = _facts(key)
        key.status, key.ended_at = KeyStatus.REVOKED, deed.now
        key.save(update_fields=["status", "ended_at"])
        token = converge.request(dataset, and_lease=True)
        deed.record(before=before, after=_facts(key))
    converge.cut(dataset_id, token=token)
    return key


def end_due() -> int:
    """End keys whose time is over, and those that were never shown to anybody; how many. Called by the worker."""
    now = timezone.now()
    expired = UploadKey.objects.filter(status=KeyStatus.ACTIVE, expires_at__lte=now)
    unshown = UploadKey.objects.filter(status=KeyStatus.ISSUING, issued_at__lte=now - timedelta(seconds=ISSUE_SECONDS))
    ended = [_end(key, KeyStatus.EXPIRED, SystemFact.KEY_EXPIRED) for key in expired[:100]]
    ended += [_end(key, KeyStatus.LOST, SystemFact.KEY_LOST) for key in unshown[:100]]
    return sum(ended)


def _end(key: UploadKey, status: KeyStatus, fact: SystemFact) -> bool:
    """End a key in the rows and have the engine follow; False when somebody else already did."""
    with transaction.atomic():
        dataset = Dataset.objects.select_for_update(no_key=True).get(id=key.dataset_id)
        still = UploadKey.objects.filter(id=key.id, status=key.status)
        if status is KeyStatus.EXPIRED:
            still = still.filter(expires_at__lte=timezone.now())  # it may have been renewed meanwhile
        if not still.update(status=status, ended_at=timezone.now()):
            return False
        converge.request(dataset)
        Dataset.objects.filter(id=dataset.id).update(next_try_at=timezone.now())
        key.status = status
        _append(fact, dataset, key)
    return True


def _append(fact: SystemFact, dataset: Dataset, key: UploadKey) -> None:
    ledger.append(
        fact,
        at=timezone.now(),
        space_id=dataset.space_id,
        dataset_id=dataset.id,
        subject=dataset.name,
        after=_facts(key),
    )


def _insert(
    deed: Deed,
    dataset: Dataset,
    *,
    replaces: UploadKey | None = None,
    is_support_reset: bool = False,
    reason: str = "",
) -> UploadKey:
    key_id = uuid.uuid4()
    return UploadKey.objects.create(
        id=key_id,
        dataset=dataset,
        principal=names.uploader_principal(key_id),
        issued_at=deed.now,
        issued_by_id=deed.actor.person_id,
        expires_at=deed.now + timedelta(days=settings().key_lifetime_days),
        replaces=replaces,
        is_support_reset=is_support_reset,
        reason=reason,
    )


def _make(deed: Deed, dataset: Dataset, key: UploadKey, token: UUID | None) -> IssuedKey:
    """The engine's part of issue and reset: make, allow, prove; then, and only then, active.

    All under the data set's lease: whoever closes the data set meanwhile finds the principal and removes it.
    """
    engine = engines.current()
    try:
        with converge.obeying(dataset.id, token=token) as lease:
            row = dataset if token else lease.row()
            _refuse_overtaken(row, key)  # before it is made: nobody would remove it any more
            made = engine.create_access_key(key.principal)
            _refuse_overtaken(row, key)  # before it is let in: whoever slept for longer than its lease finds out here
            named = converge.Named([key.principal], transfers=transferring.sessions_of(row))  # one key lives at a time
            converge.follow_policy(lease, row, named, made=made)
            _activate(deed, lease, row, key, made)
    except Refusal as refusal:
        if not _end(key, KeyStatus.LOST, SystemFact.KEY_LOST):
            _look_again(key)
        if isinstance(refusal, Unavailable):
            raise _not_issued(dataset, key, refusal) from refusal
        raise
    return IssuedKey(key, made.secret, dataset.repository, engine.public_endpoint, engine.region)


def _not_issued(dataset: Dataset, key: UploadKey, refusal: Unavailable) -> Unavailable:
    """A key is never made later: its secret could be shown to nobody. What a reset took away stays taken away."""
    cause = refusal.__cause__ or refusal
    why = sentence_of(cause)
    if isinstance(cause, LeaseLost):
        why = say("another process took over meanwhile, for this one had stood still.")
    if key.replaces_id is None:
        return Unavailable(
            say("No access key of {dataset} was issued: {why}", dataset=dataset.name, why=why),
            code="not-issued",
            way_out=say("Nothing goes on by itself. Ask again when the storage engine answers."),
        )
    return Unavailable(
        say(
            "The access key of {dataset} was taken away, and no new one was issued: {why}",
            dataset=dataset.name,
            why=why,
        ),
        code="not-issued",
        way_out=say(
            "The old key stops working by itself as soon as the storage engine answers. For a "
            "new one reset it again then; this time does not count."
        ),
    )


def _look_again(key: UploadKey) -> None:
    """Who ended the key may have removed its principal before it was made, if this process had lost the lease."""
    with transaction.atomic():
        UploadKey.objects.filter(id=key.id).update(is_removed=False)
        Dataset.objects.filter(id=key.dataset_id).update(is_settled=False, next_try_at=timezone.now())


def _activate(deed: Deed, lease: Lease, row: Dataset, key: UploadKey, made: AccessKey) -> None:
    """The key, what the engine has followed and the end of the lease, in one transaction.

    Raises Conflict when the data set was closed, or the key ended, while it was being made; LeaseLost.
    Raises Forbidden when whoever asked was disabled or lost their role: that deed may have looked for their keys
    before this one was there.
    """
    try:
        with transaction.atomic():
            deed.authorize_again()
            converge.finish(lease, row)  # which locks the row: before the key, as everywhere
            _change(row, key, status=KeyStatus.ACTIVE, access_key_id=made.access_key_id)
            _append(SystemFact.KEY_SHOWN, row, key)
    except BaseException as error:
        lease.is_over = False
        if isinstance(error, LeaseLost):
            lease.look_again()
        raise


def _change(dataset: Dataset, key: UploadKey, **columns: str) -> None:
    """Write columns of a key that is still being made. Raises Conflict."""
    if not UploadKey.objects.filter(id=key.id, status=KeyStatus.ISSUING).update(**columns):
        raise _overtaken(dataset)
    for name, value in columns.items():
        setattr(key, name, value)


def _refuse_overtaken(row: Dataset, key: UploadKey) -> None:
    """Raises Conflict. What changes from here on is seen in the end, when the key becomes active."""
    if not UploadKey.objects.filter(id=key.id, status=KeyStatus.ISSUING).exists():
        raise _overtaken(row)


def _overtaken(dataset: Dataset) -> Conflict:
    return Conflict(
        say("{dataset} was changed while its key was being made; the key was not issued.", dataset=dataset.name),
        code="overtaken",
        way_out=say("Look at the data set again; if it is still pending, ask once more."),
    )


def _facts(key: UploadKey) -> dict[str, str | bool | None]:
    return {
        "key": str(key.id),
        "access_key_id": key.access_key_id or None,
        "status": str(key.status),
        "expires_at": key.expires_at.isoformat(),
    }


def _live(dataset: Dataset) -> UploadKey:
    key = dataset.keys.filter(status=KeyStatus.ACTIVE).first()
    if key is None:
        raise Conflict(
            say("{dataset} has no access key that works.", dataset=dataset.name),
            code="no-key",
            way_out=say("Issue one, or reset the last."),
        )
    return key


def _last_shown(dataset: Dataset) -> UploadKey | None:
    """The newest key whose secret somebody has seen. From here on the data set has its keys with it."""
    prefetch_related_objects([dataset], "keys")
    shown = [key for key in dataset.keys.all() if key.status != KeyStatus.LOST]
    return max(shown, key=lambda key: key.issued_at, default=None)


def _end_live(dataset: Dataset, now: datetime) -> None:
    """In the rows, and in those that the data set has with it."""
    dataset.keys.filter(status__in=LIVE).update(status=KeyStatus.REVOKED, ended_at=now)
    for key in dataset.keys.all():
        if key.status in LIVE:
            key.status, key.ended_at = KeyStatus.REVOKED, now


def _refuse_second(dataset: Dataset) -> None:
    last = _last_shown(dataset)
    if last is None or last.status == KeyStatus.EXPIRED:
        return
    if last.status == KeyStatus.ISSUING:
        raise Conflict(
            say("A key for {dataset} is being issued right now.", dataset=dataset.name),
            code="being-issued",
            way_out=say("Whoever asked first gets it; wait a few seconds and look again."),
        )
    raise Conflict(
        say("{dataset} already had its access key; the secret is shown once only.", dataset=dataset.name),
        code="already-issued",
        way_out=say("If the secret was lost, reset the key: it gives a new one and ends the old one."),
    )


def _was_reset(dataset: Dataset) -> bool:
    """Whether the one reset that needs no support was used."""
    resets = dataset.keys.filter(replaces__isnull=False, is_support_reset=False)
    return resets.exclude(status=KeyStatus.LOST).exists()


def _refuse_reset(dataset: Dataset, last: UploadKey | None, is_support: bool) -> None:
    if last is None:
        raise Conflict(
            say("{dataset} has no access key yet.", dataset=dataset.name),
            code="no-key",
            way_out=say("Issue one first."),
        )
    if last.status == KeyStatus.ISSUING:
        raise Conflict(
            say("A key for {dataset} is being issued right now.", dataset=dataset.name),
            code="being-issued",
            way_out=say("Whoever asked first gets it; wait a few seconds and look again."),
        )
    if not is_support and _was_reset(dataset):
        raise Forbidden(
            say("The access key of {dataset} was already reset once.", dataset=dataset.name),
            code="second-reset",
            way_out=say("Support staff can reset it again; tell them why."),
        )
