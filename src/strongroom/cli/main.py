"""The command `strongroom`: all nouns under one roof."""

import io
import sys

import click

from strongroom import __version__
from strongroom.cli import exits
from strongroom.cli.commands import access, completion, downloading, lifecycle, moving, signin, ssh, verifying
from strongroom.cli.commands.attachments import attachment
from strongroom.cli.commands.audit import audit
from strongroom.cli.commands.crates import crate
from strongroom.cli.commands.datasets import dataset
from strongroom.cli.commands.fixity import fixity
from strongroom.cli.commands.grants import grant
from strongroom.cli.commands.keys import key
from strongroom.cli.commands.manifests import manifest
from strongroom.cli.commands.mappings import mapping
from strongroom.cli.commands.members import member
from strongroom.cli.commands.mfa import mfa
from strongroom.cli.commands.passkeys import passkey
from strongroom.cli.commands.people import person
from strongroom.cli.commands.receipts import receipt
from strongroom.cli.commands.servers import server
from strongroom.cli.commands.sessions import session
from strongroom.cli.commands.spaces import space
from strongroom.cli.commands.system import system
from strongroom.cli.commands.terms import terms
from strongroom.cli.commands.tokens import token
from strongroom.cli.commands.transfers import transfer
from strongroom.cli.deeds import Noun, shared_options, wishes_of
from strongroom.cli.tour import command as tour

PARTS = (access, lifecycle)  # they hang their commands below `dataset` when they are read
_DATA = (space, member, dataset, key, transfer, attachment, server, grant, manifest, receipt, fixity, crate, audit)
_PEOPLE = (person, mfa, passkey, token, session, terms, mapping)
NOUNS = (*_DATA, *_PEOPLE, system)
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
    """The root: its help says how to begin, and what the exit codes mean."""

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
for _module in (signin, tour, moving, downloading, ssh, verifying):
    _module.add_to(main)
for _noun in NOUNS:
    main.add_command(_noun)
completion.add_to(main)
