"""Which settings somebody is shown follows the state: an uploader's while it is pending, a server's once finalized."""

import pytest

from strongroom.actions import datasets
from strongroom.core.vocabulary import Kind
from tests.world import World, actor_of


def test_a_pending_data_set_shows_how_to_upload(world: World) -> None:
    dataset = world.dataset()
    shown = datasets.connect(actor_of(dataset.created_by), dataset.id).snippets
    assert {"cyberduck", "s5cmd", "aws"} <= {each.client for each in shown}


@pytest.mark.parametrize("kind", Kind)
def test_a_finalized_one_shows_how_a_server_reaches_it(world: World, kind: Kind) -> None:
    more = {"external_source": "A registry"} if kind is Kind.DERIVATIVE else {}
    made = world.dataset(kind=kind, **more)
    world.uploaded(made, a=b"1")
    dataset = world.finalized(made)
    shown = datasets.connect(actor_of(dataset.created_by), dataset.id).snippets
    assert [shown[0].client, *sorted({each.client for each in shown} & {"cyberduck", "crossftp"})] == ["strongroom"]
    assert any("sync ./results" in each.text for each in shown) == (kind is Kind.DERIVATIVE)
    assert not any("access_key" in each.text for each in shown)
