"""Browsers in which somebody is signed in, as Django's test client."""

from django.test import Client

from strongroom.core.actor import Actor
from strongroom.db.models import Person


def browser(actor: Actor, *, enforce_csrf_checks: bool = False) -> Client:
    """A browser with a session of this person; a bug in the server is raised, not answered."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(Person.objects.get(id=actor.person_id))
    return client
