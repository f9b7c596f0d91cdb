"""Answers a repeated request with the first answer. Stores no secret, and does nothing twice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from strongroom.actions.configuration import settings
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Invalid
from strongroom.core.sentences import say
from strongroom.db.models import IdempotentReply

# No request takes longer; one that has not ended by then died with its process.
_LONGEST_REQUEST = timedelta(minutes=15)
_NOTE = "This request was answered before. The secret was shown then and is not stored."


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and whether it is the one that was given to an earlier request."""

    status: int
    body: Mapping[str, object]
    is_replay: bool


def once(
    actor: Actor,
    key: str,
    request_sha256: str,
    do: Callable[[], tuple[int, Mapping[str, object]]],
    *,
    secrets: Sequence[str] = (),
) -> Reply:
    """Call `do` if this key is new for the person; else give the answer it had, without the fields in `secrets`.

    `request_sha256` tells a repetition from another request under the same key. The key's row is written before
    `do` begins, so that of two requests at once only one does anything. Must not run inside a transaction.

    Raises: Conflict `idempotency-under-way` (with `retry_after_seconds`), `idempotency-mismatch` or
    `idempotency-unknown`; Invalid for a key that is none; whatever `do` raises, and then the key is free again.
    """
    _check(key)
    row = _take(actor, key, request_sha256)
    if row.status is not None:
        return Reply(row.status, row.body or {}, is_replay=True)
    try:
        status, body = do()
    except BaseException:
        row.delete()
        raise
    row.status, row.body = status, _without(body, secrets)
    row.save(update_fields=["status", "body"])
    return Reply(status, body, is_replay=False)


def forget_old() -> int:
    """Remove answers older than the setting says; how many."""
    oldest = timezone.now() - timedelta(hours=settings().idempotency_hours)
    return IdempotentReply.objects.filter(created_at__lt=oldest).delete()[0]


def _check(key: str) -> None:
    if not (1 <= len(key) <= 200 and key.isascii() and key.isprintable()):
        problem = say("1 to 200 printable ASCII characters")
        raise Invalid(
            say("An Idempotency-Key is {problem}, such as a UUID.", problem=problem),
            fields={"Idempotency-Key": problem},
        )


def _take(actor: Actor, key: str, request_sha256: str) -> IdempotentReply:
    """A new row, which is ours to answer (its status is None), or the one that was answered."""
    try:
        with transaction.atomic():
            return IdempotentReply.objects.create(
                person_id=actor.person_id, key=key, request_sha256=request_sha256, created_at=timezone.now()
            )
    except IntegrityError:
        row = IdempotentReply.objects.filter(person_id=actor.person_id, key=key).first()
    if row is None:  # the first one failed just now, and freed the key
        raise _under_way()
    if row.request_sha256 != request_sha256:
        raise Conflict(
            say("This Idempotency-Key was used for a different request."),
            code="idempotency-mismatch",
            way_out=say("Use a new key for a new request."),
        )
    if row.status is None:
        raise _under_way() if row.created_at > timezone.now() - _LONGEST_REQUEST else _unknown()
    return row


def _under_way() -> Conflict:
    return Conflict(
        say("The first request with this Idempotency-Key is still under way."),
        code="idempotency-under-way",
        way_out=say("Repeat it in a second."),
        retry_after_seconds=1,
    )


def _unknown() -> Conflict:
    return Conflict(
        say(
            "The first request with this Idempotency-Key ended with its process; whether it was "
            "carried out is not known."
        ),
        code="idempotency-unknown",
        way_out=say("Look whether it was, and if not, send it with a new key."),
    )


def _without(body: Mapping[str, object], secrets: Sequence[str]) -> dict[str, object]:
    kept = {name: None if name in secrets else value for name, value in body.items()}
    return {**kept, "note": _NOTE} if secrets else kept
