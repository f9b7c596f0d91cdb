"""The door to the pages of staff: everybody else learns only that it is shut, whatever stands behind it."""

from functools import wraps

from django.http import HttpResponseBase

from strongroom.console.pages import Given, Request, Served, View, page, posted
from strongroom.core import authz
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Verb


def staff_page(view: View[Given]) -> Served[Given]:
    """A page for staff alone."""
    return page(_guarded(view))


def staff_posted(view: View[Given]) -> Served[Given]:
    """What a button on such a page sends."""
    return posted(_guarded(view))


def may(actor: Actor, verb: Verb) -> bool:
    """Whether this member of staff may do it anywhere."""
    return actor.staff_role in authz.RULES[verb].staff


def _guarded(view: View[Given]) -> View[Given]:
    @wraps(view)
    def enter(request: Request, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponseBase:
        actor = request.actor
        authz.check(Verb.SYSTEM_STATUS, role=None, staff_role=actor.staff_role, is_creator=False, scopes=actor.scopes)
        return view(request, *args, **kwargs)

    return enter


def deeds(actor: Actor) -> set[str]:
    """What the navigation and the buttons of these pages ask: which deeds of staff are open to this person."""
    asked = (
        *(Verb.PERSON_CREATE, Verb.PERSON_EDIT, Verb.PERSON_INVITE, Verb.PERSON_DISABLE, Verb.PERSON_ENABLE),
        Verb.PERSON_REMOVE,
        *(Verb.MAPPING_ADD, Verb.MAPPING_REMOVE),
        *(Verb.MFA_RESET, Verb.KEY_RESET, Verb.KEY_LIST, Verb.AUDIT_LIST),
    )
    return {str(verb).replace(".", "_") for verb in asked if may(actor, verb)}
