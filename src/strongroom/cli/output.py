"""How results reach people and programs: calm tables, records, JSON; notes and problems go to standard error.

On a terminal rich draws; elsewhere the same words come plain, uncut and without colour.
"""

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from strongroom.cli import words
from strongroom.cli.problems import Problem

Json = dict[str, Any]  # what the server sent: its OpenAPI document is the type
_GAP, _NARROWEST = 2, 8  # columns of a terminal
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
    wanted = os.environ.get("STRONGROOM_WIDTH", "")
    width = None if stream.isatty() else int(wanted) if wanted.isdecimal() else _UNCUT
    return Console(file=stream, highlight=False, soft_wrap=False, width=width)


class Output:
    """Where one command puts what it found. `is_json` and `is_quiet` are the wishes of the caller."""

    def __init__(self, *, is_json: bool, is_quiet: bool, gives_hints: bool = True) -> None:
        self.is_json, self.is_quiet, self.gives_hints = is_json, is_quiet, gives_hints

    # Results: standard output

    def rows(self, items: Sequence[Json], columns: Sequence[Column], *, empty: str) -> None:
        """Many things: a JSON array, their ids (quiet), or a table; `empty` says what to do when there are none."""
        if self.is_json:
            self.json(list(items))
        elif self.is_quiet:
            for item in items:
                print(words.plain(item.get("id", "")))
        elif items:
            _print(_table(items, columns, console().width))
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

    def done(self, item: Mapping[str, Any], sentence: str, *next_steps: str, title: str = "Next:") -> None:
        """A deed that succeeded: the thing as JSON, its id (quiet), or a sentence and what to do next."""
        if self.is_json:
            self.json(item)
        elif self.is_quiet:
            print(words.plain(item.get("id", "")))
        else:
            _print(_marked("✓", "green", sentence))
            self.steps(*next_steps, title=title)

    def steps(self, *commands: str, title: str = "Next:") -> None:
        """Commands that could come next, ready to paste."""
        if commands and self.gives_hints and not self.is_json and not self.is_quiet:
            _print(Text(f"  {title}", style="dim"))
            for command in commands:
                _print(Text.assemble("    ", (command, "cyan")), is_whole=True)

    def secret(self, title: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and values that are shown this once, ready to paste into a shell; a box on a terminal."""
        lines = [f"export {name}={shlex.quote(words.plain(value))}" for name, value in pairs]
        body = Text("\n".join(lines), no_wrap=True, overflow="fold")
        if console().is_terminal:
            _print(Panel(body, title=title, title_align="left", border_style="yellow", expand=False))
        else:
            _print(Text(f"{title}:"))
            _print(body)

    def standing(self, word: str, style: str, reason: str) -> None:
        """How something is: one word in its colour, and why."""
        _print(Text.assemble(("● ", style), (words.plain(word), f"bold {style}"), "  ", words.plain(reason)))

    def pairs(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Fields of one thing, the empty ones left out, where a page has more than those."""
        _print(_record(pairs))

    def table(self, items: Sequence[Json], columns: Sequence[Column]) -> None:
        """Rows of a page that has more than those."""
        _print(_table(items, columns, console().width))

    def command(self, line: str) -> None:
        """A command to copy: in one line, however long."""
        _print(Text.assemble("    ", (words.plain(line), "cyan")), is_whole=True)

    def trouble(self, sentence: str, way_out: str) -> None:
        """Something in a page that is wrong, and what to do."""
        _print(_marked("✗", "bold red", sentence))
        _print(_marked("  →", "cyan", way_out))

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
        _print(_marked("!", "yellow", sentence), is_error=True)

    def marked(self, mark: str, style: str, sentence: str) -> None:
        """One of many things that are wrong, or only worth knowing."""
        _print(_marked(mark, style, sentence), is_error=True)

    def problem(self, problem: Problem) -> None:
        """What was refused, why, and what to do instead."""
        if self.is_json:
            print(json.dumps(problem.as_json(), indent=2), file=sys.stderr)
            return
        _print(_marked("✗", "bold red", problem.detail, style="bold"), is_error=True)
        for name, reason in problem.fields.items():
            news = reason.removesuffix(problem.way_out).rstrip()
            if not problem.detail.endswith(news):  # what the sentence above said is not said again
                _print(Text(f"  {words.plain(name)}: {words.plain(news)}"), is_error=True)
        if problem.way_out:
            _print(_marked("  →", "cyan", problem.way_out), is_error=True)
        trace = " · ".join(
            part for part in (problem.code, problem.request_id and f"request {problem.request_id}") if part
        )
        if trace:
            _print(Text(f"  {words.plain(trace)}", style="dim"), is_error=True)


def _takes_unicode() -> bool:
    return "utf" in (sys.stdout.encoding or "").lower()


def _print(what: object, *, is_error: bool = False, is_whole: bool = False) -> None:
    """`is_whole`: the terminal wraps it, not we, so that what is copied from there is one line."""
    target = console(is_error=is_error)
    if target.is_terminal:
        target.print(what, soft_wrap=is_whole)
        return
    # A table pads its last column; in a file or a pipe those blanks are noise.
    with target.capture() as captured:
        target.print(what)
    for line in captured.get().split("\n")[:-1]:
        target.file.write(line.rstrip() + "\n")


def _marked(mark: str, mark_style: str, sentence: str, *, style: str = "") -> Table:
    """A sentence with a mark before it; what is wrapped stands below its beginning."""
    grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column(no_wrap=True, width=len(mark))
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style=mark_style), Text(words.plain(sentence), style=style))
    return grid


def _table(items: Sequence[Json], columns: Sequence[Column], available: int) -> Table:
    cells = [[_cell(column.value(item)) for column in columns] for item in items]
    natural = [max(map(cell_len, [column.title, *lane])) for column, *lane in zip(columns, *cells, strict=True)]
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    for column, width in zip(columns, _fitted(natural, columns, available), strict=True):
        side: JustifyMethod = "right" if column.is_right else "left"
        table.add_column(column.title, justify=side, no_wrap=True, overflow="ellipsis", width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _fitted(widths: Sequence[int], columns: Sequence[Column], available: int) -> list[int]:
    """Take from the widest of the columns that give way until the table fits; ids and numbers are never cut."""
    fitted = list(widths)
    giving = [place for place, column in enumerate(columns) if column.shrinks]
    while sum(fitted) + _GAP * (len(fitted) - 1) > available and giving:
        widest = max(giving, key=fitted.__getitem__)
        if fitted[widest] <= _NARROWEST:
            break
        fitted[widest] -= 1
    return fitted


def _cell(value: object) -> str:
    return "" if value is None else words.plain(value)


def _record(pairs: Iterable[tuple[str, object]]) -> Table:
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=False, show_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for title, value in pairs:
        if value not in (None, "", [], {}):
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            table.add_row(Text(title), Text(words.plain(text)))
    return table
