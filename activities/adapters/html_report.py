"""A migration's report as one HTML page that needs nothing else: no network, no script, no file.

Rendered from the data and nothing else; the template escapes whatever it is given.
"""

from collections.abc import Sequence
from typing import NamedTuple

from activities.adapters.html_charts import charts
from activities.adapters.html_page import Limits, fitting, shared, template
from activities.adapters.html_text import words
from activities.adapters.report_tables import agents_words, beyond_claims
from activities.adapters.report_words import count, duration, interrupted, span, what_followed
from activities.adapters.reporting import (
    OUTCOMES,
    blind_warnings,
    ending,
    no_file_undone,
    undone,
    without_credentials,
)
from activities.contracts.evidence import CheckOutcome, CheckResult
from activities.contracts.migration import Stage
from activities.contracts.news import told_of_deep
from activities.contracts.pilot import Pilot, pilot_rows
from activities.contracts.report import MigrationReport
from activities.contracts.wording import times
from activities.contracts.work import Attempt, Handoff, RungOutcome, TaskStatus

_KINDS = {
    TaskStatus.LANDED: "good",
    TaskStatus.PARTIAL: "warn",
    TaskStatus.NEEDS_PERSON: "warn",
    TaskStatus.CANNOT: "bad",
    TaskStatus.LOST: "bad",
}
_STAGES = {Stage.DONE: "good", Stage.DONE_WITH_LEFTOVERS: "warn"}


def render_html(report: MigrationReport) -> str:
    """The page; equal reports give equal pages."""
    return fitting(lambda limits: _page(report, limits))


class Undone(NamedTuple):
    """Files that were not done for one reason; no paths: the whole task."""

    task: str
    title: str
    paths: Sequence[str]
    why: str
    said: str
    """What the command printed that stood in the way."""


class TaskRow(NamedTuple):
    """One task."""

    handoff: Handoff
    kind: str
    status: str
    rung: str
    time: str
    attempts: Sequence["AttemptRow"]


class AttemptRow(NamedTuple):
    """One attempt: how it ended, and what each check said about it."""

    ending: str
    checks: Sequence[str]


def _page(report: MigrationReport, limits: Limits) -> str:
    said, reasons = no_file_undone(report)
    left = _undone(report, limits)
    return template("report.html.jinja").render(
        report=report,
        title=f"Migration {report.name}: {report.outcome.value}",
        limits=limits,
        outcome=OUTCOMES.get(report.outcome, report.outcome.value),
        outcome_kind=_STAGES.get(report.outcome, "bad"),
        facts=_facts(report, left),
        warnings=[*blind_warnings(report.blind_checks), *_not_verified(report)],
        undone=left,
        nothing_said="" if left else said,
        nothing_reasons=() if left else reasons,
        beyond_claims=beyond_claims(report.handoffs),
        agents_words=agents_words(report.handoffs),
        charts=charts(report),
        pilots=[_pilot(pilot, report) for pilot in report.pilots],
        tasks=[_task(h) for h in sorted(report.handoffs, key=lambda h: h.task)],
        tabled=bool(report.handoffs),
        repository=without_credentials(report.repository),
        took=span(report.started_at, report.finished_at),
        deep=told_of_deep(report.deep),
        flaky_landings=times(report.flaky_landings),
        interrupted=interrupted(report.interruptions),
        **shared(),
    )


def _facts(report: MigrationReport, left: Sequence[Undone]) -> list[tuple[str, str]]:
    """The numbers that people ask for first."""
    landed = sum(1 for handoff in report.handoffs if handoff.status.landed)
    files = len({path for entry in left for path in entry.paths})
    whole = sum(1 for entry in left if not entry.paths)
    person = [count(files, "file")] if files or not whole else []
    person += [count(whole, "whole task")] if whole else []
    return [
        ("Tasks landed", f"{landed} of {len(report.handoffs)}"),
        ("Files landed", str(report.landed_files)),
        *((("Models", cost),) if (cost := report.spend.told(report.cap)) else ()),
        ("Sites left", f"{report.sites_left} of {report.sites_at_start}"),
        ("Not done", ", ".join(person)),
        ("Time", span(report.started_at, report.finished_at)),
    ]


def _not_verified(report: MigrationReport) -> list[str]:
    """Checks that the workers could not run, with how many attempts they say nothing about."""
    unseen: dict[str, int] = {}
    for handoff in report.handoffs:
        for attempt in handoff.attempts:
            for check in attempt.evidence.checks if attempt.evidence else ():
                if check.outcome is CheckOutcome.NOT_VERIFIED:
                    unseen[check.check] = unseen.get(check.check, 0) + 1
    return [
        f"check {name!r} could not be run for {count(times, 'attempt')}, and verified nothing there"
        for name, times in sorted(unseen.items())
    ]


def _undone(report: MigrationReport, limits: Limits) -> list[Undone]:
    """A task's title, and what its commands printed, stand once, at the first of its files."""
    handoffs = {handoff.task: handoff for handoff in report.handoffs}
    rows: list[Undone] = []
    for entry in undone(report.handoffs):
        handoff = handoffs[entry.task]
        again = bool(rows) and rows[-1].task == entry.task
        said = "" if again or not limits.output else _printed(handoff)
        title = "" if again else handoff.title
        rows.append(Undone(entry.task, title, entry.paths, entry.why, said))
    return rows


def _printed(handoff: Handoff) -> str:
    """What the last red check printed, else the last command."""
    checked = [a.evidence.checks for a in handoff.attempts if a.evidence and a.evidence.checks]
    red = [c for c in checked[-1] if c.outcome is CheckOutcome.RED and c.tail] if checked else []
    if red:
        return "\n".join(f"{check.check}:\n{check.tail}" for check in red)
    runs = [attempt.run.tail for attempt in handoff.attempts if attempt.run]
    return runs[-1] if runs else ""


def _pilot(pilot: Pilot, report: MigrationReport) -> tuple[str, list[tuple[str, str]]]:
    followed = ("decision", what_followed(pilot, report.decisions))
    return pilot.phase, [*pilot_rows(pilot), followed]


def _task(handoff: Handoff) -> TaskRow:
    return TaskRow(
        handoff=handoff,
        kind=_KINDS.get(handoff.status, "quiet"),
        status=words(handoff.status.value),
        rung=_rung(handoff.attempts),
        time=duration(handoff.seconds),
        attempts=[_attempt(attempt) for attempt in handoff.attempts],
    )


def _rung(attempts: Sequence[Attempt]) -> str:
    """The last one that left something, else the last one."""
    kinds = [attempt.kind for attempt in attempts if attempt.outcome is RungOutcome.CHANGED]
    return (kinds or [attempt.kind for attempt in attempts] or ["none"])[-1]


def _attempt(attempt: Attempt) -> AttemptRow:
    checks = attempt.evidence.checks if attempt.evidence else ()
    return AttemptRow(ending(attempt), [_check(check) for check in checks])


def _check(check: CheckResult) -> str:
    """`unit: green, 546 results in 3 s`, with the reasons where it is red."""
    results = f", {count(check.count_after, 'result')}" if check.count_after else ""
    said = f"{check.check}: {words(check.outcome.value)}{results} in {duration(check.seconds)}"
    return "; ".join([said, *check.reasons])
