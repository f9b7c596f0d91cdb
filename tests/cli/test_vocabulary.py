"""Every verb is a command, and every command can be understood from its help."""

import shlex

import click
import pytest

from strongroom.cli.deeds import Command, command_name
from strongroom.cli.main import commands
from strongroom.core.vocabulary import Verb

CLIENT_ONLY = {("receipt", "verify")}  # what needs no server, and so is no verb


def _commands() -> dict[tuple[str, ...], click.Command]:
    found: dict[tuple[str, ...], click.Command] = {}
    for name, top in commands().items():
        if isinstance(top, click.Group):
            found |= {(name, verb): inner for verb, inner in top.commands.items()}
        else:
            found[(name,)] = top
    return found


COMMANDS = _commands()


@pytest.mark.parametrize("verb", Verb)
def test_every_verb_is_a_command_of_the_same_name(verb: Verb) -> None:
    assert command_name(verb) in COMMANDS


def test_no_noun_has_a_command_that_is_not_a_verb() -> None:
    nouns = {path for path in COMMANDS if len(path) == 2}
    assert nouns - {command_name(verb) for verb in Verb} == CLIENT_ONLY


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...]) -> None:
    found = COMMANDS[path]
    assert isinstance(found, Command)
    assert found.help and len(found.help.split("\n")[0]) <= 60
    assert found.examples and f"strongroom {' '.join(path)}" in found.examples[0]
    undocumented = [option for option in found.params if isinstance(option, click.Option) and not option.help]
    assert undocumented == []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_takes_json_quiet_and_profile(path: tuple[str, ...]) -> None:
    flags = {flag for option in COMMANDS[path].params for flag in option.opts}
    assert {"--json", "--quiet", "--profile"} <= flags


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_example_is_a_command_line_that_is_understood(path: tuple[str, ...]) -> None:
    found = COMMANDS[path]
    assert isinstance(found, Command)
    for example in found.examples:
        words = shlex.split(example)
        if words[0] != "strongroom" or {">", "<", "||", "|"} & set(words):
            continue
        given = words[1 + len(path) :]
        given = given[: given.index("--")] if "--" in given else given  # what follows is another program's
        # Options only: the files of examples are not there.
        known = {flag for option in found.params for flag in option.opts}
        assert {word for word in given if word.startswith("-")} <= known
