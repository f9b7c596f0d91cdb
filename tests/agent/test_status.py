"""What `strongroom status` shows of what the agent told: one screen that does not say more than is known."""

from typing import Any

from strongroom.agent.problems import Trouble
from strongroom.agent.status import screen

TOLD: dict[str, Any] = {
    "server": {"id": "0d5cbd0e", "name": "genomics-1", "space": "Genomics"},
    "control_plane": "https://strongroom.example.org",
    "is_reachable": False,
    "heartbeat_at": None,
    "problems": [],
}


def test_before_the_first_heartbeat_nobody_is_said_not_to_answer() -> None:
    assert "https://strongroom.example.org, no heartbeat yet" in screen(TOLD)
    problem = {"code": "unreachable", "detail": "It cannot be reached.", "way_out": "Wait."}
    assert "DOES NOT ANSWER AS IT SHOULD, no heartbeat yet" in screen(TOLD | {"problems": [problem]})


def test_a_server_that_was_disabled_is_said_to_reach_nothing() -> None:
    disabled = {"code": "server-disabled", "detail": "genomics-1 was disabled: a disk was copied", "way_out": "Ask."}
    told = TOLD | {
        "session_name": "srv-1",
        "credentials_until": None,
        "credentials_for": "root",
        "imds": "off",
        "clock_offset_seconds": None,
        "endpoint": "https://s3.example.org",
        "mounts": [],
        "problems": [disabled],
        "heartbeat_at": "2026-11-28T21:00:00Z",
        "datasets": [{"name": "Cohort", "kind": "original", "access": "read", "repository": "dataset-uni-1"}],
    }
    said = screen(told)
    assert "REFUSES THIS SERVER" in said and "ANSWER" not in said
    assert "none now" in said and "Cohort" not in said


def test_a_reason_that_somebody_wrote_without_a_full_stop_does_not_run_into_the_way_out() -> None:
    assert str(Trouble("It was disabled: lost", "Ask a steward.")) == "It was disabled: lost. Ask a steward."
    assert str(Trouble("It is not running.", "Start it.")) == "It is not running. Start it."
