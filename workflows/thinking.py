"""What models decide for a migration, where a phase says so: its plans, and what they think of a
cycle.

A model's plan is validated like any other. What is not fit, or was not paid for, is divided by the
split; nothing that a model says ends a migration.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.contracts.conversation import life_name
from activities.contracts.opinion import Opinion
from activities.contracts.plan import PlanSummary
from activities.contracts.requests import GivenPlan
from activities.contracts.survey import Survey
from activities.contracts.talking import TalkSteering
from activities.errors import PLAN_REFUSED
from workflows import budget, details
from workflows.ending import Ending
from workflows.judges import Judges
from workflows.options import MAX_OPINIONS
from workflows.plan_steps import PlanSteps
from workflows.planners import BY_THE_SPLIT, Planners
from workflows.talks import Talks


class Thinking(Ending):
    """Holds conversations; the workflow class adds the story."""

    async def _plan(
        self, steps: PlanSteps, phase: int, pilot: int, given: GivenPlan | None
    ) -> PlanSummary:
        """The phase's plan for a cycle: the user's own, a model's where one plans it, or the
        split's."""
        assert self._order
        thinks = steps.has_sites and any(self._order.planners[phase : phase + 1])
        if given or not thinks:
            return await steps.make(pilot, given)
        grant = budget.share(self.state, self._order, budget.PLANS)
        thought = await Planners(steps, self._talks()).plan(grant)
        self.set(spend=self.state.spend + thought.spend, notes=thought.notes or self.state.notes)
        steps = steps.with_notes(self.state.notes)
        try:
            return await steps.make(pilot, thought.given, thought.note)
        except ActivityError as error:
            if thought.given is None or getattr(error.cause, "type", "") != PLAN_REFUSED:
                raise
            note = f"{BY_THE_SPLIT}, the planner's plan is not fit: {details.cause(error)}"
            return await steps.make(pilot, None, note)

    async def _opinion(self, survey: Survey) -> Opinion | None:
        """What a model thinks of the cycle, where the phase asks for it and something landed."""
        assert self._order and self.state.tip  # noqa: PT018
        place, before = self.state.phase, self.state.tip
        asked = any(self._order.judges[place : place + 1]) and survey.commit != before
        if not asked or self.state.cancelled:
            return None
        said = await Judges(self._in, self._talks()).judge(
            survey,
            self.state.cycle,
            before,
            self.state.survey.sites if self.state.survey else 0,
            self.state.handoffs[-1:],
            budget.share(self.state, self._order, budget.JUDGES),
        )
        opinions = (*self.state.opinions, said.opinion)[-MAX_OPINIONS:]
        self.set(spend=self.state.spend + said.spend, opinions=opinions)
        return said.opinion

    def _talks(self) -> Talks:
        life = life_name(workflow.info().first_execution_run_id)
        return Talks(self._in.name, life, self._wanted, resumable=not self._in.until)

    def _wanted(self) -> TalkSteering | None:
        """What conversations are told now; None: they are to end."""
        if self.state.cancelled:
            return None
        said = tuple(text.text for text in self.state.guidance if not text.target)
        return TalkSteering(paused=self.state.paused, guidance=said)
