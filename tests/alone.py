"""One task between a planner and a queue that are inboxes: the test itself plays both."""

import asyncio
from dataclasses import dataclass
from typing import Any

from builders import REPOSITORY, a_branch, a_plan, a_spec, a_task
from conftest import Stage
from inbox import Inbox
from temporalio.client import WorkflowHandle
from world import World

from activities.contracts.children import (
    ENQUEUE,
    LANDED,
    REPORT,
    STEER_TASK,
    WITHDRAW,
    Report,
    TaskInput,
    TaskSteering,
)
from activities.contracts.landing import Candidate, Landing, Outcome
from activities.contracts.work import Handoff
from tests.service import eventually
from workflows import options
from workflows.parked import ParkedTaskWorkflow
from workflows.task import TaskWorkflow


@dataclass
class Alone:
    """One task between a planner and a queue that are inboxes."""

    stage: Stage
    world: World
    task: WorkflowHandle[TaskWorkflow, Report]
    parent: WorkflowHandle[Inbox, bool]
    queue: WorkflowHandle[Inbox, bool]

    async def candidate(self, number: int = 1) -> Candidate:
        """The task's nth request to land."""
        asked = await self.queue.execute_update(Inbox.await_letters, args=[ENQUEUE, number])
        return Candidate.model_validate(asked[number - 1])

    async def enqueued(self) -> int:
        return len(await self.queue.query(Inbox.letters, ENQUEUE))

    async def cancel(self) -> str:
        """Cancels the task; the candidate id that it withdraws."""
        await self.task.cancel()
        (taken,) = await self.queue.execute_update(Inbox.await_letters, args=[WITHDRAW, 1])
        return Candidate.model_validate(taken).id

    async def answer(self, candidate: Candidate, outcome: Outcome, **more: Any) -> None:
        more = {"tip": self.world.tip, **more}
        landing = Landing(task=candidate.task, candidate=candidate.id, outcome=outcome, **more)
        await self.task.signal(LANDED, landing)

    async def pause(self, number: int) -> None:
        await self.task.signal(STEER_TASK, TaskSteering(number=number, paused=True))

    async def resume(self, number: int) -> None:
        await self.task.signal(STEER_TASK, TaskSteering(number=number))

    async def parked(self) -> None:
        """Returns once nothing of it is at work."""

        async def is_parked() -> bool:
            return (await self.task.describe()).workflow_type == ParkedTaskWorkflow.__name__

        await eventually(is_parked)

    async def handoff(self) -> Handoff:
        """How it ended; its planner was told the same, once."""
        report = await asyncio.wait_for(self.task.result(), 20)
        letters = await self.parent.execute_update(Inbox.await_letters, args=[REPORT, 1])
        assert [Report.model_validate(letter) for letter in letters] == [report]
        assert report.handoff
        return self.stage.blobs.get_model(report.handoff, Handoff)


async def alone(
    stage: Stage,
    world: World,
    epoch: str = "",
    rung: Any = "codemod",
    resolver: str = "",
    has_model: bool = False,
) -> Alone:
    """Starts one task over all files of a world; its rungs are all of this kind."""
    name = world.name
    parent, queue = await stage.inbox(f"{name}-planner"), await stage.inbox(f"{name}-queue")
    plan = a_plan(name, world.base, a_task("c1-0001", *world.tree(world.base)))
    given = TaskInput(
        name=name,
        task="c1-0001",
        start=0,
        parent=parent.id,
        epoch=epoch or str(parent.first_execution_run_id),
        repository=REPOSITORY,
        branch=a_branch(name),
        queue=queue.id,
        spec=stage.blobs.put_model(
            name, a_spec(name, [rung for _ in world.rungs], resolver=resolver)
        ),
        plan=stage.blobs.put_model(name, plan),
        phase="main",
        tip=world.base,
        has_model=has_model,
    )
    id = options.task_id(name, "c1-0001", 0)
    task = await stage.client.start_workflow(
        TaskWorkflow.run, given, id=id, task_queue=options.CONTROL
    )
    return Alone(stage, world, task, parent, queue)
