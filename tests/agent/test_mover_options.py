"""Whoever knows `upload` and `sync` from their own machine knows them on a server."""

import argparse
from pathlib import Path

import click
import pytest

from strongroom.agent import main, uploading
from strongroom.agent.config import Config
from strongroom.agent.problems import Trouble
from strongroom.cli.main import commands as all_commands

NOT_HERE = {"--profile", "--quiet", "-q", "--help", "-h"}
PLACES = {"--config", "--state", "--run"}


def on_a_server(verb: str) -> set[str]:
    """The options that the agent's command takes."""
    [commands] = [each for each in main.parser()._actions if isinstance(each, argparse._SubParsersAction)]
    parser = commands.choices[verb]
    return {flag for action in parser._actions for flag in action.option_strings} - NOT_HERE - PLACES


def elsewhere(verb: str) -> set[str]:
    """The options of the command line."""
    command = all_commands()[verb]
    return {flag for param in command.params if isinstance(param, click.Option) for flag in param.opts} - NOT_HERE


@pytest.mark.parametrize("verb", ["upload", "sync"])
def test_both_take_the_same_options(verb: str) -> None:
    assert on_a_server(verb) == elsewhere(verb)


def typed(*words: str) -> argparse.Namespace:
    return main.parser().parse_args(words)


def test_what_was_typed_is_what_is_done() -> None:
    order = uploading.order(
        typed(
            "upload", "folder", "set", "--into", "a/b/", "--read-all", "--threads", "3", "--limit", "1k", "--skip-links"
        )
    )
    assert (order.prefix, order.trusts_times, order.threads, order.bytes_per_second) == ("a/b/", False, 3, 1000.0)
    assert (order.links, order.deletes) == ("skip", False)
    assert typed("upload", "folder", "set").patience == 15 and typed("sync", "folder", "set").threads == 64
    for wrong in (
        ("--patience", "-1"),
        ("--patience", "long"),
        ("--threads", "0"),
        ("--limit", "fast"),
        ("--into", ".."),
    ):
        with pytest.raises(SystemExit):
            typed("upload", "folder", "set", *wrong)


@pytest.mark.parametrize("words", [("--manifest", "told.jsonl"), ("--abort",), ("--follow-links",), ("--label", "x")])
def test_words_without_a_meaning_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(Trouble, match=f"{words[0]}.* has no meaning"):
        uploading.sync(Config(), typed("sync", "--down", "folder", "set", *words))


def test_a_transfer_manifest_that_cannot_be_written_is_told_before_anything_else(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"nowhere/told\.jsonl cannot be written"):
        uploading.upload(
            Config(), typed("upload", str(tmp_path), "set", "--manifest", f"{tmp_path}/nowhere/told.jsonl")
        )
