"""MigrationWorkflow: one objective on one repository, from the pinned base to the report.

base → (survey → plan → approval → baseline → work → judge)* → report. What a person says comes as
updates: refusable, with who, why and an id, applied once. The whole state is one contract; a run
that grew long continues as new with it, in the middle of the work too.
"""

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.contracts.base import BlobRef
from activities.contracts.children import REPORT, AreaSteering, Report, TaskCounts
from activities.contracts.evidence import Moment
from activities.contracts.migration import (
    MigrationInput,
    MigrationResult,
    MigrationState,
    Progress,
    Stage,
)
from activities.contracts.plan import PhaseOutlook
from activities.contracts.requests import MigrationOrder
from workflows import attempts, details, judge
from workflows.commanded import Commanded
from workflows.delegation import Delegation
from workflows.draining import drained
from workflows.foresight import foresee
from workflows.landing_queue import LandingQueue
from workflows.options import (
    NEEDS_HUMAN,
    SITES_LEFT,
    STAGE,
    TASKS_LEFT,
    is_long,
)
from workflows.steered import ENDED
from workflows.steps import Steps, read_order


@workflow.defn
class MigrationWorkflow(Commanded):
    """The root planner."""

    @workflow.init
    def __init__(self, migration: MigrationInput) -> None:
        self._in = migration
        self.name = migration.name
        self.state = migration.state or MigrationState(
            epoch=workflow.info().first_execution_run_id,
            started_at=workflow.now().isoformat(timespec="seconds"),
        )
        self._order: MigrationOrder | None = None
        self._queue: LandingQueue | None = None
        self._delegation: Delegation | None = None
        self._early: list[Report] = []
        """Reports that came before this run got to its work."""
        self._report_blob: BlobRef | None = None
        self._reason = ""
        self._unverified: tuple[str, ...] = ()

    @workflow.run
    async def run(self, migration: MigrationInput) -> MigrationResult:
        return await drained(self._story(), self.cancelled_through_temporal)

    async def _story(self) -> MigrationResult:
        self._order = await read_order(self._in.spec)
        steps = Steps(self._in, self._order)
        try:
            await self._take_base(steps)
            if self._in.until:
                return await self._foresee(steps)
            while self.state.stage not in ENDED:
                await self._cycle(steps)
        except FailureError as error:
            if not self.state.base:
                raise
            self._reason = details.cause(error)
            if self._delegation:
                await self._delegation.give_up()
            self._enter(Stage.FAILED)
            if self._in.until:
                return self._result()
        return await self._finish(steps)

    async def _take_base(self, steps: Steps) -> None:
        if self.state.base:
            return
        base = await steps.take_base()
        self.set(base=base, tip=base.commit)
        if not self._in.until:
            claimed = await steps.claim_branch(base.commit)
            self.set(tip=claimed.tip, cycle=claimed.cycle, first_cycle=claimed.cycle)

    async def _foresee(self, steps: Steps) -> MigrationResult:
        """A plan run: nothing is claimed, and nothing begins."""
        assert self._order and self.state.tip  # noqa: PT018
        outlook: list[PhaseOutlook] = []
        for phase in range(len(self._order.phases)):
            self.set(phase=phase)
            self._enter(Stage.PLAN)
            outlook.append(await foresee(steps, self._order, phase, self.state.tip))
        return details.result(self.state, self._order, None, "").model_copy(
            update={"plan": outlook[0].plan, "outlook": tuple(outlook)}
        )

    async def _cycle(self, steps: Steps) -> None:
        """One survey → plan → work → judge within a phase."""
        if not self.state.area_open:
            planned = await self._survey_and_plan(steps)
            if not planned or not await self._approved():
                return
            await self._take_baseline(steps)
        await self._work(steps)
        await self._judge(steps)
        if self.state.stage not in ENDED and is_long():
            await self._continue()

    async def _survey_and_plan(self, steps: Steps) -> bool:
        """False when there is nothing to plan: the phase is over."""
        assert self.state.tip
        await self.unpaused()
        self._enter(Stage.SURVEY)
        survey = await steps.survey(self._phase, self.state.tip, self._handoffs)
        self.set(survey=survey, sites_left=survey.sites)
        if self.state.verdict is None:
            self.set(sites_at_start=self.state.sites_at_start + survey.sites)
        if survey.sites == 0:
            await self._end_phase(steps, judge.at_the_end(survey.unplaced))
            return False
        self._enter(Stage.PLAN)
        cycle = self.state.cycle + 1
        given = self._in.plan if self.state.plan is None and self.state.phase == 0 else None
        plan = await steps.plan(survey, cycle, given, self._handoffs, self._pilot_size)
        self.set(plan=plan, cycle=cycle)
        return True

    async def _approved(self) -> bool:
        """The first plan waits for a person where the spec says so."""
        assert self._order
        if self._order.approve_plan and not self.state.approved:
            self._enter(Stage.APPROVAL)
            await workflow.wait_condition(
                lambda: bool(self.state.approved or self.state.rejected or self.state.cancelled),
                timeout_summary="waiting for approval of the plan",
            )
        if self.state.rejected:
            self._reason = f"the plan was rejected: {self.state.rejected}"
        if self.state.rejected or self.state.cancelled:
            self._reason = self._reason or self.state.cancelled
            self._enter(Stage.CANCELLED)
            return False
        return True

    async def _take_baseline(self, steps: Steps) -> None:
        """What candidates are held against."""
        assert self.state.tip and self.state.plan  # noqa: PT018
        self._enter(Stage.BASELINE)
        tasks = self.state.plan.forecast.task_count
        await steps.take_baseline(self._phase, self.state.tip, tasks)

    async def _work(self, steps: Steps) -> None:
        """Hands the plan to the area and waits for its report, steering it meanwhile."""
        self._count_anew()
        self._enter(Stage.WORK)
        queue = self._landing_queue(steps)
        delegation = self._delegation = Delegation(
            steps.area_input(self.state, self._phase, queue.id),
            queue,
            self.state.area_open,
            self.state.steered,
        )
        for early in self._early:
            delegation.hear(early)
        self._early = []
        report: Report | None = None
        while report is None:
            report = await delegation.advance(self._steering())
            self.set(area_open=delegation.is_open, steered=delegation.told)
            self.set(queue_open=queue.kept.is_open, queue_paused=queue.is_paused)
            if report is None:
                await self._see_to_pilot(steps, delegation.pilot)
            if report is None and is_long():
                await self._continue()
        self._delegation = None
        self.forget_tasks()
        self.set(area_open=False, counts=report.counts)
        if report.handoff:
            self.set(handoffs=(*self.state.handoffs, report.handoff))

    def _count_anew(self) -> None:
        """An area that is not open yet starts a cycle: what counts say is of the one before."""
        if not self.state.area_open:
            landed = self.state.landed_before + self.state.counts.landed
            self.set(landed_before=landed, counts=TaskCounts())

    async def _see_to_pilot(self, steps: Steps, handoffs: BlobRef | None) -> None:
        """Judges a pilot that is over, once; a person or its landings let the others start."""
        if handoffs and self.state.pilot is None and not self.state.released:
            found = await steps.judge_pilot(self.state, handoffs)
            self.set(pilots=(*self.state.pilots, found))
        stage, _ = self._after_pilot
        if self.state.pilot and stage is Stage.WORK:
            self.set(released=True)
        waits = stage is Stage.APPROVAL and not self.state.cancelled
        stage = Stage.APPROVAL if waits else Stage.WORK
        if self.state.stage is not stage:
            self._enter(stage)

    @property
    def _after_pilot(self) -> tuple[Stage, str]:
        assert self._order
        return judge.after_pilot(self.state, self._order.approve_pilot)

    @property
    def _pilot_size(self) -> int:
        """How many tasks go first, until a pilot of the phase has let the others start."""
        sizes = self._order.pilots if self._order else ()
        return sizes[self.state.phase] if sizes and not self.state.released else 0

    def _landing_queue(self, steps: Steps) -> LandingQueue:
        """The phase's queue, in this run."""
        if self._queue is None:
            self._queue = LandingQueue(
                steps.queue_input(self.state, self._phase),
                self.state.queue_open,
                self.state.queue_paused,
                self._wake,
            )
        return self._queue

    async def _close_queue(self, steps: Steps) -> None:
        if self.state.queue_open:
            await self._landing_queue(steps).close()
        self._queue = None
        self.set(queue_open=False, queue_paused=False)

    async def _judge(self, steps: Steps) -> None:
        """Countable evidence on the green tip decides whether another cycle is needed."""
        assert self._order
        assert self.state.base
        await self.unpaused()
        self._enter(Stage.JUDGE)
        tip = (await steps.claim_branch(self.state.base.commit)).tip
        idle = self.state.idle_cycles + 1 if tip == self.state.tip else 0
        survey = await steps.survey(self._phase, tip, self._handoffs)
        verdict = await steps.judge(survey, self._handoffs)
        self.set(tip=tip, seen=tip, verdict=verdict, survey=survey)
        counts = self.state.counts.model_copy(update={"sites_gone": 0})
        self.set(sites_left=survey.sites, counts=counts, idle_cycles=idle)
        if self.state.cancelled:
            self._reason = self.state.cancelled
            return self._enter(Stage.CANCELLED)
        stage, self._reason = self._after_pilot
        if stage in ENDED:
            return self._enter(stage)
        cycles = self.state.limits.cycles or self._order.cycles
        cycles_left = cycles - (self.state.cycle - self.state.first_cycle)
        stage = judge.next_stage(verdict, idle, cycles_left)
        if stage is not Stage.PLAN:
            await self._end_phase(steps, stage)

    async def _end_phase(self, steps: Steps, stage: Stage) -> None:
        """The next phase starts when this one's sites are gone and its checks hold."""
        assert self._order
        last = self.state.phase + 1 == len(self._order.phases)
        if stage is Stage.STOPPED:
            self._reason = "no progress in the last cycles"
        elif failed := await self._gate(steps, last):
            self._reason, stage = failed, Stage.STOPPED
        elif self.state.survey and self.state.survey.unplaced:
            self._reason = "some sites no task can take: a person has to place them"
        if stage is not Stage.DONE or last:
            return self._enter(stage)
        await self._close_queue(steps)
        self.set(
            phase=self.state.phase + 1,
            earlier_handoffs=len(self.state.handoffs),
            idle_cycles=0,
            verdict=None,
            released=False,
        )

    async def _gate(self, steps: Steps, last: bool) -> str:
        """Why the phase (the last one: the migration) may not end as it is; empty: it may."""
        assert self._order and self.state.tip and self.state.base  # noqa: PT018
        for moment in (Moment.PHASE, Moment.END) if last else (Moment.PHASE,):
            if moment in self._order.moments:
                evidence = await steps.check(
                    self._phase, moment, self.state.tip, self.state.base.commit
                )
                if not evidence.passed:
                    return f"checks at the {moment} are red: {attempts.why(evidence)}"
        return ""

    async def _finish(self, steps: Steps) -> MigrationResult:
        await self._close_queue(steps)
        written = await steps.write_report(self.state, self._reason)
        self._report_blob, self._unverified = written.report, written.unverified
        self.show()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._result()

    def _result(self) -> MigrationResult:
        ended = details.result(self.state, self._order, self._report_blob, self._reason)
        return ended.model_copy(update={"unverified": self._unverified})

    @workflow.signal(name=REPORT)
    def report(self, report: Report) -> None:
        """The area's report; one of another cycle or epoch is ignored."""
        if self._delegation is None:
            self._early.append(report)
        elif self._delegation.hear(report):
            self.set(counts=report.counts, seen=report.landed or self.state.seen)
            self.show()

    @workflow.query
    def progress(self) -> Progress:
        return details.progress(self._in, self.state, self._order, self._phase, self._report_blob)

    @property
    def _phase(self) -> str:
        return self._order.phases[self.state.phase] if self._order else ""

    @property
    def _handoffs(self) -> tuple[BlobRef, ...]:
        """Of this phase."""
        return self.state.handoffs[self.state.earlier_handoffs :]

    def changed(self) -> None:
        """A person said something: the area may have to be told."""
        self._wake()
        self.show()

    def _wake(self) -> None:
        if self._delegation:
            self._delegation.wake()

    def _steering(self) -> AreaSteering:
        stage, _ = self._after_pilot
        ends = {"cancelled": True, "paused": False} if stage in ENDED else {}
        return self.steering().model_copy(update={"released": self.state.released, **ends})

    def _enter(self, stage: Stage) -> None:
        """A new stage, shown to people: search attributes and current details."""
        self.set(stage=stage)
        counts = self.state.counts
        workflow.upsert_search_attributes(
            [
                STAGE.value_set(stage.value),
                SITES_LEFT.value_set(self.state.sites_left),
                TASKS_LEFT.value_set(counts.waiting + counts.running),
                NEEDS_HUMAN.value_set(stage in (Stage.APPROVAL, Stage.STOPPED, Stage.FAILED)),
            ]
        )
        self.show()

    def show(self) -> None:
        workflow.set_current_details(details.markdown(self.progress()))

    async def _continue(self) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._in.model_copy(update={"state": self.state}))
