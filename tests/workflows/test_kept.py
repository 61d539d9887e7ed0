"""Children that a migration keeps open: one that dies is replaced, an earlier life's ends first."""

import asyncio

from conftest import asking
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.contracts.children import AreaInput, QueueInput
from activities.contracts.landing import Candidate
from activities.contracts.migration import Stage
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.work import TaskStatus as Status
from workflows import options
from workflows.area import AreaWorkflow
from workflows.merge_queue import MergeQueueWorkflow


def green(world) -> GreenBranch:
    return GreenBranch(
        repository=f"{world.name}-00000000", name=f"whimbrel/{world.name}", migration=world.name
    )


async def a_queue(stage, world) -> WorkflowHandle:
    """The queue of an earlier life of the migration, still open."""
    branch = green(world)
    return await stage.client.start_workflow(
        MergeQueueWorkflow.run,
        QueueInput(
            repository=Repository(url="/nowhere", id=branch.repository),
            branch=branch,
            spec=stage.given(world).spec,
            phase="main",
            base=world.base,
        ),
        id=options.queue_id(branch.repository, branch.name),
        task_queue=options.CONTROL,
    )


async def replaced(queue: WorkflowHandle, run: str | None) -> None:
    """Returns once another run is there."""
    async with asyncio.timeout(20):
        while True:
            if (await queue.describe()).run_id != run:
                return
            await asyncio.sleep(0.02)


async def status(handle: WorkflowHandle) -> WorkflowExecutionStatus | None:
    return (await handle.describe()).status


async def test_a_queue_that_dies_is_replaced_and_what_comes_then_lands(stage):
    world = stage.world("k-dies", a="old", b="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    queue = await asking(stage, world, 0)
    first = await queue.describe()
    await queue.terminate("the test kills it")
    gate.open()
    report = stage.report(await handle.result())
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    assert (await queue.describe()).run_id != first.run_id


async def test_a_queue_that_dies_each_time_fails_the_migration_and_frees_its_tasks(stage):
    world = stage.world("k-dies-on", a="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    queue = await asking(stage, world, 0)
    for death in range(1, options.MAX_STARTS + 1):
        run = (await queue.describe()).run_id
        await queue.terminate("again")
        if death < options.MAX_STARTS:
            await replaced(queue, run)
    result = await asyncio.wait_for(handle.result(), 20)
    assert result.stage is Stage.FAILED
    assert "the merge queue died 3 times" in result.reason
    area = stage.client.get_workflow_handle(options.area_id(world.name, "root"))
    await asyncio.wait_for(area.result(), 20)
    gate.open()


async def test_a_queue_of_an_earlier_life_ends_before_another_opens(stage):
    world = stage.world("k-earlier-queue", a="old")
    left = await a_queue(stage, world)
    report = await stage.run(world)
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    earlier = stage.client.get_workflow_handle(left.id, run_id=left.first_execution_run_id)
    assert await status(earlier) is WorkflowExecutionStatus.COMPLETED


async def test_an_area_of_an_earlier_life_ends_before_another_opens(stage):
    world = stage.world("k-earlier-area", a="old", b="old")
    given = stage.given(world, **stage.planned(world, ("a.py",)))
    gate = world.hold("run_rung")
    inbox = await stage.inbox("k-earlier-planner")
    left = await stage.client.start_workflow(
        AreaWorkflow.run,
        AreaInput(
            name=world.name,
            area="root",
            parent=inbox.id,
            epoch="of an earlier life",
            cycle=1,
            repository=given.repository,
            branch=green(world),
            queue="nobody",
            spec=given.spec,
            plan=given.plans["main"],
            phase="main",
            concurrency=1,
            base=world.base,
            tip=world.base,
        ),
        id=options.area_id(world.name, "root"),
        task_queue=options.CONTROL,
    )
    await asyncio.wait_for(gate.reached.wait(), 20)
    handle = await stage.start(world)
    earlier = await asyncio.wait_for(left.result(), 20)
    assert (earlier.final, earlier.counts.other) == (True, 1)
    gate.open()
    report = stage.report(await handle.result())
    assert {h.status for h in report.handoffs} == {Status.LANDED}


async def test_a_branch_that_somebody_moved_is_composed_on_anew(stage):
    world = stage.world("k-moved", a="old", b="old")
    world.failures["land"] = [ApplicationError("elsewhere", type="BranchMoved")]
    report = await stage.run(world)
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    assert all(h.bounces == 0 for h in report.handoffs)
    assert len(world.asked("compose_batch")) > len(world.chain())


async def test_a_withdrawal_is_answered_by_a_queue_that_never_heard_of_the_candidate(stage):
    world = stage.world("k-unknown", a="old")
    queue, task = await a_queue(stage, world), await stage.inbox("k-unknown-task")
    candidate = Candidate(
        migration=world.name,
        task="c1-0001",
        commit=world.base,
        base=world.base,
        title="t",
        claims=("a.py",),
        reply_to=task.id,
    )
    await queue.signal("withdraw", candidate)
    (answer,) = await task.execute_update("await_letters", args=["landed", 1])
    assert (answer["candidate"], answer["outcome"]) == (candidate.id, "withdrawn")
    # The same of one that an earlier queue landed, and died before it said so.
    world.tip = world.commit({"a.py": "new"}, (world.base,), "earlier", (candidate.task,))
    await queue.signal("withdraw", candidate)
    _, answer = await task.execute_update("await_letters", args=["landed", 2])
    assert (answer["outcome"], answer["commit"]) == ("landed", world.tip)
    await queue.cancel()
    assert (await queue.result()).landed == 0


async def test_a_cancel_of_an_area_through_temporal_drains_it(stage):
    world = stage.world("k-cancel-area", a="old", b="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world, spec={"limits": {"concurrency": 1}})
    await asyncio.wait_for(gate.reached.wait(), 20)
    area = stage.client.get_workflow_handle(options.area_id(world.name, "root"))
    await area.cancel()
    await asyncio.wait_for(area.result(), 20)
    gate.open()
    report = stage.report(await handle.result())
    assert {h.status for h in report.handoffs} == {Status.CANCELLED}
