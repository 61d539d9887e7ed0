"""Carries a task's work from the base it was done on to another."""

from temporalio import workflow

from activities.contracts.children import TaskInput
from activities.contracts.climb import Climb
from activities.contracts.work_requests import Rework, Reworked
from activities.integration import IntegrationActivities
from workflows.options import GIT


async def reworked(task: TaskInput, commit: str, base: str, tip: str) -> Reworked:
    """merge(tip, checkpoint), or what conflicts."""
    return await workflow.execute_activity_method(
        IntegrationActivities.rework,
        Rework(
            name=task.name,
            repository=task.repository,
            task=task.task,
            commit=commit,
            old_base=base,
            new_base=tip,
            when=int(workflow.time()),
        ),
        summary="carry the work onto the green tip",
        **GIT,
    )


async def beginning(task: TaskInput, at: Climb) -> Climb:
    """Where a run begins: `at`, or with what an earlier start of the task did, carried onto the
    tip. Where that conflicts it is done anew."""
    resumes = None if task.state else task.resumes
    if resumes is None:
        return at
    moved = await reworked(task, resumes.commit, resumes.base, task.tip)
    if moved.commit is None:
        return at
    return at.model_copy(update={"start": moved.commit, "rung": resumes.rung, "unjudged": True})
