"""The area keeps its window full, its claims apart, and nobody lost."""

import asyncio
import time

from conftest import a_command, rested, until

from activities.contracts.children import REPORT, Report
from activities.contracts.landing import GreenTip
from activities.contracts.migration import Stage
from activities.contracts.work import TaskStatus as Status
from workflows import options
from workflows.migration import MigrationWorkflow


def statuses(report):
    return {handoff.task: handoff.status for handoff in report.handoffs}


async def test_no_more_tasks_run_at_once_than_the_limit_says(stage):
    world = stage.world("a-window", **{f"f{n}": "old" for n in range(6)})
    gate = world.hold("run_rung")
    handle = await stage.start(world, spec={"limits": {"concurrency": 2}})
    await world.until(lambda: len(world.asked("run_rung")) == 2)
    progress = await until(handle, lambda p: p.stage is Stage.WORK)
    assert len(world.workspaces) == 2
    assert progress.counts.total == 6
    gate.open()
    report = stage.report(await handle.result())
    assert set(statuses(report).values()) == {Status.LANDED}


async def test_a_task_waits_until_what_it_needs_has_landed(stage):
    world = stage.world("a-needs", a="old", b="old")
    world.needs = {"c1-0001": ("c1-0002",)}
    await stage.run(world)
    order = [asked.task for asked in world.asked("open_workspace")]
    assert order == ["c1-0002", "c1-0001"]
    assert list(world.landed()) == ["c1-0002", "c1-0001"]


async def test_a_task_starts_from_the_newest_tip_whoever_told_of_it_last(stage):
    """Reports overtake each other: the one that is taken last is of the landing before."""
    world = stage.world("a-newest", a="old", b="old", c="old")
    world.needs = {"c1-0003": ("c1-0001", "c1-0002")}
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await world.until(lambda: len(world.asked("run_rung")) == 2)
    area = stage.client.get_workflow_handle(options.area_id("a-newest", "root"))
    epoch = (await area.describe()).raw_description.workflow_execution_info.first_run_id
    tips = [world.commit({"a.py": text, "c.py": "old"}, (world.tip,), text) for text in "12"]
    for task, number in (("c1-0001", 1), ("c1-0002", 0)):
        told = GreenTip(commit=tips[number], at=time.time() + 100 + number)
        said = Report(child=task, start=0, epoch=epoch, status=Status.LANDED, green=told)
        await area.signal(REPORT, said)
    await world.until(lambda: len(world.asked("open_workspace")) == 3)
    assert world.asked("open_workspace")[-1].base == tips[1]
    gate.open()
    await handle.result()


async def test_what_needs_a_task_that_did_not_land_is_skipped_and_named(stage):
    world = stage.world("a-blocked", a="old", b="old")
    world.needs = {"c1-0002": ("c1-0001",)}
    world.per_task = {"c1-0001": lambda tree, task, count: 1}
    report = await stage.run(world)
    assert statuses(report) == {"c1-0001": Status.NEEDS_PERSON, "c1-0002": Status.SKIPPED}
    assert report.handoffs[1].left == ("b.py",)


async def test_a_task_whose_workflow_died_is_started_anew(stage):
    world = stage.world("a-died", a="old", b="old")
    gate = world.hold("run_rung", task="c1-0001")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    dead = stage.client.get_workflow_handle(options.task_id("a-died", "c1-0001", 0))
    await dead.terminate("the test kills it")
    gate.open()
    report = stage.report(await handle.result())
    assert set(statuses(report).values()) == {Status.LANDED}
    again = stage.client.get_workflow_handle(options.task_id("a-died", "c1-0001", 1))
    assert (await again.result())["status"] == Status.LANDED
    assert sorted(world.landed()) == ["c1-0001", "c1-0002"]


async def test_a_task_that_died_after_it_landed_is_found_on_the_branch(stage):
    world = stage.world("a-landed", a="old")
    gate = world.hold("land")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    dead = stage.client.get_workflow_handle(options.task_id("a-landed", "c1-0001", 0))
    found = world.hold("find_landed")
    await dead.terminate("the test kills it")
    gate.open()
    await asyncio.wait_for(found.reached.wait(), 20)
    await until(handle, lambda _: world.tip != world.base)
    found.open()
    report = stage.report(await handle.result())
    assert statuses(report) == {"c1-0001": Status.LANDED}
    assert "no handoff" in report.handoffs[0].did
    assert len(world.chain()) == 1


async def test_a_killed_area_is_started_anew_and_goes_on_from_git(stage):
    world = stage.world("a-area", a="old", b="old")
    world.needs = {"c1-0002": ("c1-0001",)}
    gate = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    area = stage.client.get_workflow_handle(options.area_id("a-area", "root"))
    await area.terminate("the test kills it")
    gate.open()
    report = stage.report(await handle.result())
    assert set(statuses(report).values()) == {Status.LANDED}
    assert sorted(world.landed()) == ["c1-0001", "c1-0002"]
    assert len(world.asked("land")) == len(world.chain())


async def test_progress_tells_the_green_tip_while_work_goes_on(stage):
    world = stage.world("a-tip", a="old", b="old")
    gate = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world, spec={"limits": {"concurrency": 1}})
    progress = await until(handle, lambda p: p.counts.landed == 1)
    assert progress.tip == world.tip != world.base
    gate.open()
    await handle.result()


async def test_a_pause_starts_nothing_new_composes_nothing_and_loses_nothing(stage):
    world = stage.world("a-pause", **{f"f{n}": "old" for n in range(4)})
    gate = world.hold("run_rung")
    handle = await stage.start(world, spec={"limits": {"concurrency": 1}})
    await asyncio.wait_for(gate.reached.wait(), 20)
    await handle.execute_update(MigrationWorkflow.pause, a_command("p1", "lunch"))
    progress = await until(handle, lambda p: p.command == "starter.py resume a-pause")
    assert progress.waiting_for.startswith("paused by ana@desk since ")
    assert progress.waiting_for.endswith(": lunch")
    gate.open()
    await rested(world)
    assert len(world.asked("run_rung")) == 1
    assert not world.asked("compose_batch")
    await handle.execute_update(MigrationWorkflow.resume, a_command("r1"))
    report = stage.report(await handle.result())
    assert set(statuses(report).values()) == {Status.LANDED}


async def test_a_cancel_reaches_every_task_lands_what_was_composed_and_reports_the_rest(stage):
    world = stage.world("a-cancel", **{f"f{n}": "old" for n in range(5)})
    gate = world.hold("run_rung")
    handle = await stage.start(world, spec={"limits": {"concurrency": 3}})
    await world.until(lambda: len(world.asked("run_rung")) == 3)
    await handle.execute_update(MigrationWorkflow.cancel, a_command("c1", "enough"))
    result = await handle.result()
    gate.open()
    report = stage.report(result)
    assert (result.stage, result.reason) == (Stage.CANCELLED, "enough")
    assert set(statuses(report).values()) == {Status.CANCELLED}
    assert world.green == world.tree(world.base)
    assert [d.verb for d in report.decisions] == ["cancel"]
