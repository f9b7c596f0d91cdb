"""What tests of actions share."""

import pytest

from strongroom.db.models import Dataset
from tests.actions.checks import FILES
from tests.world import World


@pytest.fixture
def frozen(world: World) -> Dataset:
    """A finalized original, sent by a client that told no digests."""
    dataset = world.dataset()
    world.uploaded(dataset, **FILES)
    return world.finalized(dataset)
