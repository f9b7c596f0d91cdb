"""Fixity checks over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from ninja import Query, Router
from pydantic import BeforeValidator

from strongroom.actions import fixity
from strongroom.api.operations import named
from strongroom.api.shapes import Listing, Paging, Shown
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import CheckState, Damage, Verb

router = Router()
ALL = "/datasets/{dataset_id}/fixity"


class Check(Shown):
    """All that a manifest lists, read again. Sizes are bytes.

    The first check of a manifest completes its digests: it reads what came without one. `asked_by` is null when the
    calendar asked. `next_at`: when it goes on. `objects_done` of `object_count` are dealt with, `read_count` were read.
    """

    id: UUID
    state: CheckState
    completes_digests: bool
    asked_by: Annotated[str | None, BeforeValidator(lambda person: getattr(person, "email", person))]
    asked_at: datetime
    ended_at: datetime | None
    next_at: datetime | None
    object_count: int
    objects_done: int
    read_count: int
    read_bytes: int
    difference_count: int
    last_error: str


class Difference(Shown):
    """An object that is not what the manifest says."""

    key: str
    damage: Damage
    expected: str
    found: str
    detail: str
    found_at: datetime


class CheckList(Listing[Check]):
    """A page of them."""


class CheckInFull(Check):
    """A check with what it found, in key order; of very many the first 10,000. `next_cursor` is null at the end."""

    differences: list[Difference]
    next_cursor: str | None


@router.post(ALL, response={202: Check}, **named(Verb.FIXITY_START))
def start(request: Request, dataset_id: UUID) -> Check:
    """Read all of an original again, soon. One that is under way goes on at once instead."""
    return _shown(fixity.start(request.auth, dataset_id))


@router.get(ALL, response=CheckList, **named(Verb.FIXITY_LIST))
def list_(request: Request, dataset_id: UUID, paging: Query[Paging]) -> CheckList:
    """Newest first."""
    page = fixity.list_(request.auth, dataset_id, **paging.model_dump())
    return CheckList(items=[_shown(row) for row in page.rows], next_cursor=page.next_cursor)


@router.get(ALL + "/{check_id}", response=CheckInFull, **named(Verb.FIXITY_SHOW))
def show(request: Request, dataset_id: UUID, check_id: UUID, paging: Query[Paging]) -> CheckInFull:
    """With a page of what it found."""
    view = fixity.show(request.auth, dataset_id, check_id, **paging.model_dump())
    found = [Difference.model_validate(row) for row in view.differences.rows]
    return CheckInFull(**_shown(view.check).model_dump(), differences=found, next_cursor=view.differences.next_cursor)


def _shown(row: object) -> Check:
    plain = {name: getattr(row, name) for name in Check.model_fields if name != "object_count"}
    manifest = row.manifest  # type: ignore[attr-defined]  # a row, whose class the edges do not know
    return Check.model_validate({**plain, "object_count": manifest.object_count})
