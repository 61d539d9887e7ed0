"""How a phase ends, and with the last one the migration.

The next phase starts when this one's sites are gone and its checks hold. What the base brought to
phases that were over begins them again, before the end.
"""

from collections.abc import Sequence

from temporalio import workflow

from activities.contracts.base import BlobRef
from activities.contracts.migration import Stage
from activities.contracts.moving_base import BaseSeen
from activities.contracts.plan import PlanSummary
from activities.contracts.reds import OpenRed, fix_task
from activities.contracts.survey import Survey
from workflows import deep_reds, judge, moving_base, time_limit
from workflows.behind import Behind
from workflows.following import Following
from workflows.landing_queue import LandingQueue
from workflows.steps import Steps


class Ending(Following):
    """From one phase to the next; the workflow class adds the story."""

    @property
    def _handoffs(self) -> tuple[BlobRef, ...]:
        """Of this phase."""
        return self.state.handoffs[self.state.earlier_handoffs :]

    def _landing_queue(self, steps: Steps) -> LandingQueue:
        """The phase's queue, in this run."""
        if self._queue is None:
            deep, paused = steps.deep_input(self.state), self.state.queue_paused
            self._queue = LandingQueue(
                steps.queue_input(self.state, self._phase),
                Behind(deep, self.state.deep_open, paused, self._wake, lambda: self.state.deep)
                if deep
                else None,
                self.state.queue_open,
                paused,
                self.state.followed.asked,
                self._wake,
            )
        return self._queue

    def _keep_in_mind(self, queue: LandingQueue) -> None:
        """What a later run has to know of the queue, and of what looks behind it."""
        deep_open = queue.behind is not None and queue.behind.kept.is_open
        self.set(queue_open=queue.kept.is_open, queue_paused=queue.is_paused, deep_open=deep_open)

    async def _close_queue(self, steps: Steps) -> None:
        if self.state.queue_open or self.state.deep_open:
            await self._landing_queue(steps).close()
        self._queue = None
        self.set(queue_open=False, queue_paused=False, deep_open=False)

    async def _end_phase(self, steps: Steps, stage: Stage) -> None:
        """Goes on with the next phase, with an earlier one, or ends the migration like this."""
        assert self._order
        last = self._is_last
        settled = stage is Stage.STOPPED or bool(self.state.cancelled)
        failed = "" if settled else await self._held_back(steps, last)
        if self.state.cancelled:
            self._reason = self.state.cancelled
            return self._enter(Stage.CANCELLED)
        if stage is Stage.STOPPED:
            self._reason = judge.why_stopped(self.state.idle_cycles)
        elif failed:
            if self._to_mend:
                return self._enter(Stage.PLAN)
            self._reason, stage = failed, Stage.STOPPED
        elif self.state.survey and self.state.survey.unplaced:
            self._reason = "some sites no task can take: a person has to place them"
        if stage is Stage.DONE and not last:
            return await self._begin(steps, self.state.phase + 1)
        if stage is Stage.DONE and (again := await self._reopened(steps)) is not None:
            return await self._begin(steps, again)
        if stage is Stage.DONE and self.state.followed.needs_person:
            stage = Stage.DONE_WITH_LEFTOVERS
        told = moving_base.told(self.state.followed, self.state.stands_on)
        self._reason = "; ".join(part for part in (self._reason, told) if part)
        self._enter(stage)

    @property
    def _is_last(self) -> bool:
        assert self._order
        return self.state.phase + 1 == len(self._order.phases)

    async def _accepted_at_the_end(self) -> bool:
        """Nothing else is left to do: a base that was rewritten waits for a person's word. Whether
        that was to accept it."""
        followed = self.state.followed
        open_still = followed.seen is BaseSeen.REWRITTEN and not followed.kept
        if not self._is_last or not open_still or self.state.cancelled:
            return False
        self._enter(Stage.JUDGE)
        await workflow.wait_condition(
            lambda: not self.state.followed.undecided or bool(self.state.cancelled),
            timeout_summary="waiting for a word on the base",
        )
        return not self.state.followed.kept and not self.state.cancelled

    async def _survey(self, steps: Steps) -> Survey:
        """The phase's sites on the green tip. Where none are left it is about to end: perhaps the
        base has some more."""
        survey = await self._found_on_tip(steps)
        while not survey.sites:
            self.set(tip=await self._newest_tip(steps, self._landing_queue(steps)))
            if self.state.tip != survey.commit:
                survey = await self._found_on_tip(steps)
            if survey.sites or not await self._accepted_at_the_end():
                break
        return survey

    async def _found_on_tip(self, steps: Steps) -> Survey:
        assert self.state.tip
        return await steps.survey(self._phase, self.state.tip, self._handoffs, self.state.base)

    async def _held_back(self, steps: Steps, last: bool) -> str:
        """Why the phase (the last one: the migration) may not end as it is; empty: it may."""
        assert self._order
        wanted = judge.gates(self._order.moments, last)
        red = await steps.gate(self.state, self._phase, wanted)
        if red or self.state.tip == self.state.stands_on:
            return red
        return await self._red_behind(steps)

    async def _red_behind(self, steps: Steps) -> str:
        """What the deep checks have against what landed, once they have looked at the end of it;
        empty: nothing, or it was cancelled meanwhile."""
        queue = self._landing_queue(steps)
        if queue.behind is None:
            return ""
        said = await queue.behind.to_the_end(lambda: not self.state.cancelled)
        self._keep_in_mind(queue)
        if said is None:
            return ""
        self.set(deep=said.model_copy(update={"closed": False}))
        return deep_reds.why_held(said.reds, self.state.mended, self._in.name)

    async def _held_for_good(self, steps: Steps) -> str:
        """Why nothing can be done any more about what an error budget holds; empty: nothing is
        held, or another cycle may mend it."""
        red = await self._red_behind(steps) if self.state.counts.held else ""
        held = self.state.deep is not None and self.state.deep.spent
        return red if held and not self._to_mend else ""

    @property
    def _to_mend(self) -> tuple[OpenRed, ...]:
        """What is red behind the landings and may have its fix task in another cycle: one each, in
        all of the migration's life."""
        assert self._order
        told = any(self._order.told[self.state.phase : self.state.phase + 1])
        over = self.state.cancelled or time_limit.is_over(self.state, self._order)
        if not told or over or self._cycles_left <= 0:
            return ()
        return deep_reds.to_mend(self.state.deep, self.state.mended)

    def _planned(self, plan: PlanSummary, reds: Sequence[OpenRed]) -> None:
        """The cycle has its plan, with what mends these reds: none of them gets another task."""
        ids = {red.id: fix_task(red.id, plan.cycle) for red in reds}
        fixes = {red: id if id in plan.fixes else "" for red, id in ids.items()}
        self.set(plan=plan, cycle=plan.cycle, mended={**self.state.mended, **fixes})
        if self.state.deep:
            self.set(deep=deep_reds.with_fixes(self.state.deep, self.state.mended))

    @property
    def _cycles_left(self) -> int:
        assert self._order
        cycles = self.state.limits.cycles or self._order.cycles
        return cycles - (self.state.cycle - self.state.first_cycle)

    async def _begin(self, steps: Steps, phase: int) -> None:
        """A later phase, or one that begins again: what its tasks did before still counts."""
        await self._close_queue(steps)
        again = phase <= self.state.phase
        self.set(
            phase=phase,
            earlier_handoffs=0 if again else len(self.state.handoffs),
            idle_cycles=0,
            verdict=None,
            released=again,
        )

    async def _reopened(self, steps: Steps) -> int | None:
        """The first phase that is over and to which the base has brought sites since."""
        assert self._order and self.state.tip and self.state.base  # noqa: PT018
        if self.state.stands_on == self.state.base.commit:
            return None
        for number, phase in enumerate(self._order.phases[:-1]):
            survey = await steps.survey(phase, self.state.tip, self.state.handoffs, self.state.base)
            if survey.sites:
                self._came_with_base(survey.sites)
                return number
        return None
