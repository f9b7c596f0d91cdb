"""What a page costs: questions to the database and bytes, with as much on it as it ever shows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from strongroom.actions import datasets, grants
from strongroom.core.vocabulary import Kind
from tests.console.datasets.shown import root, seen
from tests.console.signed_in import browser
from tests.world import World

QUERIES, MOST_BYTES = 30, 100_000
TABS = ("", "/access", "/connect", "/attachments", "/contents", "/lineage", "/integrity", "/activity", "/edit")


def test_no_page_asks_more_of_the_database_or_weighs_more_when_there_is_more(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    sources = [world.dataset(space, name=f"A source with a name that is rather long {number}") for number in range(55)]
    dataset = world.dataset(space, kind=Kind.DERIVATIVE, source_ids=[row.id for row in sources])
    world.uploaded(dataset, **{f"{kind}{number:04}": b"1" for number in range(120) for kind in ("file-", "dir-/")})
    for number in range(60):
        datasets.edit(owner, dataset.id, changes={"description": f"{number} " + "word " * 500})
    world.finalized(dataset)
    for _ in range(30):
        server = world.server(space)
        grants.create(owner, dataset.id, server.id, reason="For an analysis")
    client = browser(owner)
    for path in [*(root(dataset) + tab for tab in TABS), f"/spaces/{space.id}/datasets/new"]:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            response = client.get(path)
        assert response.status_code == 200
        assert len(asked) <= QUERIES, (path, len(asked))
        assert len(response.content) <= MOST_BYTES, (path, len(response.content))
    assert "Next servers" in seen(client, f"{root(dataset)}/access")


def test_contents_that_the_storage_cannot_tell_now_can_be_asked_for_again_from_the_page(world: World) -> None:
    dataset = world.dataset()
    client, page = browser(world.owner(dataset.space)), f"{root(dataset)}/contents?prefix=a/"
    world.engine.is_down = True
    response = client.get(page)
    assert response.status_code == 503 and b"does not answer" in response.content
    assert f'<a class="button" href="{page}">' in response.content.decode() and b"Closed to you" not in response.content
    world.engine.is_down = False
    assert "Nothing is here" in seen(client, page)


@pytest.mark.parametrize("tab", ["/contents", "/connect"])
def test_a_tab_that_is_closed_keeps_the_head_of_the_data_set(world: World, tab: str) -> None:
    dataset = world.dataset(name="Gone")
    owner = world.owner(dataset.space)
    datasets.delete(owner, dataset.id, confirm_name="Gone")
    response = browser(owner).get(root(dataset) + tab)
    assert response.status_code == 409 and b"Being deleted" in response.content and b"You cannot" in response.content
    assert b"Closed to you now" in response.content and b'role="alert"' not in response.content
