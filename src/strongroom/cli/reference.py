"""The reference page of the command line, made from the commands themselves."""

from collections.abc import Iterator

import click

from strongroom.cli import exits
from strongroom.cli.deeds import Command
from strongroom.cli.main import ENVIRONMENT, commands

_HEAD = """\
# Command line

<!-- Generated from the commands; do not edit. -->

`strongroom <noun> <verb>` is a client of the REST API: it needs Python and the address of a server, nothing of the
server itself. Every command takes `--json` (one object or one array on standard output), `--quiet` and `--profile`,
before or after its name. Data sets are named by id, the beginning of an id (4 characters or more), repository or exact
name; spaces and servers by id, the beginning of an id, or exact name. A name that fits two things is refused, and
both are shown.

Commands that destroy something ask for a name on a terminal; elsewhere it is given with `--confirm`. Commands that
wait for the server show how far it is; `--no-wait` returns at once.

Servers and tokens are kept in `~/.config/strongroom/profiles.json` (`$XDG_CONFIG_HOME`, on Windows `%APPDATA%`), which
only you can read. `strongroom login URL --profile NAME` keeps several.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_exit_codes(), *_environment(), *_commands()]).rstrip() + "\n"


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield "| Code | Meaning |\n| --- | --- |"
    for code, meaning in exits.MEANING.items():
        yield f"| {int(code)} | {meaning} |"
    yield ""


def _environment() -> Iterator[str]:
    yield "## Environment\n"
    yield "| Variable | Meaning |\n| --- | --- |"
    for name, meaning in ENVIRONMENT.items():
        yield f"| `{name}` | {meaning} |"
    yield ""


def _commands() -> Iterator[str]:
    for name, found in commands().items():
        if isinstance(found, click.Group):
            yield f"## {name}\n\n{_help(found)}\n"
            for verb, inner in found.commands.items():
                yield from _one(inner, f"strongroom {name} {verb}")
        else:
            yield from _one(found, f"strongroom {name}", level="##")


def _one(found: click.Command, called: str, level: str = "###") -> Iterator[str]:
    context = click.Context(found, info_name=called)
    yield f"{level} {called}\n\n{_help(found)}\n"
    yield f"```text\n{called} {' '.join(found.collect_usage_pieces(context))}\n```\n"
    options = [option for option in found.params if isinstance(option, click.Option) and not _is_shared(option)]
    if options:
        yield "| Option | Meaning |\n| --- | --- |"
        yield from (_row(option, context) for option in options)
        yield ""
    if isinstance(found, Command) and found.examples:
        yield "```sh\n" + "\n".join(found.examples) + "\n```\n"


def _is_shared(option: click.Option) -> bool:
    return option.name in ("profile", "is_json", "is_quiet")


def _row(option: click.Option, context: click.Context) -> str:
    told = option.get_help_record(context)
    assert told is not None, "no option is hidden"
    name, meaning = (part.replace("|", "\\|") for part in told)
    return f"| `{name}` | {meaning} |"


def _help(found: click.Command) -> str:
    return "\n".join(line.strip() for line in (found.help or "").splitlines()).strip()
