"""What happened in a space, with filters and export."""

import json

import pytest

from strongroom.actions import spaces
from strongroom.core.errors import Forbidden
from strongroom.core.vocabulary import Role
from tests.console.signed_in import browser
from tests.world import World


def told(world: World, space: object, query: str = "") -> str:
    response = browser(world.owner(space)).get(f"/spaces/{space.id}/activity{query}")  # type: ignore[arg-type, attr-defined]
    assert response.status_code == 200
    return response.content.decode()


def test_deeds_are_told_with_what_became_different(world: World) -> None:
    space = world.space(name="Before")
    spaces.edit(world.owner(space), space.id, changes={"name": "<b>After</b>"})
    shown = told(world, space)
    assert "<del>Before</del> &lt;b&gt;After&lt;/b&gt;" in shown


def test_refusals_are_told_with_their_sentence(world: World) -> None:
    space = world.space()
    steward = world.member(space, Role.STEWARD)
    with pytest.raises(Forbidden):
        spaces.edit(steward, space.id, changes={"name": "Mine"})
    shown = told(world, space, "?outcome=refused")
    assert ">You may not" in shown
    assert steward.email in shown
    assert "Create a space" not in shown.split('<ol class="events">')[1]


def test_filters_narrow_by_deed_person_and_day(world: World) -> None:
    space = world.space()
    dataset = world.dataset(space, name="Scans")
    assert "Scans" not in told(world, space, "?verb=space.create")
    assert "Scans" in told(world, space, f"?verb=dataset.create&person={dataset.created_by.email}")
    assert "Nothing like that happened" in told(world, space, "?person=nobody@example.org")
    assert "Nothing like that happened" in told(world, space, "?until=2001-01-01")


@pytest.mark.parametrize("query", ["?since=yesterday", "?until=9999-12-31", "?verb=dataset.frobnicate", "?cursor=x"])
def test_a_filter_that_is_wrong_is_said_on_the_page(world: World, query: str) -> None:
    space = world.space()
    response = browser(world.owner(space)).get(f"/spaces/{space.id}/activity{query}")
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()


def test_the_export_holds_the_entries_of_this_space_only(world: World) -> None:
    space, other = world.space(), world.space()
    response = browser(world.owner(space)).get(f"/spaces/{space.id}/activity/export")
    lines = [json.loads(line) for line in b"".join(response.streaming_content).decode().splitlines()]  # type: ignore[attr-defined]
    assert "attachment" in response.headers["Content-Disposition"]
    assert {line["space_id"] for line in lines[1:]} == {str(space.id)}
    assert str(other.id) not in {line["space_id"] for line in lines[1:]}
    assert browser(world.member(space, Role.STEWARD)).get(f"/spaces/{space.id}/activity/export").status_code == 403


def test_every_day_is_gone_through_page_by_page(world: World) -> None:
    space = world.space()
    for number in range(60):
        spaces.edit(world.owner(space), space.id, changes={"name": f"Name {number}"})
    first = told(world, space)
    assert "Next page" in first
    query = first.split('href="?')[1].split('"')[0].replace("&amp;", "&")
    assert "Create a space" in told(world, space, f"?{query}").split('<ol class="events">')[1]
