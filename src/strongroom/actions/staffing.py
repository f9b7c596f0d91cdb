"""What the staff of the platform see besides: a person with their second factor, and the settings in force."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from strongroom.actions import factors
from strongroom.actions.configuration import settings
from strongroom.actions.deeds import doing
from strongroom.core.actor import Actor
from strongroom.core.errors import NotFound
from strongroom.core.sentences import say
from strongroom.core.settings import InForce, in_force
from strongroom.core.vocabulary import Verb
from strongroom.db.models import Person


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody as the staff sees them. `factor_since`: since when they have a second factor (UTC), if they do."""

    person: Person
    factor_since: datetime | None


def person(actor: Actor, person_id: UUID) -> PersonView:
    """One person. Raises: Forbidden for everybody but staff, NotFound."""
    with doing(actor, Verb.PERSON_SHOW) as deed:
        deed.platform()
        found = Person.objects.select_related("created_by").filter(id=person_id).first()
        if found is None:
            raise NotFound(
                say("There is no person {person_id}.", person_id=person_id), way_out=say("See the list of people.")
            )
        return PersonView(found, factors.since(found))


def settings_in_force(actor: Actor) -> list[InForce]:
    """Every setting with its value; a secret says only whether it is set. Raises: Forbidden for all but staff."""
    with doing(actor, Verb.SYSTEM_STATUS) as deed:
        deed.platform()
    return in_force(settings())
