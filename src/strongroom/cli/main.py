"""The command `strongroom`: all nouns under one roof."""

import io
import sys
from importlib import import_module

import click

from strongroom import __version__
from strongroom.cli import exits
from strongroom.cli.deeds import Noun, shared_options, wishes_of

_NOUNS = {
    "space": "spaces",
    "member": "members",
    "dataset": "datasets access lifecycle",
    "key": "keys",
    "transfer": "transfers",
    "attachment": "attachments",
    "server": "servers ssh",
    "grant": "grants",
    "manifest": "manifests",
    "receipt": "receipts",
    "fixity": "fixity",
    "crate": "crates",
    "audit": "audit",
    "person": "people",
    "mfa": "mfa",
    "passkey": "passkeys",
    "token": "tokens",
    "session": "sessions",
    "terms": "terms",
    "mapping": "mappings",
    "system": "system",
}
"""The modules of each noun below `commands`; the first one holds it, the others hang their commands below it."""
_SINGLE = {
    **dict.fromkeys(("login", "logout", "whoami"), "commands.signin"),
    "tour": "tour.command",
    **dict.fromkeys(("upload", "sync"), "commands.moving"),
    "download": "commands.downloading",
    "ssh": "commands.ssh",
    "verify": "commands.verifying",
}
_LAST = {"completion": "commands.completion"}
"""Modules that hang commands below the root."""
ENVIRONMENT = {
    "STRONGROOM_URL": "The server, instead of the profile's.",
    "STRONGROOM_TOKEN": "The token, instead of the profile's.",
    "STRONGROOM_PROFILE": "Which profile, where --profile is not given.",
    "STRONGROOM_HINTS": "Set to 0: no suggestions of what could come next.",
    "STRONGROOM_WIDTH": "Wrap and shorten as on a terminal of so many columns where there is none.",
    "STRONGROOM_DEBUG": "Set to anything: show where a defect happened.",
    "NO_COLOR": "Set to anything: no colours.",
}


class Front(Noun):
    """The root: its help says how to begin, and what the exit codes mean.

    A command is imported when it is asked for: all of them would take longer than most of them run.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, imported or not."""
        return [*_SINGLE, *_NOUNS, *_LAST]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, which is imported if it is not yet; None if there is none of this name."""
        if cmd_name not in self.commands:
            self._load(cmd_name)
        return super().get_command(ctx, cmd_name)

    def _load(self, name: str) -> None:
        if name in _NOUNS:
            first, *_ = [import_module(f"strongroom.cli.commands.{each}") for each in _NOUNS[name].split()]
            self.add_command(getattr(first, name))
        elif module := (_SINGLE | _LAST).get(name):
            import_module(f"strongroom.cli.{module}").add_to(self)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Environment, exit codes, first steps."""
        with formatter.section("Environment"):
            formatter.write_dl(list(ENVIRONMENT.items()))
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), meaning) for code, meaning in exits.MEANING.items()])
        with formatter.section("Begin with"):
            for line in ("strongroom login URL --code CODE", "strongroom tour", "strongroom dataset --help"):
                formatter.write(f"{'':>{formatter.current_indent}}$ {line}\n")


@click.group(cls=Front, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="strongroom", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, /, **shared: object) -> None:
    """Strongroom: sensitive data sets on S3 storage, who may touch them, and the proof afterwards."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a name must not be able to break a terminal that lacks a letter
    ctx.obj = wishes_of(shared)


main.params = [*main.params, *shared_options()]


def commands() -> dict[str, click.Command]:
    """All commands below the root, in the order of the help."""
    context = click.Context(main)
    # Nouns first: others import modules that hang commands below a noun, which come in the order of these imports.
    found = {name: main.get_command(context, name) for name in (*_NOUNS, *_SINGLE, *_LAST)}
    return {name: each for name in main.list_commands(context) if (each := found[name])}
