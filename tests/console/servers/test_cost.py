"""What the pages of servers cost the database: as much for many servers as for few."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from strongroom.actions import grants
from tests.console.signed_in import browser
from tests.world import World

pytestmark = pytest.mark.django_db


def _asked(client: Client, path: str) -> int:
    client.get(path)  # what is asked once per process is asked now
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def test_the_list_asks_no_more_for_more_servers(world: World) -> None:
    space = world.space()
    owner, path = browser(world.owner(space)), f"/spaces/{space.id}/servers"
    world.server(space)
    few = _asked(owner, path)
    for _ in range(8):
        world.server(space)
    assert _asked(owner, path) == few <= 15


def test_a_page_asks_no_more_for_more_grants(world: World) -> None:
    dataset = world.finalized()
    machine = world.granted(dataset)
    owner, path = browser(world.owner(dataset.space)), f"/servers/{machine.row.id}"
    few = _asked(owner, path)
    for _ in range(4):
        more = world.finalized(world.dataset(dataset.space))
        grants.create(world.owner(dataset.space), more.id, machine.row.id)
    assert _asked(owner, path) == few <= 15


def test_staff_pages_ask_no_more_for_more_people(world: World) -> None:
    root = browser(world.administrator)
    paths = ("/staff/people", "/staff/spaces")
    few = [_asked(root, path) for path in paths]
    for _ in range(5):
        world.space()
    assert [_asked(root, path) for path in paths] == few
    assert max(few) <= 10
