"""The steps of a migration: each asks one activity.

Steps decide nothing and remember nothing; whatever one needs is in its arguments.
"""

from temporalio import workflow

from activities.checks import ChecksActivities
from activities.contracts.base import BlobRef
from activities.contracts.contention import SHOWN, hottest
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.landing_requests import ClaimBranch, ClaimedBranch
from activities.contracts.mcp import ListMcpTools
from activities.contracts.migration import MigrationState, Verdict
from activities.contracts.pilot import Pilot
from activities.contracts.repository import Base
from activities.contracts.requests import (
    DescribeMigration,
    JudgeCycle,
    JudgePilot,
    MigrationOrder,
    TakeBase,
    TakeSurvey,
    WriteReport,
    WrittenReport,
)
from activities.contracts.survey import Survey, told_of_phases
from activities.contracts.work_requests import RunChecks, TakeBaseline, TakenBaseline
from activities.delivery import DeliveryActivities
from activities.integration import IntegrationActivities
from activities.judging import JudgingActivities
from activities.mcp import McpActivities
from activities.planning import PlanningActivities
from activities.records import RecordActivities
from activities.surveying import SurveyActivities
from workflows import attempts, budget, moving_base
from workflows.begun import Begun
from workflows.locally import locally
from workflows.options import DELIVER, GIT, OPEN, VERIFY


async def read_order(spec: BlobRef) -> MigrationOrder:
    """What the migration needs of its spec to decide."""
    return await locally(
        RecordActivities.describe_migration,
        DescribeMigration(spec=spec),
        summary="read the spec",
    )


class Steps(Begun):
    """The steps of one migration."""

    async def take_base(self) -> Base:
        return await workflow.execute_activity_method(
            PlanningActivities.take_base,
            TakeBase(name=self._in.name, repository=self._in.repository),
            summary=f"pin {self._in.repository.base}",
            **GIT,
        )

    async def list_mcp_tools(self) -> None:
        """Takes down what the MCP servers have that the spec names, where it names any."""
        if self._order.mcp:
            await workflow.execute_activity_method(
                McpActivities.list_mcp_tools,
                ListMcpTools(name=self._in.name, spec=self._in.spec),
                summary=f"the tools of {', '.join(self._order.mcp)}"[:200],
                **OPEN,
            )

    async def claim_branch(self, at: str) -> ClaimedBranch:
        """Owns the green branch (again), and says where it is."""
        return await workflow.execute_activity_method(
            IntegrationActivities.claim_branch,
            ClaimBranch(
                repository=self._in.repository,
                branch=self.branch,
                at=at,
                deep=any(self._order.deep),
            ),
            summary=f"where is {self.branch.name}?",
            **GIT,
        )

    async def survey(
        self,
        phase: str,
        commit: str,
        handoffs: tuple[BlobRef, ...],
        base: Base | None = None,
        before: Survey | None = None,
    ) -> Survey:
        """`base`: where the green branch began; `before`: the last one, whatever its phase."""
        return await workflow.execute_activity_method(
            SurveyActivities.take_survey,
            TakeSurvey(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=phase,
                commit=commit,
                handoffs=handoffs,
                base=base.commit if base else None,
                before=before.data if before and before.phase == phase else None,
            ),
            summary=f"find the sites of {phase}",
            **VERIFY,
        )

    async def take_baseline(self, phase: str, commit: str, tasks: int) -> TakenBaseline:
        return await workflow.execute_activity_method(
            ChecksActivities.take_baseline,
            TakeBaseline(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=phase,
                commit=commit,
                tasks=tasks,
            ),
            summary="landing checks on the base, twice",
            **VERIFY,
        )

    async def gate(self, state: MigrationState, phase: str, moments: list[Moment]) -> str:
        """Why the checks of one of these moments are red on the green tip; empty: all hold."""
        for moment in moments:
            evidence = await self._check(state, phase, moment)
            if not evidence.passed:
                return f"checks at the {moment} are red: {attempts.why(evidence)}"
        return ""

    async def _check(self, state: MigrationState, phase: str, moment: Moment) -> Evidence:
        """Held against what of the base is in the branch."""
        assert state.base and state.tip  # noqa: PT018
        return await workflow.execute_activity_method(
            ChecksActivities.run_checks,
            RunChecks(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=phase,
                commit=state.tip,
                compare_with=state.stands_on,
                base=state.base.commit,
                moment=moment,
                paths=(),
            ),
            summary=f"checks at the {moment} of {phase}",
            **VERIFY,
        )

    async def judge_pilot(self, state: MigrationState, handoffs: BlobRef) -> Pilot:
        assert state.plan and state.survey  # noqa: PT018
        return await workflow.execute_activity_method(
            JudgingActivities.judge_pilot,
            JudgePilot(
                plan=state.plan.plan,
                survey=state.survey.data,
                handoffs=handoffs,
                window=self._order.concurrency,
            ),
            summary="what did the pilot teach?",
            **GIT,
        )

    async def judge(self, survey: Survey, handoffs: tuple[BlobRef, ...]) -> Verdict:
        return await workflow.execute_activity_method(
            JudgingActivities.judge_cycle,
            JudgeCycle(survey=survey, handoffs=handoffs),
            summary="count what is left",
            **GIT,
        )

    async def write_report(self, state: MigrationState, reason: str) -> WrittenReport:
        assert state.base
        return await workflow.execute_activity_method(
            DeliveryActivities.write_report,
            WriteReport(
                name=self._in.name,
                spec=self._in.spec,
                repository=self._in.repository,
                branch=self.branch,
                base=state.base.commit,
                tip=state.tip or state.base.commit,
                outcome=state.stage,
                reason=reason,
                started_at=state.started_at,
                finished_at=workflow.now().isoformat(timespec="seconds"),
                sites_at_start=state.sites_at_start,
                sites_left=state.sites_left,
                cycles=state.cycle - state.first_cycle,
                handoffs=state.handoffs,
                decisions=state.decisions,
                survey=state.survey,
                unsearched=told_of_phases(state.unsearched),
                plan=state.plan,
                pilots=state.pilots,
                opinions=state.opinions,
                notes=state.notes,
                flaky=state.flaky,
                hot=hottest((*state.hot, *state.counts.hot), SHOWN),
                deep=state.deep,
                unbegun=self._order.phases[state.phase + 1 :],
                spend=state.spend + state.counts.spend,
                cap=budget.cap(state, self._order),
                followed=state.followed,
                pushes=state.pushes,
                base_told=moving_base.told(state.followed, state.stands_on),
            ),
            summary="write the report",
            **DELIVER,
        )
