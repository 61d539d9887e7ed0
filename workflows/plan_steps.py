"""The steps of planning a cycle: each asks one activity, decides nothing and remembers nothing."""

from temporalio import workflow

from activities.contracts.base import BlobRef
from activities.contracts.migration import MigrationInput
from activities.contracts.plan import PlanSummary
from activities.contracts.reds import OpenRed
from activities.contracts.requests import GivenPlan, MakePlan
from activities.contracts.scopes import (
    DrawnPlan,
    DrawPlan,
    JoinedPlan,
    JoinPlan,
    OpenedPlannerTalk,
    OpenPlannerTalk,
    PlanScope,
)
from activities.contracts.survey import Survey
from activities.planner import PlannerActivities
from activities.planning import PlanningActivities
from workflows.options import GIT


class PlanSteps:
    """The steps of planning one phase's cycle on one survey."""

    def __init__(
        self,
        migration: MigrationInput,
        survey: Survey,
        cycle: int,
        handoffs: tuple[BlobRef, ...] = (),
        notes: BlobRef | None = None,
        reds: tuple[OpenRed, ...] = (),
    ) -> None:
        self._in = migration
        self._survey = survey
        self.cycle = cycle
        self._handoffs = handoffs
        self._notes = notes
        self._reds = reds

    @property
    def has_sites(self) -> bool:
        """Whether there is anything to divide."""
        return self._survey.sites > 0

    def with_notes(self, notes: BlobRef | None) -> "PlanSteps":
        """The same, once field notes were rewritten."""
        survey, handoffs = self._survey, self._handoffs
        return PlanSteps(self._in, survey, self.cycle, handoffs, notes, self._reds)

    def given(self, bound: bool) -> GivenPlan | None:
        """The plan that the user made for the phase, if any; `bound`: to the base it names."""
        plan = self._in.plans.get(self._survey.phase)
        return GivenPlan(plan=plan, bound=bound) if plan else None

    async def make(self, pilot: int, given: GivenPlan | None, note: str = "") -> PlanSummary:
        """The plan that was given, or the split's. `note`: what people read beside it."""
        return await workflow.execute_activity_method(
            PlanningActivities.make_plan,
            MakePlan(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                spec_digest=self._in.spec_digest,
                survey=self._survey,
                cycle=self.cycle,
                given=given,
                handoffs=self._handoffs,
                pilot=pilot,
                notes=self._notes,
                note=note,
                reds=self._reds,
            ),
            summary=f"plan cycle {self.cycle} of {self._survey.phase}",
            **GIT,
        )

    async def open(self, scope: PlanScope | None, attempt: str) -> OpenedPlannerTalk:
        return await workflow.execute_activity_method(
            PlannerActivities.open_planner_talk,
            OpenPlannerTalk(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=self._survey.phase,
                survey=self._survey,
                cycle=self.cycle,
                attempt=attempt,
                scope=scope,
                handoffs=self._handoffs,
                notes=self._notes,
                reds=self._reds,
            ),
            summary=f"what the planner of {scope.area if scope else 'all'} has to know",
            **GIT,
        )

    async def draw(self, opened: OpenedPlannerTalk, form: BlobRef | None) -> DrawnPlan:
        return await workflow.execute_activity_method(
            PlannerActivities.draw_plan,
            DrawPlan(talk=opened.talk, form=form),
            summary=f"tasks and areas of {opened.scope.area}",
            **GIT,
        )

    async def join(
        self, opened: OpenedPlannerTalk, part: BlobRef, areas: tuple[BlobRef, ...]
    ) -> JoinedPlan:
        return await workflow.execute_activity_method(
            PlannerActivities.join_plan,
            JoinPlan(talk=opened.talk, spec_digest=self._in.spec_digest, part=part, areas=areas),
            summary=f"join {opened.scope.area} and its {len(areas)} areas",
            **GIT,
        )
