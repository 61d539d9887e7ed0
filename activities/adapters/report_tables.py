"""Tables of a Markdown report, and those sections that are nothing but a table."""

from collections.abc import Sequence

from activities.adapters.markdown_text import code, text
from activities.contracts.commands import HumanDecision
from activities.contracts.report import KeptWork

MAX_ROWS = 500
"""Rows of any one table; the JSON has all."""


def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows[:MAX_ROWS]]
    if len(rows) > MAX_ROWS:
        lines += ["", f"{len(rows) - MAX_ROWS} more are in the JSON report."]
    return "\n".join(lines)


def decisions(made: Sequence[HumanDecision]) -> str:
    """Who said what, of what, why, and what it meant."""
    if not made:
        return ""
    rows = [
        (d.at, text(d.actor), text(d.verb), text(d.target or "all"), text(d.reason), text(d.said))
        for d in made
    ]
    columns = ("When", "Who", "What", "Of", "Why", "That is")
    return "## What people decided\n\n" + table(columns, rows)


def kept_work(kept: Sequence[KeptWork]) -> str:
    """Where the work is that did not land."""
    if not kept:
        return ""
    rows = [(code(work.task), str(work.files), code(work.ref)) for work in kept]
    said = "Nothing of it is lost: `git fetch HUB REF` brings it into a repository of yours."
    title = "## Kept: the last work of tasks that did not land whole"
    return "\n\n".join([title, said, table(("Task", "Files", "Ref"), rows)])
