"""MigrationWorkflow: one objective on one repository, from the pinned base to the report.

base → (survey → plan → approval → baseline → work → judge)* → report. What a person says comes as
updates: refusable, with who, why and an id, applied once. The whole state is one contract; a run
that grew long continues as new with it, in the middle of the work too.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.contracts.children import REPORT, AreaSteering, Report
from activities.contracts.migration import MigrationInput, MigrationResult, Stage
from activities.contracts.plan import PhaseOutlook
from workflows import budget, details, judge, renewing, time_limit
from workflows.delegation import Delegation
from workflows.draining import drained
from workflows.foresight import foresee
from workflows.options import is_long
from workflows.plan_steps import PlanSteps
from workflows.steered import ENDED
from workflows.steps import Steps, read_order
from workflows.thinking import Thinking


@workflow.defn
class MigrationWorkflow(Thinking):
    """The root planner."""

    @workflow.init
    def __init__(self, migration: MigrationInput) -> None:
        super().__init__(migration)
        self._delegation: Delegation | None = None
        self._early: list[Report] = []
        """Reports that came before this run got to its work."""

    @workflow.run
    async def run(self, migration: MigrationInput) -> MigrationResult:
        return await drained(self._story(), self.cancelled_through_temporal)

    async def _story(self) -> MigrationResult:
        self._order = await read_order(self._in.spec)
        steps = Steps(self._in, self._order)
        self._telling = asyncio.create_task(self._tell_need())
        try:
            await self._reserve()
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
        await steps.list_mcp_tools()
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
            found = await foresee(steps, self._in, self._order, phase, self.state.tip, self._plan)
            outlook.append(found)
        await self._refund()
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
        survey = await self._survey(steps)
        self._surveyed(survey)
        if self.state.verdict is None:
            self.set(sites_at_start=self.state.sites_at_start + survey.sites)
        reds = self._to_mend
        if survey.sites == 0 and not reds and not survey.follow_ups:
            await self._end_phase(steps, judge.at_the_end(survey.unplaced))
            return False
        self._enter(Stage.PLAN)
        cycle = self.state.cycle + 1
        first = self.state.plan is None or self.state.plan.phase != self._phase
        planning = PlanSteps(self._in, survey, cycle, self._handoffs, self.state.notes, reds)
        given = planning.given(judge.is_bound(self.state)) if first and survey.sites else None
        plan = await self._plan(planning, self.state.phase, self._pilot_size, given)
        self._planned(plan, reds)
        return True

    async def _take_baseline(self, steps: Steps) -> None:
        """What candidates are held against."""
        assert self.state.tip and self.state.plan  # noqa: PT018
        self._enter(Stage.BASELINE)
        tasks = self.state.plan.forecast.task_count
        taken = await steps.take_baseline(self._phase, self.state.tip, tasks)
        self.set(unverified=tuple(dict.fromkeys((*self.state.unverified, *taken.blind))))

    async def _work(self, steps: Steps) -> None:
        """Hands the plan to the area and waits for its report, steering it meanwhile."""
        assert self._order
        self._count_anew()
        # A new run goes on where the last one was: what waits for a person waits through it.
        self._enter(self.state.stage if self.state.area_open else Stage.WORK)
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
            counts, began = not time_limit.stands_still(self.state), workflow.time()
            time_left = time_limit.left(self.state, self._order)
            report = await delegation.advance(self._steering(), time_left, self._until_look())
            self.set(worked=self.state.worked + (workflow.time() - began) * counts)
            self.set(area_open=delegation.is_open, steered=delegation.told)
            self._keep_in_mind(queue)
            if report is None:
                await self._see_to_pilot(steps, delegation.pilot)
                await self._follow(steps, queue)
            if report is None and is_long():
                await self._continue()
        self._delegation = None
        self.forget_tasks()
        self.set(area_open=False, counts=report.counts)
        if report.handoff:
            self.set(handoffs=(*self.state.handoffs, report.handoff))

    async def _judge(self, steps: Steps) -> None:
        """Countable evidence on the green tip decides whether another cycle is needed."""
        assert self._order and self.state.base  # noqa: PT018
        await self.unpaused()
        self._enter(Stage.JUDGE)
        tip = await self._newest_tip(steps, self._landing_queue(steps))
        idle = 0 if self.state.counts.landed else self.state.idle_cycles + 1
        survey = await steps.survey(
            self._phase, tip, self._handoffs, self.state.base, self.state.survey
        )
        verdict = await steps.judge(survey, self._handoffs)
        opinion = await self._opinion(survey)
        self._surveyed(survey)
        self._came_with_base(survey.from_base)
        self.set(sites_at_start=self.state.sites_at_start + survey.from_base)
        self.set(tip=tip, seen=tip, verdict=verdict)
        counts = self.state.counts.model_copy(update={"sites_gone": 0})
        self.set(counts=counts, idle_cycles=idle)
        if self.state.cancelled:
            self._reason = self.state.cancelled
            return self._enter(Stage.CANCELLED)
        stage, self._reason = self._after_pilot
        if stage in ENDED:
            return self._enter(stage)
        if held := await self._held_for_good(steps):
            self._reason = held
            return self._enter(Stage.STOPPED)
        stage = judge.next_stage(verdict, idle, self._cycles_left)
        if stage is not Stage.DONE and time_limit.is_over(self.state, self._order):
            self._reason = time_limit.why(self.state, self._order)
            return self._enter(Stage.STOPPED)
        stage, self._reason = judge.weighed(stage, opinion)
        if stage is Stage.PLAN:
            return
        if stage is not Stage.STOPPED and await self._accepted_at_the_end():
            return await self._judge(steps)
        await self._end_phase(steps, stage)

    async def _finish(self, steps: Steps) -> MigrationResult:
        await self._close_queue(steps)
        written = await steps.write_report(self.state, self._reason)
        self._report_blob = written.report
        self.set(unverified=written.unverified)
        await self._refund()
        self.show()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._result()

    @workflow.signal(name=REPORT)
    def report(self, report: Report) -> None:
        """The area's report; one of another cycle or epoch is ignored."""
        if self._delegation is None:
            self._early.append(report)
        elif self._delegation.hear(report):
            self.set(counts=report.counts, seen=report.landed or self.state.seen)
            self.show()

    def changed(self) -> None:
        """A person said something: the area may have to be told."""
        self._wake()
        self.show()

    def _wake(self) -> None:
        if self._delegation:
            self._delegation.wake()

    def _steering(self) -> AreaSteering:
        stage, _ = self._after_pilot
        over = stage in ENDED or (self._order and time_limit.is_over(self.state, self._order))
        ends = {"cancelled": True, "paused": False} if over else {}
        money = budget.of_cycle(self.state, self._order) if self._order else {}
        wanted = {"released": self.state.released, **money, **ends}
        return self.steering().model_copy(update=wanted)

    async def _continue(self) -> None:
        await self._look_ends()
        await renewing.alone()
        if not (self._delegation and self._delegation.has_heard):
            workflow.continue_as_new(self._in.model_copy(update={"state": self.state}))
