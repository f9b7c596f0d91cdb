"""The local users that people have on servers, and who has one: whoever may log in to servers of a space."""

from dataclasses import dataclass
from itertools import count
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction

from strongroom.actions.owning import workers
from strongroom.core.names import account_name
from strongroom.db.models import Person


@dataclass(frozen=True, slots=True)
class Account:
    """A local user and the name of the person it is for."""

    account: str
    name: str


def accounts_of(space_id: UUID) -> list[Account]:
    """Everybody who may log in to the servers of a space, by account."""
    people = [membership.person for membership in workers(space_id).select_related("person")]
    return sorted((Account(account_of(person), person.name) for person in people), key=lambda each: each.account)


def account_of(person: Person) -> str:
    """The local user of a person on every server: chosen once, and nobody else's."""
    if person.account is not None:
        return person.account
    for number in count():
        salt = uuid5(person.id, str(number)) if number else person.id
        if _take(person, account_name(person.email, salt)):
            break
    account = Person.objects.values_list("account", flat=True).get(id=person.id)
    assert account is not None
    person.account = account
    return account


def _take(person: Person, account: str) -> bool:
    """Whether the person has an account now; False when this one is somebody else's."""
    try:
        with transaction.atomic():
            Person.objects.filter(id=person.id, account=None).update(account=account)
    except IntegrityError:
        return False
    return True
