"""What every page of one space carries: its head and its tabs, as far as the person may open them."""

from typing import Any

from strongroom.actions.spaces import SpaceView
from strongroom.core import authz
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import RiskLevel, Role, Verb

RISKS = {
    RiskLevel.LOW: "Low risk",
    RiskLevel.MODERATE: "Moderate risk",
    RiskLevel.HIGH: "High risk",
}
ROLES = {
    Role.OWNER: ("Owner", "Decides who belongs to the space, and does everything else in it."),
    Role.STEWARD: ("Steward", "Creates originals, finalizes, issues access keys and grants servers."),
    Role.RESEARCHER: ("Researcher", "Works with the data on servers, and creates derivatives."),
    Role.AUDITOR: ("Auditor", "Reads everything but keys and data, and what happened."),
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
