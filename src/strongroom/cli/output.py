"""How results reach people and programs: calm tables, records, JSON; notes and problems go to standard error.

On a terminal rich draws; elsewhere the same words come plain, uncut and without colour.
"""

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from strongroom.cli import words
from strongroom.cli.problems import Problem

Json = dict[str, Any]  # what the server sent: its OpenAPI document is the type
_UNCUT = 100_000  # columns of a console that is no terminal: nothing is wrapped or cut


@dataclass(frozen=True)
class Column:
    """One column of a table. `shrinks`: gives way first when the terminal is narrow."""

    title: str
    value: Callable[[Json], object]
    is_right: bool = False
    shrinks: bool = False


def console(*, is_error: bool = False) -> Console:
    """A console on the stream that is standard now; uncut where it is no terminal."""
    stream = sys.stderr if is_error else sys.stdout
    is_terminal = stream.isatty()
    return Console(file=stream, highlight=False, soft_wrap=False, width=None if is_terminal else _UNCUT)


class Output:
    """Where one command puts what it found. `is_json` and `is_quiet` are the wishes of the caller."""

    def __init__(self, *, is_json: bool, is_quiet: bool) -> None:
        self.is_json, self.is_quiet = is_json, is_quiet

    # Results: standard output

    def rows(self, items: Sequence[Json], columns: Sequence[Column], *, empty: str) -> None:
        """Many things: a JSON array, their ids (quiet), or a table; `empty` says what to do when there are none."""
        if self.is_json:
            self.json(list(items))
        elif self.is_quiet:
            for item in items:
                print(words.plain(item.get("id", "")))
        elif items:
            _print(_table(items, columns))
        else:
            self.note(empty)

    def record(self, item: Mapping[str, Any], pairs: Iterable[tuple[str, object]]) -> None:
        """One thing: a JSON object, its id (quiet), or its fields, the empty ones left out."""
        if self.is_json:
            self.json(item)
        elif self.is_quiet:
            print(words.plain(item.get("id", "")))
        else:
            _print(_record(pairs))

    def done(self, item: Mapping[str, Any], sentence: str, *next_steps: str) -> None:
        """A deed that succeeded: the thing as JSON, its id (quiet), or a sentence and what to do next."""
        if self.is_json:
            self.json(item)
        elif self.is_quiet:
            print(words.plain(item.get("id", "")))
        else:
            _print(Text.assemble(("✓ ", "green"), words.plain(sentence)))
            self.steps(*next_steps)

    def steps(self, *commands: str) -> None:
        """Commands that could come next, ready to paste."""
        if commands and not self.is_json and not self.is_quiet:
            _print(Text("  Next:", style="dim"))
            for command in commands:
                _print(
                    Padding(Text(command, style="cyan", no_wrap=True, overflow="ignore"), (0, 0, 0, 4), expand=False)
                )

    def secret(self, title: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and values that are shown this once, ready to paste into a shell; a box on a terminal."""
        lines = [f"export {name}={shlex.quote(words.plain(value))}" for name, value in pairs]
        body = Text("\n".join(lines), no_wrap=True, overflow="fold")
        if console().is_terminal:
            _print(Panel(body, title=title, title_align="left", border_style="yellow", expand=False))
        else:
            _print(Text(f"{title}:"))
            _print(body)

    def heading(self, title: str) -> None:
        """The name of what follows."""
        _print(Text(f"\n{words.plain(title)}", style="bold"))

    def text(self, text: str) -> None:
        """Words as they are, with nothing in them that steers a terminal."""
        print(words.plain_lines(text))

    def json(self, value: object) -> None:
        """One JSON value."""
        print(json.dumps(value, indent=2, ensure_ascii=not _takes_unicode()))

    # Beside the results: standard error

    def note(self, sentence: str) -> None:
        """A remark for people; programs and `--quiet` are spared it."""
        if not self.is_json and not self.is_quiet:
            _print(Text(words.plain(sentence), style="dim"), is_error=True)

    def warn(self, sentence: str) -> None:
        """Something that should be looked at; always shown."""
        _print(Text.assemble(("! ", "yellow"), words.plain(sentence)), is_error=True)

    def problem(self, problem: Problem) -> None:
        """What was refused, why, and what to do instead."""
        if self.is_json:
            print(json.dumps(problem.as_json(), indent=2), file=sys.stderr)
            return
        _print(Text.assemble(("✗ ", "bold red"), (words.plain(problem.detail), "bold")), is_error=True)
        for name, reason in problem.fields.items():
            _print(Text(f"  {words.plain(name)}: {words.plain(reason)}"), is_error=True)
        if problem.way_out:
            _print(Text.assemble("  ", ("→ ", "cyan"), words.plain(problem.way_out)), is_error=True)
        trace = " · ".join(
            part for part in (problem.code, problem.request_id and f"request {problem.request_id}") if part
        )
        if trace:
            _print(Text(f"  {words.plain(trace)}", style="dim"), is_error=True)


def _takes_unicode() -> bool:
    return "utf" in (sys.stdout.encoding or "").lower()


def _print(what: object, *, is_error: bool = False) -> None:
    target = console(is_error=is_error)
    if target.is_terminal:
        target.print(what)
        return
    # A table pads its last column; in a file or a pipe those blanks are noise.
    with target.capture() as captured:
        target.print(what)
    for line in captured.get().split("\n")[:-1]:
        target.file.write(line.rstrip() + "\n")


def _table(items: Sequence[Json], columns: Sequence[Column]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.is_right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=None if column.shrinks else _widest(items, column),
        )
    for item in items:
        table.add_row(*(Text(_cell(column.value(item))) for column in columns))
    return table


def _widest(items: Sequence[Json], column: Column) -> int:
    return min(40, max(len(column.title), *(len(_cell(column.value(item))) for item in items)))


def _cell(value: object) -> str:
    return "" if value is None else words.plain(value)


def _record(pairs: Iterable[tuple[str, object]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, show_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for title, value in pairs:
        if value not in (None, "", [], {}):
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            table.add_row(Text(title), Text(words.plain(text)))
    return table
