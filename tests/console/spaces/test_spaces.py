"""Spaces: choosing one, making one, its data sets, its settings."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from strongroom.actions import spaces
from strongroom.core.vocabulary import Kind, RiskLevel, Role, StaffRole
from strongroom.db.models import Space
from tests.console.signed_in import browser
from tests.world import World


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content.decode()
    return response.content.decode()


def test_spaces_are_found_by_a_part_of_their_name(world: World) -> None:
    owner = world.person("owner")
    world.space(owner, name="North")
    world.space(owner, name="South")
    client = browser(owner)
    assert {"North", "South"} <= set(text(client, "/spaces/").replace("<", ">").split(">"))
    assert "South" not in text(client, "/spaces/?search=nor")
    assert "No space is like that" in text(client, "/spaces/?search=east")


def test_staff_see_every_space_as_staff(world: World) -> None:
    world.space(name="Of others")
    shown = text(browser(world.person(staff_role=StaffRole.SUPPORT)), "/spaces/")
    assert "Of others" in shown
    assert "As staff" in shown


def test_who_makes_a_space_owns_it_and_is_told(world: World) -> None:
    client = browser(world.person())
    given = {"name": "New one", "risk_level": "high", "charge_code": "C-1", "contact": "ada@example.org"}
    response = client.post("/spaces/new", given)
    made = Space.objects.get(name="New one")
    assert response.headers["Location"] == f"/spaces/{made.id}"
    shown = text(client, f"/spaces/{made.id}")
    assert "is there, and you own it" in shown
    assert "You are owner" in shown
    assert "is there, and you own it" not in text(client, f"/spaces/{made.id}")


@pytest.mark.parametrize(
    ("given", "field"),
    [({"name": "", "risk_level": "high"}, "name"), ({"name": "A", "risk_level": "huge"}, "risk_level")],
)
def test_a_form_that_is_wrong_comes_back_as_it_was(world: World, given: dict[str, str], field: str) -> None:
    response = browser(world.person()).post("/spaces/new", {**given, "contact": "Kept <i>"})
    shown = response.content.decode()
    assert response.status_code == 422
    assert "Kept &lt;i&gt;" in shown
    assert 'role="alert"' in shown
    assert 'class="field wrong"' in shown
    assert not Space.objects.filter(contact__startswith="Kept").exists()


def test_a_space_shows_its_data_sets_and_narrows_them(world: World) -> None:
    space = world.space()
    world.dataset(space, name="Scans <x>")
    world.dataset(space, name="Extract", kind=Kind.DERIVATIVE)
    client = browser(world.member(space, Role.AUDITOR))
    shown = text(client, f"/spaces/{space.id}")
    assert "Scans &lt;x&gt;" in shown
    assert "Create a data set" not in shown
    assert "Scans" not in text(client, f"/spaces/{space.id}?kind=derivative")
    assert "No data set is like that" in text(client, f"/spaces/{space.id}?state=finalized")
    assert "Extract" in text(client, f"/spaces/{space.id}?search=extr&kind=nonsense")


def test_an_empty_space_says_what_a_data_set_is_and_who_makes_one(world: World) -> None:
    space = world.space()
    assert f"/spaces/{space.id}/datasets/new" in text(browser(world.owner(space)), f"/spaces/{space.id}")
    shown = text(browser(world.member(space, Role.AUDITOR)), f"/spaces/{space.id}")
    assert "Owners, stewards and researchers of the space create them" in shown


def test_a_low_risk_space_says_why_it_has_no_data_sets(world: World) -> None:
    space = world.space(risk_level=RiskLevel.LOW)
    shown = text(browser(world.owner(space)), f"/spaces/{space.id}")
    assert "No secure data sets in a low-risk space" in shown
    assert "/datasets/new" not in shown


@pytest.mark.parametrize(
    ("role", "people", "activity"),
    [
        (Role.OWNER, True, True),
        (Role.STEWARD, True, False),
        (Role.RESEARCHER, False, False),
        (Role.AUDITOR, True, True),
    ],
)
def test_tabs_are_those_that_open(world: World, role: Role, people: bool, activity: bool) -> None:
    space = world.space()
    client = browser(world.member(space, role))
    shown = text(client, f"/spaces/{space.id}")
    for path, opens in (("people", people), ("activity", activity)):
        assert (f'href="/spaces/{space.id}/{path}"' in shown) is opens
        assert client.get(f"/spaces/{space.id}/{path}").status_code == (200 if opens else 403)


def test_an_owner_changes_the_settings_and_only_what_is_different(world: World) -> None:
    space = world.space(name="Before")
    client = browser(world.owner(space))
    given = {"name": "After", "risk_level": "high", "charge_code": "", "contact": ""}
    assert client.post(f"/spaces/{space.id}/settings", given).status_code == 302
    assert "After" in text(client, f"/spaces/{space.id}/settings")


def test_a_refused_setting_keeps_what_was_typed_and_says_why(world: World) -> None:
    space = world.space()
    world.dataset(space)
    response = browser(world.owner(space)).post(
        f"/spaces/{space.id}/settings", {"name": "Typed", "risk_level": "low", "charge_code": "", "contact": ""}
    )
    assert response.status_code == 409
    assert "cannot be low while it has data sets" in response.content.decode()
    assert 'value="Typed"' in response.content.decode()


def test_who_may_not_change_the_settings_reads_them(world: World) -> None:
    space = world.space()
    client = browser(world.member(space, Role.STEWARD))
    assert "Owners of the space can change this" in text(client, f"/spaces/{space.id}/settings")
    given = {"name": "Mine", "risk_level": "high"}
    assert client.post(f"/spaces/{space.id}/settings", given).status_code == 403


def test_a_page_of_a_space_asks_the_database_the_same_for_many_data_sets(  # type: ignore[no-untyped-def]
    world: World, django_assert_max_num_queries
) -> None:
    space = world.space()
    for _ in range(12):
        world.dataset(space)
    client = browser(world.owner(space))
    with django_assert_max_num_queries(16):
        text(client, f"/spaces/{space.id}")
    with django_assert_max_num_queries(16):
        text(client, "/spaces/")


def test_whoever_must_prove_something_first_finds_what_they_wrote(world: World) -> None:
    client = browser(world.person("newcomer"), is_proved=False)
    sent = client.post("/spaces/new", {"name": "Sleep & rest", "risk_level": "high", "charge_code": "CC-1"})
    came_back = parse_qs(urlsplit(sent.headers["Location"]).query)["next"][0]
    assert came_back.startswith("/spaces/new?")
    page = client.get(came_back).content.decode()
    assert 'value="Sleep &amp; rest"' in page and 'value="CC-1"' in page


def test_charges_say_where_they_go_and_that_there_are_none_yet(world: World) -> None:
    space = world.space()
    spaces.edit(world.owner(space), space.id, changes={"charge_code": "CC-<1>"})
    shown = text(browser(world.member(space, Role.AUDITOR)), f"/spaces/{space.id}/charges")
    assert "CC-&lt;1&gt;" in shown
    assert "Nothing is charged yet" in shown
    assert "Change it in the settings" not in shown
    assert "Change it in the settings" in text(browser(world.owner(space)), f"/spaces/{space.id}/charges")
