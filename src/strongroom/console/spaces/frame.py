"""What every page of one space carries: its head and its tabs, as far as the person may open them."""

from typing import Any

from django.utils.translation import gettext_noop

from strongroom.actions.spaces import SpaceView
from strongroom.core import authz
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Role, Verb

ROLES = {
    Role.OWNER: (
        gettext_noop("Owner"),
        gettext_noop("Decides who belongs to the space, and does everything else in it."),
    ),
    Role.STEWARD: (
        gettext_noop("Steward"),
        gettext_noop("Creates originals, finalizes, issues access keys and grants servers."),
    ),
    Role.RESEARCHER: (
        gettext_noop("Researcher"),
        gettext_noop("Works with the data on servers, and creates derivatives."),
    ),
    Role.AUDITOR: (gettext_noop("Auditor"), gettext_noop("Reads everything but keys and data, and what happened.")),
}


def frame(actor: Actor, view: SpaceView, tab: str, **more: object) -> dict[str, Any]:
    """The context of a page of a space."""
    return {
        "view": view,
        "space": view.space,
        "tab": tab,
        "root": f"/spaces/{view.space.id}",
        "sees_people": may(actor, view, Verb.MEMBER_LIST),
        "sees_activity": may(actor, view, Verb.AUDIT_LIST),
        **more,
    }


def may(actor: Actor, view: SpaceView, verb: Verb) -> bool:
    """Whether the person's role in the space, or on the platform, allows it. Only to show or hide: actions decide."""
    return authz.RULES[verb].admits(view.role, actor.staff_role, is_creator=False)
