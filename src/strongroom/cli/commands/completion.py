"""`strongroom completion`: what a shell needs to complete commands and options."""

import os

import click
from click.shell_completion import get_completion_class

from strongroom.cli.deeds import command
from strongroom.cli.session import Session

SHELLS = ("bash", "zsh", "fish")
_EXAMPLES = (
    "strongroom completion bash > ~/.local/share/bash-completion/completions/strongroom",
    "strongroom completion zsh > ~/.zfunc/_strongroom",
    "strongroom completion fish > ~/.config/fish/completions/strongroom.fish",
)


def add_to(group: click.Group) -> None:
    """Hang the command below the root."""

    @click.argument("shell", type=click.Choice(SHELLS))
    def completion(session: Session, shell: str) -> None:
        """Print the completion script of a shell."""
        made = get_completion_class(shell)
        assert made is not None, "click knows all three"
        # click prints a warning for an old bash; the script itself does not depend on what is installed here.
        script = made(group, {}, "strongroom", "_STRONGROOM_COMPLETE")
        session.out.text((script.source_template % script.source_vars()).rstrip(os.linesep))

    command(group, "completion", examples=_EXAMPLES)(completion)
