"""The pages of staff: what they show, what they reset and with which reason, and that nobody else gets in."""

import html
import re
from dataclasses import replace

import pytest
from django.conf import settings
from django.test import Client, override_settings

from strongroom.actions import keys
from strongroom.core.vocabulary import Role, StaffRole
from strongroom.db.models import Event, Person, UploadKey
from tests.console.signed_in import browser
from tests.phones import enrolled
from tests.world import World, actor_of

pytestmark = pytest.mark.django_db
PAGES = ("", "spaces", "people", "settings", "components")


def _text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


@pytest.mark.parametrize("path", PAGES)
def test_staff_see_each_page_and_nobody_else_does(world: World, path: str) -> None:
    support = browser(world.person("support", staff_role=StaffRole.SUPPORT))
    assert support.get(f"/staff/{path}").status_code == 200
    assert browser(world.person("member")).get(f"/staff/{path}").status_code == 403


def test_health_says_which_part_does_not_work(world: World) -> None:
    page = _text(browser(world.administrator), "/staff/")
    assert "Something needs attention" in page  # no worker was ever there
    assert "was never seen" in page


def test_all_spaces_are_found_by_name(world: World) -> None:
    world.space(name="Sleep study")
    world.space(name="Heart study")
    page = _text(browser(world.administrator), "/staff/spaces?search=sleep")
    assert "Sleep study" in page
    assert "Heart study" not in page


def test_settings_are_shown_without_secrets(world: World) -> None:
    url = "postgresql://strongroom:tr0ub4dor@db/strongroom"
    with override_settings(STRONGROOM=replace(settings.STRONGROOM, database_url=url)):
        page = _text(browser(world.administrator), "/staff/settings")
    assert "STRONGROOM_DATABASE_URL" in page
    assert "set, hidden" in page
    assert "tr0ub4dor" not in page


def test_every_part_is_shown_in_both_themes(world: World) -> None:
    page = _text(browser(world.administrator), "/staff/components")
    assert page.count('class="theme-light') == page.count('class="theme-dark') == 1
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert sorted(set(ids)) == sorted(ids)


def test_somebody_is_added_and_their_code_is_shown_once(world: World) -> None:
    root = browser(world.administrator)
    response = root.post("/staff/people/new", {"email": "New@example.org", "name": "New", "staff_role": ""})
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    code = re.search(r"<code>([^<]+)</code>", response.content.decode())
    assert code
    person = Person.objects.get(email="new@example.org")
    assert code[1] not in _text(root, f"/staff/people/{person.id}")
    again = root.post("/staff/people/new", {"email": "new@example.org", "name": "New", "staff_role": ""})
    assert again.status_code == 409


def test_a_second_factor_is_reset_with_address_and_reason(world: World) -> None:
    victim = world.person("victim")
    enrolled(victim)
    root, path = browser(world.administrator), f"/staff/people/{victim.person_id}"
    assert "Reset the second factor" in _text(root, path)
    reset = f"{path}/reset-second-factor"
    assert root.post(reset, {"confirm_name": "other@example.org", "reason": "Lost"}).status_code == 422
    assert root.post(reset, {"confirm_name": victim.email, "reason": ""}).status_code == 422
    assert root.post(reset, {"confirm_name": victim.email, "reason": "Lost the phone"}).status_code == 302
    assert Event.objects.filter(verb="mfa.reset", outcome="done", reason="Lost the phone").count() == 1
    assert "none enrolled" in _text(root, path)


def test_support_may_not_reset_a_second_factor(world: World) -> None:
    victim = world.person("victim")
    enrolled(victim)
    support = browser(world.person("support", staff_role=StaffRole.SUPPORT))
    path = f"/staff/people/{victim.person_id}"
    assert "Reset the second factor" not in _text(support, path)
    sent = {"confirm_name": victim.email, "reason": "Lost"}
    assert support.post(f"{path}/reset-second-factor", sent).status_code == 403


def test_the_last_administrator_stays(world: World) -> None:
    root = browser(world.administrator)
    path = f"/staff/people/{world.administrator.person_id}"
    response = root.post(f"{path}/edit", {"name": "Root", "staff_role": ""})
    assert response.status_code == 409
    assert "last administrator" in response.content.decode()


def test_somebody_is_disabled_and_comes_back(world: World) -> None:
    person = world.person("ada")
    root, path = browser(world.administrator), f"/staff/people/{person.person_id}"
    root.post(f"{path}/disable", {"confirm_name": person.email, "reason": "Left"})
    assert not Person.objects.get(id=person.person_id).is_active
    root.post(f"{path}/enable")
    assert Person.objects.get(id=person.person_id).is_active


def test_somebody_is_removed_everywhere_with_the_list_of_what_was_cut(world: World) -> None:
    space = world.space(name="Sleep study")
    person = world.member(space, Role.STEWARD)
    root, path = browser(world.administrator), f"/staff/people/{person.person_id}/remove"
    assert root.post(path, {"confirm_name": person.email, "reason": ""}).status_code == 422
    assert root.post(path, {"confirm_name": "other", "reason": "Left"}).status_code == 422
    page = root.post(path, {"confirm_name": person.email, "reason": "Left the lab"}).content.decode()
    assert "Sleep study" in page
    assert not space.memberships.filter(person_id=person.person_id).exists()


def test_support_resets_a_key_again_with_a_reason(world: World) -> None:
    dataset = world.dataset()
    world.key(dataset)
    keys.reset(actor_of(dataset.created_by), dataset.id)
    support = browser(world.person("support", staff_role=StaffRole.SUPPORT))
    assert dataset.repository in _text(support, f"/staff/keys?search={dataset.repository[-12:]}")
    path = f"/staff/keys/{dataset.id}"
    assert "Reset the access key" in _text(support, path)
    assert support.post(f"{path}/reset", {"confirm_name": dataset.name, "reason": ""}).status_code == 422
    assert support.post(f"{path}/reset", {"confirm_name": "other", "reason": "Lost"}).status_code == 422
    response = support.post(f"{path}/reset", {"confirm_name": dataset.name, "reason": "Lost again"})
    key = UploadKey.objects.get(is_support_reset=True)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert key.access_key_id in response.content.decode()
    assert key.reason == "Lost again"


def test_keys_are_for_support_alone(world: World) -> None:
    dataset = world.dataset()
    world.key(dataset)
    for actor in (world.administrator, actor_of(dataset.created_by)):
        assert browser(actor).get(f"/staff/keys/{dataset.id}").status_code == 403
        sent = {"confirm_name": dataset.name, "reason": "Why"}
        assert browser(actor).post(f"/staff/keys/{dataset.id}/reset", sent).status_code == 403


def test_stored_markup_is_shown_as_text(world: World) -> None:
    evil = "<script>alert(1)</script>"
    person = world.person("ada")
    Person.objects.filter(id=person.person_id).update(name=evil)
    world.space(name=evil)
    dataset = world.dataset(name=evil)
    world.key(dataset)
    root, support = browser(world.administrator), browser(world.person("s", staff_role=StaffRole.SUPPORT))
    paths = [
        "/staff/spaces",
        "/staff/people",
        f"/staff/people/{person.person_id}",
        "/staff/people?search=<script>alert(1)",
    ]
    pages = [root.get(path) for path in paths]
    pages += [support.get(f"/staff/keys/{dataset.id}"), support.get("/staff/keys?search=<script>")]
    for response in pages:
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()
