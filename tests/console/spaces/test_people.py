"""People and roles of a space."""

from strongroom.core.vocabulary import Role
from strongroom.db.models import Membership
from tests.console.signed_in import browser
from tests.world import World


def test_an_owner_adds_somebody_who_is_known(world: World) -> None:
    space = world.space()
    ada = world.person("ada")
    client = browser(world.owner(space))
    response = client.post(f"/spaces/{space.id}/people/add", {"email": ada.email, "role": "researcher"})
    assert response.headers["Location"] == f"/spaces/{space.id}/people"
    assert Membership.objects.get(space=space, person_id=ada.person_id).role == Role.RESEARCHER
    assert f"{ada.email} is researcher now." in client.get(f"/spaces/{space.id}/people").content.decode()


def test_somebody_unknown_is_refused_at_the_field_with_the_way_out(world: World) -> None:
    space = world.space()
    response = browser(world.owner(space)).post(
        f"/spaces/{space.id}/people/add", {"email": "<b>@example.org", "role": "auditor"}
    )
    shown = response.content.decode()
    assert response.status_code == 422
    assert "An administrator of the platform can create the person" in shown
    assert 'value="&lt;b&gt;@example.org"' in shown
    assert '<option value="auditor" selected>' in shown


def test_an_owner_gives_another_role(world: World) -> None:
    space = world.space()
    member = world.member(space, Role.RESEARCHER)
    path = f"/spaces/{space.id}/people/{member.person_id}"
    assert browser(world.owner(space)).post(path, {"role": "steward"}).status_code == 302
    assert Membership.objects.get(space=space, person_id=member.person_id).role == Role.STEWARD
    assert browser(world.owner(space)).post(path, {"role": "king"}).status_code == 422


def test_the_last_owner_stays(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    for path, given in (("", {"role": "auditor"}), ("/remove", {})):
        response = browser(owner).post(f"/spaces/{space.id}/people/{owner.person_id}{path}", given)
        assert response.status_code == 409
        assert "is the last owner" in response.content.decode()
    assert Membership.objects.get(space=space, person_id=owner.person_id).role == Role.OWNER


def test_an_owner_removes_a_member_who_then_finds_no_such_space(world: World) -> None:
    space = world.space()
    member = world.member(space, Role.STEWARD)
    theirs = browser(member)
    assert theirs.get(f"/spaces/{space.id}").status_code == 200
    path = f"/spaces/{space.id}/people/{member.person_id}/remove"
    assert browser(world.owner(space)).post(path).headers["Location"] == f"/spaces/{space.id}/people"
    assert theirs.get(f"/spaces/{space.id}").status_code == 404


def test_an_owner_who_leaves_goes_home(world: World) -> None:
    space = world.space()
    second = world.member(space, Role.OWNER)
    response = browser(second).post(f"/spaces/{space.id}/people/{second.person_id}/remove")
    assert response.headers["Location"] == "/"


def test_a_steward_sees_members_and_no_button(world: World) -> None:
    space = world.space()
    client = browser(world.member(space, Role.STEWARD))
    shown = client.get(f"/spaces/{space.id}/people").content.decode()
    assert world.owner(space).email in shown
    assert "Save role" not in shown
    assert "Add a person" not in shown
    response = client.post(f"/spaces/{space.id}/people/add", {"email": "a@example.org", "role": "owner"})
    assert response.status_code == 403


def test_giving_a_role_asks_for_a_fresh_second_factor_and_comes_back(world: World) -> None:
    space = world.space()
    client = browser(world.owner(space), is_proved=False)
    came_from = f"/spaces/{space.id}/people"
    response = client.post(
        f"{came_from}/add",
        {"email": "a@example.org", "role": "owner"},
        headers={"Referer": f"http://testserver{came_from}"},
    )
    assert response.status_code == 302
    assert response.headers["Location"].endswith(f"?next=%2Fspaces%2F{space.id}%2Fpeople")
