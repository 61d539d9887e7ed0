"""Runs that grew long go on in a fresh one: nobody is lost, nothing is done twice.

The server suggests to continue as new after SUGGEST_AT events; letters that nobody acts on get a
workflow there.
"""

import asyncio

from builders import REPOSITORY, a_branch, a_spec
from conftest import SUGGEST_AT, Stage, a_command, asking, rested
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.worker import Worker
from world import World

from activities.contracts.children import CLOSE, ENQUEUE, PAUSE, REPORT, QueueInput, Report
from activities.contracts.landing import Candidate
from activities.contracts.messages import AnswerTasks
from activities.contracts.migration import MigrationState
from activities.contracts.migration import Stage as At
from activities.contracts.work import TaskStatus as Status
from roles.control import workflow_runner
from workflows import options
from workflows.merge_queue import MergeQueueWorkflow
from workflows.migration import MigrationWorkflow

STALE = Report(child="c1-0001", start=0, epoch="of another life", status=Status.CANNOT)


async def grow(handle: WorkflowHandle, signal: str, letter: object) -> None:
    """As many letters as make a history long."""
    for _ in range(SUGGEST_AT // 50 + 1):
        await asyncio.gather(*(handle.signal(signal, letter) for _ in range(50)))


async def runs_of(stage: Stage, id: str) -> int:
    """How many runs there have been, by following the chain back from the latest; every other one
    ended in a workflow task that did nothing else."""
    count, run = 0, None
    while True:
        count += 1
        history = await stage.client.get_workflow_handle(id, run_id=run).fetch_history()
        kinds = [event.WhichOneof("attributes") or "" for event in history.events]
        if kinds[-1].startswith("workflow_execution_continued_as_new"):
            assert kinds[-2].startswith("workflow_task_completed"), kinds[-4:]
        started = history.events[0].workflow_execution_started_event_attributes
        run = started.continued_execution_run_id
        if not run:
            return count


async def continued(stage: Stage, id: str) -> None:
    """Returns when it is in another run than its first."""
    async with asyncio.timeout(20):
        while True:
            if await runs_of(stage, id) > 1:
                return
            await asyncio.sleep(0.05)


async def test_an_area_continues_while_its_tasks_run_and_hears_their_reports(stage):
    world = stage.world("c-area", a="old", b="old", c="old")
    world.needs = {"c1-0003": ("c1-0001", "c1-0002")}
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await world.until(lambda: len(world.asked("run_rung")) == 2)
    area = stage.client.get_workflow_handle(options.area_id("c-area", "root"))
    await grow(area, REPORT, STALE)
    await world.until(lambda: len(world.asked("run_rung")) == 2)
    gate.open()
    report = stage.report(await handle.result())
    assert {h.task: h.status for h in report.handoffs} == {
        f"c1-000{n}": Status.LANDED for n in (1, 2, 3)
    }
    assert await runs_of(stage, area.id) > 1
    assert len(world.asked("open_workspace")) == 3


async def test_a_report_of_another_epoch_changes_nothing(stage):
    world = stage.world("c-stale", a="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    area = stage.client.get_workflow_handle(options.area_id("c-stale", "root"))
    await area.signal(REPORT, STALE)
    (row,) = await area.query("rows")
    assert row["state"] == "running"
    gate.open()
    assert stage.report(await handle.result()).handoffs[0].status is Status.LANDED


async def test_a_task_that_dies_between_two_runs_of_its_area_is_started_anew(stage):
    world = stage.world("c-lost", a="old", b="old")
    first = world.hold("run_rung", task="c1-0001")
    other = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world)
    await asyncio.wait_for(asyncio.gather(first.reached.wait(), other.reached.wait()), 20)
    area = stage.client.get_workflow_handle(options.area_id("c-lost", "root"))
    await grow(area, REPORT, STALE)
    await area.query("rows")
    await stage.client.get_workflow_handle(options.task_id("c-lost", "c1-0001", 0)).terminate()
    await grow(area, REPORT, STALE)
    other.open()
    first.open()
    report = stage.report(await handle.result())
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    assert len(world.landed()) == 2
    assert await runs_of(stage, area.id) > 1


async def test_a_cancel_reaches_the_tasks_of_an_earlier_run(stage):
    world = stage.world("c-cancel", a="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    area = stage.client.get_workflow_handle(options.area_id("c-cancel", "root"))
    await grow(area, REPORT, STALE)
    await area.query("rows")
    await handle.execute_update(MigrationWorkflow.cancel, a_command("c1", "enough"))
    result = await asyncio.wait_for(handle.result(), 30)
    gate.open()
    assert await runs_of(stage, area.id) > 1
    assert result.stage is At.CANCELLED
    assert stage.report(result).handoffs[0].status is Status.CANCELLED


async def test_a_migration_continues_in_the_middle_of_its_work(stage):
    world = stage.world("c-migration", a="old", b="old")
    world.needs = {"c1-0002": ("c1-0001",)}
    first = world.hold("run_rung", task="c1-0001")
    second = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world)
    await asyncio.wait_for(first.reached.wait(), 20)
    await handle.execute_update(MigrationWorkflow.pause, a_command("p1"))
    await grow(handle, REPORT, STALE)
    first.open()
    await rested(world)
    await handle.execute_update(MigrationWorkflow.resume, a_command("r1"))
    again = await handle.execute_update(MigrationWorkflow.pause, a_command("p1"))
    assert again == "pause: accepted"
    await asyncio.wait_for(second.reached.wait(), 20)
    second.open()
    report = stage.report(await handle.result())
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    assert [d.verb for d in report.decisions] == ["pause", "resume"]
    assert await runs_of(stage, handle.id) > 1
    assert len(world.asked("make_plan")) == 1


async def test_a_report_that_comes_while_the_migration_continues_is_heard(stage):
    """Signalled with the start, it is there before the first line of the run."""
    world = stage.world("c-early", a="new")
    given = stage.given(world)
    state = MigrationState(
        epoch="e",
        stage=At.WORK,
        cycle=1,
        base={"commit": world.base, "tree": world.tree_id(world.base), "branch": "main"},
        tip=world.base,
        area_open=True,
        plan={
            "plan": given.spec,
            "phase": "main",
            "cycle": 1,
            "base": world.base,
            "forecast": {
                "waves": 1,
                "task_count": 1,
                "file_count": 1,
                "site_count": 1,
                "check_runs": 2,
            },
        },
        started_at="2026-01-01T00:00:00+00:00",
    )
    handle = await stage.client.start_workflow(
        MigrationWorkflow.run,
        given.model_copy(update={"state": MigrationState.model_validate(state.model_dump())}),
        id=options.migration_id(world.name),
        task_queue=options.CONTROL,
        start_signal=REPORT,
        start_signal_args=[Report(child="root", start=1, epoch="e")],
    )
    result = await asyncio.wait_for(handle.result(), 20)
    assert result.stage is At.DONE
    assert not world.asked("open_workspace")


async def test_a_queue_continues_with_who_waits_and_lands_them(stage):
    world = stage.world("c-queue", a="old", b="old")
    gate = world.hold("compose_batch")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    queue = await asking(stage, world, 2)
    await grow(queue, PAUSE, False)
    gate.open()
    report = stage.report(await handle.result())
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    assert (await queue.result()).landed == 2
    assert await runs_of(stage, queue.id) > 1


async def test_who_asks_while_a_queue_answers_does_not_keep_it_from_a_fresh_run(stage):
    """Everybody who is answered makes room for somebody who asks: as soon as the queue has told."""
    world = stage.world("c-asked", a="old", b="old")
    id, answered = "c-asked-queue", list[str]()
    queue = stage.client.get_workflow_handle(id)
    coming = [_candidate(world, "c1-0002", "b")]

    @activity.defn
    async def answer_tasks(request: AnswerTasks) -> None:
        answered.extend(answer.landing.task for answer in request.answers)
        for candidate in coming:
            await queue.signal(ENQUEUE, candidate)
        coming.clear()

    deciding = Worker(
        stage.client,
        task_queue=id,
        workflows=[MergeQueueWorkflow],
        activities=[answer_tasks],
        workflow_runner=workflow_runner(),
    )
    async with deciding:
        asked = QueueInput(
            repository=REPOSITORY,
            branch=a_branch(world.name),
            spec=stage.blobs.put_model(world.name, a_spec(world.name)),
            phase="main",
            base=world.base,
        )
        await stage.client.start_workflow(MergeQueueWorkflow.run, asked, id=id, task_queue=id)
        await grow(queue, PAUSE, False)
        await queue.signal(ENQUEUE, _candidate(world, "c1-0001", "a"))
        await world.until(lambda: len(world.landed()) == 2)
        await queue.signal(CLOSE)
        assert (await queue.result())["landed"] == 2
    assert answered == ["c1-0001", "c1-0002"]
    assert await runs_of(stage, id) == 2


def _candidate(world: World, task: str, file: str) -> Candidate:
    tree = {**world.tree(world.base), f"{file}.py": "new"}
    return Candidate(
        migration=world.name,
        task=task,
        commit=world.commit(tree, (world.base,), task),
        base=world.base,
        title=task,
        claims=(f"{file}.py",),
        reply_to="nobody",
    )
