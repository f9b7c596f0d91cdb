"""A word reads the part of the agent that has it, and no other."""

import argparse
import subprocess
import sys

import pytest

from strongroom.agent.main import PARTS, parser


def words(made: argparse.ArgumentParser) -> list[str]:
    commands = next(each for each in made._actions if isinstance(each, argparse._SubParsersAction))
    return list(commands.choices)


@pytest.mark.parametrize("part", PARTS)
def test_each_word_of_a_part_is_read_with_those_beside_it(part: str) -> None:
    for word in PARTS[part]:
        assert words(parser(word)) == list(PARTS[part])


def test_without_a_word_that_is_known_all_are_there() -> None:
    known = [word for each in PARTS.values() for word in each]
    assert words(parser()) == words(parser("help")) == known


def test_who_asks_for_credentials_does_not_wait_for_what_mounts_and_moves() -> None:
    program = "import sys; from strongroom.agent.main import parser; parser('credentials'); print(*sys.modules)"
    read = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "strongroom.agent.credentials" in read
    assert [each for each in read if each.startswith(("strongroom.movers", "strongroom.agent.mounts"))] == []
