"""What the groups of somebody give and take: roles in spaces and on the platform, each change in the ledger.

Touches only what a group gave before, and what nobody gave: a role that a person decided stays. The last owner of a
space and the last administrator stay, too, with a refusal in the ledger.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from strongroom.actions import ledger, members, people, withdrawing
from strongroom.actions.deeds import Deed
from strongroom.actions.withdrawing import Withdrawn
from strongroom.core import groups
from strongroom.core.ledger import Json
from strongroom.core.vocabulary import IdentityKind, Outcome, Role, StaffRole, SystemFact
from strongroom.db.models import GroupMapping, Identity, Membership, Person, Space

_NONE = UUID(int=0)


def mappings_of(direct: Iterable[str], kind: IdentityKind, *, but: UUID | None = None) -> list[GroupMapping]:
    """The mappings to roles that hold for somebody in these groups, nested ones included; not the one `but`."""
    rows = list(GroupMapping.objects.filter(kind=kind).exclude(id=but or _NONE))
    held = groups.held(direct, nestings(rows))
    return [row for row in rows if not row.outer and row.group in held]


def nestings(rows: Iterable[GroupMapping]) -> Mapping[str, Collection[str]]:
    """Which groups are declared to lie within which."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.outer:
            found[row.group].add(row.outer)
    return found


def apply(deed: Deed, identity: Identity, *, but: UUID | None = None) -> list[Withdrawn]:
    """Make somebody what the groups of their last sign-in say, as if the mapping `but` were not there.

    In the transaction that is open; afterwards each result must be `cut`.
    """
    kind = IdentityKind(identity.kind)
    mappings = mappings_of(identity.groups, kind, but=but)
    withdrawn = _spaces(deed, identity.person_id, kind, mappings)
    _staff(deed, identity.person_id, kind, [each for each in mappings if each.staff_role])
    return withdrawn


def _spaces(deed: Deed, person_id: UUID, kind: IdentityKind, mappings: list[GroupMapping]) -> list[Withdrawn]:
    by_space: dict[UUID, list[GroupMapping]] = defaultdict(list)
    for mapping in mappings:
        if mapping.space_id:
            by_space[mapping.space_id].append(mapping)
    given = Membership.objects.filter(person_id=person_id, mapping__kind=kind)
    concerned = {*by_space, *given.values_list("space_id", flat=True)}
    spaces = Space.objects.select_for_update(of=("self",), no_key=True).filter(id__in=concerned).order_by("id")
    done = [_space(deed, space, person_id, kind, by_space[space.id]) for space in spaces]
    return [each for each in done if each is not None]


def _space(
    deed: Deed, space: Space, person_id: UUID, kind: IdentityKind, mappings: list[GroupMapping]
) -> Withdrawn | None:
    membership = space.memberships.select_related("person", "mapping").filter(person_id=person_id).first()
    role = groups.first({Role(str(each.role)) for each in mappings}, groups.ROLES)
    mapping = next((each for each in mappings if each.role == role), None)
    if membership is None:
        if mapping is not None and role is not None:
            _join(deed, space, person_id, role, mapping)
        return None
    if membership.mapping is None or membership.mapping.kind != kind:
        return None
    if role != membership.role and members.is_last_owner(membership):
        _record(deed, SystemFact.MEMBER_LEFT, membership, Outcome.REFUSED, "the last owner of the space stays")
        return None
    if mapping is None or role is None:
        return _leave(deed, membership)
    return _change(deed, membership, role, mapping)


def _join(deed: Deed, space: Space, person_id: UUID, role: Role, mapping: GroupMapping) -> None:
    membership = Membership.objects.create(
        space=space,
        person_id=person_id,
        role=role,
        mapping=mapping,
        created_at=deed.now,
        created_by_id=mapping.created_by_id,
    )
    _record(deed, SystemFact.MEMBER_JOINED, membership, Outcome.DONE, f"in the group {mapping.group}")


def _change(deed: Deed, membership: Membership, role: Role, mapping: GroupMapping) -> Withdrawn | None:
    before = Role(membership.role)
    membership.role, membership.mapping = role, mapping
    membership.save(update_fields=["role", "mapping"])
    if before is role:
        return None
    withdrawn = withdrawing.withdraw(deed, membership.person_id, space_id=membership.space_id, role=role)
    why = f"in the group {mapping.group}"
    more: dict[str, Json] = {"before": before.value, **withdrawn.facts()}
    _record(deed, SystemFact.MEMBER_CHANGED, membership, Outcome.DONE, why, more)
    return withdrawn


def _leave(deed: Deed, membership: Membership) -> Withdrawn:
    group = membership.mapping.group if membership.mapping else ""
    withdrawn = withdrawing.withdraw(deed, membership.person_id, space_id=membership.space_id)
    why = f"no longer in the group {group}, or nothing is mapped to it any more"
    _record(deed, SystemFact.MEMBER_LEFT, membership, Outcome.DONE, why, withdrawn.facts())
    membership.delete()
    return withdrawn


def _staff(deed: Deed, person_id: UUID, kind: IdentityKind, mappings: list[GroupMapping]) -> None:
    role = groups.first({StaffRole(str(each.staff_role)) for each in mappings}, groups.STAFF_ROLES)
    mapping = next((each for each in mappings if each.staff_role == role), None)
    before = Person.objects.select_related("staff_mapping").get(id=person_id)
    given = before.staff_mapping
    if (given.kind != kind) if given else (before.staff_role or mapping is None):
        return
    person = people.locked(person_id)
    assert person is not None
    if role is not StaffRole.ADMINISTRATOR and people.is_last_administrator(person):
        _record_staff(deed, person, before, Outcome.REFUSED, "the last administrator of the platform stays")
        return
    person.staff_role = role  # type: ignore[assignment]  # the column may be empty
    person.staff_mapping = mapping
    person.save(update_fields=["staff_role", "staff_mapping"])
    if role != before.staff_role:
        why = f"in the group {mapping.group}" if mapping else "no longer in a group that is mapped to it"
        _record_staff(deed, person, before, Outcome.DONE, why)


def _record(
    deed: Deed,
    fact: SystemFact,
    membership: Membership,
    outcome: Outcome,
    reason: str,
    more: Mapping[str, Json] | None = None,
) -> None:
    ledger.append(
        fact,
        at=deed.now,
        actor=deed.actor,
        outcome=outcome,
        space_id=membership.space_id,
        subject=membership.person.email,
        after={"person_id": str(membership.person_id), "role": str(membership.role), **(more or {})},
        reason=reason,
    )


def _record_staff(deed: Deed, person: Person, before: Person, outcome: Outcome, reason: str) -> None:
    ledger.append(
        SystemFact.PERSON_STAFF_CHANGED,
        at=deed.now,
        actor=deed.actor,
        outcome=outcome,
        subject=person.email,
        before={"staff_role": str(before.staff_role) if before.staff_role else None},
        after={"staff_role": str(person.staff_role) if person.staff_role else None},
        reason=reason,
    )
