"""Plans a cycle by models: the root's planner, then, at once, one for each area that is opened.

Whatever keeps a planner from a plan, its files are divided by the phase's split, and the plan says
so. No planner waits for another one but for those of its areas.
"""

import asyncio
from typing import NamedTuple

from activities.contracts.agent import Allowance
from activities.contracts.base import BlobRef
from activities.contracts.conversation import plan_scope
from activities.contracts.money import NOTHING, Spend, Usd
from activities.contracts.plan_form import MAX_DEPTH, MAX_FILES
from activities.contracts.requests import GivenPlan
from activities.contracts.scopes import JoinedPlan, PlanScope
from workflows.options import PLANNER_TURNS
from workflows.plan_steps import PlanSteps
from workflows.talks import Talks

NO_MODEL = "no model worker"
BY_THE_SPLIT = "divided by the split"


class Thought(NamedTuple):
    """What planners came to."""

    spend: Spend = Spend()
    given: GivenPlan | None = None
    notes: BlobRef | None = None
    """Field notes, where they were rewritten."""
    note: str = ""
    """Why it is divided so, for people."""


class Planners:
    """Those of one cycle; lives inside its migration's run."""

    def __init__(self, steps: PlanSteps, talks: Talks) -> None:
        self._steps = steps
        self._talks = talks
        self._spend = Spend()
        self._said: list[str] = []

    async def plan(self, grant: Usd | None) -> Thought:
        """The cycle's plan. `grant`: what all planners may cost; None: no cap."""
        if not await self._talks.is_there_a_model():
            return Thought(note=f"{BY_THE_SPLIT}: {NO_MODEL}")
        joined = await self._plan(None, grant)
        return Thought(
            spend=self._spend,
            given=GivenPlan(plan=joined.plan) if joined.plan else None,
            notes=joined.notes,
            note="; ".join(self._said),
        )

    async def _plan(self, scope: PlanScope | None, grant: Usd | None) -> JoinedPlan:
        opened = await self._steps.open(scope, self._talks.attempt)
        scope = opened.scope
        divides = opened.files > MAX_FILES and scope.depth < MAX_DEPTH
        talked = await self._talks.hold(
            plan_scope(scope.cycle, scope.path),
            opened.talk,
            # Who has to open areas leaves half of it to their planners.
            Allowance(turns=PLANNER_TURNS, grant=grant / 2 if grant and divides else grant),
            f"plan {scope.area} of cycle {scope.cycle}",
        )
        self._spend += talked.spend
        drawn = await self._steps.draw(opened, talked.form)
        if talked.why:
            what = scope.area if scope.depth else "it"
            self._said.append(f"{what} is {BY_THE_SPLIT}: its planner {talked.why}")
        elif not scope.depth:
            self._said.append(drawn.summary)
        rest = None
        if grant is not None and drawn.areas:
            rest = max(grant - talked.spend.total, NOTHING) / len(drawn.areas)
        parts = await asyncio.gather(*(self._plan(area, rest) for area in drawn.areas))
        return await self._steps.join(opened, drawn.part, tuple(part.part for part in parts))
