"""The engine's own command line: what it tells is believed only where it says that it was done."""

import json

import pytest

from strongroom.core.errors import Unavailable
from strongroom.engines.seaweedfs.shell import has_rule


def test_a_rule_is_there_only_under_exactly_its_own_prefix() -> None:
    told = json.dumps({"version": 1, "locations": [{"locationPrefix": "/buckets/"}, {"locationPrefix": "/buckets/a/"}]})
    assert has_rule(told, "/buckets/a/")
    assert not has_rule(told, "/buckets/ab/")


@pytest.mark.parametrize("told", ["", "connected", "[]", "{}", '{"locations": null}', '{"locations": [1]}'])
def test_silence_is_no_confirmation(told: str) -> None:
    with pytest.raises(Unavailable, match="did not confirm"):
        has_rule(told, "/buckets/a/")
