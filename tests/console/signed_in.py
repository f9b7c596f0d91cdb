"""Browsers in which somebody is signed in, as Django's test client."""

from django.test import Client

from strongroom.core.actor import Actor
from tests.browsers import signed_in


def browser(actor: Actor, *, enforce_csrf_checks: bool = False, is_proved: bool = True) -> Client:
    """A browser with a session of this person; a bug in the server is raised, not answered."""
    return signed_in(actor, is_proved=is_proved, enforce_csrf_checks=enforce_csrf_checks)
