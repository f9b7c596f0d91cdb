"""The browsers somebody is signed in with, over HTTP."""

from datetime import datetime
from uuid import UUID

from ninja import Query, Router

from strongroom.actions import sessions
from strongroom.api.operations import named
from strongroom.api.shapes import Listing, Paging, Shown
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Verb

router = Router()


class Session(Shown):
    """One sign-in with a browser. `agent` is what the browser calls itself."""

    id: UUID
    agent: str
    address: str
    entered_at: datetime | None
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class SessionList(Listing[Session]):
    """A page of them."""


@router.get("/sessions", response=SessionList, **named(Verb.SESSION_LIST))
def list_(request: Request, paging: Query[Paging]) -> SessionList:
    """One's own, newest first."""
    page = sessions.list_(request.auth, cursor=paging.cursor, limit=paging.limit)
    return SessionList.model_validate({"items": page.rows, "next_cursor": page.next_cursor})


@router.delete("/sessions/{session_id}", response=Session, **named(Verb.SESSION_END))
def end(request: Request, session_id: UUID) -> Session:
    """Signs that browser out at once."""
    return Session.model_validate(sessions.end(request.auth, session_id))
