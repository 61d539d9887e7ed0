"""MigrationWorkflow: one objective on one repository, from the pinned base to the report.

base → (survey → plan → approval → baseline → work → judge)* → report. What a person says comes as
updates: refusable, with who, why and an id, applied once. The whole state is one contract; a run
that grew long continues as new with it, in the middle of the work too.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from activities.checks import ChecksActivities
from activities.contracts.base import BlobRef
from activities.contracts.migration import (
    CLOSE,
    REPORT,
    STEER_AREA,
    AreaInput,
    AreaSteering,
    Command,
    HumanDecision,
    MigrationInput,
    MigrationResult,
    MigrationState,
    Progress,
    QueueInput,
    Report,
    Stage,
)
from activities.contracts.repository import GreenBranch
from activities.contracts.requests import (
    ClaimBranch,
    DescribeMigration,
    DescribeRuns,
    JudgeCycle,
    MakePlan,
    MigrationOrder,
    TakeBase,
    TakeBaseline,
    TakeSurvey,
    WriteReport,
)
from activities.delivery import DeliveryActivities
from activities.integration import IntegrationActivities
from activities.judging import JudgingActivities
from activities.planning import PlanningActivities
from activities.records import RecordActivities
from activities.surveying import SurveyActivities
from workflows import details, judge
from workflows.area import AreaWorkflow
from workflows.merge_queue import MergeQueueWorkflow
from workflows.options import (
    DELIVER,
    GIT,
    HISTORY_EVENTS,
    LOCAL,
    MAX_DECISIONS,
    MIGRATION_NAME,
    NEEDS_HUMAN,
    RECHECK_CHILDREN,
    SITES_LEFT,
    STAGE,
    TASKS_LEFT,
    VERIFY,
    area_id,
    queue_id,
)

AREA = "root"
ENDED = (Stage.DONE, Stage.DONE_WITH_LEFTOVERS, Stage.STOPPED, Stage.CANCELLED, Stage.FAILED)


@workflow.defn
class MigrationWorkflow:
    """The root planner."""

    @workflow.init
    def __init__(self, migration: MigrationInput) -> None:
        self._in = migration
        self._state = migration.state or MigrationState(
            epoch=workflow.info().first_execution_run_id,
            started_at=workflow.now().isoformat(timespec="seconds"),
        )
        self._order: MigrationOrder | None = None
        self._report: Report | None = None
        self._report_blob: BlobRef | None = None
        self._reason = ""

    @workflow.run
    async def run(self, migration: MigrationInput) -> MigrationResult:
        story = asyncio.create_task(self._story())
        try:
            return await asyncio.shield(story)
        except asyncio.CancelledError:
            self._decide("cancel", Command(id="temporal-cancel", actor="temporal"))
            self._set(cancelled="cancelled through Temporal")
            return await story

    async def _story(self) -> MigrationResult:
        try:
            self._order = await self._read_order()
            await self._take_base()
            while self._state.stage not in ENDED:
                await self._cycle()
                if self._in.until:
                    return self._result()
        except FailureError as error:
            if not self._state.base:
                raise
            self._reason = details.cause(error)
            self._enter(Stage.FAILED)
        return await self._finish()

    async def _cycle(self) -> None:
        """One survey → plan → work → judge within a phase."""
        if not self._state.area_open:
            await self._survey_and_plan()
            if self._in.until or self._state.stage in ENDED:
                return
            await self._approve()
            if self._state.stage in ENDED:
                return
            await self._take_baseline()
            await self._open_queue()
        await self._work()
        await self._judge()
        if self._is_long():
            await self._continue()

    async def _read_order(self) -> MigrationOrder:
        return await workflow.execute_local_activity_method(
            RecordActivities.describe_migration,
            DescribeMigration(spec=self._in.spec),
            summary="read the spec",
            **LOCAL,
        )

    async def _take_base(self) -> None:
        if self._state.base:
            return
        base = await workflow.execute_activity_method(
            PlanningActivities.take_base,
            TakeBase(name=self._in.name, repository=self._in.repository),
            summary=f"pin {self._in.repository.base}",
            **GIT,
        )
        self._set(base=base, tip=base.commit)
        if self._in.until:
            return
        claimed = await workflow.execute_activity_method(
            IntegrationActivities.claim_branch,
            ClaimBranch(
                repository=self._in.repository, branch=self._branch(), at=base.commit
            ),
            summary=f"own {self._branch().name}",
            **GIT,
        )
        self._set(tip=claimed.tip, cycle=claimed.cycle, first_cycle=claimed.cycle)

    async def _survey_and_plan(self) -> None:
        assert self._order
        self._enter(Stage.SURVEY)
        phase = self._phase()
        survey = await self._survey(phase)
        self._set(survey=survey, sites_left=survey.sites)
        if not self._state.verdict:
            self._set(sites_at_start=max(self._state.sites_at_start, survey.sites))
        if survey.sites == 0 and not self._in.until:
            return await self._end_phase(Stage.DONE)
        self._enter(Stage.PLAN)
        plan = await workflow.execute_activity_method(
            PlanningActivities.make_plan,
            MakePlan(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                spec_digest=self._in.spec_digest,
                survey=survey,
                cycle=self._state.cycle + 1,
                given=self._in.plan if self._state.plan is None else None,
                handoffs=self._state.handoffs,
            ),
            summary=f"plan cycle {self._state.cycle + 1} of {phase}",
            **GIT,
        )
        self._set(plan=plan, cycle=self._state.cycle + 1)

    async def _approve(self) -> None:
        """The first plan waits for a person where the spec says so."""
        assert self._order
        if not self._order.approve_plan or self._state.approved:
            return
        self._enter(Stage.APPROVAL)
        await workflow.wait_condition(
            lambda: bool(self._state.approved or self._state.rejected or self._state.cancelled),
            timeout_summary="waiting for approval of the plan",
        )
        if self._state.rejected:
            self._reason = f"the plan was rejected: {self._state.rejected}"
            self._enter(Stage.CANCELLED)

    async def _take_baseline(self) -> None:
        if self._state.tip is None or self._state.cancelled:
            return
        self._enter(Stage.BASELINE)
        await workflow.execute_activity_method(
            ChecksActivities.take_baseline,
            TakeBaseline(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=self._phase(),
                commit=self._state.tip,
            ),
            summary="landing checks on the base, twice",
            **VERIFY,
        )

    async def _open_queue(self) -> None:
        """The migration starts its merge queue and closes it when the last candidate is answered."""
        assert self._state.base
        if self._state.queue_open:
            return
        await workflow.start_child_workflow(
            MergeQueueWorkflow.run,
            QueueInput(
                repository=self._in.repository,
                branch=self._branch(),
                spec=self._in.spec,
                phase=self._phase(),
                base=self._state.base.commit,
            ),
            id=self._queue_id(),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"lands on {self._branch().name}",
            search_attributes=workflow.info().typed_search_attributes.updated(
                MIGRATION_NAME.value_set(self._in.name)
            ),
        )
        self._set(queue_open=True)

    async def _close_queue(self) -> None:
        if not self._state.queue_open:
            return
        try:
            await workflow.get_external_workflow_handle(self._queue_id()).signal(CLOSE)
        except ApplicationError as error:
            workflow.logger.warning("the queue is gone already", exc_info=error)
        self._set(queue_open=False)

    async def _work(self) -> None:
        """Runs the area until it reports; an area that died is started anew."""
        assert self._order and self._state.plan and self._state.base and self._state.tip
        self._enter(Stage.WORK)
        self._report = None
        while not (self._report and self._report.final):
            if not self._state.area_open:
                await self._start_area()
            await self._steer_area()
            steering = self._steering()
            try:
                await workflow.wait_condition(
                    lambda s=steering: bool(self._report) or self._steering() != s,
                    timeout=RECHECK_CHILDREN,
                    timeout_summary=f"tasks at work: cycle {self._state.cycle}",
                )
            except TimeoutError:
                await self._recheck_area()
            if self._report and not self._report.final:
                self._report = None
                if self._is_long():
                    await self._continue()
        self._set(area_open=False)
        if self._report.handoff:
            self._set(handoffs=(*self._state.handoffs, self._report.handoff))

    async def _start_area(self) -> None:
        assert self._order and self._state.plan and self._state.base and self._state.tip
        steering = self._steering()
        child = await workflow.start_child_workflow(
            AreaWorkflow.run,
            AreaInput(
                name=self._in.name,
                area=AREA,
                parent=workflow.info().workflow_id,
                epoch=self._state.epoch,
                cycle=self._state.cycle,
                repository=self._in.repository,
                branch=self._branch(),
                queue=self._queue_id(),
                spec=self._in.spec,
                plan=self._state.plan.plan,
                phase=self._phase(),
                concurrency=self._order.concurrency,
                base=self._state.base.commit,
                tip=self._state.tip,
                paused=steering.paused,
                cancelled=steering.cancelled,
            ),
            id=area_id(self._in.name, AREA),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"cycle {self._state.cycle} of {self._phase()}",
            search_attributes=workflow.info().typed_search_attributes.updated(
                MIGRATION_NAME.value_set(self._in.name)
            ),
        )
        self._set(area_open=True, steered=steering)
        self._watcher = asyncio.create_task(self._watch(child))

    async def _watch(self, child: workflow.ChildWorkflowHandle[AreaWorkflow, Report]) -> None:
        try:
            self.report(await child)
        except FailureError as error:
            workflow.logger.error("the area died", exc_info=error)
            self._set(area_open=False)
            self._report = Report(
                child=AREA, start=self._state.cycle, epoch=self._state.epoch, final=False
            )

    async def _recheck_area(self) -> None:
        described = await workflow.execute_local_activity_method(
            RecordActivities.describe_runs,
            DescribeRuns(ids=(area_id(self._in.name, AREA),)),
            summary="is the area still there?",
            **LOCAL,
        )
        if described.runs[0].status != "RUNNING" and not self._report:
            self._set(area_open=False)

    def _steering(self) -> AreaSteering:
        return AreaSteering(paused=self._state.paused, cancelled=bool(self._state.cancelled))

    async def _steer_area(self) -> None:
        steering = self._steering()
        if steering == self._state.steered:
            return
        self._set(steered=steering)
        try:
            area = workflow.get_external_workflow_handle(area_id(self._in.name, AREA))
            await area.signal(STEER_AREA, steering)
        except ApplicationError as error:
            workflow.logger.warning("the area is gone", exc_info=error)

    async def _judge(self) -> None:
        """Countable evidence on the green tip decides whether another cycle is needed."""
        self._enter(Stage.JUDGE)
        landed_before = self._state.tip
        tip = await self._read_tip()
        self._set(tip=tip)
        survey = await self._survey(self._phase())
        verdict = await workflow.execute_activity_method(
            JudgingActivities.judge_cycle,
            JudgeCycle(survey=survey, handoffs=self._state.handoffs),
            summary="count what is left",
            **GIT,
        )
        idle = self._state.idle_cycles + 1 if tip == landed_before else 0
        self._set(verdict=verdict, sites_left=survey.sites, idle_cycles=idle)
        if self._state.cancelled:
            self._reason = self._state.cancelled
            return self._enter(Stage.CANCELLED)
        assert self._order
        left = self._order.cycles - (self._state.cycle - self._state.first_cycle)
        stage = judge.next_stage(verdict, idle, left)
        if stage is not Stage.PLAN:
            await self._end_phase(stage)

    async def _read_tip(self) -> str:
        assert self._state.base
        claimed = await workflow.execute_activity_method(
            IntegrationActivities.claim_branch,
            ClaimBranch(
                repository=self._in.repository,
                branch=self._branch(),
                at=self._state.base.commit,
            ),
            summary="where is the green tip?",
            **GIT,
        )
        return claimed.tip

    async def _survey(self, phase: str):  # noqa: ANN202
        assert self._state.tip
        return await workflow.execute_activity_method(
            SurveyActivities.take_survey,
            TakeSurvey(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=phase,
                commit=self._state.tip,
                handoffs=self._state.handoffs,
            ),
            summary=f"find the sites of {phase}",
            **VERIFY,
        )

    async def _end_phase(self, stage: Stage) -> None:
        """The next phase starts when this one's sites are gone; leftovers end the migration."""
        assert self._order
        if stage is Stage.DONE and self._state.phase + 1 < len(self._order.phases):
            await self._close_queue()
            return self._set(phase=self._state.phase + 1, idle_cycles=0, verdict=None)
        if stage is Stage.STOPPED:
            self._reason = "no progress in the last cycles"
        self._enter(stage)

    async def _finish(self) -> MigrationResult:
        await self._close_queue()
        assert self._state.base and self._state.tip
        written = await workflow.execute_activity_method(
            DeliveryActivities.write_report,
            WriteReport(
                name=self._in.name,
                spec=self._in.spec,
                repository=self._in.repository,
                branch=self._branch(),
                base=self._state.base.commit,
                tip=self._state.tip,
                outcome=self._state.stage,
                reason=self._reason,
                started_at=self._state.started_at,
                finished_at=workflow.now().isoformat(timespec="seconds"),
                sites_at_start=self._state.sites_at_start,
                sites_left=self._state.sites_left,
                cycles=self._state.cycle - self._state.first_cycle,
                handoffs=self._state.handoffs,
                decisions=self._state.decisions,
            ),
            summary="write the report",
            **DELIVER,
        )
        self._report_blob = written.report
        self._show()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._result()

    def _result(self) -> MigrationResult:
        verdict = self._state.verdict
        return MigrationResult(
            stage=self._state.stage,
            branch=self._branch().name,
            tip=self._state.tip,
            landed=self._state.counts.landed,
            leftovers=len(verdict.leftover_files) if verdict else 0,
            sites_left=self._state.sites_left,
            plan=self._state.plan,
            report=self._report_blob,
            reason=self._reason,
        )

    # What people say.

    @workflow.signal(name=REPORT)
    def report(self, report: Report) -> None:
        """The area's report; one of another cycle or epoch is ignored."""
        if report.epoch != self._state.epoch or report.start != self._state.cycle:
            return
        if self._report and self._report.final:
            return
        self._report = report
        self._set(counts=report.counts)
        self._show()

    @workflow.update
    def approve(self, command: Command) -> str:
        return self._apply("approve", command, approved=True)

    @approve.validator
    def _may_approve(self, command: Command) -> None:
        self._refuse_unless(self._state.stage is Stage.APPROVAL, command, "nothing waits for approval")

    @workflow.update
    def reject(self, command: Command) -> str:
        return self._apply("reject", command, rejected=command.reason or "no reason given")

    @reject.validator
    def _may_reject(self, command: Command) -> None:
        self._refuse_unless(self._state.stage is Stage.APPROVAL, command, "nothing waits for approval")

    @workflow.update
    def pause(self, command: Command) -> str:
        return self._apply("pause", command, paused=True)

    @pause.validator
    def _may_pause(self, command: Command) -> None:
        self._refuse_unless(not self._state.paused, command, "it is paused already")

    @workflow.update
    def resume(self, command: Command) -> str:
        return self._apply("resume", command, paused=False)

    @resume.validator
    def _may_resume(self, command: Command) -> None:
        self._refuse_unless(self._state.paused, command, "it is not paused")

    @workflow.update
    def cancel(self, command: Command) -> str:
        return self._apply("cancel", command, cancelled=command.reason or "cancelled")

    @cancel.validator
    def _may_cancel(self, command: Command) -> None:
        self._refuse_unless(not self._state.cancelled, command, "it is being cancelled already")

    @workflow.query
    def progress(self) -> Progress:
        return details.progress(self._in, self._state, self._order, self._phase(), self._report_blob)

    def _refuse_unless(self, holds: bool, command: Command, reason: str) -> None:
        if self._state.stage in ENDED:
            raise ApplicationError(f"refused: the migration has ended ({self._state.stage})")
        if not holds and all(d.id != command.id for d in self._state.decisions):
            raise ApplicationError(f"refused: {reason}")

    def _apply(self, verb: str, command: Command, **fields: object) -> str:
        if any(d.id == command.id for d in self._state.decisions):
            return f"{verb}: applied before"
        self._set(**fields)
        self._decide(verb, command)
        self._show()
        return f"{verb}: accepted"

    def _decide(self, verb: str, command: Command) -> None:
        decision = HumanDecision(
            id=command.id,
            verb=verb,
            actor=command.actor,
            reason=command.reason,
            at=workflow.now().isoformat(timespec="seconds"),
        )
        self._set(decisions=(*self._state.decisions, decision)[-MAX_DECISIONS:])

    # State.

    def _phase(self) -> str:
        return self._order.phases[self._state.phase] if self._order else ""

    def _branch(self) -> GreenBranch:
        assert self._order
        return GreenBranch(
            repository=self._in.repository.id, name=self._order.branch, migration=self._in.name
        )

    def _queue_id(self) -> str:
        return queue_id(self._in.repository.id, self._branch().name)

    def _set(self, **fields: object) -> None:
        self._state = self._state.model_copy(update=fields)

    def _enter(self, stage: Stage) -> None:
        self._set(stage=stage)
        counts = self._state.counts
        workflow.upsert_search_attributes(
            [
                STAGE.value_set(stage.value),
                SITES_LEFT.value_set(self._state.sites_left),
                TASKS_LEFT.value_set(counts.waiting + counts.running),
                NEEDS_HUMAN.value_set(stage in (Stage.APPROVAL, Stage.STOPPED, Stage.FAILED)),
            ]
        )
        self._show()

    def _show(self) -> None:
        workflow.set_current_details(details.markdown(self.progress()))

    def _is_long(self) -> bool:
        info = workflow.info()
        return (
            info.is_continue_as_new_suggested() or info.get_current_history_length() > HISTORY_EVENTS
        )

    async def _continue(self) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._in.model_copy(update={"state": self._state}))
