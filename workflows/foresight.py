"""What a plan run can say of a phase before anything has landed.

The first phase is planned as it will be run. A later one is asked for its sites on the same base,
which earlier phases will have changed by then: it is planned anew when it begins.
"""

from collections.abc import Awaitable, Callable

from temporalio.exceptions import ActivityError

from activities.contracts.base import CommitId
from activities.contracts.migration import MigrationInput
from activities.contracts.plan import PhaseOutlook, PlanSummary
from activities.contracts.requests import GivenPlan, MigrationOrder
from workflows import details
from workflows.plan_steps import PlanSteps
from workflows.steps import Steps

LATER = "as the split divides it; a model plans it when it begins"
MakesPlan = Callable[[PlanSteps, int, int, GivenPlan | None], Awaitable[PlanSummary]]
"""Of steps, the phase's place, the pilot's size and the user's own plan."""


async def foresee(
    steps: Steps,
    migration: MigrationInput,
    order: MigrationOrder,
    phase: int,
    base: CommitId,
    plan: MakesPlan,
) -> PhaseOutlook:
    """Surveys and plans one phase; only what goes wrong with the first one is raised. `plan` makes
    the first one's; a model plans no other, whose sites will be others by its time.

    A later phase whose sites are red results is not asked: they say nothing before its time. One
    that cannot be asked or planned on the base, perhaps for want of what an earlier phase creates,
    says why and does not hide the others.
    """
    name = order.phases[phase]
    if phase and order.by_results[phase]:
        return PhaseOutlook(phase=name)
    try:
        survey = await steps.survey(name, base, ())
        planning = PlanSteps(migration, survey, phase + 1)
        given, pilot = planning.given(bound=phase == 0), order.pilots[phase]
        if phase == 0:
            made = await plan(planning, phase, pilot, given)
        else:
            thinks = any(order.planners[phase : phase + 1]) and not given
            made = await planning.make(pilot, given, LATER if thinks else "")
    except ActivityError as error:
        if not phase:
            raise
        return PhaseOutlook(phase=name, why=details.cause(error))
    return PhaseOutlook(phase=name, plan=made)
