"""What a download compares by: asked for once, read as often as it is wanted, and refused where it is not in order."""

from collections.abc import Iterator
from typing import Any

import pytest

from strongroom.cli.exits import Exit
from strongroom.cli.problems import Problem
from strongroom.cli.recorded_digests import Recorded
from strongroom.movers.errors import Unreachable
from strongroom.movers.listed import Unreadable
from strongroom.movers.retrying import AT_ONCE, Patience


class Pages:
    """A server that answers with these, or raises them."""

    def __init__(self, *answers: list[str] | Problem) -> None:
        self._answers: Iterator[list[str] | Problem] = iter(answers)
        self.asked: list[str | None] = []

    def get(self, _: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(parameters["after"])
        answer = next(self._answers)
        if isinstance(answer, Problem):
            raise answer
        items = [{"key": key, "size_bytes": 3, "etag": "e", "sha256": key * 64} for key in answer]
        for each in items:
            each["recorded_at"] = "2026-01-02T03:04:05Z"
        return {"items": items, "next_after": answer[-1] if len(answer) == 2 else None}


AWAY = Problem("The server does not answer.", Exit.UNAVAILABLE)


def test_it_is_asked_for_once_and_read_again_and_again() -> None:
    api = Pages(["a", "b"], ["c"])
    with Recorded(api, "id") as recorded:  # type: ignore[arg-type]
        for _ in range(3):
            assert [(each.key, each.checksum) for each in recorded(AT_ONCE)] == [
                (key, f"sha256:{key * 64}") for key in ("a", "b", "c")
            ]
    assert api.asked == [None, "b"]


def test_what_was_left_in_the_middle_is_asked_for_anew() -> None:
    api = Pages(["a", "b"], ["a", "b"], ["c"])
    with Recorded(api, "id") as recorded:  # type: ignore[arg-type]
        first = recorded(AT_ONCE)
        assert next(first).key == "a"
        del first
        assert [each.key for each in recorded(AT_ONCE)] == ["a", "b", "c"]
    assert api.asked == [None, None, "b"]


def test_a_line_out_of_order_would_be_passed_over_and_is_refused() -> None:
    with (
        Recorded(Pages(["a", "c"], ["b"]), "id") as recorded,  # type: ignore[arg-type]
        pytest.raises(Unreadable, match="line 3 of what was recorded is out of order"),
    ):
        list(recorded(AT_ONCE))


def test_a_server_that_is_away_for_a_moment_is_asked_again() -> None:
    api = Pages(["a", "b"], AWAY, ["c"])
    patience = Patience(seconds=60, rest=lambda _: None)
    with Recorded(api, "id") as recorded:  # type: ignore[arg-type]
        assert [each.key for each in recorded(patience)] == ["a", "b", "c"]
    assert api.asked == [None, "b", "b"]
    with (
        Recorded(Pages(AWAY), "id") as recorded,  # type: ignore[arg-type]
        pytest.raises(Unreachable),
    ):
        list(recorded(AT_ONCE))
