"""What a run on a server says when it ends before its time."""

import pytest

from strongroom.agent import moving_runs
from strongroom.agent.problems import Trouble
from strongroom.movers.errors import Refused
from strongroom.movers.tally import Tally


@pytest.mark.parametrize(
    ("is_counted", "said"), [(True, "4 of 7 files are here."), (False, "4 of 7 files found so far are here.")]
)
def test_a_total_is_one_only_once_all_was_counted(is_counted: bool, said: str) -> None:
    tally = Tally()
    tally.found_files, tally.sent_files, tally.is_counted = 7, 4, is_counted
    with pytest.raises(Trouble, match=said), moving_runs.ends("Cohort", tally, "here"):
        raise Refused(403, "AccessDenied", "no")
