"""Groups of a real provider become roles, nested ones too; what a group gave ends with the group, with all it held."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from strongroom.actions import keys, mappings, members, people, stale
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Invalid
from strongroom.core.vocabulary import IdentityKind, KeyStatus, Kind, Outcome, Role, ServerState, StaffRole, SystemFact
from strongroom.db.models import Event, Identity, Membership, Person, Server, Space, UploadKey
from strongroom.engines import AccessKey
from tests.identity.provider import Provider
from tests.identity.visitor import Visitor
from tests.world import World

OIDC = IdentityKind.OIDC
STEWARDS = "/hospital/genomics/stewards"


class Scene:
    """Ada, whom the provider knows, and a space."""

    def __init__(self, world: World, provider: Provider) -> None:
        self.world, self.provider = world, provider
        self.space: Space = world.space()
        self.ada: Actor = world.person("ada")

    def arrives(self, *groups: str) -> None:
        """Ada signs in while she is in these groups."""
        self.provider.person("ada", email=self.ada.email, groups=groups)
        Visitor().sign_in("ada")

    def maps(self, group: str, role: Role = Role.STEWARD, space: Space | None = None) -> None:
        """The administrator maps a group to a role."""
        mappings.add(self.world.administrator, provider=OIDC, group=group, space_id=(space or self.space).id, role=role)

    def nests(self, group: str, outer: str) -> None:
        """The administrator declares a group to lie within another."""
        mappings.add(self.world.administrator, provider=OIDC, group=group, outer=outer)

    def role(self, space: Space | None = None) -> str | None:
        """What Ada is in the space."""
        found = Membership.objects.filter(space=space or self.space, person_id=self.ada.person_id)
        return found.values_list("role", flat=True).first()

    def facts(self, fact: SystemFact, outcome: Outcome = Outcome.DONE) -> Sequence[Event]:
        """What the ledger of the space says of her."""
        return list(Event.objects.filter(verb=fact, space_id=self.space.id, outcome=outcome))


@pytest.fixture
def scene(world: World, provider: Provider, told: Callable[..., None]) -> Scene:
    return Scene(world, provider)


def test_a_group_gives_a_role_and_takes_it_away_again(scene: Scene) -> None:
    scene.maps(STEWARDS)
    scene.arrives(STEWARDS, "unknown")
    assert scene.role() == "steward"
    assert [each.reason for each in scene.facts(SystemFact.MEMBER_JOINED)] == [f"in the group {STEWARDS}"]
    scene.arrives("unknown")
    assert scene.role() is None
    assert len(scene.facts(SystemFact.MEMBER_LEFT)) == 1


def test_signing_in_again_changes_and_records_nothing(scene: Scene) -> None:
    scene.maps(STEWARDS)
    scene.arrives(STEWARDS)
    scene.arrives(STEWARDS)
    assert len(scene.facts(SystemFact.MEMBER_JOINED)) == 1


def test_somebody_new_comes_in_by_a_mapped_group(scene: Scene) -> None:
    scene.maps("/hospital", Role.AUDITOR)
    scene.provider.person("grace", groups=["/hospital/wards/3"])
    Visitor().sign_in("grace")
    person = Person.objects.get(email="grace@example.org")
    assert Membership.objects.get(person=person).role == "auditor"


def test_a_group_within_a_path_counts_for_the_path(scene: Scene) -> None:
    scene.maps("/hospital/genomics", Role.RESEARCHER)
    scene.arrives("/hospital/genomics-guests")
    assert scene.role() is None
    scene.arrives(STEWARDS)
    assert scene.role() == "researcher"
    scene.arrives("/hospital")
    assert scene.role() is None


def test_a_declared_nesting_counts_through_every_level(scene: Scene) -> None:
    scene.maps("staff", Role.RESEARCHER)
    scene.nests("genomics", "research")
    scene.nests("research", "staff")
    scene.arrives("genomics")
    assert scene.role() == "researcher"


def test_a_nesting_that_is_taken_back_takes_back_what_it_gave(scene: Scene) -> None:
    scene.maps("staff", Role.RESEARCHER)
    scene.nests("genomics", "staff")
    scene.arrives("genomics")
    nesting = next(each for each in mappings.list_(scene.world.administrator).rows if each.outer)
    mappings.remove(scene.world.administrator, nesting.id)
    assert scene.role() is None


@pytest.mark.parametrize(("inner", "outer"), [("staff", "genomics"), ("genomics", "genomics"), ("/a", "/a/b")])
def test_groups_within_each_other_are_refused(scene: Scene, inner: str, outer: str) -> None:
    scene.nests("genomics", "research")
    scene.nests("research", "staff")
    with pytest.raises(Conflict) as refusal:
        scene.nests(inner, outer)
    assert refusal.value.code == "circle"


def test_of_several_groups_the_first_role_counts(scene: Scene) -> None:
    scene.maps("readers", Role.AUDITOR)
    scene.maps("keepers", Role.STEWARD)
    scene.maps("workers", Role.RESEARCHER)
    scene.arrives("readers", "keepers", "workers")
    assert scene.role() == "steward"
    scene.arrives("readers", "workers")
    assert scene.role() == "researcher"
    assert [each.after["before"] for each in scene.facts(SystemFact.MEMBER_CHANGED)] == ["steward"]


def test_what_a_person_decided_no_group_touches(scene: Scene) -> None:
    owner = scene.world.owner(scene.space)
    scene.maps(STEWARDS, Role.OWNER)
    members.add(owner, scene.space.id, email=scene.ada.email, role=Role.AUDITOR)
    scene.arrives(STEWARDS)
    assert scene.role() == "auditor"
    scene.arrives()
    assert scene.role() == "auditor"


def test_a_role_of_a_group_that_a_person_changed_is_theirs_from_then_on(scene: Scene) -> None:
    scene.maps(STEWARDS)
    scene.arrives(STEWARDS)
    owner = scene.world.owner(scene.space)
    members.edit(owner, scene.space.id, scene.ada.person_id, role=Role.RESEARCHER)
    scene.arrives()
    assert scene.role() == "researcher"


def test_with_the_group_go_the_keys_and_servers_that_were_held_by_it(scene: Scene) -> None:
    scene.maps(STEWARDS)
    scene.arrives(STEWARDS)
    dataset = scene.world.dataset(scene.space, by=scene.ada, kind=Kind.ORIGINAL)
    issued = keys.issue(scene.ada, dataset.id)
    machine = scene.world.machine(scene.space, by=scene.ada)
    scene.arrives()
    assert UploadKey.objects.get(id=issued.key.id).status == KeyStatus.REVOKED
    key = AccessKey(issued.key.principal, issued.key.access_key_id, issued.secret)
    assert not scene.world.engine.put_as(key, dataset.repository, "late.csv", b"")
    assert Server.objects.get(id=machine.row.id).state == ServerState.DISABLED
    assert scene.facts(SystemFact.MEMBER_LEFT)[0].after["keys_revoked"] == 1


def test_the_last_owner_of_a_space_stays_and_the_ledger_says_so(scene: Scene) -> None:
    scene.maps("owners", Role.OWNER)
    scene.arrives("owners")
    owner = scene.world.owner(scene.space)
    members.remove(owner, scene.space.id, owner.person_id)
    scene.arrives()
    assert scene.role() == "owner"
    assert len(scene.facts(SystemFact.MEMBER_LEFT, Outcome.REFUSED)) == 1
    mapping = mappings.list_(scene.world.administrator).rows[0]
    with pytest.raises(Conflict) as refusal:
        mappings.remove(scene.world.administrator, mapping.id)
    assert refusal.value.code == "last-owner"


def test_removing_a_mapping_ends_at_once_what_it_alone_gave(scene: Scene) -> None:
    other = scene.world.space()
    scene.maps("keepers", Role.STEWARD)
    scene.maps("readers", Role.AUDITOR)
    scene.maps("keepers", Role.STEWARD, other)
    scene.arrives("keepers", "readers")
    for each in mappings.list_(scene.world.administrator).rows:
        if each.group == "keepers":
            mappings.remove(scene.world.administrator, each.id)
    assert scene.role() == "auditor"
    assert scene.role(other) is None


def test_a_group_gives_a_staff_role_and_takes_it_away(scene: Scene) -> None:
    mappings.add(scene.world.administrator, provider=OIDC, group="it", staff_role=StaffRole.SUPPORT)
    scene.arrives("it")
    assert Person.objects.get(id=scene.ada.person_id).staff_role == "support"
    scene.arrives()
    assert Person.objects.get(id=scene.ada.person_id).staff_role is None
    changes = Event.objects.filter(verb=SystemFact.PERSON_STAFF_CHANGED).order_by("sequence")
    assert [each.after["staff_role"] for each in changes] == ["support", None]


def test_the_last_administrator_stays(scene: Scene) -> None:
    root = scene.world.administrator
    mappings.add(root, provider=OIDC, group="admins", staff_role=StaffRole.ADMINISTRATOR)
    scene.arrives("admins")
    people.edit(root, root.person_id, changes={"staff_role": None})
    scene.arrives()
    assert Person.objects.get(id=scene.ada.person_id).staff_role == "administrator"


def test_a_staff_role_that_a_person_gave_no_group_touches(scene: Scene) -> None:
    root = scene.world.administrator
    mappings.add(root, provider=OIDC, group="admins", staff_role=StaffRole.ADMINISTRATOR)
    people.edit(root, scene.ada.person_id, changes={"staff_role": StaffRole.SUPPORT})
    scene.arrives("admins")
    scene.arrives()
    assert Person.objects.get(id=scene.ada.person_id).staff_role == "support"


def test_the_groups_of_another_protocol_give_nothing(scene: Scene) -> None:
    root, space = scene.world.administrator, scene.space
    mappings.add(root, provider=IdentityKind.SAML, group=STEWARDS, space_id=space.id, role=Role.OWNER)
    scene.arrives(STEWARDS)
    assert scene.role() is None


def test_only_administrators_map_groups(scene: Scene) -> None:
    support = scene.world.person("support", staff_role=StaffRole.SUPPORT)
    for actor in (scene.ada, support, scene.world.owner(scene.space)):
        with pytest.raises(Forbidden):
            mappings.add(actor, provider=OIDC, group="g", space_id=scene.space.id, role=Role.OWNER)
    assert mappings.list_(support).rows == []


def test_a_group_is_mapped_to_one_thing_and_once(scene: Scene) -> None:
    root, space = scene.world.administrator, scene.space
    with pytest.raises(Invalid):
        mappings.add(root, provider=OIDC, group="g")
    with pytest.raises(Invalid):
        mappings.add(root, provider=OIDC, group="g", role=Role.OWNER)
    with pytest.raises(Invalid):
        mappings.add(root, provider=OIDC, group="g", space_id=space.id, role=Role.OWNER, staff_role=StaffRole.SUPPORT)
    scene.maps("g")
    with pytest.raises(Conflict):
        scene.maps("g", Role.OWNER)


def test_without_a_new_sign_in_what_groups_gave_ends_in_time(scene: Scene) -> None:
    scene.maps(STEWARDS)
    scene.arrives(STEWARDS)
    assert stale.end_due() == 0
    Identity.objects.update(last_used_at=timezone.now() - timedelta(days=31))
    assert stale.end_due() == 1
    assert scene.role() is None
    assert stale.end_due() == 0
    scene.arrives(STEWARDS)
    assert scene.role() == "steward"


def test_groups_last_for_ever_where_the_operator_says_so(scene: Scene, told: Callable[..., None]) -> None:
    told(sso_group_days=0)
    scene.maps(STEWARDS)
    scene.arrives(STEWARDS)
    Identity.objects.update(last_used_at=timezone.now() - timedelta(days=3000))
    assert stale.end_due() == 0
    assert scene.role() == "steward"
