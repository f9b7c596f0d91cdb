"""What groups of an identity provider are mapped to: a role in a space, a staff role, or lying within another group.

A mapping gives at the next sign-in of whoever is in the group; removing one takes away at once what it gave.
"""

from uuid import UUID

from django.db import IntegrityError, transaction

from strongroom.actions import applying, withdrawing
from strongroom.actions.deeds import doing
from strongroom.actions.paging import Page, page
from strongroom.actions.withdrawing import Withdrawn
from strongroom.core import groups
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Invalid, NotFound
from strongroom.core.ledger import Json
from strongroom.core.names import clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import IdentityKind, Role, StaffRole, Verb
from strongroom.db.models import GroupMapping, Identity, Space


def add(
    actor: Actor,
    *,
    provider: IdentityKind,
    group: str,
    space_id: UUID | None = None,
    role: Role | None = None,
    staff_role: StaffRole | None = None,
    outer: str = "",
) -> GroupMapping:
    """Map a group to a role in a space, to a staff role, or into an `outer` group: one of the three.

    Raises: Forbidden; Invalid; Conflict `mapped-already`, and `circle` where two groups would lie within each other.
    """
    with doing(actor, Verb.MAPPING_ADD) as deed:
        deed.platform()
        mapping = GroupMapping(
            kind=provider,
            group=_clean("group", group),
            space=_space(space_id),
            role=role,  # type: ignore[misc]  # the column may be empty
            staff_role=staff_role,
            outer=_clean("outer", outer) if outer.strip() else "",
            created_at=deed.now,
            created_by_id=actor.person_id,
        )
        deed.subject, deed.space_id = mapping.group, mapping.space_id
        _need_one_target(mapping)
        _refuse_circle(mapping)
        try:
            with transaction.atomic():
                mapping.save(force_insert=True)
        except IntegrityError:
            raise Conflict(
                say("The group {group} is mapped there already.", group=mapping.group),
                code="mapped-already",
                way_out=say("To give another role, remove that mapping first."),
            ) from None
        deed.record(after=_facts(mapping))
        return mapping


def list_(actor: Actor, *, cursor: str | None = None, limit: int = 100) -> Page[GroupMapping]:
    """Every mapping, by group. Raises: Forbidden."""
    with doing(actor, Verb.MAPPING_LIST) as deed:
        deed.platform()
        rows = GroupMapping.objects.select_related("space")
        return page(rows, by=["group", "id"], cursor=cursor, limit=limit)


def remove(actor: Actor, mapping_id: UUID) -> None:
    """End a mapping and, before this returns, what it alone gave: roles, with the keys and servers held through them.

    Raises: NotFound; Conflict `last-owner` or `last-administrator` where nobody else would be left.
    """
    with doing(actor, Verb.MAPPING_REMOVE, subject=str(mapping_id)) as deed:
        deed.platform()
        mapping = GroupMapping.objects.select_for_update(no_key=True).filter(id=mapping_id).first()
        if mapping is None:
            raise NotFound(
                say("There is no mapping {mapping_id}.", mapping_id=mapping_id),
                way_out=say("See `strongroom mapping list`."),
            )
        deed.subject, deed.space_id = mapping.group, mapping.space_id
        withdrawn = [
            each for identity in _concerned(mapping) for each in applying.apply(deed, identity, but=mapping.id)
        ]
        _refuse_while_needed(mapping)
        facts = _facts(mapping)
        mapping.delete()
        deed.record(before=facts, after=_sum(withdrawn))
    for each in withdrawn:
        withdrawing.cut(each)


def _concerned(mapping: GroupMapping) -> list[Identity]:
    """The last identity of everybody whom this mapping may have given something."""
    by_group = Identity.objects.filter(kind=mapping.kind).select_related("person").order_by("person_id", "last_used_at")
    if mapping.outer:
        given = by_group.filter(person__memberships__mapping__kind=mapping.kind)
        given = given | by_group.filter(person__staff_mapping__kind=mapping.kind)
    else:
        given = by_group.filter(person__memberships__mapping=mapping) | by_group.filter(person__staff_mapping=mapping)
    return list({each.person_id: each for each in given.distinct()}.values())


def _refuse_while_needed(mapping: GroupMapping) -> None:
    left = mapping.memberships.select_related("person").first()
    if left is not None:
        raise Conflict(
            say(
                "{person} is the last owner of “{space}”, by this mapping.",
                person=left.person.email,
                space=mapping.space,
            ),
            code="last-owner",
            way_out=say("Make another member owner first."),
        )
    if person := mapping.staff.first():
        raise Conflict(
            say("{person} is the last administrator of the platform, by this mapping.", person=person.email),
            code="last-administrator",
            way_out=say("Make another person administrator first."),
        )


def _need_one_target(mapping: GroupMapping) -> None:
    targets = [bool(mapping.space or mapping.role), bool(mapping.staff_role), bool(mapping.outer)]
    if sum(targets) != 1:
        raise Invalid(
            say("A group is mapped to one thing: a role in a space, a staff role, or another group it lies within."),
            fields={"group": say("name one thing it is good for")},
        )
    if (mapping.space is None) != (mapping.role is None):
        missing = "space_id" if mapping.space is None else "role"
        raise Invalid(say("A role is given in a space: name both."), fields={missing: say("is needed, too")})


def _refuse_circle(mapping: GroupMapping) -> None:
    if not mapping.outer:
        return
    # One after the other, so that two who declare at the same time cannot close a circle together.
    declared = GroupMapping.objects.select_for_update(no_key=True).filter(kind=mapping.kind).exclude(outer="")
    if groups.closes_a_circle(mapping.group, mapping.outer, applying.nestings(declared)):
        raise Conflict(
            say("{outer} lies within {group} already.", outer=mapping.outer, group=mapping.group),
            code="circle",
            way_out=say("Two groups that lie within each other are one: map both to what they are good for."),
        )


def _space(space_id: UUID | None) -> Space | None:
    if space_id is None:
        return None
    space = Space.objects.filter(id=space_id).first()
    if space is None:
        raise NotFound(
            say("There is no space {space_id}.", space_id=space_id), way_out=say("See `strongroom space list`.")
        )
    return space


def _clean(field: str, text: str) -> str:
    cleaned = clean_text(field, text, max_length=400)
    return cleaned.rstrip("/") or cleaned if cleaned.startswith("/") else cleaned


def _sum(withdrawn: list[Withdrawn]) -> dict[str, Json]:
    return {
        "keys_revoked": sum(each.keys for each in withdrawn),
        "transfers_ended": sum(each.transfers for each in withdrawn),
        "servers_disabled": sum(each.servers for each in withdrawn),
        "join_tokens_ended": sum(each.join_tokens for each in withdrawn),
    }


def _facts(mapping: GroupMapping) -> dict[str, Json]:
    return {
        "id": str(mapping.id),
        "provider": str(mapping.kind),
        "group": mapping.group,
        "space_id": str(mapping.space_id) if mapping.space_id else None,
        "role": str(mapping.role) if mapping.role else None,
        "staff_role": str(mapping.staff_role) if mapping.staff_role else None,
        "outer": mapping.outer or None,
    }
