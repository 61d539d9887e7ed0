"""Asks what sites an attempt left, where no scan of its files can tell."""

from temporalio import workflow

from activities.contracts.children import TaskInput
from activities.contracts.requests import CountLeft, TaskOrder
from activities.contracts.work import Checkpoint
from activities.surveying import SurveyActivities
from workflows.options import VERIFY


async def counted(task: TaskInput, order: TaskOrder, checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with what it left. A scan told at the harvest; all else has to run."""
    if not order.recount:
        return checkpoint
    left = await workflow.execute_activity_method(
        SurveyActivities.count_left,
        CountLeft(
            name=task.name,
            repository=task.repository,
            spec=task.spec,
            phase=task.phase,
            commit=checkpoint.commit,
            claims=order.task.claims,
            changed=tuple(change.path for change in checkpoint.changed),
            survey=task.survey,
        ),
        summary="what sites are left",
        **VERIFY,
    )
    return checkpoint.model_copy(update={"left": left.files, "sites_left": left.sites})
