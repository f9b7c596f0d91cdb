"""The browsers somebody is signed in with: listed, and ended one by one."""

from uuid import UUID

from django.db.models import QuerySet

from strongroom.actions.deeds import doing
from strongroom.actions.paging import Page, page
from strongroom.core.actor import Actor
from strongroom.core.errors import NotFound
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Verb
from strongroom.db.models import BrowserSession


def list_(actor: Actor, *, cursor: str | None = None, limit: int = 100) -> Page[BrowserSession]:
    """One's own sessions that were entered, newest first, ended ones too."""
    with doing(actor, Verb.SESSION_LIST) as deed:
        deed.platform()
        return page(_own(actor), by=["-created_at", "-id"], cursor=cursor, limit=limit)


def end(actor: Actor, session_id: UUID) -> BrowserSession:
    """Sign a browser of one's own out, at once; ended already is fine. Raises: NotFound, Forbidden."""
    with doing(actor, Verb.SESSION_END, subject=str(session_id)) as deed:
        deed.platform()
        session = _own(actor).select_for_update(no_key=True).filter(id=session_id).first()
        if session is None:
            raise NotFound(
                say("You have no session {session_id}.", session_id=session_id),
                way_out=say("See `strongroom session list`."),
            )
        if session.ended_at is None:
            session.ended_at = deed.now
            session.save(update_fields=["ended_at"])
            deed.record(after={"session_id": str(session.id), "agent": session.agent})
        return session


def _own(actor: Actor) -> QuerySet[BrowserSession]:
    return BrowserSession.objects.filter(person_id=actor.person_id).exclude(entered_at=None)
