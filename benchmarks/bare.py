"""The bare shape that a task is held against: a child workflow with five no-op activities.

A parent keeps a window of children running, as an area does, and nothing else happens.
"""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

from activities.contracts.children import Report

PATIENCE = timedelta(seconds=30)


@activity.defn
async def nothing() -> None:
    """Does nothing."""


@workflow.defn
class BareChild:
    """Five activities, one after the other, on these queues."""

    @workflow.run
    async def run(self, queues: list[str]) -> None:
        for queue in queues:
            await workflow.execute_activity(
                nothing, task_queue=queue, start_to_close_timeout=PATIENCE
            )


@workflow.defn
class Listener:
    """Stands for the migration: takes what the area and the queue tell, until the final word."""

    def __init__(self) -> None:
        self._final = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._final)

    @workflow.signal
    def report(self, report: Report) -> None:
        self._final = self._final or report.final


@workflow.defn
class BareParent:
    """Runs `children` children, at most `window` at once."""

    @workflow.run
    async def run(self, children: int, window: int, queues: list[str]) -> None:
        room = asyncio.Semaphore(window)

        async def one(number: int) -> None:
            async with room:
                mine = workflow.info().workflow_id
                await workflow.execute_child_workflow(BareChild.run, queues, id=f"{mine}/{number}")

        await asyncio.gather(*(one(number) for number in range(children)))
