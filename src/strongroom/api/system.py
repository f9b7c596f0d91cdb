"""The state of the system over HTTP."""

from datetime import datetime

from ninja import Router

from strongroom.actions import system
from strongroom.api.operations import named
from strongroom.api.shapes import Shown
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Verb

router = Router()


class Part(Shown):
    """One part: database, worker, and those of the storage engine."""

    part: str
    is_healthy: bool
    detail: str


class Status(Shown):
    """What an operator looks at first. `oldest_unsettled_at`: since when a data set waits for the engine."""

    version: str
    is_healthy: bool
    parts: list[Part]
    unsettled_count: int
    oldest_unsettled_at: datetime | None
    ledger_sequence: int
    ledger_hash: str


@router.get("/system/status", response=Status, **named(Verb.SYSTEM_STATUS))
def status(request: Request) -> Status:
    """How each part is, and what the engine has not followed yet."""
    return Status.model_validate(system.status(request.auth))
