"""Members: who belongs to a space, and as what. The space's row is locked, so that the last owner stays."""

from uuid import UUID

from django.db import IntegrityError, transaction

from strongroom.actions import withdrawing
from strongroom.actions.deeds import Deed, doing
from strongroom.actions.paging import Page, page
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Invalid, NotFound
from strongroom.core.ledger import Json
from strongroom.core.names import clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Role, Verb
from strongroom.db.models import Membership, Person, Space


def add(actor: Actor, space_id: UUID, *, email: str, role: Role) -> Membership:
    """Make somebody who is known a member. Raises: Invalid for somebody unknown; Conflict for a member already."""
    with doing(actor, Verb.MEMBER_ADD) as deed:
        space = deed.space(space_id)
        person = _known(email)
        deed.subject = person.email
        membership = Membership(
            space=space, person=person, role=role, created_at=deed.now, created_by_id=actor.person_id
        )
        try:
            with transaction.atomic():
                membership.save(force_insert=True)
        except IntegrityError:
            raise Conflict(
                say("{person} is a member of “{space}” already.", person=person.email, space=space.name),
                code="member-already",
                way_out=say("Change the role with `strongroom member edit`."),
            ) from None
        deed.record(after=_facts(membership))
        return membership


def list_(actor: Actor, space_id: UUID, *, cursor: str | None = None, limit: int = 100) -> Page[Membership]:
    """The members of a space, longest first. Raises: NotFound, Forbidden."""
    with doing(actor, Verb.MEMBER_LIST) as deed:
        space = deed.space(space_id)
        members = space.memberships.select_related("person", "mapping")
        return page(members, by=["created_at", "id"], cursor=cursor, limit=limit)


def edit(actor: Actor, space_id: UUID, person_id: UUID, *, role: Role) -> Membership:
    """Give a member another role; what this role may not hold stops working before this returns: access keys, servers.

    Raises: NotFound; Conflict for the last owner; Unavailable when the engine has not obeyed yet.
    """
    with doing(actor, Verb.MEMBER_EDIT, subject=str(person_id)) as deed:
        membership = _member(deed, deed.space(space_id), person_id)
        before = _facts(membership)
        if role is not Role.OWNER:
            _keep_an_owner(membership)
        membership.role = role
        membership.mapping = None  # what a person decided, no group takes away
        membership.save(update_fields=["role", "mapping"])
        withdrawn = withdrawing.withdraw(deed, person_id, space_id=space_id, role=role)
        deed.record(before=before, after={**_facts(membership), **withdrawn.facts()})
    withdrawing.cut(withdrawn)
    return membership


def remove(actor: Actor, space_id: UUID, person_id: UUID) -> None:
    """End a membership; before this returns their access keys of the space stop working, and their servers there.

    Raises: NotFound; Conflict for the last owner; Unavailable when the engine has not obeyed yet.
    """
    with doing(actor, Verb.MEMBER_REMOVE, subject=str(person_id)) as deed:
        membership = _member(deed, deed.space(space_id), person_id)
        _keep_an_owner(membership)
        before = _facts(membership)
        membership.delete()
        withdrawn = withdrawing.withdraw(deed, person_id, space_id=space_id)
        deed.record(before=before, after=withdrawn.facts())
    withdrawing.cut(withdrawn)


def _known(email: str) -> Person:
    address = clean_text("email", email, max_length=254).lower()
    person = Person.objects.filter(email=address, is_active=True).first()
    if person is None:
        raise Invalid(
            say("There is no active person {address}.", address=address),
            fields={"email": say("not known here")},
            way_out=say("An administrator of the platform can create the person; ask one of them."),
        )
    return person


def _member(deed: Deed, space: Space, person_id: UUID) -> Membership:
    membership = space.memberships.select_related("person", "space", "mapping").filter(person_id=person_id).first()
    if membership is None:
        raise NotFound(
            say("{person_id} is no member of “{space}”.", person_id=person_id, space=space.name),
            way_out=say("See `strongroom member list`."),
        )
    deed.subject = membership.person.email
    return membership


def is_last_owner(membership: Membership) -> bool:
    """Whether the space, whose row is locked, would have no active owner without this one."""
    if membership.role != Role.OWNER:
        return False
    owners = Membership.objects.filter(space_id=membership.space_id, role=Role.OWNER.value, person__is_active=True)
    return not owners.exclude(id=membership.id).exists()


def _keep_an_owner(membership: Membership) -> None:
    if is_last_owner(membership):
        raise Conflict(
            say(
                "{person} is the last owner of “{space}”.", person=membership.person.email, space=membership.space.name
            ),
            code="last-owner",
            way_out=say("Make another member owner first."),
        )


def _facts(membership: Membership) -> dict[str, Json]:
    return {
        "person_id": str(membership.person_id),
        "email": membership.person.email,
        "role": str(membership.role),
    }
