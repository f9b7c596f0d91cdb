"""How a command is made: its name from the vocabulary, the options all share, its examples, and how it fails."""

import os
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import click

from strongroom.cli import problems
from strongroom.cli.exits import Exit
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session, Wishes
from strongroom.core.errors import Invalid
from strongroom.core.vocabulary import Verb

_SHARED = {
    "profile": click.Option(["--profile"], metavar="NAME", help="The server to speak with, as named at `login`."),
    "is_json": click.Option(["--json", "is_json"], is_flag=True, help="Print JSON, for programs."),
    "is_quiet": click.Option(["--quiet", "-q", "is_quiet"], is_flag=True, help="Print ids or nothing."),
}


def wishes_of(params: dict[str, Any]) -> Wishes:
    """Take the shared options out of a command's parameters."""
    return Wishes(**{name: params.pop(name) for name in _SHARED})


def shared_options() -> list[click.Option]:
    """The options that every command takes."""
    return list(_SHARED.values())


class Command(click.Command):
    """A command that shows examples, takes the shared options and turns failures into exit codes."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:  # Any: as click declares them
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *shared_options()]
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples come last: that is where eyes land."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}$ {example}\n")

    def invoke(self, ctx: click.Context) -> object:
        """Run it; what goes wrong is shown and becomes an exit code."""
        earlier = ctx.find_object(Wishes) or Wishes()
        session = Session(earlier.and_then(wishes_of(ctx.params)))
        ctx.obj = session
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(Exit.INTERRUPTED)
        except Problem as problem:
            session.out.problem(problem)
            ctx.exit(problem.exit)
        except Invalid as refusal:
            session.out.problem(Problem(str(refusal), Exit.INVALID, refusal.way_out, code=refusal.code))
            ctx.exit(Exit.INVALID)
        except BrokenPipeError:
            raise  # click ends quietly when the reader of a pipe has gone
        except OSError as error:
            session.out.problem(problems.local_file(error))
            ctx.exit(Exit.UNEXPECTED)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except Exception as defect:  # noqa: BLE001  the last door: nobody shall be shown a traceback unasked
            session.out.problem(_defect(defect))
            ctx.exit(Exit.UNEXPECTED)


def _defect(error: Exception) -> Problem:
    if os.environ.get("STRONGROOM_DEBUG"):
        traceback.print_exception(error)
    return Problem(
        f"A defect of the command line: {type(error).__name__}: {error}.",
        Exit.UNEXPECTED,
        "Run it again with STRONGROOM_DEBUG=1 and report what it prints.",
        code="defect",
    )


class Noun(click.Group):
    """A group whose help shows its commands in the order of their use, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order in which they were made."""
        return list(self.commands)


Handler = Callable[..., None]


def command(group: click.Group, name: str, *, examples: Sequence[str] = ()) -> Callable[[Handler], click.Command]:
    """A command whose function takes the session first."""

    def made(handler: Handler) -> click.Command:
        return group.command(name, cls=Command, examples=examples)(click.pass_obj(handler))

    return made


def deed(group: click.Group, verb: Verb, *, examples: Sequence[str] = ()) -> Callable[[Handler], click.Command]:
    """The command of a verb: `dataset.request_deletion` is `strongroom dataset request-deletion`."""
    return command(group, command_name(verb)[1], examples=examples)


def command_name(verb: Verb) -> tuple[str, str]:
    """The noun and the verb as they are typed."""
    noun, word = verb.value.split(".")
    return noun.replace("_", "-"), word.replace("_", "-")
