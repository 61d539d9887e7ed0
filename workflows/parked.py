"""ParkedTaskWorkflow: a task that stands still, because a person wants it to.

It only waits: it holds nothing, counts nothing down, and carries what its task has done. Runs of
tasks are pinned to the code they began on; this one is not, so a pause of weeks keeps no old worker
from its end, and what it wakes is a run of its task on the code of that day.
"""

import asyncio
from typing import NoReturn

from temporalio import workflow

from activities.contracts.children import STEER_TASK, TaskInput, TaskSteering
from activities.contracts.landing import Landing
from workflows.guided import newer

TASK = "TaskWorkflow"
"""By name, because its module imports this one."""


@workflow.defn
class ParkedTaskWorkflow:
    """Has the id of its task, between two runs of it."""

    @workflow.init
    def __init__(self, task: TaskInput) -> None:
        self._steering = task.steering
        self._answers: tuple[Landing, ...] = ()

    @workflow.run
    async def run(self, task: TaskInput) -> NoReturn:
        """Goes on when it may, when its migration ends, or when the queue has answered."""
        assert task.state
        why = task.steering.paused_by or "paused by a person"
        page = f"{task.task} {task.title}".strip()
        workflow.set_current_details(f"{page}\n\n**Waiting:** {why}; nothing is lost")
        try:
            await workflow.wait_condition(lambda: not self._steering.paused or bool(self._answers))
            cancelled = self._steering.draining
        except asyncio.CancelledError:
            cancelled = True
        answers = (*task.state.answers, *self._answers)
        state = task.state.model_copy(update={"answers": answers, "cancelled": cancelled})
        woken = task.model_copy(update={"state": state, "steering": self._steering})
        workflow.continue_as_new(workflow=TASK, args=[woken])

    @workflow.signal
    def landed(self, landing: Landing) -> None:
        """The queue's answer to what had asked to land before the pause."""
        self._answers = (*self._answers, landing)

    @workflow.signal(name=STEER_TASK)
    def steer_task(self, told: TaskSteering) -> None:
        """Go on, texts for later rungs, other limits."""
        self._steering = newer(self._steering, told)
