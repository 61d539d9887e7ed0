"""What a plan run can say of a phase before anything has landed.

The first phase is planned as it will be run. A later one is asked for its sites on the same base,
which earlier phases will have changed by then: it is planned anew when it begins.
"""

from temporalio.exceptions import ActivityError

from activities.contracts.base import CommitId
from activities.contracts.plan import PhaseOutlook
from activities.contracts.requests import MigrationOrder
from workflows import details
from workflows.steps import Steps


async def foresee(steps: Steps, order: MigrationOrder, phase: int, base: CommitId) -> PhaseOutlook:
    """Surveys and plans one phase; only what goes wrong with the first one is raised.

    A later phase whose sites are red results is not asked: they say nothing before its time. One
    that cannot be asked or planned on the base, perhaps for want of what an earlier phase creates,
    says why and does not hide the others.
    """
    name = order.phases[phase]
    if phase and order.by_results[phase]:
        return PhaseOutlook(phase=name)
    try:
        survey = await steps.survey(name, base, ())
        given = steps.given_plan(name, bound=phase == 0)
        plan = await steps.plan(survey, phase + 1, (), order.pilots[phase], given)
    except ActivityError as error:
        if not phase:
            raise
        return PhaseOutlook(phase=name, why=details.cause(error))
    return PhaseOutlook(phase=name, plan=plan)
