"""Who is asking: the session of a browser becomes the actor of its actions."""

from django.http import HttpRequest

from strongroom.core.actor import Actor
from strongroom.core.errors import Unauthenticated
from strongroom.core.vocabulary import StaffRole


def actor_of(request: HttpRequest) -> Actor:
    """The person whose session it is. Raises: Unauthenticated."""
    person = request.user
    if not person.is_authenticated:
        raise Unauthenticated("This needs a signed-in person.", way_out="Sign in.")
    return Actor(
        person.id,
        person.email,
        StaffRole(person.staff_role) if person.staff_role else None,
        address=str(request.META.get("REMOTE_ADDR", ""))[:64],
        request_id=str(request.META.get("STRONGROOM_REQUEST_ID", "")),
    )
