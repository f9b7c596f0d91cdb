"""Where the tour is told: prints each command, runs it as a process of its own, and holds it to what was told."""

import os
import re
import shlex
import shutil
import string
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from strongroom.cli import words
from strongroom.cli.exits import Exit
from strongroom.cli.problems import Problem

_WIDEST = 100
_PLAIN_WORD = re.compile(r"[\w@%+=:,./$-]+")
_SHOWN_LINES = 24
_TIMEOUT_SECONDS = 600
# How the AWS CLI says it, and how rclone does, before 1.67 and since; a folder may be called 403, too.
_REFUSALS = (
    r"An error occurred \((AccessDenied|InvalidAccessKeyId|403)\).*",
    r".*(StatusCode: 403\b|\b(AccessDenied|InvalidAccessKeyId|Forbidden): ).*",
    r".*\bstatus code: 403\b.*",
)


@dataclass
class Tally:
    """What was counted on the way."""

    commands: int = 0
    refusals: int = 0
    caught: int = 0


class Stage:
    """One telling, in one folder. `programs` says which file runs for the first word of a command."""

    def __init__(self, folder: Path, programs: Mapping[str, Sequence[str]], *, chapters: int, is_paced: bool) -> None:
        self.folder, self.programs = folder, programs
        self.chapters, self.is_paced = chapters, is_paced
        self.tally = Tally()
        self.variables: dict[str, str] = {}
        self._chapter = 0
        self._is_terminal = sys.stdout.isatty()
        width = min(_WIDEST, shutil.get_terminal_size().columns) if self._is_terminal else _WIDEST
        self._console = Console(highlight=False, width=width)
        self._manners = {"PYTHONIOENCODING": "utf-8", "STRONGROOM_HINTS": "0"}
        if self._is_terminal:
            self._manners["STRONGROOM_WIDTH"] = str(width - 2)

    # Words

    def chapter(self, title: str, told: str) -> None:
        """Begin a chapter; a newcomer at a terminal is waited for."""
        if self.is_paced and self._chapter:
            self._console.print()
            self._console.input(Text("  Enter goes on, Ctrl-C ends the tour. ", style="dim"))
        self._chapter += 1
        self._console.print()
        self._console.print(
            Rule(Text(f" {self._chapter} of {self.chapters}  {title} ", style="bold"), align="left", style="blue")
        )
        self.say(told)

    def say(self, told: str) -> None:
        """A few words before what comes."""
        self._console.print()
        for line in textwrap.wrap(told, width=self._console.width - 4):
            self._console.print(Text(f"  {line}"))

    def ending(self, title: str) -> None:
        """After the last chapter."""
        self._console.print()
        self._console.print(Rule(Text(f" {title} ", style="bold"), align="left", style="green"))
        self._console.print()

    def good(self, told: str) -> None:
        """Something that went as told."""
        self._line("✓", "green", told)

    def set(self, name: str, value: str) -> None:
        """A variable of the shell, so that the commands that follow are short and can be repeated."""
        self.variables[name] = value
        self._command(f"export {name}={shlex.quote(value)}")

    def suggest(self, *argv: str) -> None:
        """A command that the reader may want to run; it is not run here."""
        self._command(" ".join(map(_shown, argv)))

    # Deeds

    def run(self, *argv: str, stdin: str | None = None) -> str:
        """Run a command that must succeed; gives what it printed."""
        code, printed = self._started(argv, stdin)
        self._output(printed)
        if code != 0:
            raise self._not_as_told(argv, f"It should have succeeded, but ended with {code}.")
        return printed

    def refused(self, *argv: str) -> None:
        """Run a command that the store must refuse, in words that are no other failure's."""
        code, printed = self._started(argv, None)
        said = next(filter(None, (re.search(pattern, printed) for pattern in _REFUSALS)), None)
        if code == 0 or said is None:
            self._output(printed)
            raise self._not_as_told(argv, "The store should have refused it, and did not.")
        self.tally.refusals += 1
        self._line("✗", "red", f"refused by the store: {said[0].strip()}")

    def ask(self, *argv: str) -> str:
        """What a command prints, without telling it: the names that the next commands need."""
        code, printed = self._process(argv, None)
        if code != 0:
            raise self._not_as_told(argv, f"It ended with {code}: {printed.strip()[-500:]}")
        return printed

    def caught(self, *argv: str, code: Exit, as_what: str) -> None:
        """Run a command that Strongroom itself must end with an exit code of its own."""
        got, printed = self._started(argv, None)
        self._output(printed)
        if got != code:
            raise self._not_as_told(argv, f"It should have ended with {int(code)}, but ended with {got}.")
        self.tally.caught += 1
        self._line("✗", "red", f"{as_what} (exit code {got})")

    def _started(self, argv: Sequence[str], stdin: str | None) -> tuple[int, str]:
        self.tally.commands += 1
        self._command(" ".join(map(_shown, argv)) + (f" < {stdin}" if stdin else ""))
        return self._process(argv, stdin)

    def _process(self, argv: Sequence[str], stdin: str | None) -> tuple[int, str]:
        expanded = [string.Template(word).safe_substitute(self.variables) for word in argv]
        program = [*self.programs.get(expanded[0], [expanded[0]]), *expanded[1:]]
        given = (self.folder / stdin).read_bytes() if stdin else None
        ended = subprocess.run(
            program,
            cwd=self.folder,
            env={**os.environ, **self.variables, **self._manners},
            input=given if given is not None else b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        if ended.returncode == -2 or ended.returncode == Exit.INTERRUPTED:
            raise KeyboardInterrupt
        return ended.returncode, ended.stdout.decode(errors="replace")

    def _command(self, line: str) -> None:
        self._console.print()
        for number, part in enumerate(_continued(words.plain(line), self._console.width - 6)):
            self._console.print(
                Text.assemble("    " if number else ("  $ ", "dim"), (part, "bold cyan")), soft_wrap=True
            )

    def _output(self, printed: str) -> None:
        lines = words.plain_lines(printed).strip("\n").splitlines()
        for line in lines[:_SHOWN_LINES]:
            self._wrapped(Text(line))
        if len(lines) > _SHOWN_LINES:
            self._wrapped(Text(f"… and {len(lines) - _SHOWN_LINES} more lines", style="dim"))

    def _line(self, mark: str, style: str, told: str) -> None:
        self._wrapped(Text.assemble((f"{mark} ", f"bold {style}"), (words.plain(told), style)))

    def _wrapped(self, text: Text) -> None:
        """A line, wrapped on a terminal; whole where its reader is a file."""
        if not self._is_terminal:
            self._console.print(Text.assemble("  ", text), soft_wrap=True)
            return
        for number, part in enumerate(_hanging(text, self._console)):
            self._console.print(Text.assemble("    " if number else "  ", part))

    def _not_as_told(self, argv: Sequence[str], what: str) -> Problem:
        return Problem(
            f"Not as told: {' '.join(map(_shown, argv))}. {what}",
            Exit.UNEXPECTED,
            "Run it by hand in the folder kept with --keep; `strongroom system status` says whether all parts work.",
            code="not-as-told",
        )


def _shown(word: str) -> str:
    """A word as a shell takes it; variables stay variables."""
    if _PLAIN_WORD.fullmatch(word):
        return word
    return f'"{word}"' if "$" in word else shlex.quote(word)


def _hanging(text: Text, console: Console) -> list[Text]:
    """Lines for an indent of two columns, of four from the second on."""
    if text.cell_len <= console.width - 2:
        return [text]
    first = text.wrap(console, console.width - 2)[0]
    rest = text[len(first.plain) :]
    rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
    return [first, *rest.wrap(console, console.width - 4)]


def _continued(line: str, width: int) -> list[str]:
    """A command in lines of at most `width` where it can be: broken before an option, as a shell takes it."""
    parts, part = [], ""
    for unit in _units(shlex.split(line, posix=False)):
        if part and len(part) + 1 + len(unit) > width:
            parts.append(f"{part} \\")
            part = ""
        part = f"{part} {unit}" if part else unit
    return [*parts, part]


def _units(split: Sequence[str]) -> list[str]:
    """What is not torn apart: the first two words, and an option and what follows it."""
    units: list[str] = []
    for number, word in enumerate(split):
        follows_option = number > 0 and split[number - 1].startswith("-") and not word.startswith("-")
        if number == 1 or (follows_option and units):
            units[-1] += f" {word}"
        else:
            units.append(word)
    return units
