"""Progress on a terminal, redrawn in place by rich; one line per change where there is none."""

import time
from collections import deque
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from activities.contracts.migration import AreaRow, Progress
from cli.boundary import say
from cli.render import counts_line, first_line, progress_line

EVENTS = 10
ROWS = 12


class Screen:
    """Shows progress on stderr. Texts are shown as they are: nothing in them is markup."""

    def __init__(self, link: str, quiet: bool = False) -> None:
        console = Console(stderr=True)
        animated = console.is_terminal and not console.is_dumb_terminal and not quiet
        self._live = Live(console=console, auto_refresh=False) if animated else None
        self._quiet = quiet
        self._link = link
        self._last = ""
        self._states: dict[str, str] = {}
        self._events: deque[str] = deque(maxlen=EVENTS)
        self._first: tuple[float, int] | None = None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, progress: Progress, rows: list[AreaRow]) -> None:
        """Takes the newest state; prints or redraws what changed."""
        line = progress_line(progress)
        clock = time.strftime("%H:%M:%S")
        changes = self._changes(rows)
        self._events.extend(f"{clock} {change}" for change in changes)
        if self._quiet:
            return
        if self._live:
            self._live.update(self._picture(progress, rows), refresh=True)
        elif line != self._last or changes:
            for change in changes:
                say(f"{clock} {change}")
            if line != self._last:
                say(f"{clock} {line}")
        self._last = line

    def _changes(self, rows: list[AreaRow]) -> list[str]:
        changes: list[str] = []
        for row in rows:
            if self._states.get(row.task.id, "waiting") != row.state:
                changes.append(f"{row.task.id} {row.state}: {row.task.title}")
            self._states[row.task.id] = row.state
        return changes

    def _picture(self, progress: Progress, rows: list[AreaRow]) -> RenderableType:
        counts = progress.counts
        done = counts.total - counts.waiting - counts.running
        head = Text(f"{progress.name}  {progress.stage.value}  {progress.phase}", style="bold")
        parts: list[RenderableType] = [head, Text(first_line(progress.objective))]
        if counts.total:
            parts.append(ProgressBar(total=counts.total, completed=done, width=60))
            parts.append(Text(f"{counts_line(counts)}{self._eta(done, counts.total)}"))
        if progress.sites_at_start:
            parts.append(Text(f"sites left {progress.sites_left} of {progress.sites_at_start}"))
        if progress.waiting_for:
            parts.append(Text(f"waiting for {progress.waiting_for}", style="yellow"))
        if progress.command:
            parts.append(Text(progress.command, style="yellow"))
        running = [row for row in rows if row.state == "running"]
        if running:
            parts.append(_task_table(running[:ROWS]))
        parts += [Text(event, style="dim") for event in self._events]
        if self._link:
            parts.append(Text(self._link, style="dim"))
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


def _task_table(rows: list[AreaRow]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("task", "state", "title"):
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(Text(row.task.id), Text(row.state), Text(row.task.title))
    return table
