"""Reads and small records, done as local activities on the control worker.

Everything here is a read, or a content-addressed write: a second run gives the same answer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from temporalio import activity

from activities.chosen_checks import deep_checks, has_deep, with_deep
from activities.contracts.agent import Allowance
from activities.contracts.base import BlobRef
from activities.contracts.children import HELD, AreaRow
from activities.contracts.plan import Plan
from activities.contracts.requests import (
    RESOLVER,
    DescribeMigration,
    Handoffs,
    JoinHandoffs,
    LoadRows,
    LoadTask,
    MigrationOrder,
    Rows,
    TaskOrder,
)
from activities.contracts.site_forms import SCANNED
from activities.contracts.spec import CLAUDE, Approval, MigrationSpec, seconds
from activities.contracts.survey import SurveyData
from activities.contracts.work import Handoff, TaskStatus
from activities.fixing import is_told
from activities.plan_rows import rows_of
from activities.plan_rules import chain_behind, files_with_sites

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore


UNSTARTED = (TaskStatus.SKIPPED, TaskStatus.CANCELLED)
NEVER_STARTED = "never started"
NO_HANDOFF = "written by the system: its worker left no handoff"


class RecordActivities:
    """Specs, plans, orders and handoffs."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    @activity.defn
    def describe_migration(self, request: DescribeMigration) -> MigrationOrder:
        """What a migration workflow needs of its spec."""
        spec = self._blobs.get_model(request.spec, MigrationSpec)
        return MigrationOrder(
            objective=spec.objective,
            branch=spec.branch,
            phases=tuple(phase.name for phase in spec.phases),
            concurrency=spec.limits.concurrency,
            cycles=spec.limits.cycles,
            days=spec.limits.days,
            usd=_usd(spec.limits.usd),
            task_usd=_usd(spec.limits.task_usd),
            thinks=tuple(any(way.claude for way in phase.ways) for phase in spec.phases),
            asks_models=spec.asks_models,
            approve_plan=Approval.PLAN in spec.approvals,
            approve_pilot=Approval.PILOT in spec.approvals,
            pilots=tuple(phase.pilot for phase in spec.phases),
            planners=tuple(phase.plan == CLAUDE for phase in spec.phases),
            judges=tuple(phase.judge == CLAUDE for phase in spec.phases),
            by_results=tuple(
                any(finder.failing for finder in phase.sites.find) for phase in spec.phases
            ),
            follow=spec.follow_seconds,
            told=tuple(is_told(phase) for phase in spec.phases),
            deep=tuple(bool(deep_checks(spec, phase.name)) for phase in spec.phases),
            each=tuple(has_deep(spec, phase.name) for phase in spec.phases),
            reds=budget.reds if (budget := spec.landing.budget) else None,
            age=seconds(budget.age) if budget and budget.age else None,
            mcp=spec.mcp_servers,
            moments=tuple(sorted({m for check in spec.checks.values() for m in check.moments})),
        )

    @activity.defn
    def load_rows(self, request: LoadRows) -> Rows:
        """The plan's tasks as rows."""
        rows = rows_of(self._blobs.get_model(request.plan, Plan))
        if request.spec:
            spec = self._blobs.get_model(request.spec, MigrationSpec)
            rows = with_deep(rows, spec, request.phase)
        return Rows(rows=rows)

    @activity.defn
    def load_task(self, request: LoadTask) -> TaskOrder:
        """One task of the plan, and the ladder it will climb."""
        spec = self._blobs.get_model(request.spec, MigrationSpec)
        plan = self._blobs.get_model(request.plan, Plan)
        phase = spec.phase(request.phase)
        ladder = phase.ladder
        task = next(task for task in plan.tasks if task.id == request.task)
        bearing = set(task.claims if task.sites else ())
        if task.mends:
            bearing = set[str]()
        elif request.survey:
            bearing = files_with_sites(self._blobs.get_model(request.survey, SurveyData))
        return TaskOrder(
            task=task.model_copy(update={"grants": request.granted_files})
            if request.granted_files
            else task,
            bearing=tuple(path for path in task.claims if path in bearing),
            rungs=tuple(rung.kind for rung in ladder),
            resolver=phase.resolver.kind if phase.resolver else "",
            attempts=spec.limits.attempts,
            chain=chain_behind(plan.tasks, request.task),
            recount=not task.mends and any(f.kind not in SCANNED for f in phase.sites.find),
            empty_fails=tuple(bool(r.codemod and not r.codemod.empty) for r in ladder),
            allowances={
                number: Allowance(turns=rung.claude.turns, grant=_usd(rung.claude.usd))
                for number, rung in {**dict(enumerate(ladder)), RESOLVER: phase.resolver}.items()
                if rung and rung.claude
            },
        )

    @activity.defn
    def join_handoffs(self, request: JoinHandoffs) -> BlobRef:
        """One blob for the whole area; writes the handoffs of those who left none. Of what was held
        for the next cycle there is nothing to say."""
        handoffs = tuple(
            self._handoff(row).model_copy(
                update={
                    "title": row.task.title,
                    "area": row.task.area,
                    "spend": row.spend,
                    "sites": row.task.sites,
                    "mends": row.task.mends,
                    "follows": row.task.claims if row.task.follows else (),
                }
            )
            for row in request.rows
            if row.state != HELD
        )
        return self._blobs.put_model(request.name, Handoffs(handoffs=handoffs))

    def _handoff(self, row: AreaRow) -> Handoff:
        status = TaskStatus(row.state)
        if row.handoff is None:
            left = () if status.landed else row.task.claims
            files = row.task.claims if status.landed else ()
            return Handoff(
                task=row.task.id,
                status=status,
                did=NEVER_STARTED if status in UNSTARTED else NO_HANDOFF,
                landed=row.landed,
                left=left,
                files=files,
                concerns=(row.skipped,) if row.skipped else (),
            )
        handoff = self._blobs.get_model(row.handoff, Handoff)
        if status is TaskStatus.SKIPPED or handoff.status is TaskStatus.NEEDS_FILES:
            # Its worker only knows that it was stopped, or that it was to go on later.
            said = (*((row.skipped,) if row.skipped else ()), *handoff.concerns)
            handoff = handoff.model_copy(update={"status": status, "concerns": said})
        if status.landed or status is TaskStatus.NOTHING_TO_DO or handoff.left:
            return handoff
        return handoff.model_copy(update={"left": row.task.claims})


def _usd(amount: float | None) -> Decimal | None:
    return None if amount is None else Decimal(str(amount))
