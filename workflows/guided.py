"""What a task was last told by its planner, and where it stands still.

A paused task finishes the step it is in and waits at the next one: nothing counts down meanwhile,
so however long that takes, its history does not grow, and it holds no workspace.
"""

import asyncio

from temporalio import workflow

from activities.contracts.children import TaskSteering


class Guided:
    """One task's steering; lives inside its workflow run."""

    def __init__(self, first: TaskSteering) -> None:
        self.now = first

    def hear(self, told: TaskSteering) -> None:
        """Takes a letter; one that was overtaken on its way changes nothing."""
        if told.number > self.now.number:
            self.now = told

    async def may_go_on(self) -> None:
        """Returns when it is not paused; a cancellation gets through."""
        end_if_cancelled()
        if self.now.paused:
            workflow.set_current_details("Paused by a person: nothing is lost.")
            await workflow.wait_condition(lambda: not self.now.paused)
            workflow.set_current_details("")


def end_if_cancelled() -> None:
    """A cancellation that a step did not hear before it ended is used up by it: here it counts."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
