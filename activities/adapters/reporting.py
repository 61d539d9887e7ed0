"""A migration's report as Markdown, rendered from the data and nothing else.

What was not done and why comes first: that is what a person has to act on. Texts in it come from
repositories and tools, so they are bounded and cannot break out of their cell or start markup.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from activities.contracts.migration import MigrationReport, Stage
from activities.contracts.work import Attempt, Handoff, TaskStatus

MAX_TEXT = 400
"""Characters of any one text that came from outside."""
MAX_ROWS = 500
"""Rows of any one table; the JSON has all."""

_OUTCOMES = {
    Stage.DONE: "Done: every site is migrated and landed.",
    Stage.DONE_WITH_LEFTOVERS: "Done with leftovers: what is left needs a person.",
    Stage.STOPPED: "Stopped before it was done.",
    Stage.CANCELLED: "Cancelled.",
    Stage.FAILED: "Failed.",
}


def render_report(report: MigrationReport) -> str:
    """The whole report; equal reports give equal text."""
    sections = [
        _heading(report),
        _not_done(report.handoffs),
        _tasks(report.handoffs),
        _baseline("Red before the migration", report.baseline_failures),
        _baseline("Flaky: two runs on the base differed", report.flaky),
        _decisions(report),
        _look(report),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _heading(report: MigrationReport) -> str:
    landed = sum(1 for h in report.handoffs if h.status.landed)
    outcome = _OUTCOMES.get(report.outcome, text(report.outcome.value))
    commits = f"{code(report.tip[:12])}, from {code(report.base[:12])}"
    lines = [
        f"# Migration {text(report.name)}",
        "",
        quote(report.objective),
        "",
        f"**{outcome}** {text(report.reason)}".strip(),
        "",
        f"- Landed: {landed} of {len(report.handoffs)} tasks, {report.landed_files} files",
        f"- Sites: {report.sites_left} left of {report.sites_at_start}",
        f"- Branch: {code(report.branch)} at {commits}",
        f"- Time: {_span(report.started_at, report.finished_at)}, {_count(report.cycles, 'cycle')}",
    ]
    if report.sandbox:
        lines.append(f"- Sandbox: {text(report.sandbox)}")
    return "\n".join(lines)


def _not_done(handoffs: Sequence[Handoff]) -> str:
    """Tasks that did not land and files that were put back, each with its reason."""
    rows: list[tuple[str, ...]] = []
    for handoff in sorted(handoffs, key=lambda h: h.task):
        rows += [
            (code(handoff.task), code(back.path), text(back.reason)) for back in handoff.put_back
        ]
        if not handoff.status.landed and handoff.status is not TaskStatus.NOTHING_TO_DO:
            rows.append((code(handoff.task), "the whole task", _why(handoff)))
    if not rows:
        return "## Not done\n\nNothing: every task landed whole."
    return "## Not done\n\n" + _table(("Task", "What", "Why"), rows)


def _why(handoff: Handoff) -> str:
    """A task's own words, else the reasons of its last red check, else how its last rung ended."""
    if handoff.concerns:
        return text("; ".join(handoff.concerns))
    for attempt in reversed(handoff.attempts):
        reasons = [
            r for c in (attempt.evidence.checks if attempt.evidence else ()) for r in c.reasons
        ]
        if reasons:
            return text("; ".join(reasons))
        if attempt.note:
            return text(attempt.note)
    return text(handoff.did or handoff.status.value.replace("_", " "))


def _tasks(handoffs: Sequence[Handoff]) -> str:
    if not handoffs:
        return ""
    rows = [
        (
            code(h.task),
            h.status.value.replace("_", " "),
            str(len(h.files)),
            _rungs(h.attempts),
            str(h.bounces),
            duration(h.seconds),
            code(h.landed[:12]) if h.landed else "",
        )
        for h in sorted(handoffs, key=lambda h: h.task)
    ]
    columns = ("Task", "Outcome", "Files", "Attempts", "Bounces", "Time", "Commit")
    return "## Tasks\n\n" + _table(columns, rows)


def _rungs(attempts: Iterable[Attempt]) -> str:
    return ", ".join(f"{a.kind}: {a.outcome.value.replace('_', ' ')}" for a in attempts)


def _baseline(title: str, results: dict[str, tuple[str, ...]]) -> str:
    rows = [(code(check), code(name)) for check, ids in sorted(results.items()) for name in ids]
    return f"## {title}\n\n" + _table(("Check", "Result"), rows) if rows else ""


def _decisions(report: MigrationReport) -> str:
    if not report.decisions:
        return ""
    rows = [(d.at, text(d.actor), text(d.verb), text(d.reason)) for d in report.decisions]
    return "## What people decided\n\n" + _table(("When", "Who", "What", "Why"), rows)


def _look(report: MigrationReport) -> str:
    name = report.name
    return "\n".join(
        [
            "## How to look at it",
            "",
            f"    starter.py diff {name} --stat    what changed, by file",
            f"    starter.py show {name} TASK      one task, its attempts and its evidence",
            f"    starter.py report {name} --json  this report as data",
        ]
    )


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows[:MAX_ROWS]]
    if len(rows) > MAX_ROWS:
        lines += ["", f"{len(rows) - MAX_ROWS} more are in the JSON report."]
    return "\n".join(lines)


def text(value: str) -> str:
    """Foreign text on one line, bounded, with nothing that Markdown or HTML would act on."""
    line = " ".join(value.split())
    line = line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"
    for sign in "\\`*_[]<>|#":
        line = line.replace(sign, f"\\{sign}")
    return line


def code(value: str) -> str:
    """Foreign text in a code span; it cannot close the span or split a table cell."""
    line = " ".join(value.split()).replace("`", "'").replace("|", "¦")
    return f"`{line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + '…'}`"


def quote(value: str) -> str:
    """Foreign text as a block quote, line by line."""
    return "\n".join(f"> {text(line)}".rstrip() for line in value.strip().splitlines()[:20])


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `5 h 7 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _span(start: str, end: str) -> str:
    try:
        taken = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except (ValueError, TypeError):
        return "unknown"
    return duration(taken.total_seconds())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
