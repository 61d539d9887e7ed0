"""A migration's report as Markdown, rendered from the data and nothing else.

What was not done and why comes first: that is what a person has to act on.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from activities.adapters.markdown_text import code, quote, text
from activities.adapters.report_tables import (
    MAX_IDS,
    agents_section,
    beyond_section,
    bullets,
    by_check,
    decisions,
    field_notes,
    flaky_landings,
    hot_section,
    kept_work,
    listed,
    models,
    moved_base,
    opinions,
    pilots_section,
    pushed,
    table,
)
from activities.adapters.report_words import (
    count,
    duration,
    interrupted,
    said_words,
    span,
)
from activities.contracts.migration import Stage
from activities.contracts.news import told_of_deep
from activities.contracts.report import MigrationReport
from activities.contracts.work import Attempt, Handoff, RungOutcome, TaskStatus

_REACHED = (Stage.DONE, Stage.DONE_WITH_LEFTOVERS)
_SECRET = re.compile(r"://[^/@\s]+@")
_TELLING = (
    RungOutcome.FAILED,
    RungOutcome.FAILED_CHANGED,
    RungOutcome.TIMED_OUT,
    RungOutcome.NO_CHANGE,
)
"""Here what the tool said last may say why."""

OUTCOMES = {
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
        _not_done(report),
        _beside(report),
        beyond_section(report.handoffs),
        hot_section(report.hot),
        kept_work(report.kept),
        _tasks(report.handoffs),
        by_check("Red before the migration", report.baseline_failures),
        by_check("Flaky: red in one of two runs on the base", report.flaky),
        flaky_landings(report.flaky_landings),
        moved_base(report),
        pushed(report),
        pilots_section(report),
        agents_section(report.handoffs),
        opinions(report.opinions),
        field_notes(report.notes),
        decisions(report.decisions),
        _look(report),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _heading(report: MigrationReport) -> str:
    landed = sum(1 for h in report.handoffs if h.status.landed)
    outcome = OUTCOMES.get(report.outcome, text(report.outcome.value))
    commits = f"{code(report.tip[:12])}, from {code(report.base[:12])}"
    tasks, files = count(len(report.handoffs), "task"), count(report.landed_files, "file")
    lines = [
        f"# Migration {text(report.name)}",
        "",
        quote(report.objective),
        "",
        f"**{outcome}** {text(report.reason)}".strip(),
        "",
        *(f"**NOT VERIFIED: {text(w)}.**\n" for w in blind_warnings(report.blind_checks)),
        f"- Landed: {landed} of {tasks}, {files}",
        f"- Sites: {report.sites_left} left of {report.sites_at_start}",
        f"- Repository: {code(without_credentials(report.repository))}",
        f"- Branch: {code(report.branch)} at {commits}",
        f"- Time: {span(report.started_at, report.finished_at)}, {count(report.cycles, 'cycle')}",
    ]
    lines += models(report)
    lines += [f"- {name.capitalize()}: {text(said)}" for name, said in told_of_deep(report.deep)]
    if report.plan and report.plan.said:
        lines.append(f"- Plan: {text(report.plan.said)}")
    if report.unsearched:
        lines.append(f"- **Warning**: {text(report.unsearched)}")
    if report.unbegun:
        phases = ", ".join(code(phase) for phase in report.unbegun)
        lines.append(f"- **Not begun**: {phases}; nobody has looked for the sites of these phases")
    if report.interruptions:
        lines.append(f"- Interrupted: {interrupted(report.interruptions)}")
    if report.sandbox:
        lines.append(f"- Sandbox: {text(report.sandbox)}")
    return "\n".join(lines)


def without_credentials(url: str) -> str:
    """The URL without the password that somebody wrote into it."""
    return _SECRET.sub("://***@", url)


def blind_warnings(checks: Iterable[str]) -> list[str]:
    """One sentence for each of these checks, which could tell nothing."""
    return [
        f"check {name!r} failed on the base already, as a whole: it could not tell good changes "
        "from bad ones, and verified nothing of what landed"
        for name in checks
    ]


class Undone(NamedTuple):
    """What of a task was not done; no paths: the whole task."""

    task: str
    paths: tuple[str, ...]
    why: str


def undone(handoffs: Iterable[Handoff]) -> list[Undone]:
    """Files that were put back or still have sites, and tasks that did not land, each once."""
    found: list[Undone] = []
    for handoff in sorted(handoffs, key=lambda h: h.task):
        whys: dict[str, list[str]] = {}
        for back in handoff.put_back:
            whys.setdefault(_with_output(handoff, back.reason), []).append(back.path)
        left = set(handoff.left) - {back.path for back in handoff.put_back}
        if left:
            whys.setdefault(_why(handoff), []).extend(sorted(left))
        found += [Undone(handoff.task, tuple(paths), why) for why, paths in whys.items()]
        landed = handoff.status.landed or handoff.status is TaskStatus.NOTHING_TO_DO
        if not whys and not landed:
            found.append(Undone(handoff.task, (), _why(handoff)))
    return found


def _not_done(report: MigrationReport) -> str:
    """Files and tasks; then what no task could take."""
    parts = ["## Not done", _undone(report)]
    if report.unplaced:
        said = "Sites that no task could take: red results that name no file, files by their names."
        parts.append("\n".join([said, "", *bullets(report.unplaced)]))
    return "\n\n".join(part for part in parts if part)


def _undone(report: MigrationReport) -> str:
    found = undone(report.handoffs)
    if found:
        rows = [(code(u.task), _paths(u.paths), text(u.why)) for u in found]
        return table(("Task", "What", "Why"), rows)
    said, reasons = no_file_undone(report)
    return "\n".join([said, *([""] if reasons else ()), *(f"- {text(r)}" for r in reasons)])


def no_file_undone(report: MigrationReport) -> tuple[str, list[str]]:
    """What stands where no file was left out: a sentence, and the reasons that it announces."""
    if report.outcome not in _REACHED:
        reasons = report.reason.split("; ")[:MAX_IDS]
        return "No file was left out, but the migration did not reach its end:", reasons
    if report.unplaced:
        return "", []
    if not report.handoffs:
        return "Nothing: no site was found, so there was no task.", []
    return "Nothing: every task landed whole.", []


def _beside(report: MigrationReport) -> str:
    """What a run over everything did where nobody had asked for it: a person may want it."""
    parts: list[str] = []
    for said, paths in (
        ("Files of the tree:", report.outside),
        ("New files, which `creates` does not name:", report.dropped),
    ):
        parts += ["", said, "", *bullets(paths)] if paths else []
    title = "## Changed by a codemod over everything, claimed by no task, so not landed"
    return "\n".join([title, *parts]) if parts else ""


def _paths(paths: Sequence[str]) -> str:
    return listed(paths) or "the whole task"


def _why(handoff: Handoff) -> str:
    """The last red check's reasons, else the task's own words, else how each rung ended."""
    outcomes = {f"{a.kind}: {a.outcome.value} {a.note}".strip() for a in handoff.attempts}
    own = [concern for concern in handoff.concerns if concern not in outcomes]
    reasons = _red_reasons(handoff.attempts)
    if reasons or own:
        return "; ".join(dict.fromkeys([*(_with_output(handoff, r) for r in reasons), *own]))
    if handoff.attempts:
        return "; then ".join(ending(a) for a in handoff.attempts)
    return handoff.did or handoff.status.value.replace("_", " ")


def _with_output(handoff: Handoff, reason: str) -> str:
    """A bare exit code says nothing: the last line that the command printed stands with it."""
    checked = [a.evidence for a in handoff.attempts if a.evidence and a.evidence.checks]
    for check in checked[-1].checks if checked else ():
        last = check.tail.strip().splitlines()[-1:]
        if last and reason.endswith(f"exit: exit {check.exit}") and check.check in reason:
            return f"{reason}: {last[0]}"
    return reason


def _red_reasons(attempts: Sequence[Attempt]) -> list[str]:
    checked = [a.evidence for a in attempts if a.evidence and a.evidence.checks]
    if not checked:
        return []
    return [*checked[-1].reasons]


def ending(attempt: Attempt) -> str:
    """`codemod: failed (exit 127: bash: tool: command not found)`."""
    said = attempt.note
    run = attempt.run
    if run and attempt.outcome in _TELLING:
        how = f"exit {run.exit}" if run.ended == "exit" else run.ended
        last = [said_words(run.said)] if run.said else run.tail.strip().splitlines()[-1:]
        said = ": ".join([how, *last])
    words = f"{attempt.kind}: {attempt.outcome.value.replace('_', ' ')}"
    return f"{words} ({said})" if said else words


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
    return "## Tasks\n\n" + table(columns, rows)


def _rungs(attempts: Iterable[Attempt]) -> str:
    return ", ".join(f"{a.kind}: {a.outcome.value.replace('_', ' ')}" for a in attempts)


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
