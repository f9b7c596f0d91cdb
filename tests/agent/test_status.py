"""What `strongroom status` shows of what the agent told: one screen that does not say more than is known."""

from typing import Any

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
