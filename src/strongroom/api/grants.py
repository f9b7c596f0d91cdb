"""Grants over HTTP."""

from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router

from strongroom.actions import grants
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.operations import named
from strongroom.api.server_shapes import Grant, GrantChanges, GrantList, NewGrant, grant
from strongroom.api.shapes import Paging
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Verb

router = Router()
ALL = "/datasets/{dataset_id}/grants"
ONE = ALL + "/{server_id}"


@router.post(ALL, response={201: Grant}, openapi_extra=IDEMPOTENT, **named(Verb.GRANT_CREATE))
def create(request: Request, dataset_id: UUID, body: NewGrant) -> HttpResponse:
    """To a finalized data set, for a server of the same space: an original to read, a derivative to work in."""
    return once(request, 201, lambda: grant(grants.create(request.auth, dataset_id, **body.model_dump())))


@router.get("/grants", response=GrantList, **named(Verb.GRANT_LIST))
def list_(
    request: Request,
    paging: Query[Paging],
    dataset_id: UUID | None = None,
    server_id: UUID | None = None,
    is_live: bool | None = None,
) -> GrantList:
    """Of a data set, of a server, or of the two, newest first; one of them must be named. Ended ones too."""
    page = grants.list_(
        request.auth, dataset_id=dataset_id, server_id=server_id, is_live=is_live, **paging.model_dump()
    )
    return GrantList(items=[grant(row) for row in page.rows], next_cursor=page.next_cursor)


@router.patch(ONE, response=Grant, **named(Verb.GRANT_EDIT))
def edit(request: Request, dataset_id: UUID, server_id: UUID, body: GrantChanges) -> Grant:
    """Of a grant that has not ended."""
    return grant(grants.edit(request.auth, dataset_id, server_id, expires_at=body.expires_at))


@router.delete(ONE, response=Grant, **named(Verb.GRANT_REVOKE))
def revoke(request: Request, dataset_id: UUID, server_id: UUID, reason: str = "") -> Grant:
    """From the answer on not one request of the server to the data set succeeds. Staff must say why."""
    return grant(grants.revoke(request.auth, dataset_id, server_id, reason=reason))
