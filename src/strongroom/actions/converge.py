"""Makes the engine obey the rows: the one path of every grant, revoke, finalize, promote, reset, expiry and delete.

An action writes what should be. `cut` then makes the engine refuse what must be refused, before the action answers;
the worker (`run_due`) does whatever is left, and everything again that a crash cut short. Each step may be repeated.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

import structlog
from django.db.models import F, Q
from django.utils import timezone

from strongroom import engines
from strongroom.actions import deleting, finalizing, leases, transferring
from strongroom.actions.leases import Busy, Lease, LeaseLost, leased
from strongroom.actions.steps import CLOSING, DRAINING, REMOVING, NotYet
from strongroom.core.errors import Conflict, Unavailable, sentence_of
from strongroom.core.names import server_session_name
from strongroom.core.policy import access_of, compile_policy
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Kind, ServerState, State
from strongroom.db.models import Dataset, UploadKey
from strongroom.db.models.keys import LIVE
from strongroom.engines import AccessKey

log = structlog.get_logger()
INLINE_GRACE = timedelta(seconds=5)  # how long the worker leaves a data set to the request that changed it
WAIT_SECONDS = 20.0
MAX_BACKOFF_SECONDS = 60
_HIGHEST_GENERATION = 2**31 - 1  # what the column of the revision holds
_ENDING = (State.FINALIZING, State.DELETING)


@dataclass(frozen=True, slots=True)
class Named:
    """Whom the policy of a data set names: principals of uploaders, sessions of servers and of transfers."""

    uploaders: Sequence[str] = ()
    servers: Sequence[str] = ()
    transfers: Sequence[str] = ()


def request(dataset: Dataset, *, and_lease: bool = False) -> UUID | None:
    """Say, inside an action's transaction, that the engine must follow; the action then calls `cut`.

    `and_lease`: the row is locked and goes to `cut` at once, so that its lease is taken along, if nobody has it. The
    token for `cut`.
    """
    dataset.revision += 1
    now = timezone.now()
    taken = leases.from_birth(now) if and_lease and leases.is_free(dataset, now) else {}
    due = now + INLINE_GRACE
    rows = Dataset.objects.filter(id=dataset.id)
    rows.update(revision=F("revision") + 1, is_settled=False, next_try_at=due, **taken)
    return cast(UUID | None, taken.get("lease"))


def cut(dataset_id: UUID, *, token: UUID | None = None) -> None:
    """Make the policy of the rows true on every gateway, and close what is being closed, before returning.

    `token`: of the lease that `request` took. Raises Unavailable as `obeying`.
    """
    with obeying(dataset_id, token=token) as lease:
        dataset = follow_policy(lease)
        while _was_overtaken(dataset):  # somebody changed the rows meanwhile: not done before that is in force
            dataset = follow_policy(lease)
        finish(lease, _close(lease, dataset))


@contextmanager
def obeying(dataset_id: UUID, *, token: UUID | None = None) -> Iterator[Lease]:
    """The lease, for what is answered only once the engine obeyed.

    Raises Unavailable when the engine does not obey; what was asked stands, and the worker goes on trying.
    """
    with leased(dataset_id, wait_seconds=WAIT_SECONDS, token=token) as lease:
        try:
            yield lease
        except (Unavailable, LeaseLost) as error:
            _note_failure(dataset_id, error)
            raise Unavailable(
                say("Written down, but the storage engine has not obeyed yet: {error}", error=sentence_of(error)),
                code="not-obeyed-yet",
                way_out=say("Nothing is lost and nothing needs to be repeated: Strongroom goes on trying by itself."),
            ) from error


def cut_each(dataset_ids: Iterable[UUID]) -> None:
    """`cut` for several data sets. Every one is tried before the first refusal is raised."""
    refusal: Unavailable | None = None
    for dataset_id in dataset_ids:
        try:
            cut(dataset_id)
        except Unavailable as error:
            refusal = refusal or error
    if refusal is not None:
        raise refusal


def run_due(limit: int = 20) -> int:
    """Converge data sets that are due; how many were worked on. Called by every worker, over and over."""
    now = timezone.now()
    due = Dataset.objects.unsettled().filter(Q(next_try_at=None) | Q(next_try_at__lte=now))
    free = due.filter(Q(lease=None) | Q(leased_until__lt=now)).order_by("next_try_at")
    found = list(free.values_list("id", flat=True)[:limit])
    for dataset_id in found:
        settle(dataset_id)
    return len(found)


def settle(dataset_id: UUID) -> None:
    """Do everything that is left for one data set; never raises, notes what went wrong in its row."""
    with _noted(dataset_id), leased(dataset_id, wait_seconds=0) as lease:
        finish(lease, _advance(lease, _close(lease, follow_policy(lease))))


def settle_born(dataset: Dataset) -> None:
    """The same for a row that was made a moment ago, with its lease (`leases.from_birth`): it names nobody yet."""
    with _noted(dataset.id), leased(dataset.id, wait_seconds=0, token=dataset.lease) as lease:
        follow_policy(lease, dataset, Named())
        finish(lease, dataset, [])


@contextmanager
def _noted(dataset_id: UUID) -> Iterator[None]:
    try:
        yield
    except NotYet as wait:
        Dataset.objects.filter(id=dataset_id).update(next_try_at=timezone.now() + wait.delay)
    except Busy:
        pass  # whoever holds the lease leaves it unsettled if anything is left to do
    except Exception as error:
        if not isinstance(error, Unavailable | Conflict | LeaseLost):
            log.exception("converge_crashed", dataset=str(dataset_id))
        _note_failure(dataset_id, error)


def follow_policy(
    lease: Lease, row: Dataset | None = None, named: Named | None = None, *, made: AccessKey | None = None
) -> Dataset:
    """Write and prove the policy of the rows where it is not known to be in force; the row that it stands for.

    `row` and whom it names: as they are known under this lease. `made`: a new key; that it works proves more than the
    generation does.
    """
    engine = engines.current()
    dataset = row or lease.row()
    lease.applied_revision = dataset.applied_revision
    has_bucket = dataset.state != State.DELETED and dataset.step != REMOVING
    if dataset.state == State.DELETING and has_bucket:  # it may be gone already, behind our back or in an earlier try
        has_bucket = engine.repository_exists(dataset.repository)
    if dataset.applied_revision < dataset.revision and has_bucket:
        if dataset.applied_revision == 0:
            engine.create_repository(dataset.repository, tags=tags_of(dataset))
        lease.renew()
        engine.apply_policy(dataset.repository, document_of(dataset, named))
        if made is None:
            engine.prove_policy(dataset.repository, dataset.revision)
    if made is not None:
        engine.prove_access_key(made, dataset.repository)
    if dataset.applied_revision != dataset.revision:
        dataset.applied_revision = dataset.revision
        lease.keep(applied_revision=dataset.revision)
    return dataset


def document_of(dataset: Dataset, named: Named | None = None) -> str:
    """The policy that the rows of a data set stand for; its generation is the row's revision."""
    return _compiled(dataset, dataset.revision, named or named_in(dataset))


def named_in(dataset: Dataset) -> Named:
    """Whom the policy of a data set names, from its rows."""
    return Named(principals_of(dataset), sessions_of(dataset), transferring.sessions_of(dataset))


def refuse_too_large(dataset: Dataset) -> None:
    """Raises Conflict `policy-too-large` when all that were granted access could not be named in one policy.

    Whatever happens later: those who are disabled now may come back, and the generation grows.
    """
    granted = dataset.grants.filter(ended_at=None).values_list("server_id", flat=True)
    named = Named(servers=[server_session_name(server_id) for server_id in granted])
    _compiled(dataset, _HIGHEST_GENERATION, named)


def _compiled(dataset: Dataset, generation: int, named: Named) -> str:
    access = access_of(
        repository=dataset.repository,
        generation=generation,
        kind=Kind(dataset.kind),
        state=State(dataset.state),
        uploaders=named.uploaders,
        servers=named.servers,
        transfers=named.transfers,
    )
    return compile_policy(access, engines.current().dialect)


def principals_of(dataset: Dataset) -> list[str]:
    """The uploaders that the policy names: live keys that the engine is known to have (AWS refuses others)."""
    known = [key for key in dataset.keys.all() if key.status in LIVE and key.access_key_id]
    return [key.principal for key in sorted(known, key=lambda key: key.issued_at)]


def sessions_of(dataset: Dataset) -> list[str]:
    """The sessions that the policy names: servers in good standing whose grant has not ended.

    Rows alone decide, never the time: a grant whose time is over is ended in its row first (`grants.end_due`), or the
    policy in force would be taken for one that somebody altered.
    """
    if dataset.state != State.FINALIZED:
        return []
    live = dataset.grants.filter(ended_at=None, server__state=ServerState.ACTIVE).order_by("server_id")
    return [server_session_name(server_id) for server_id in live.values_list("server_id", flat=True)]


def tags_of(dataset: Dataset) -> dict[str, str]:
    """The bucket's tags: enough to tell whose it is from the engine's side."""
    return {
        "strongroom:dataset": str(dataset.id),
        "strongroom:space": str(dataset.space_id),
        "strongroom:risk-level": dataset.space.risk_level,
        "strongroom:charge-code": dataset.space.charge_code,
    }


def _close(lease: Lease, dataset: Dataset) -> Dataset:
    """After the policy: stop the writes that were already on their way, and remove the keys. The row afterwards."""
    if dataset.state not in _ENDING or dataset.step != CLOSING:
        return dataset
    dataset = lease.row()
    if _is_outdated(dataset):
        return dataset
    engines.current().freeze(dataset.repository)
    lease.save(is_frozen=True, write_mark=engines.current().mark_writes())
    _remove_principals(dataset)
    lease.save(step=DRAINING, step_at=timezone.now())
    return lease.row()


def _is_outdated(dataset: Dataset) -> bool:
    """Whether somebody changed the rows since the policy was written: it comes before everything else."""
    return dataset.applied_revision < dataset.revision


def _was_overtaken(dataset: Dataset) -> bool:
    """Whether somebody changed the rows since this one was read."""
    return not Dataset.objects.filter(id=dataset.id, revision=dataset.revision).exists()


def _remaining(dataset: Dataset) -> list[UploadKey]:
    """Keys that have ended, and whose principals the engine may still know."""
    return [key for key in dataset.keys.all() if key.status not in LIVE and not key.is_removed]


def _remove_principals(dataset: Dataset) -> None:
    for key in _remaining(dataset):
        engines.current().delete_principal(key.principal)
        UploadKey.objects.filter(id=key.id).update(is_removed=True)
        key.is_removed = True


def _advance(lease: Lease, dataset: Dataset) -> Dataset:
    """What is left after the policy and the close. The row afterwards. Raises NotYet."""
    if _is_outdated(dataset):
        return dataset
    _remove_principals(dataset)
    if dataset.state not in _ENDING and not dataset.is_frozen:
        return dataset
    if dataset.state == State.FINALIZING:
        finalizing.advance(lease)
    elif dataset.state == State.DELETING:
        deleting.advance(lease)
    finalizing.reopen(lease)
    return lease.row()


def finish(lease: Lease, dataset: Dataset, remaining: Sequence[UploadKey] | None = None) -> None:
    """Note whether anything is left, in one statement, so that a change made meanwhile is not overlooked.

    `remaining`: the keys that the engine may still know, where that is known.
    """
    now = timezone.now()
    is_idle = dataset.state not in _ENDING and not dataset.is_frozen
    left = _remaining(dataset) if remaining is None else remaining
    if is_idle and not left and not _is_outdated(dataset):
        unchanged = {"revision": dataset.revision, "state": dataset.state}
        if lease.end_if(unchanged, failures=0, last_error="", is_settled=True, next_try_at=None):
            return
    lease.end(failures=0, last_error="", next_try_at=now)


def _note_failure(dataset_id: UUID, error: Exception) -> None:
    failures = Dataset.objects.values_list("failures", flat=True).get(id=dataset_id) + 1
    delay = timedelta(seconds=min(2 ** min(failures - 1, 10) * 0.5, MAX_BACKOFF_SECONDS))
    Dataset.objects.filter(id=dataset_id).update(
        failures=failures, last_error=str(error)[:2000], is_settled=False, next_try_at=timezone.now() + delay
    )
    log.warning("converge_failed", dataset=str(dataset_id), failures=failures, error=str(error))
