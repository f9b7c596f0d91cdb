"""How the front door looks: calm on a terminal, plain in a file; refuses to know what happens behind it."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

_NAME_WIDTH = 18


class Terminal:
    """Prints to standard output. Colour and motion only where somebody looks."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)

    def heading(self, version: str, home: str) -> None:
        """The first lines."""
        self._console.print(f"\n  [bold]Strongroom[/] [dim]{escape(version)}   {escape(home)}[/]\n")

    @contextlib.contextmanager
    def step(self, name: str, detail: str = "") -> Iterator[None]:
        """A line that says what is being started, and how long it took."""
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(f"[dim]{escape(name)} …[/]", spinner="dots"):
                yield
        else:
            yield
        took = f"{time.monotonic() - began:.1f} s"
        mark = "[green]✓[/]" if self._console.is_terminal else "ok"
        self._console.print(f"  {mark} {escape(name):<{_NAME_WIDTH}} [dim]{took:>6}   {escape(detail)}[/]")

    def change(self, name: str, what: str) -> None:
        """A process did something while it is looked after."""
        self._console.print(f"  [dim]·[/] {escape(name):<{_NAME_WIDTH}} {escape(what)}")

    def facts(self, rows: dict[str, str]) -> None:
        """Names and values, below each other."""
        self._console.print()
        for name, value in rows.items():
            self._console.print(f"  {escape(name):<{_NAME_WIDTH + 2}} [bold]{escape(value)}[/]")

    def commands(self, title: str, lines: list[str], note: str = "") -> None:
        """Commands to copy: never wrapped, nothing before or after them but spaces."""
        self._console.print(f"\n  {escape(title)}")
        for line in lines:
            self._console.print(f"    [cyan]{escape(line)}[/]")
        if note:
            self._console.print(f"    [dim]{escape(note)}[/]")

    def note(self, text: str) -> None:
        """A quiet line."""
        self._console.print(f"\n  [dim]{escape(text)}[/]")

    def refusal(self, message: str) -> None:
        """Why it does not go on."""
        self._console.print(f"\n  [red]{'✗' if self._console.is_terminal else 'error:'}[/] {escape(message)}\n")
