"""Browsers in which somebody is signed in, and people as they come with one."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from strongroom.actions import browsing, people, terms
from strongroom.core.actor import Actor
from strongroom.db.models import BrowserSession, Person

ADDRESS = "192.0.2.7"
PASSWORD = "correct horse battery staple"


def session_of(actor: Actor, *, is_proved: bool = True, has_accepted: bool = True) -> BrowserSession:
    """A session of somebody's in a browser, as if they had proved a second factor there, and accepted the terms."""
    now = timezone.now()
    if has_accepted:
        terms.accept(actor, version=terms.show(actor).version)
    return BrowserSession.objects.create(
        person_id=actor.person_id,
        address=ADDRESS,
        agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        created_at=now,
        entered_at=now,
        last_seen_at=now,
        expires_at=now + timedelta(days=1),
        mfa_proved_at=now if is_proved else None,
    )


def in_browser(actor: Actor, *, is_proved: bool = True) -> Actor:
    """The same person with a session of a browser."""
    return come(session_of(actor, is_proved=is_proved))


def come(session: BrowserSession) -> Actor:
    """Who comes with this session."""
    return browsing.authenticate(str(session.id), address=ADDRESS, request_id="test")


def signed_in(
    actor: Actor, *, is_proved: bool = True, has_accepted: bool = True, enforce_csrf_checks: bool = False
) -> Client:
    """A test client with such a session."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    kept = client.session
    kept["browser"] = str(session_of(actor, is_proved=is_proved, has_accepted=has_accepted).id)
    kept.save()
    client.cookies["strongroom_session"] = str(kept.session_key)
    return client


def with_password(administrator: Actor, actor: Actor) -> None:
    """Give somebody the password above, as an invitation does."""
    person = Person.objects.get(id=actor.person_id)
    code = people.invite(administrator, person.id).code
    browsing.accept(code, PASSWORD, address=ADDRESS, request_id="test")
