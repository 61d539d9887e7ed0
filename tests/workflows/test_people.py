"""What people say about tasks: retry, skip, steer, pause, limits; and what is refused, why."""

import asyncio
from typing import Any

import pytest
from conftest import Stage as Theatre
from conftest import a_command, rested, until
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode
from world import World, fail

from activities.contracts.commands import Aimed, Retry, SetLimits, Skip, Steer
from activities.contracts.migration import Stage
from activities.contracts.work import TaskStatus as Status
from tests.service import eventually
from workflows import options
from workflows.migration import MigrationWorkflow

WHO = {"actor": "ana@desk"}


async def say(handle: WorkflowHandle[Any, Any], verb: str, command: Any) -> str:
    """A command by its name on the wire, as Temporal's own CLI sends it."""
    return await handle.execute_update(verb, command, result_type=str)


async def refused(handle: WorkflowHandle[Any, Any], verb: str, command: Any) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as no:
        await say(handle, verb, command)
    return str(no.value.cause)


async def rows(stage: Theatre, world: World) -> dict[str, str]:
    """Task → state; empty before its area has begun."""
    area = stage.client.get_workflow_handle(options.area_id(world.name, "root"))
    try:
        return {row["task"]["id"]: row["state"] for row in await area.query("rows")}
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return {}


async def until_row(stage: Theatre, world: World, task: str, state: str) -> None:
    async def is_there() -> bool:
        return (await rows(stage, world)).get(task) == state

    await eventually(is_there)


async def until_one_waits(stage: Theatre, world: World) -> None:
    """Until a candidate waits in the queue and is not composed."""
    id = options.queue_id(f"{world.name}-00000000", f"whimbrel/{world.name}")
    queue = stage.client.get_workflow_handle(id)

    async def waits() -> bool:
        return bool((await queue.query("state"))["waiting"])

    await eventually(waits)


async def held_migration(stage: Theatre, name: str, **files: str):
    """A migration with its first task at work, which waits behind a gate."""
    world = stage.world(name, **files)
    gate = world.hold("run_rung", task="c1-0001")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    return world, gate, handle


async def test_a_failed_task_is_tried_again_under_its_next_start_with_what_a_person_said(stage):
    world = stage.world("p-retry", a="old", b="old", c="old")
    world.per_task = {"c1-0002": fail(1)}
    gate = world.hold("run_rung", task="c1-0001")
    handle = await stage.start(world)
    await until_row(stage, world, "c1-0002", "needs_person")
    world.per_task = {}
    await say(handle, "steer", Steer(task="", text="use the new API", **WHO))
    said = await say(handle, "retry", Retry(id="r1", task="c1-0002", reason="mended", **WHO))
    assert said == "retry: accepted; c1-0002 will start again"
    assert await say(handle, "retry", Retry(id="r1", task="c1-0002")) == said
    await until_row(stage, world, "c1-0002", "landed")
    landed = await refused(handle, "retry", Retry(task="c1-0002"))
    assert f"c1-0002 has landed as {world.landed()['c1-0002']}" in landed
    assert "at work" in await refused(handle, "retry", Retry(task="c1-0001"))
    assert "near it: c1-0003" in await refused(handle, "retry", Retry(task="c1-003"))
    gate.open()
    report = stage.report(await handle.result())
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    again = [r for r in world.asked("run_rung") if r.task.id == "c1-0002"]
    assert [r.workspace.attempt for r in again] == ["0-1-0", "1-1-0"]
    assert [r.guidance for r in again] == [(), ("use the new API",)]
    assert [(d.verb, d.target, d.said) for d in report.decisions] == [
        ("steer", "", "use the new API"),
        ("retry", "task c1-0002", "c1-0002 will start again"),
    ]


async def test_all_failed_with_what_was_skipped_because_of_them(stage):
    world = stage.world("p-all", a="old", b="old", c="old")
    world.needs = {"c1-0003": ("c1-0002",)}
    world.per_task = {"c1-0002": fail(1)}
    gate = world.hold("run_rung", task="c1-0001")
    handle = await stage.start(world)
    await until_row(stage, world, "c1-0003", "skipped")
    world.per_task = {}
    said = await say(handle, "retry", Retry(all_failed=True, with_dependants=True))
    assert said == "retry: accepted; c1-0002, c1-0003 will start again"
    await until_row(stage, world, "c1-0003", "landed")
    assert "no task has failed" in await refused(handle, "retry", Retry(all_failed=True))
    gate.open()
    assert (await handle.result()).stage is Stage.DONE


async def test_a_skipped_task_stops_its_files_are_left_and_what_needs_it_is_told(stage):
    world = stage.world("p-skip", a="old", b="old", c="old", d="old")
    world.needs = {"c1-0003": ("c1-0002",)}
    gates = [world.hold("run_rung", task=f"c1-000{n}") for n in (1, 2)]
    handle = await stage.start(world, spec={"limits": {"concurrency": 2}})
    for gate in gates:
        await asyncio.wait_for(gate.reached.wait(), 20)
    said = await say(handle, "skip", Skip(task="c1-0002", reason="not ours", **WHO))
    assert "it stops, unless it lands before" in said
    assert said.endswith("skipped with it, because they need it: c1-0003")
    await until_row(stage, world, "c1-0003", "skipped")
    assert "is final (skipped)" in await refused(handle, "skip", Skip(task="c1-0002"))
    gates[0].open()
    report = stage.report(await handle.result())
    gates[1].open()
    assert report.outcome is Stage.DONE_WITH_LEFTOVERS
    by_task = {h.task: h for h in report.handoffs}
    assert [h.status for h in report.handoffs] == ["landed", "skipped", "skipped", "landed"]
    assert by_task["c1-0002"].left == ("b.py",)
    assert by_task["c1-0002"].concerns == ("skipped by ana@desk: not ours",)
    assert by_task["c1-0003"].concerns == ("it needs c1-0002, which did not all land",)
    assert world.green == {"a.py": "new", "b.py": "old", "c.py": "old", "d.py": "new"}


async def test_a_skip_withdraws_what_has_asked_to_land_and_is_not_composed(stage):
    world = stage.world("p-withdraw", a="old", b="old")
    gate = world.hold("compose_batch")
    rung = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    rung.open()
    await until_one_waits(stage, world)
    await say(handle, "skip", Skip(task="c1-0002"))
    await until_row(stage, world, "c1-0002", "skipped")
    gate.open()
    report = stage.report(await handle.result())
    assert [h.status for h in report.handoffs] == ["landed", "skipped"]
    assert world.green == {"a.py": "new", "b.py": "old"}


async def test_a_paused_task_waits_alone_and_goes_on_when_it_is_resumed(stage):
    world = stage.world("p-task", a="old", b="old", c="old")
    gate = world.hold("run_rung", task="c1-0001")
    handle = await stage.start(world, spec={"limits": {"concurrency": 2}})
    await asyncio.wait_for(gate.reached.wait(), 20)
    for task in ("c1-0001", "c1-0003"):
        await say(handle, "pause", Aimed(task=task, reason="look first", **WHO))
    assert "paused already (by ana@desk)" in await refused(handle, "pause", Aimed(task="c1-0001"))
    gate.open()
    await until_row(stage, world, "c1-0002", "landed")
    await rested(world)
    progress = await handle.query(MigrationWorkflow.progress)
    assert [(h.target, h.actor, h.reason) for h in progress.holds] == [
        ("task c1-0001", "ana@desk", "look first"),
        ("task c1-0003", "ana@desk", "look first"),
    ]
    assert await rows(stage, world) == {
        "c1-0001": "running",
        "c1-0002": "landed",
        "c1-0003": "waiting",
    }
    assert [r.task.id for r in world.asked("run_rung")] == ["c1-0001", "c1-0002"]
    task = stage.client.get_workflow_handle(options.task_id(world.name, "c1-0001", 0))
    page = await page_of(task)
    assert "**Waiting:** task c1-0001 paused by ana@desk since " in page
    assert page.endswith(": look first; nothing is lost")
    nothing = await refused(handle, "resume", Aimed())
    assert "what is paused: task c1-0001, task c1-0003" in nothing
    for task in ("c1-0001", "c1-0003"):
        await say(handle, "resume", Aimed(task=task))
    report = stage.report(await handle.result())
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    assert all(h.bounces == 0 for h in report.handoffs)


async def page_of(handle: WorkflowHandle[Any, Any]) -> str:
    """What the Web UI shows of it."""
    return (await handle.query("__temporal_workflow_metadata")).current_details


async def test_an_area_is_paused_by_its_name_and_says_so(stage):
    world, gate, handle = await held_migration(stage, "p-area", a="old", b="old")
    await say(handle, "pause", Aimed(area="root", **WHO))
    progress = await until(handle, lambda p: p.command == "starter.py resume p-area --area=root")
    assert progress.waiting_for.startswith("area root paused by ana@desk since ")
    assert "there is no area 'rot'; near it: root" in await refused(
        handle, "pause", Aimed(area="rot")
    )
    both = await refused(handle, "pause", Aimed(area="root", task="c1-0001"))
    assert both == "name a task or an area, not both"
    area = stage.client.get_workflow_handle(options.area_id(world.name, "root"))

    async def says_so() -> bool:
        return "**Waiting:** area root paused by ana@desk since " in await page_of(area)

    await eventually(says_so)
    gate.open()
    await rested(world)
    await say(handle, "resume", Aimed(area="root"))
    assert (await handle.result()).stage is Stage.DONE


async def test_limits_hold_at_once_and_are_checked(stage):
    world = stage.world("p-limits", **{f"f{n}": "old" for n in range(4)})
    gate = world.hold("run_rung")
    handle = await stage.start(world, spec={"limits": {"concurrency": 1}})
    await asyncio.wait_for(gate.reached.wait(), 20)
    assert len(world.asked("run_rung")) == 1
    await say(handle, "set_limits", SetLimits(concurrency=3, attempts=2, **WHO))
    await world.until(lambda: len(world.asked("run_rung")) == 3)
    said = await refused(handle, "set_limits", SetLimits(concurrency=0, cycles=99))
    assert said == (
        "concurrency 0: it should be greater than or equal to 1; "
        "cycles 99: it should be less than or equal to 20"
    )
    assert "usd -1.0: it should be greater than 0" in await refused(
        handle, "set_limits", SetLimits(usd=-1)
    )
    assert "no limit is named" in await refused(handle, "set_limits", SetLimits())
    gate.open()
    report = stage.report(await handle.result())
    assert [d.said for d in report.decisions] == ["concurrency 3, attempts 2"]


async def test_what_nobody_filled_in_is_filled_and_what_is_misspelt_is_refused(stage):
    _, gate, handle = await held_migration(stage, "p-plain", a="old")
    await handle.execute_update("pause", id="u-1")
    wrong = await refused(handle, "resume", {"taks": "c1-0001"})
    assert wrong == "it has no field 'taks'; did you mean 'task'?"
    await handle.execute_update("resume", {}, id="u-2")
    gate.open()
    report = stage.report(await handle.result())
    assert [(d.id, d.verb, d.actor) for d in report.decisions] == [
        ("u-1", "pause", "somebody through Temporal"),
        ("u-2", "resume", "somebody through Temporal"),
    ]


async def test_before_and_after_the_work_nothing_can_be_done_about_tasks(stage):
    world = stage.world("p-early", a="old")
    handle = await stage.start(world, spec={"approvals": ["plan"]})
    await until(handle, lambda p: p.stage is Stage.APPROVAL)
    assert "no task is at work yet (it is at: approval)" in await refused(
        handle, "skip", Skip(task="c1-0001")
    )
    last = world.hold("claim_branch")
    await handle.execute_update(MigrationWorkflow.approve, a_command("a1"))
    await asyncio.wait_for(last.reached.wait(), 20)
    assert "no task is at work" in await refused(handle, "retry", Retry(task="c1-0001"))
    last.open()
    assert (await handle.result()).stage is Stage.DONE


async def test_a_cancel_lands_what_has_asked_to_land(stage):
    world = stage.world("p-drain", a="old", b="old", c="old")
    compose = world.hold("compose_batch")
    rungs = [world.hold("run_rung", task=f"c1-000{n}") for n in (2, 3)]
    handle = await stage.start(world)
    await asyncio.wait_for(compose.reached.wait(), 20)
    rungs[0].open()
    await until_one_waits(stage, world)
    await say(handle, "cancel", a_command("c1", "enough"))
    compose.open()
    report = stage.report(await handle.result())
    rungs[1].open()
    assert [h.status for h in report.handoffs] == ["landed", "landed", "cancelled"]
    assert report.outcome is Stage.CANCELLED
