"""A migration's report as one HTML page that needs nothing else: no network, no script, no file.

Rendered from the data and nothing else; the template escapes whatever it is given. The page stays
below MAX_BYTES: when all of it would not fit, its lists get shorter, and say what they leave out.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from activities.adapters.html_charts import HEIGHT, WIDTH, charts
from activities.adapters.html_text import line, moment, output, words
from activities.adapters.report_words import count, duration, interrupted, span
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
from activities.contracts.report import MigrationReport
from activities.contracts.work import Attempt, Handoff, RungOutcome, TaskStatus

MAX_BYTES = 1_000_000
FOLDER = Path(__file__).parent / "html"


class Limits(NamedTuple):
    """How much of each list and text a page shows."""

    rows: int
    """Of tasks, landings and decisions."""
    undone: int
    """Rows of what was not done."""
    paths: int
    """In one of those."""
    files: int
    """That one task landed."""
    checks: int
    """Of one attempt."""
    ids: int
    """In any other list."""
    text: int
    """Characters of a sentence or name."""
    output: int
    """Characters of what one task's commands printed."""


LIMITS = (
    Limits(rows=2000, undone=3000, paths=200, files=200, checks=20, ids=500, text=600, output=1500),
    Limits(rows=1000, undone=2000, paths=50, files=50, checks=5, ids=200, text=300, output=400),
    Limits(rows=1000, undone=1500, paths=20, files=10, checks=2, ids=100, text=200, output=0),
    Limits(rows=600, undone=800, paths=20, files=0, checks=1, ids=50, text=160, output=0),
    Limits(rows=500, undone=500, paths=10, files=0, checks=0, ids=20, text=140, output=0),
    Limits(rows=300, undone=200, paths=10, files=0, checks=0, ids=20, text=120, output=0),
    Limits(rows=100, undone=50, paths=3, files=0, checks=0, ids=10, text=100, output=0),
)
"""From generous to tight: landed files go first, and the last one fits whatever a report says."""
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
    page = ""
    for limits in LIMITS:
        page = _page(report, limits)
        if len(page.encode()) < MAX_BYTES:
            break
    return page


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
    return _template().render(
        report=report,
        limits=limits,
        outcome=OUTCOMES.get(report.outcome, report.outcome.value),
        outcome_kind=_STAGES.get(report.outcome, "bad"),
        facts=_facts(report, left),
        warnings=[*blind_warnings(report.blind_checks), *_not_verified(report)],
        undone=left,
        nothing_said="" if left else said,
        nothing_reasons=() if left else reasons,
        charts=charts(report),
        width=WIDTH,
        height=HEIGHT,
        count=count,
        tasks=[_task(h) for h in sorted(report.handoffs, key=lambda h: h.task)],
        repository=without_credentials(report.repository),
        took=span(report.started_at, report.finished_at),
        interrupted=interrupted(report.interruptions),
        **_assets(),
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


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(line=line, output=output, moment=moment, words=words)
    return environment.get_template("report.html.jinja")


@cache
def _assets() -> dict[str, Markup]:
    """Style and script, and what the page's policy allows: exactly these two."""
    style, script = ((FOLDER / name).read_text() for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
