"""Runs a migration of the corpus by the way people take, and reads from its report, its records and
its green branch what came of it."""

import asyncio
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from activities.adapters.releases import fetch
from activities.adapters.reporting import undone
from activities.contracts.report import MigrationReport
from activities.contracts.repository import repository_id
from cli.asking import load_report
from cli.demo import named_freshly
from cli.hosting import HERE
from cli.session import Session
from cli.starting import begin, read_spec
from cli.watching import Following, outcome_of
from tests import invariants
from tests.adapters.repositories import git
from tests.corpus.table import Migration, Outcome


@dataclass(frozen=True)
class Ran:
    """A migration that has ended."""

    name: str
    expected: Outcome
    seen: Outcome
    minutes: float

    @property
    def deviations(self) -> list[str]:
        """Where what was seen is not what was expected."""
        pairs = [
            (each.name, getattr(self.seen, each.name), getattr(self.expected, each.name))
            for each in fields(Outcome)
        ]
        named = self.expected.results
        results = {check: self.seen.results.get(check) for check in named}
        pairs = [p for p in pairs if p[0] != "results"] + [("results", results, dict(named))]
        return [f"{name} {seen}, not {wanted}" for name, seen, wanted in pairs if seen != wanted]


async def run(connected: Session, name: str, migration: Migration, *, quiet: bool) -> Ran:
    """Fetches its source, migrates it to the end. Raises FetchFailed, Refused."""
    home = connected.settings.home
    repository = home / "corpus" / name
    await asyncio.to_thread(fetch, migration.release, repository, migration.source)
    spec = read_spec(HERE / "examples" / f"{name}.yaml")
    spec = spec.model_copy(update={"repository": str(repository)})
    spec = await named_freshly(connected, spec)
    handle = await begin(connected, spec)
    await outcome_of(connected, handle, Following(yes=True, quiet=quiet))
    report = await load_report(connected, handle)
    seen = await asyncio.to_thread(_seen, home, report, migration)
    return Ran(name, migration.expected, seen, _minutes(report))


def _minutes(report: MigrationReport) -> float:
    began, ended = (datetime.fromisoformat(at) for at in (report.started_at, report.finished_at))
    return (ended - began).total_seconds() / 60


def _seen(home: Path, report: MigrationReport, migration: Migration) -> Outcome:
    hub = home / "hub" / f"{repository_id(report.repository)}.git"
    chain = invariants.green_chain(hub, report)
    invariants.assert_chain_has_its_shape(hub, chain)
    invariants.assert_each_task_landed_once(hub, chain, report)
    invariants.assert_untouched(hub, report, ())
    return Outcome(
        stage=report.outcome,
        tasks=len(report.handoffs),
        landed=sum(handoff.status.landed for handoff in report.handoffs),
        files=report.landed_files,
        bounced=sum(handoff.bounces for handoff in report.handoffs),
        left=_left(report),
        results=_results(home, hub, report),
        stays=_stays(hub, report, migration) if migration.staying else None,
    )


def _left(report: MigrationReport) -> tuple[str, ...]:
    titles = {handoff.task: handoff.title for handoff in report.handoffs}
    found = undone(report.handoffs)
    return tuple(sorted(path for u in found for path in (u.paths or (titles[u.task],))))


def _results(home: Path, hub: Path, report: MigrationReport) -> dict[str, tuple[str, str]]:
    """Of each check the widest run on the base and on the tip."""
    recorded = invariants.recorded(home, report.name)
    trees = [invariants.tree(hub, commit) for commit in (report.base, report.tip)]
    checks = {check for check, _ in recorded}
    found = {
        check: [_widest(recorded.get((check, tree), [])) for tree in trees] for check in checks
    }
    return {check: (before, after) for check, (before, after) in sorted(found.items())}


def _widest(results: list[dict[str, Any]]) -> str:
    counts = [[sum(result[kind].values()) for kind in ("passed", "failed")] for result in results]
    if not counts:
        return "not run"
    passed, failed = max(counts, key=sum)
    return f"{passed} passed" + (f", {failed} failed" if failed else "")


def _stays(hub: Path, report: MigrationReport, migration: Migration) -> tuple[int, int]:
    assert migration.staying
    command = ("grep", "--count", "-E", migration.staying.pattern, report.tip, "--")
    counted = git(hub, *command, *migration.staying.paths).decode().splitlines()
    return sum(int(line.rsplit(":", 1)[1]) for line in counted), len(counted)
