"""A fleet's report as one HTML page: every repository with what became of it, and what landed when.

Each migration's report is told in a few numbers and lines as soon as it is read, so that a fleet of
hundreds needs no more memory than the largest of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from activities.adapters.html_charts import landings_chart
from activities.adapters.html_page import Limits, fitting, shared, template
from activities.adapters.report_words import span
from activities.adapters.reporting import undone
from activities.contracts.fleet import NOT_STARTED, FleetResult, FleetRow
from activities.contracts.migration import Stage
from activities.contracts.report import LandedCommit, MigrationReport

MOST_UNDONE = 20
"""Lines of what one repository has left."""
_KINDS = {
    Stage.DONE.value: "good",
    Stage.DONE_WITH_LEFTOVERS.value: "warn",
    Stage.CANCELLED.value: "quiet",
    NOT_STARTED: "quiet",
}
_OUTCOMES = {Stage.DONE: "good", Stage.DONE_WITH_LEFTOVERS: "warn"}


class Told(NamedTuple):
    """One repository as the page needs it."""

    name: str
    state: str
    reason: str
    branch: str
    tip: str
    landed: int
    tasks: int | None
    """None: it left no report that can still be read."""
    files: int
    sites_left: int
    sites: int
    time: str
    undone: Sequence[tuple[str, str]]
    """What and why, at most MOST_UNDONE."""
    more_undone: int
    landings: Sequence[LandedCommit]

    @property
    def kind(self) -> str:
        return _KINDS.get(self.state, "bad")


def told(row: FleetRow, report: MigrationReport | None) -> Told:
    """A fleet's row with what its migration's report says."""
    left = [
        (", ".join(entry.paths[:3]) or f"the whole task {entry.task}", entry.why)
        for entry in (undone(report.handoffs) if report else ())
    ]
    return Told(
        name=row.name,
        state=row.state,
        reason=row.reason,
        branch=row.branch,
        tip=row.tip or "",
        landed=row.landed,
        tasks=len(report.handoffs) if report else None,
        files=report.landed_files if report else 0,
        sites_left=row.sites_left,
        sites=report.sites_at_start if report else row.sites_left,
        time=span(report.started_at, report.finished_at) if report else "",
        undone=left[:MOST_UNDONE],
        more_undone=len(left[MOST_UNDONE:]),
        landings=report.landings if report else (),
    )


def render_fleet_html(fleet: FleetResult, rows: Sequence[Told]) -> str:
    """The page; equal fleets give equal pages."""
    return fitting(lambda limits: _page(fleet, rows, limits))


def _page(fleet: FleetResult, rows: Sequence[Told], limits: Limits) -> str:
    landings = [landing for row in rows for landing in row.landings]
    return template("fleet.html.jinja").render(
        fleet=fleet,
        title=f"Fleet {fleet.name}: {fleet.stage.value}",
        limits=limits,
        outcome_kind=_OUTCOMES.get(fleet.stage, "bad"),
        facts=_facts(fleet, rows),
        rows=rows,
        open_rows=[row for row in rows if row.state != Stage.DONE or row.undone or row.reason],
        charts=landings_chart(fleet.started_at, fleet.finished_at, landings),
        tabled=bool(rows),
        took=span(fleet.started_at, fleet.finished_at),
        **shared(),
    )


def _facts(fleet: FleetResult, rows: Sequence[Told]) -> list[tuple[str, str]]:
    """The numbers that people ask for first."""
    done = sum(row.state == Stage.DONE for row in rows)
    told = [(row.landed, row.tasks) for row in rows if row.tasks is not None]
    landed, tasks = (sum(column) for column in zip(*told, strict=True)) if told else (0, 0)
    return [
        ("Repositories done", f"{done} of {len(rows)}"),
        ("Tasks landed", f"{landed} of {tasks}"),
        ("Files landed", str(sum(row.files for row in rows))),
        ("Sites left", f"{sum(row.sites_left for row in rows)} of {sum(r.sites for r in rows)}"),
        ("Time", span(fleet.started_at, fleet.finished_at)),
    ]
