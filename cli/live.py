"""Progress on a terminal, redrawn in place by rich; one line per change where there is none."""

import time
from collections import deque
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from activities.adapters.html_text import lines, visible
from activities.adapters.report_words import duration
from activities.contracts.children import AreaRow
from activities.contracts.migration import Progress
from cli.boundary import say
from cli.render import counts_line, first_line, progress_line, sites_line
from workflows.details import hold_text

EVENTS = 6
BAR = 60
FIXED = 8
"""Lines of the picture that are neither tasks nor events."""


class Screen:
    """Shows progress on stderr. Texts are shown as they are: nothing in them is markup."""

    def __init__(self, quiet: bool = False, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        # Transient: the last picture would contradict the outcome that is printed after it.
        animated = self._console.is_terminal and not self._console.is_dumb_terminal and not quiet
        self._live = (
            Live(console=self._console, auto_refresh=False, transient=True) if animated else None
        )
        self._quiet = quiet
        self._last = ""
        self._states: dict[str, str] = {}
        self._events: deque[str] = deque(maxlen=EVENTS)
        self._began = time.monotonic()
        self._first: tuple[float, int] | None = None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, progress: Progress, rows: list[AreaRow], trouble: str = "") -> None:
        """Takes the newest state; prints or redraws what changed."""
        line = progress_line(progress) + (f" | {trouble}" if trouble else "")
        clock = time.strftime("%H:%M:%S")
        changes = self._changes(rows)
        # On the screen the table says what runs: only what ended is an event there.
        self._events.extend(f"{clock} {what}" for state, what in changes if state != "running")
        if self._quiet:
            return
        if self._live:
            self._live.update(self._picture(progress, rows, trouble), refresh=True)
        elif line != self._last or changes:
            for _, change in changes:
                say(f"{clock} {change}")
            if line != self._last:
                say(f"{clock} {line}")
        self._last = line

    def _changes(self, rows: list[AreaRow]) -> list[tuple[str, str]]:
        changes: list[tuple[str, str]] = []
        for row in rows:
            if self._states.get(row.task.id, "waiting") != row.state:
                changes.append((row.state, f"{row.task.id} {row.state}: {row.task.title}"))
            self._states[row.task.id] = row.state
        return changes

    def _picture(self, progress: Progress, rows: list[AreaRow], trouble: str) -> RenderableType:
        """Head, bar, what is waited for, what runs, what ended last: never more than the screen."""
        counts = progress.counts
        done = counts.total - counts.waiting - counts.running
        elapsed = duration(time.monotonic() - self._began)
        head = [progress.name, progress.stage.value, progress.phase, elapsed]
        parts = [_line("  ".join(word for word in head if word), "bold")]
        parts.append(_line(first_line(progress.objective)))
        if counts.total:
            width = min(BAR, self._console.width)
            # In a grid: a bar alone does not end its line.
            bar = Table.grid()
            bar.add_row(ProgressBar(total=counts.total, completed=done, width=width))
            parts.append(bar)
            parts.append(_line(f"{counts_line(counts)}{self._eta(done, counts.total)}"))
        if progress.sites_at_start:
            parts.append(_line(sites_line(progress)))
        if progress.waiting_for:
            parts.append(Text(lines(f"waiting: {progress.waiting_for}"), style="yellow"))
        parts += [_line(hold_text(hold), "yellow") for hold in progress.holds if hold.target]
        if progress.command:
            parts.append(Text(lines(progress.command), style="yellow"))
        if trouble:
            parts.append(_line(trouble, "yellow"))
        room = max(2, self._console.height - FIXED - EVENTS)
        parts += _running([row for row in rows if row.state == "running"], room)
        parts += [_line(event, "dim") for event in self._events]
        return Group(*parts)

    def _eta(self, done: int, total: int) -> str:
        """By the pace seen here; silent until three tasks have ended."""
        now = time.monotonic()
        if self._first is None:
            self._first = (now, done)
        since, before = self._first
        if done - before < 3 or done >= total:
            return ""
        seconds = (now - since) / (done - before) * (total - done)
        return f", about {max(1, round(seconds / 60))} min left"


def _line(text: str, style: str = "") -> RenderableType:
    """One line, cut where the terminal ends: a picture whose lines wrap jumps."""
    return Text(visible(text), style=style, no_wrap=True, overflow="ellipsis")


def _running(rows: list[AreaRow], room: int) -> list[RenderableType]:
    shown = rows if len(rows) <= room else rows[: room - 1]
    lines = [_line(f"  {row.task.id}  {row.task.title}") for row in shown]
    if len(shown) < len(rows):
        lines.append(_line(f"  and {len(rows) - len(shown)} more run"))
    return lines
