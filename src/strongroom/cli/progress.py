"""Shows how far a mover is: a bar on a terminal, a line now and then elsewhere, events for programs."""

import json
import sys
import threading
import time
from collections import deque
from typing import NamedTuple

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from strongroom.cli import words
from strongroom.cli.output import Json, console
from strongroom.cli.session import Session
from strongroom.movers.tally import Event, Outage, Restored, Tally
from strongroom.movers.walk import Trouble

_EVERY_SECONDS = 30.0  # a line, where there is no terminal
_EVENT_SECONDS = 1.0
_WINDOW_SECONDS = 15.0  # over which the rate is measured
_STILL_SECONDS = 8.0  # then it is said that nothing moves
_BAR = 24
_MOST_SHOWN = 20  # troubles of a kind; the rest is in the transfer manifest


class _Sample(NamedTuple):
    at: float
    moved_bytes: int
    done_files: int


class Progress:
    """From `with` to its end. `tell` takes events, from any thread."""

    def __init__(self, session: Session, tally: Tally) -> None:
        self._session, self._tally = session, tally
        self._samples: deque[_Sample] = deque()
        self._moved, self._moved_at = (0, 0), time.monotonic()
        self._is_live = sys.stderr.isatty() and not session.out.is_json and not session.out.is_quiet
        self._console = console(is_error=True)
        self._live = Live(
            get_renderable=self._shown,
            console=self._console,
            refresh_per_second=5,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._lines, daemon=True)
        self._told = {True: 0, False: 0}
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> "Progress":
        if self._is_live:
            self._live.start()
        elif not self._session.out.is_quiet:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._is_live:
            self._live.stop()
        elif self._thread.is_alive():
            self._thread.join(5)  # no line comes after the summary, unless nobody reads them

    def tell(self, event: Event) -> None:
        """Say it: above the bar, as a line, or as an event."""
        if self._session.out.is_json:
            self._event(_as_json(event))
        elif isinstance(event, Trouble):
            self._trouble(event)
        elif isinstance(event, Outage):
            self._say("!", "yellow", f"{event.reason.rstrip('.')}. Trying again.")
        elif isinstance(event, Restored):
            self._say("✓", "green", f"It goes on, after {words.elapsed(event.seconds)}.")

    def _trouble(self, trouble: Trouble) -> None:
        self._told[trouble.is_problem] += 1
        count = self._told[trouble.is_problem]
        if count <= _MOST_SHOWN:
            mark, style = ("✗", "bold red") if trouble.is_problem else ("!", "yellow")
            self._say(mark, style, f"{trouble.key}: {trouble.reason}.")
        elif count == _MOST_SHOWN + 1:
            self._say("…", "dim", "More of these; all of them are in the transfer manifest.")

    def _say(self, mark: str, style: str, sentence: str) -> None:
        """Above the bar, where there is one."""
        if self._is_live:
            self._console.print(Text.assemble((mark, style), " ", words.plain(sentence)))
        else:
            self._session.out.marked(mark, style, sentence)

    # Where there is no terminal

    def _lines(self) -> None:
        is_json, said = self._session.out.is_json, ""
        while not self._over.wait(_EVENT_SECONDS if is_json else _EVERY_SECONDS):
            if is_json:
                self._event(self._numbers())
            elif self._line() != said:
                said = self._line()
                print(said, file=sys.stderr, flush=True)

    def _event(self, event: Json) -> None:
        line = json.dumps(event) + "\n"  # written at once: print() would write the end of the line apart
        with self._one_at_a_time:
            sys.stderr.write(line)
            sys.stderr.flush()

    def _numbers(self) -> Json:
        tally = self._tally
        rate, left = self._rate()
        return {
            "event": "progress",
            "step": tally.step,
            "files": tally.found_files,
            "files_done": tally.done_files,
            "bytes": tally.found_bytes,
            "bytes_done": tally.done_bytes,
            "is_counted": tally.is_counted,
            "bytes_per_second": round(rate),
            "seconds_left": None if left is None else round(left),
            "problems": tally.problems,
            "outage": tally.outage,
        }

    # In words

    def _line(self) -> str:
        """Files, bytes, rate and time left."""
        tally = self._tally
        rate, left = self._rate()
        total = "" if tally.is_counted else " so far"
        parts = [
            f"{tally.done_files:,} of {tally.found_files:,} files{total}",
            f"{words.size(tally.done_bytes)} of {words.size(tally.found_bytes)}",
            f"{words.size(round(rate))}/s",
        ]
        if left is not None and tally.is_counted:
            parts.append(f"{words.elapsed(left)} left")
        return ", ".join(parts)

    def _rate(self) -> tuple[float, float | None]:
        """Bytes a second, and seconds until the end, whichever of files and bytes takes longer; None: nobody knows."""
        tally, now = self._tally, time.monotonic()
        self._samples.append(_Sample(now, tally.moved_bytes, tally.done_files))
        while now - self._samples[0].at > _WINDOW_SECONDS:
            self._samples.popleft()
        first, last = self._samples[0], self._samples[-1]
        if (last.moved_bytes, last.done_files) != self._moved:
            self._moved, self._moved_at = (last.moved_bytes, last.done_files), now
        seconds = now - first.at
        if seconds < 0.5:
            return 0.0, None
        rate = (tally.moved_bytes - first.moved_bytes) / seconds
        files = (tally.done_files - first.done_files) / seconds
        bytes_left, files_left = tally.found_bytes - tally.done_bytes, tally.found_files - tally.done_files
        if not rate and not files:
            return 0.0, None
        return rate, max(bytes_left / rate if rate else 0.0, files_left / files if files else 0.0)

    # On a terminal

    def _shown(self) -> Group:
        tally = self._tally
        grid = Table.grid(padding=(0, 1, 0, 0))
        total = max(tally.found_bytes, 1)
        done = tally.done_bytes if tally.found_bytes else tally.done_files
        share = f"{100 * done // total:3} %" if tally.is_counted and tally.found_bytes else "    "
        bar = ProgressBar(
            total=total if tally.is_counted else None, completed=done, width=_BAR, pulse=not tally.is_counted
        )
        grid.add_row(bar, Text(share, style="bold"), Text(self._line(), overflow="ellipsis", no_wrap=True))
        return Group(grid, self._state())

    def _state(self) -> Text:
        tally = self._tally
        state = Text(no_wrap=True, overflow="ellipsis")
        if tally.outage:
            state.append(
                f"{words.plain(tally.outage)}: trying again, {words.elapsed(tally.outage_seconds)}", style="yellow"
            )
        else:
            is_still = len(self._samples) > 1 and time.monotonic() - self._moved_at > _STILL_SECONDS
            state.append(f"{tally.step}{', waiting for the store' if is_still else ''}", style="dim")
        if tally.problems:
            state.append(f"  {words.counted(tally.problems, 'problem')}", style="red")
        return state


def _as_json(event: Event) -> Json:
    if isinstance(event, Trouble):
        kind = "problem" if event.is_problem else "remark"
        return {"event": kind, "key": event.key, "reason": event.reason}
    if isinstance(event, Outage):
        return {"event": "outage", "reason": event.reason}
    return {"event": "restored", "seconds": round(event.seconds, 1)}
