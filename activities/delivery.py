"""What people take away: the report, as JSON and as Markdown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from temporalio import activity

from activities.checks import baseline_key
from activities.contracts.migration import MigrationReport
from activities.contracts.requests import WriteReport, WrittenReport
from activities.contracts.spec import MigrationSpec
from activities.planning import read_handoffs

if TYPE_CHECKING:
    from collections.abc import Callable

    from activities.adapters.blobs import BlobStore


class DeliveryActivities:
    """Writes reports; pushing and pull requests belong here too."""

    def __init__(
        self, blobs: BlobStore, render: Callable[[MigrationReport], str], sandbox: str
    ) -> None:
        self._blobs = blobs
        self._render = render
        self._sandbox = sandbox

    @activity.defn
    def write_report(self, request: WriteReport) -> WrittenReport:
        """Joins handoffs, baseline and decisions; content-addressed: a second run is harmless."""
        spec = self._blobs.get_model(request.spec, MigrationSpec)
        handoffs = read_handoffs(self._blobs, request.handoffs)
        baselines = {name: self._baseline(spec.name, name) for name in spec.checks}
        report = MigrationReport(
            name=request.name,
            objective=spec.objective,
            repository=request.repository.url,
            base=request.base,
            branch=request.branch.name,
            tip=request.tip,
            outcome=request.outcome,
            reason=request.reason,
            started_at=request.started_at,
            finished_at=request.finished_at,
            sites_at_start=request.sites_at_start,
            sites_left=request.sites_left,
            cycles=request.cycles,
            handoffs=tuple(handoffs),
            landed_files=len({path for h in handoffs if h.status.landed for path in h.files}),
            baseline_failures={n: b["failed"] for n, b in baselines.items() if b["failed"]},
            flaky={n: b["flaky"] for n, b in baselines.items() if b["flaky"]},
            decisions=request.decisions,
            sandbox=self._sandbox,
        )
        return WrittenReport(
            report=self._blobs.put_model(request.name, report),
            markdown=self._blobs.put(request.name, self._render(report).encode()),
        )

    def _baseline(self, migration: str, check: str) -> dict[str, tuple[str, ...]]:
        kept = self._blobs.find(migration, baseline_key(check))
        record: dict[str, list[str]] = json.loads(kept) if kept else {}
        return {key: tuple(record.get(key, ())) for key in ("failed", "flaky")}
